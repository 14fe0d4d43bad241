"""Image files and requests as accident and malice would have them."""

import io
import struct
import zlib

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2

SIZE_PX = (24, 16)


def picture(kind: str, mode: str = "RGB", orientation: int | None = None, **options) -> bytes:
    """Returns a file of noise in a format of Pillow's."""
    pixels = np.random.default_rng(3).integers(0, 256, (*SIZE_PX, 3), np.uint8)
    if orientation:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


MOVING = ("PNG", "GIF", "WEBP")
PICTURES = [
    *(picture("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
    picture("JPEG", progressive=True),
    *(picture("JPEG", orientation=orientation) for orientation in range(2, 9)),
    picture("JPEG", "CMYK", progressive=True),
    *(picture("PNG", mode) for mode in ("RGB", "L", "LA", "P", "1", "RGBA", "I;16")),
    picture("PNG", "P", transparency=3, bits=4),
    *(
        picture(kind, save_all=True, append_images=[Image.new("RGB", SIZE_PX[::-1])])
        for kind in MOVING
    ),
    *(picture("PNG", orientation=orientation) for orientation in (3, 6)),
    *(picture("BMP", mode) for mode in ("RGB", "L", "P", "RGBA")),
    picture("BMP") + b"\0\0",
    *(picture(kind) for kind in ("GIF", "TIFF", "WEBP")),
]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Changes, cuts out or inserts bytes, more often near the beginning; or cuts off the end."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        end = len(changed) + 1
        at = int(rng.integers(min(end, 200) if rng.random() < 0.5 else end))
        few = int(rng.integers(1, 9))
        match rng.integers(6):
            case 0:
                changed[at : at + few] = bytes([rng.choice([0, 1, 0x7F, 0xFF])]) * few
            case 1 | 2:
                changed[at : at + 1] = rng.bytes(1)
            case 3:
                del changed[at : at + few]
            case 4:
                changed[at:at] = rng.bytes(few)
            case 5:
                del changed[at:]
    return bytes(changed)


def damaged_picture(rng: np.random.Generator) -> bytes:
    """Returns a picture with some damage; most PNG files get the right checksums again."""
    data = mutated(PICTURES[rng.integers(len(PICTURES))], rng)
    return _with_checksums(data) if rng.random() < 0.8 else data


def _with_checksums(data: bytes) -> bytes:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    mended, place = bytearray(data), 8
    while place + 12 <= len(mended):
        (length,) = struct.unpack_from(">I", mended, place)
        end = place + 8 + length
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[place + 4 : end]))
        place = end + 4
    return bytes(mended)


def damaged_request(rng: np.random.Generator, images: list[bytes]) -> predict_pb2.PredictRequest:
    """Returns a request with one or two things in it that are not as they should be."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "reid"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(images))
    for _ in range(rng.integers(0, 3)):
        _CHANGES[rng.integers(len(_CHANGES))](request, rng)
    return request


def _number(rng: np.random.Generator) -> int:
    return int(rng.choice([-(2**63), -1, 0, 1, 2, 5, 1000, 2**31, 2**40, 2**62, 2**63 - 1]))


def _name(rng: np.random.Generator) -> str:
    known = ["serving_default", "embed_images", "explain", "reid", "images", "embedding", ""]
    odd = ["n" * int(rng.integers(1, 200_000)), "\0", "é" * 9, "__saved_model_init_op", "../1"]
    return str(rng.choice(known) if rng.random() < 0.6 else rng.choice(odd))


def _other_spec(request, rng):
    field = rng.choice(["name", "signature_name", "version_label"])
    setattr(request.model_spec, field, _name(rng))


def _other_version(request, rng):
    request.model_spec.version.value = _number(rng)


def _output_filter(request, rng):
    request.output_filter.extend(_name(rng) for _ in range(rng.integers(1, 4)))


def _damaged_image(request, rng):
    proto = request.inputs["image_bytes"]
    if proto.string_val:
        proto.string_val[int(rng.integers(len(proto.string_val)))] = damaged_picture(rng)


def _other_shape(request, rng):
    dims = request.inputs["image_bytes"].tensor_shape.dim
    if dims and rng.random() < 0.5:
        dims[0].size = _number(rng)
    else:
        dims.add(size=_number(rng))


def _other_dtype(request, rng):
    request.inputs["image_bytes"].dtype = int(rng.choice([0, 1, 2, 7, 20, 21, 99, 101, 10_000]))


def _other_content(request, rng):
    request.inputs["image_bytes"].tensor_content = rng.bytes(int(rng.integers(0, 99)))


def _other_values(request, rng):
    proto = request.inputs["image_bytes"]
    del proto.string_val[:]
    proto.float_val.extend(rng.random(int(rng.integers(0, 9))).tolist())


def _unknown_rank(request, rng):
    request.inputs["image_bytes"].tensor_shape.unknown_rank = True


def _other_input(request, rng):
    request.inputs[_name(rng)].CopyFrom(request.inputs["image_bytes"])


def _pixels(request, rng):
    """Asks the other signature, with pixels that need not be numbers."""
    request.inputs.pop("image_bytes", None)
    request.model_spec.signature_name = "embed_images"
    sizes = SIZE_PX if rng.random() < 0.8 else (0, *SIZE_PX)
    pixels = rng.random((int(rng.integers(0, 4)), *sizes, 3), np.float32) + 0.1
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(pixels))


_CHANGES = [
    _other_spec,
    _other_version,
    _output_filter,
    _damaged_image,
    _damaged_image,
    _other_shape,
    _other_dtype,
    _other_content,
    _other_values,
    _unknown_rank,
    _other_input,
    _pixels,
]
