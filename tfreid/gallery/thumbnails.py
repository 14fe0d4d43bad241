"""Small pictures, by which people recognise what is stored."""

import io

from PIL import Image, ImageOps

_MOST_PX = (96, 192)  # Width, height.


def thumbnail(file: bytes) -> bytes:
    """Returns a small JPEG of an image file, upright, without what EXIF says beside the picture."""
    with Image.open(io.BytesIO(file)) as image:
        small = ImageOps.exif_transpose(image).convert("RGB")
        small.thumbnail(_MOST_PX)
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
