"""How the camera was held, as EXIF tells it, in TensorFlow operations: its decoders ignore EXIF.

A JPEG file begins with segments (marker, length, contents), of which one may be EXIF, a PNG file
with chunks (length, name, contents), of which `eXIf` is the same. EXIF is a TIFF directory, whose
tag 0x0112 is the orientation, 1 to 8 (EXIF 2.32, sections 4.5.4 and 4.6.4). `tfreid.datasets.exif`
follows the same rules when images are converted and checked.
"""

from typing import NamedTuple

import tensorflow as tf

_TAG, _SHORT, _LONG = 0x0112, 3, 4
_ENTRY_BYTES, _MOST_ENTRIES = 12, 512
_MOST_SEGMENTS = 100
_HEAD_BYTES = 10
_BEGINNING_BYTES = 1 << 17
_MAY_HAVE_EXIF = r"\C*(Exif\x00\x00|eXIf)\C*"  # \C is any byte


class _Segment(NamedTuple):
    """What lies at a place in each file; int32 `[batch]`.

    Attributes:
      step: bytes to the next segment; 0 at EXIF, at the picture and where nothing makes sense.
      start: place of the EXIF.
      size: its bytes; 0 if it is none.
    """

    step: tf.Tensor
    start: tf.Tensor
    size: tf.Tensor


def orientations(files: tf.Tensor) -> tf.Tensor:
    """Reads the EXIF orientation of image files.

    Args:
      files: string `[batch]`.

    Returns:
      int32 `[batch]`, 1 to 8; 1, upright, where a file does not say.
    """
    beginnings = tf.strings.substr(files, 0, _BEGINNING_BYTES)
    may_have = tf.strings.regex_full_match(beginnings, _MAY_HAVE_EXIF)
    upright = tf.ones_like(tf.strings.length(files))
    # Most images have none, and looking for the words is cheaper than going through segments.
    told = tf.cond(tf.reduce_any(may_have), lambda: _tag(_exif(files)), lambda: upright)
    return tf.where(may_have, told, upright)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image so that it stands as the camera saw it.

    Args:
      image: `[height, width, channels]`.
      orientation: int32 scalar, 1 to 8.

    Returns:
      The same pixels, for 5 to 8 `[width, height, channels]`.
    """

    def turn() -> tf.Tensor:
        standing = tf.cond(orientation > 4, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
        upside_down = tf.reduce_any(orientation == [3, 4, 7, 8])
        mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
        return tf.raw_ops.Reverse(tensor=standing, dims=[upside_down, mirrored, False])

    return tf.cond(orientation > 1, turn, lambda: image)


def _exif(files: tf.Tensor) -> tf.Tensor:
    """Returns the TIFF directory of each file's EXIF, or nothing; string `[batch]`."""
    is_png = _is(_bytes(files, tf.zeros_like(tf.strings.length(files)), 4), b"\x89PNG")

    def segment(place: tf.Tensor) -> _Segment:
        head = _bytes(files, place, _HEAD_BYTES)
        pairs = zip(_png_chunk(head, place), _jpeg_segment(head, place), strict=True)
        return _Segment(*(tf.where(is_png, *pair) for pair in pairs))

    start = tf.where(is_png, 8, 2)
    _, found = tf.while_loop(
        lambda _, found: tf.reduce_any(found.step > 0),
        lambda place, found: (place + found.step, segment(place + found.step)),
        (start, segment(start)),
        maximum_iterations=_MOST_SEGMENTS,
    )
    return _part(files, found.start, found.size)


def _jpeg_segment(head: tf.Tensor, place: tf.Tensor) -> _Segment:
    """Reads the start of a segment, uint8 values `[batch, _HEAD_BYTES]`."""
    marker, length = head[:, 1], _number(head[:, 2:4])
    is_fill = marker == 0xFF  # any number of them may precede a marker
    is_picture = (head[:, 0] != 0xFF) | (marker == 0xDA) | (length < 2)
    is_exif = (marker == 0xE1) & _is(head[:, 4:], b"Exif\0\0")
    step = tf.where(is_picture | is_exif, 0, length + 2)
    size = tf.where(is_exif & ~is_picture, tf.maximum(length - 8, 0), 0)
    return _Segment(tf.where(is_fill & (head[:, 0] == 0xFF), 1, step), place + 10, size)


def _png_chunk(head: tf.Tensor, place: tf.Tensor) -> _Segment:
    """Reads the start of a chunk, uint8 values `[batch, _HEAD_BYTES]`."""
    length = _number(head[:, :4])
    is_picture = _is(head[:, 4:8], b"IDAT") | (length < 0) | (head[:, 4] == 0)
    is_exif = _is(head[:, 4:8], b"eXIf") & (length >= 0)
    step = tf.where(is_picture | is_exif, 0, tf.minimum(length, 1 << 30) + 12)
    return _Segment(step, place + 8, tf.where(is_exif, length, 0))


def _tag(exif: tf.Tensor) -> tf.Tensor:
    """Returns the orientation of TIFF directories, string `[batch]`; 1 where there is none."""
    header = _bytes(exif, tf.zeros_like(tf.strings.length(exif)), 8)
    is_little, is_big = _is(header[:, :4], b"II*\0"), _is(header[:, :4], b"MM\0*")

    def number(values: tf.Tensor) -> tf.Tensor:
        other = tf.reshape(is_little, (-1,) + (1,) * (values.shape.rank - 2))
        return tf.where(other, _number(tf.reverse(values, [-1])), _number(values))

    directory = number(header[:, 4:8])
    directory = tf.where(directory < 0, tf.strings.length(exif), directory)
    count = tf.minimum(number(_bytes(exif, directory, 2)), _MOST_ENTRIES)
    most = tf.maximum(tf.reduce_max(count), 1)
    raw = _bytes(exif, directory + 2, most * _ENTRY_BYTES)
    entries = tf.reshape(raw, (-1, most, _ENTRY_BYTES))
    kind, values = number(entries[..., 2:4]), number(entries[..., 4:8])
    is_short, is_long = (kind == _SHORT) & (values <= 2), (kind == _LONG) & (values == 1)
    value = tf.where(is_short, number(entries[..., 8:10]), number(entries[..., 8:12]))
    is_told = (
        (tf.range(most) < count[:, None])
        & (number(entries[..., :2]) == _TAG)
        & (is_short | is_long)
        & (values > 0)
        & (value >= 1)
        & (value <= 8)
        & (is_little | is_big)[:, None]
    )
    return tf.reduce_max(tf.where(is_told, value, 1), axis=1)


def _bytes(files: tf.Tensor, place: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """Returns bytes from a place in each file, int32 `[batch, count]`; zeros after its end."""
    part = _part(files, place, count * tf.ones_like(place))
    padded = tf.io.decode_raw(part, tf.uint8, fixed_length=count)
    return tf.cast(padded, tf.int32)


def _part(files: tf.Tensor, start: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(files, tf.clip_by_value(start, 0, tf.strings.length(files)), size)


def _number(values: tf.Tensor) -> tf.Tensor:
    """Reads bytes `[..., n]` as a number, the highest first; int32, negative above 2**31."""
    weights = tf.bitwise.left_shift(1, 8 * tf.range(values.shape[-1] - 1, -1, -1))
    return tf.reduce_sum(values * weights, axis=-1)


def _is(values: tf.Tensor, text: bytes) -> tf.Tensor:
    return tf.reduce_all(values == list(text), axis=-1)
