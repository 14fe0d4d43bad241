import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from linear_model import LinearModel, encoded, files
from PIL import Image, ImageOps

from tests.serving.colour_model import png_header
from tfreid.errors import DataError
from tfreid.inputs import decode_image
from tfreid.serving import RefusedImagesError, ServedModel, export
from tfreid.serving.refused import fault_of, header_fault
from tfreid.serving.signatures import preprocess

SIZE = (24, 16)
PIXELS = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


def file(kind, mode="RGB", orientation=None):
    buffer, exif = io.BytesIO(), Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.fromarray(PIXELS).convert(mode).save(buffer, kind, exif=exif)
    return buffer.getvalue()


def changed(bitmap, place, value):
    """A BMP file with other 16 bits in its header."""
    return bitmap[:place] + struct.pack("<H", value) + bitmap[place + 2 :]


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decode(image_bytes):
    """What the exported graph makes of files; these have the size that it makes."""
    return preprocess(image_bytes, [SIZE])[0]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_files_without_exif_keep_their_bits(kind):
    np.testing.assert_array_equal(decode([file(kind)])[0], decode_image(file(kind)))


MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "BMP": ("L", "P", "RGB", "RGBA")}


@pytest.mark.parametrize(
    ("kind", "mode"), [(kind, m) for kind, modes in MODES.items() for m in modes]
)
def test_every_mode_has_pillows_pixels(kind, mode):
    encoded = file(kind, mode)
    expected = Image.open(io.BytesIO(encoded)).convert("RGB")
    np.testing.assert_array_equal(decode([encoded])[0], expected)


@pytest.mark.parametrize("mode", MODES["BMP"])
def test_what_follows_a_bmp_is_not_looked_at(mode):
    encoded = file("BMP", mode)
    np.testing.assert_array_equal(decode([encoded + b"\0\1\2"])[0], decode([encoded])[0])


def test_colours_beyond_a_small_palette_are_black():
    encoded, few = bytearray(file("BMP", "P")), 16
    (pixels,) = struct.unpack_from("<I", encoded, 10)
    del encoded[54 + 4 * few : pixels]
    encoded[10:14], encoded[46:50] = struct.pack("<I", 54 + 4 * few), struct.pack("<I", few)
    expected = Image.open(io.BytesIO(encoded)).convert("RGB")
    np.testing.assert_array_equal(decode([bytes(encoded)])[0], expected)


def test_exported_signatures_turn_files_upright(tmp_path):
    path = export(LinearModel(), (8, 4), tmp_path, files())
    served = ServedModel(path)
    lying = Image.fromarray(PIXELS)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffers = io.BytesIO(), io.BytesIO()
    lying.save(buffers[0], "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(buffers[0].getvalue())))
    upright.save(buffers[1], "PNG")
    turned, expected = served.embed_files([buffer.getvalue() for buffer in buffers])
    np.testing.assert_array_equal(turned, expected)
    assert "upright" in served.facts["preprocessing"]["orientation"]
    bad = [file("GIF"), files()[0], png_header(9000, 9000)]
    with pytest.raises(RefusedImagesError, match="image 0 of the list: a GIF file") as refused:
        served.embed_files(bad)
    assert list(refused.value.reasons) == [0, 2]
    assert isinstance(refused.value, DataError)


REFUSED = {
    "large PNG": (png_header(10_000, 5_001), r"50 million pixels; .*\[5001 10000\]", "10000x5001"),
    "wide PNG": (png_header(2**31 - 1, 2**31 - 1), "50 million pixels", "2147483647x2147483647"),
    "large BMP": (
        changed(changed(file("BMP"), 20, 9), 24, 9),
        r"50 million pixels; .*\[589848 589840\]",
        "589840x589848",
    ),
    "BMP upside down": (changed(changed(file("BMP"), 20, 9), 24, 0xFFF0), "50 million", "pixels"),
    "GIF": (file("GIF"), "no JPEG, PNG or BMP file", "a GIF file"),
    "TIFF": (file("TIFF"), "no JPEG, PNG or BMP file", "a TIFF file"),
    "WebP": (file("WEBP"), "no JPEG, PNG or BMP file", "a WebP file"),
    "1-bit BMP": (file("BMP", "1"), "a BMP must be", "damaged, or of a kind"),
    "compressed BMP": (changed(file("BMP", "P"), 30, 1), "a BMP must be", "damaged, or of"),
    "BMP of too many colours": (changed(file("BMP", "P"), 46, 257), "a BMP must be", "damaged, or"),
    "BMP whose pixels begin in its palette": (
        changed(file("BMP", "P"), 10, 60),
        "a BMP must be",
        "damaged, or of a kind",
    ),
    "short BMP": (file("BMP")[:-1], "Input size", "damaged, or of a kind"),
    "old BMP": (changed(file("BMP"), 14, 12), "a BMP must be", "damaged, or of a kind"),
    "empty": (b"", "no JPEG, PNG or BMP file", "an empty file"),
    "text": (b"hello", "no JPEG, PNG or BMP file", "no image file"),
    "JPEG without end": (file("JPEG")[:-2], "Invalid JPEG", "damaged, or of a kind"),
    "PNG header": (file("PNG")[:20], "PNG", "damaged in its header"),
    "JPEG header": (file("JPEG")[:20], "JPEG", "damaged in its header"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_the_graph_refuses_what_server_and_client_explain(kind):
    encoded, in_graph, explained = REFUSED[kind]
    with pytest.raises(tf.errors.InvalidArgumentError, match=in_graph):
        decode([file("PNG"), encoded])
    assert explained in fault_of(encoded)


def test_a_large_jpeg_is_refused_by_its_header():
    large = bytearray(file("JPEG"))
    start = large.index(b"\xff\xc0") + 5
    large[start : start + 4] = struct.pack(">HH", 9000, 8000)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"50 million .*\[9000 8000\]"):
        decode([bytes(large)])
    assert header_fault(bytes(large)) == "8000x9000 pixels, expected at most 50 million"


def test_the_checks_come_before_the_decoder():
    """Nothing in the values tells: the picture would be decoded, and then refused."""
    functions = decode.get_concrete_function().graph.as_graph_def().library.function
    nodes, waiting = {}, []
    for function in functions:
        if any(node.op == "DecodeImage" for node in function.node_def):
            nodes = {node.name: node for node in function.node_def}
            waiting = [node.name for node in function.node_def if node.op == "DecodeImage"]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in seen:
            seen.add(name)
            waiting += [before.lstrip("^").split(":")[0] for before in nodes[name].input]
    kinds = [nodes[name].op for name in seen]
    assert kinds.count("Assert") + kinds.count("If") + kinds.count("StatelessIf") >= 2, kinds


def test_a_limit_holds_to_the_pixel():
    ten = encoded((10, 10), "PNG")
    assert header_fault(ten, 100 / 1e6) == ""
    assert header_fault(ten, 99 / 1e6) == "10x10 pixels, expected at most 9.9e-05 million"
