"""How the camera was held, as EXIF tells it.

The rules are those that exported models follow in TensorFlow operations: both go through a file
alike, so that no image is turned in one place and not in the other. `tfreid.serving.orientation`
explains the formats.
"""

import struct

TAG = 0x0112
_SHORT, _LONG = 3, 4
_MOST_ENTRIES, _MOST_SEGMENTS = 512, 100
_BEGINNING_BYTES = 1 << 17
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def exif_of(file: bytes) -> bytes:
    """Returns the TIFF directory of the EXIF of a JPEG or PNG file; nothing where it has none."""
    beginning = file[:_BEGINNING_BYTES]
    if b"Exif\0\0" not in beginning and b"eXIf" not in beginning:
        return b""
    is_png = file.startswith(b"\x89PNG")
    step_at, place = (_png_chunk, 8) if is_png else (_jpeg_segment, 2)
    for _ in range(_MOST_SEGMENTS + 1):
        step, exif = step_at(file, place)
        if not step:
            return exif
        place += step
    return b""


def orientation(exif: bytes) -> int:
    """Returns the orientation that a TIFF directory tells, 1 to 8; 1, upright, if none."""
    order = _BYTE_ORDERS.get(exif[:4])
    if order is None:
        return 1
    (directory,) = struct.unpack(f"{order}I", _padded(exif, 4, 4))
    (count,) = struct.unpack(f"{order}H", _padded(exif, directory, 2))
    found = 1
    for number in range(min(count, _MOST_ENTRIES)):
        entry = _padded(exif, directory + 2 + 12 * number, 12)
        tag, kind, values = struct.unpack(f"{order}HHI", entry[:8])
        if tag != TAG or (kind, values) not in ((_SHORT, 1), (_SHORT, 2), (_LONG, 1)):
            continue
        value = struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", entry, 8)[0]
        if 1 <= value <= 8:
            found = max(found, value)
    return found


def _jpeg_segment(file: bytes, place: int) -> tuple[int, bytes]:
    """Returns the bytes to the next segment, or 0 and the EXIF if it is here."""
    head = _padded(file, place, 10)
    length = int.from_bytes(head[2:4], "big")
    if head[0] != 0xFF:
        return 0, b""
    if head[1] == 0xFF:  # Any number of fill bytes may precede a marker.
        return 1, b""
    if head[1] == 0xDA or length < 2:
        return 0, b""
    if head[1] == 0xE1 and head[4:] == b"Exif\0\0":
        return 0, file[place + 10 : place + 2 + max(length, 8)]
    return length + 2, b""


def _png_chunk(file: bytes, place: int) -> tuple[int, bytes]:
    """Returns the bytes to the next chunk, or 0 and the EXIF if it is here."""
    head = _padded(file, place, 10)
    length, name = int.from_bytes(head[:4], "big"), head[4:8]
    if name == b"IDAT" or length >= 1 << 31 or not name[0]:
        return 0, b""
    if name == b"eXIf":
        return 0, file[place + 8 : place + 8 + length]
    return length + 12, b""


def _padded(data: bytes, place: int, count: int) -> bytes:
    return data[place : place + count].ljust(count, b"\0")
