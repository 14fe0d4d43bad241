"""Small pictures, by which people recognise what is stored."""

import io

from PIL import Image

_MOST_PX = (96, 192)  # Width, height.


def thumbnail(file: bytes) -> bytes:
    """Returns a small JPEG of what a model sees of an image file, without the notes beside it.

    Pillow would see other pictures, or none where such notes are damaged.
    """
    import tensorflow as tf  # Only here: a page that is looked at does without.

    from tfreid.serving.decoding import decode_upright
    from tfreid.serving.orientation import orientations

    (orientation,) = orientations(tf.constant([file]))
    small = Image.fromarray(decode_upright(tf.constant(file), orientation).numpy())
    small.thumbnail(_MOST_PX)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
