"""TFRecord framing: length (uint64), its CRC (uint32), payload, its CRC (uint32), little-endian.

Written out here because the Beam workers must not import TensorFlow and the reader needs random
access, which `tf.data.TFRecordDataset` does not give.
"""

import mmap
import struct
from pathlib import Path

import google_crc32c
import numpy as np

from tfreid.errors import DataError

_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")
HEADER_BYTES = _LENGTH.size + _CRC.size
FOOTER_BYTES = _CRC.size


def masked_crc(data: bytes) -> int:
    """Returns the CRC-32C of the data, masked as TFRecord files store it."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """Returns the payload as one framed record, ready to be appended to a shard."""
    length = _LENGTH.pack(len(payload))
    return b"".join(
        (length, _CRC.pack(masked_crc(length)), payload, _CRC.pack(masked_crc(payload)))
    )


def payload_spans(data: mmap.mmap | bytes, path: Path) -> np.ndarray:
    """Finds the payloads of a shard by walking its record headers.

    Args:
        data: the whole shard.
        path: the shard's path, for error texts.

    Returns:
        int64 `[records, 2]`: start and length in bytes of each payload.

    Raises:
        DataError: if a header is damaged or the shard ends within a record.
    """
    spans = []
    offset, size = 0, len(data)
    while offset < size:
        if offset + HEADER_BYTES > size:
            raise damaged(path, offset, "the file ends within a record header")
        header = data[offset : offset + HEADER_BYTES]
        length_bytes = header[: _LENGTH.size]
        if masked_crc(length_bytes) != _CRC.unpack_from(header, _LENGTH.size)[0]:
            raise damaged(path, offset, "the checksum of a record header does not match")
        length = _LENGTH.unpack(length_bytes)[0]
        end = offset + HEADER_BYTES + length + FOOTER_BYTES
        if end > size:
            raise damaged(path, offset, f"a record of {length} bytes passes the end of the file")
        spans.append((offset + HEADER_BYTES, length))
        offset = end
    return np.asarray(spans, dtype=np.int64).reshape(-1, 2)


def read_payload(data: mmap.mmap | bytes, start: int, length: int, path: Path) -> bytes:
    """Returns the payload at a span that `payload_spans` gave.

    Raises:
        DataError: if the payload's checksum does not match.
    """
    payload = data[start : start + length]
    if masked_crc(payload) != _CRC.unpack_from(data, start + length)[0]:
        raise damaged(path, start, "the checksum of a record does not match")
    return payload


def damaged(path: Path, offset: int, what: str) -> DataError:
    """Returns the error for a shard that is not as it was written."""
    return DataError(
        f"damaged TFRecord shard {path}: {what}, at byte {offset}. "
        "The file is truncated or was changed: re-run the conversion that wrote the folder."
    )
