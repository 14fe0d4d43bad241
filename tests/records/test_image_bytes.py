"""What a record holds of images that are not plain 8-bit, upright and whole JPEG or PNG files."""

import io
import os
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from tfreid.inputs import decode_image
from tfreid.records import images
from tfreid.records.images import RejectedError

RED, GREEN, BLUE, GREY = (250, 0, 0), (0, 250, 0), (0, 0, 250), (120, 120, 120)
QUARTERS = np.array([[RED, GREEN], [BLUE, GREY]], np.uint8).repeat(16, 0).repeat(8, 1)
# What the camera's sensor saw, for each orientation, when the person stood as in QUARTERS.
SEEN = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 3),
}


def saved(path, pixels, **options):
    PIL.Image.fromarray(np.ascontiguousarray(pixels)).save(path, **options)
    return str(path)


def exif(orientation):
    tags = PIL.Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", SEEN)
def test_people_stand_upright(tmp_path, kind, orientation):
    options = {"quality": 100, "subsampling": 0} if kind == "jpg" else {}
    options |= {"lossless": True} if kind == "webp" else {}
    seen = SEEN[orientation](QUARTERS)
    path = saved(tmp_path / f"i.{kind}", seen, exif=exif(orientation), **options)
    data, image = images.read_image(path)
    for pixels in (np.asarray(image), decode_image(data).numpy()):
        np.testing.assert_allclose(pixels, QUARTERS, atol=8)
    kept = kind in ("jpg", "png") and orientation == 1
    assert (data == (tmp_path / f"i.{kind}").read_bytes()) == kept


def test_nonsense_in_exif_turns_nothing(tmp_path):
    for place, value in enumerate((0, 9, 700)):
        path = saved(tmp_path / f"{place}.png", QUARTERS, exif=exif(value))
        assert images.read_image(path)[1].size == (16, 32)
    path = saved(tmp_path / "b.jpg", QUARTERS, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert images.read_image(path)[1].size == (16, 32)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_of_sixteen_bits_the_upper_eight_are_kept(tmp_path, kind):
    grey = np.arange(0, 65536, 128, dtype=np.uint16).reshape(32, 16)
    data, image = images.read_image(saved(tmp_path / f"i.{kind}", grey))
    expected = np.broadcast_to((grey // 256)[..., None], (32, 16, 3))
    np.testing.assert_array_equal(decode_image(data), expected)
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(images.pixel_sums(image), expected.sum((0, 1)))


@pytest.mark.parametrize(("dtype", "kind"), [(np.float32, "floating-point"), (np.int32, "32-bit")])
def test_values_of_unknown_range_are_refused(tmp_path, dtype, kind):
    path = saved(tmp_path / "i.tif", np.full((32, 16), 300, dtype))
    with pytest.raises(RejectedError, match=f"has {kind}.* scale it to 8 or 16 bits.*i.tif"):
        images.read_image(path)


def test_a_file_with_several_pictures_is_refused(tmp_path):
    picture = PIL.Image.fromarray(QUARTERS)
    picture.save(tmp_path / "i.tif", save_all=True, append_images=[picture, picture])
    with pytest.raises(RejectedError, match="holds 3 pictures: one a file was expected"):
        images.read_image(str(tmp_path / "i.tif"))


def test_what_only_pillow_reads_becomes_png(tmp_path):
    """A JPEG file whose end marker is lost; TensorFlow refuses it."""
    path = tmp_path / "i.jpg"
    saved(path, np.random.default_rng(1).integers(0, 256, (128, 64, 3), np.uint8))
    whole = np.asarray(PIL.Image.open(path))
    path.write_bytes(path.read_bytes()[:-2] + b"\0\0")
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(path.read_bytes())
    data, _ = images.read_image(str(path))
    np.testing.assert_array_equal(decode_image(data), whole)


@pytest.mark.parametrize(
    ("width", "height", "text"),
    [
        (10_000, 6_000, "10000x6000 pixels, more than the 50 million"),
        (60_000, 60_000, "more than 179 million pixels: make it smaller"),
    ],
)
def test_a_giant_is_refused_by_its_header(width, height, text, tmp_path):
    """The picture itself is not there: nothing but the header may be read."""
    size = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    header = b"IHDR" + size
    chunk = struct.pack(">I", len(size)) + header + struct.pack(">I", zlib.crc32(header))
    path = tmp_path / "i.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT\0\0\0\0")
    with pytest.raises(RejectedError, match=text):
        images.read_image(str(path))


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tif", "webp"])
def test_the_limit_is_on_pixels(tmp_path, kind):
    path = saved(tmp_path / f"i.{kind}", QUARTERS)  # 16 x 32
    images.read_image(path, max_mpx=512e-6)
    with pytest.raises(RejectedError, match=r"16x32 pixels, more than the 0\.000511"):
        images.read_image(path, max_mpx=511e-6)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "i.jpg")
    with pytest.raises(RejectedError, match=r"no regular file: .*i\.jpg"):
        images.read_image(str(tmp_path / "i.jpg"))


def test_random_backgrounds_keep_sixteen_bits(tmp_path):
    _, image = images.read_image(saved(tmp_path / "i.png", np.full((32, 16), 200 * 256, np.uint16)))
    scene = saved(tmp_path / "scene.png", QUARTERS)
    copy = images.on_random_background(image, np.ones((32, 16), np.uint8), (scene,), seed=0)
    assert (np.asarray(PIL.Image.open(io.BytesIO(copy))) == 200).all()


def test_the_limit_holds_for_backgrounds(tmp_path):
    scene = saved(tmp_path / "scene.png", QUARTERS)
    image, mask = PIL.Image.fromarray(QUARTERS), np.zeros((32, 16), np.uint8)
    with pytest.raises(RejectedError, match=r"16x32 pixels, more than the 0\.0005 million"):
        images.on_random_background(image, mask, (scene,), 0, max_mpx=0.0005)
    made = images.on_random_background(image, mask, (scene,), 0, max_mpx=0.001)
    np.testing.assert_array_equal(decode_image(made), QUARTERS)


def test_a_picture_with_damaged_notes_is_kept_as_tensorflow_sees_it(tmp_path):
    """Pillow refuses what stands beside the picture, and exported models describe it."""
    path = tmp_path / "i.png"
    saved(path, SEEN[6](QUARTERS), exif=exif(6))
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"IDAT") - 5] ^= 1  # The last byte of the checksum of the EXIF.
    path.write_bytes(whole)
    with pytest.raises(RejectedError):
        images.decode_file(path.read_bytes(), "it")
    data, image = images.read_image(str(path))
    np.testing.assert_array_equal(decode_image(data), QUARTERS)
    np.testing.assert_array_equal(image, QUARTERS)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_turned_jpeg_has_the_pixels_that_exported_models_see(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
    path = saved(tmp_path / "i.jpg", noise, exif=exif(3))
    data, _ = images.read_image(path)
    seen = decode_image((tmp_path / "i.jpg").read_bytes()).numpy()
    np.testing.assert_array_equal(decode_image(data), np.rot90(seen, 2))
