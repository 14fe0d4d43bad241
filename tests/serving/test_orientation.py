import io
import itertools
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from tfreid.datasets.exif import exif_of
from tfreid.datasets.exif import orientation as by_reader
from tfreid.serving.orientation import orientations, upright

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
SHORT, LONG = 3, 4
read = tf.function(orientations, input_signature=[tf.TensorSpec([None], tf.string)])


def told_by_reader(file):
    return by_reader(exif_of(file))


def file(kind="JPEG", exif=b"", **options):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def directory(*entries, endian="<", offset=8):
    """A TIFF directory of tag, type, count and value, at an offset."""
    order = {"<": b"II", ">": b"MM"}[endian]
    packed = b"".join(
        struct.pack(f"{endian}HHI", tag, kind, count)
        + struct.pack(f"{endian}HH" if kind == SHORT else f"{endian}I", *value)
        for tag, kind, count, *value in entries
    )
    head = order + struct.pack(f"{endian}HI", 42, offset)
    return head + bytes(offset - 8) + struct.pack(f"{endian}H", len(entries)) + packed + bytes(4)


def orientation(value, kind=SHORT, count=1):
    return (0x0112, kind, count, value, 0) if kind == SHORT else (0x0112, kind, count, value)


def exif(*entries, **options):
    return b"Exif\0\0" + directory(*entries, **options)


def segment(marker, contents):
    return b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(contents)) + contents


def with_segments(*segments):
    plain = file()
    return plain[:2] + b"".join(segments) + plain[2:]


MAKER, WIDTH = (0x010F, LONG, 1, 7), (0x0100, SHORT, 1, 6, 0)
BY_PILLOW = {
    "none": file(),
    "PNG without": file("PNG"),
    "BMP": file("BMP"),
    "after others": file(exif=exif(WIDTH, MAKER, orientation(5))),
    "at an offset": file(exif=exif(MAKER, orientation(7), offset=70)),
    "as 32 bits": file(exif=exif(orientation(6, LONG), endian=">")),
    "two values": file(exif=exif(orientation(6, count=2))),
    "beyond 8": file(exif=exif(orientation(9))),
    "zero": file(exif=exif(orientation(0))),
    "an empty directory": file(exif=exif()),
    "cut off behind it": file(exif=exif(orientation(6), MAKER)[:-8]),
    "cut off before it": file(exif=exif(MAKER, orientation(6))[:-12]),
    "a directory elsewhere": file(exif=exif()[:10] + b"\xff\xff\xff\x7f" + bytes(40)),
    "after JFIF, ICC and a comment": with_segments(
        segment(0xE2, b"ICC_PROFILE\0" + bytes(60_000)),
        segment(0xFE, b"Exif\0\0 is a word"),
        segment(0xE1, exif(orientation(8))),
    ),
    "after XMP": with_segments(
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), segment(0xE1, exif(orientation(3)))
    ),
    "with fill bytes": with_segments(b"\xff\xff" + segment(0xE1, exif(orientation(4)))),
    "the word alone": with_segments(segment(0xE4, exif(orientation(6)))),
    "after tables": with_segments(segment(0xDB, b"\0" + bytes(range(1, 65)))),
    "in another order": file(exif=b"Exif\0\0XX" + exif(orientation(6))[8:]),
    "PNG": file("PNG", directory(MAKER, orientation(2), endian=">")),
}


def test_pixels_and_orientations_are_pillows():
    ways = list(itertools.product(("JPEG", "PNG"), range(1, 9), "<>"))
    files = [file(kind, exif(orientation(n), endian=endian)) for kind, n, endian in ways]
    found = read(tf.constant(files)).numpy()
    assert found.tolist() == [n for _, n, _ in ways]
    for encoded, one in zip(files, found, strict=True):
        image = Image.open(io.BytesIO(encoded))
        expected = np.asarray(ImageOps.exif_transpose(image))
        turned = upright(tf.constant(np.asarray(image)), tf.constant(one))
        np.testing.assert_array_equal(turned, expected)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("place", BY_PILLOW)
def test_it_is_found_where_pillow_finds_it(place):
    image = Image.open(io.BytesIO(BY_PILLOW[place]))
    told = image.getexif().get(0x0112, 1)
    expected = told if told in range(1, 9) else 1
    assert told_by_reader(BY_PILLOW[place]) == expected
    beside = [file(exif=exif(orientation(6))), BY_PILLOW[place], file()]
    assert read(tf.constant(beside)).numpy().tolist() == [6, expected, 1]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8" + b"\xff" * 90 + b"Exif\0\0",
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0",
        b"\xff\xd8\xff\xe1\0\0Exif\0\0" + bytes(99),
        b"\xff\xd8\xff\xe1\0\x10Exif\0\0" + b"\xff" * 99,
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 40 + b"eXIf",
        b"\x89PNG\r\n\x1a\n" + b"\x7f\xff\xff\xffeXIf" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0eXIf",
        b"Exif\0\0",
    ],
)
def test_garbage_is_upright(garbage):
    assert read(tf.constant([garbage, file()])).numpy().tolist() == [1, 1]
    assert told_by_reader(garbage) == 1


def test_a_file_is_read_alike_in_any_company():
    """No EXIF is looked for behind the first 128 KiB, whatever the others of a batch have."""
    comments = [segment(0xFE, bytes(60_000))] * 3
    late = with_segments(*comments, segment(0xE1, exif(orientation(6))))
    assert read(tf.constant([late, file(exif=exif(orientation(3)))])).numpy().tolist() == [1, 3]
    assert told_by_reader(late) == 1


def test_reader_and_graph_agree_on_damaged_exif():
    rng = np.random.default_rng(0)
    wholes = [*BY_PILLOW.values(), *(file("PNG", exif(orientation(n))) for n in range(1, 9))]
    damaged = []
    for number in range(400):
        changed = bytearray(wholes[number % len(wholes)])
        for place in rng.integers(0, 150, 3):
            changed[place] = rng.choice([0, 1, 3, 6, 0xFF, int(rng.integers(256))])
        damaged.append(bytes(changed))
    assert read(tf.constant(damaged)).numpy().tolist() == list(map(told_by_reader, damaged))
