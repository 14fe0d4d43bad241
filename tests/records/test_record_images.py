import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from tfreid.datasets.parts import Box
from tfreid.records import images
from tfreid.records.images import RejectedError

HEIGHT, WIDTH = 12, 8


def pixels(seed=0, size=(HEIGHT, WIDTH)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def file(folder, data, name="file"):
    path = folder / name
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_image_bytes_are_untouched(tmp_path, kind):
    data = encoded(PIL.Image.fromarray(pixels()), kind)
    read, image = images.read_image(file(tmp_path, data))
    assert read == data
    assert image.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
def test_other_formats_become_png_without_loss(tmp_path, kind):
    data = encoded(PIL.Image.fromarray(pixels()), kind)
    read, _ = images.read_image(file(tmp_path, data))
    np.testing.assert_array_equal(tf.io.decode_png(read), pixels())


def test_a_part_of_a_file_becomes_png_without_loss(tmp_path):
    path = file(tmp_path, encoded(PIL.Image.fromarray(pixels()), "PNG"))
    data, image = images.read_image(path, Box(2, -1, 100, 6))
    np.testing.assert_array_equal(tf.io.decode_png(data), pixels()[:5, 2:])
    assert image.size == (WIDTH - 2, 5)
    with pytest.raises(RejectedError, match=r"Box\(left=8, .*inside the image's 8x12"):
        images.read_image(path, Box(8, 0, 4, 4))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_what_tensorflow_cannot_decode_is_rejected(tmp_path, kind):
    """Every truncation, and many single damaged bytes."""
    data = encoded(PIL.Image.fromarray(pixels()), kind)
    rng = np.random.default_rng(0)
    damaged = [data[:n] for n in range(1, len(data), 7)]
    damaged += [data[:-1]]
    for place in rng.integers(0, len(data), 100):
        damaged.append(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
    accepted = 0
    for variant in damaged:
        try:
            data, _ = images.read_image(file(tmp_path, variant))
        except RejectedError:
            continue
        tf.io.decode_image(data, channels=3, expand_animations=False)
        accepted += 1
    assert accepted < 0.7 * len(damaged)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the image file is empty"),
        (b"this is no image", "the image is no JPEG or PNG or BMP or TIFF or WEBP file"),
        (encoded(PIL.Image.fromarray(pixels()), "JPEG")[:-40], "the image is damaged"),
        (encoded(PIL.Image.fromarray(pixels()), "GIF"), "the image is no JPEG or PNG or BMP"),
    ],
)
def test_bad_images(tmp_path, data, reason):
    with pytest.raises(RejectedError, match=reason):
        images.read_image(file(tmp_path, data, "0001_c1s1_000001_00.jpg"))


def test_missing_image(tmp_path):
    with pytest.raises(RejectedError, match=r"cannot read the image.*No such file"):
        images.read_image(str(tmp_path / "nothing.jpg"))


def indices(highest=19):
    return np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) % (highest + 1)


def test_mask_is_kept_as_it_is(tmp_path):
    data = encoded(PIL.Image.fromarray(indices()), "PNG")
    read, mask = images.read_mask(file(tmp_path, data), "lip20", (WIDTH, HEIGHT), max_mpx=96e-6)
    assert read == data
    np.testing.assert_array_equal(mask, indices())


@pytest.mark.parametrize("mode", ["P", "1"])
def test_palette_and_bit_masks_keep_their_indices(tmp_path, mode):
    if mode == "P":
        classes = indices()
        image = PIL.Image.fromarray(classes)
        image.putpalette(pixels(size=(256, 1)).tobytes())
    else:
        classes = indices(1)
        image = PIL.Image.fromarray(classes.astype(bool))
    path = file(tmp_path, encoded(image, "PNG"))
    data, mask = images.read_mask(path, "lip20", (WIDTH, HEIGHT))
    np.testing.assert_array_equal(mask, classes)
    np.testing.assert_array_equal(tf.io.decode_png(data, channels=1)[..., 0], classes)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (PIL.Image.fromarray(indices()[1:]), "the mask is 8x11 pixels .*, the image 8x12"),
        (PIL.Image.fromarray(indices(37)), "unknown class 37 in the mask: lip20 has .* 0 to 19"),
        (PIL.Image.fromarray(pixels()), "the mask has mode RGB with 8 bits"),
        (PIL.Image.fromarray(indices().astype(np.uint16)), "the mask has mode I;16 with 16 bits"),
    ],
)
def test_bad_masks(tmp_path, image, reason):
    path = file(tmp_path, encoded(image, "PNG"))
    with pytest.raises(RejectedError, match=reason):
        images.read_mask(path, "lip20", (WIDTH, HEIGHT))


def test_mask_that_is_no_png(tmp_path):
    path = file(tmp_path, encoded(PIL.Image.fromarray(indices()), "BMP"))
    with pytest.raises(RejectedError, match="the mask is no PNG file"):
        images.read_mask(path, "lip20", (WIDTH, HEIGHT))


def test_pixel_sums():
    expected = pixels().astype(np.float64).sum(axis=(0, 1))
    np.testing.assert_array_equal(images.pixel_sums(PIL.Image.fromarray(pixels())), expected)


def test_random_background_is_the_papers_formula(tmp_path):
    scenes = [pixels(10 + i, (20, 30)) for i in range(3)]
    paths = tuple(
        file(tmp_path, encoded(PIL.Image.fromarray(scene), "PNG"), f"{i}.png")
        for i, scene in enumerate(scenes)
    )
    mask = indices(3)
    inside = np.float64(mask > 0)[..., None]
    crops = {}
    for i, scene in enumerate(scenes):
        for top in range(20 - HEIGHT + 1):
            for left in range(30 - WIDTH + 1):
                crop = scene[top : top + HEIGHT, left : left + WIDTH]
                expected = pixels() * inside + crop * (1.0 - inside)
                crops[expected.astype(np.uint8).tobytes()] = i
    chosen = []
    for seed in range(40):
        data = images.on_random_background(PIL.Image.fromarray(pixels()), mask, paths, seed)
        again = images.on_random_background(PIL.Image.fromarray(pixels()), mask, paths, seed)
        assert data == again
        chosen.append(crops[np.asarray(PIL.Image.open(io.BytesIO(data))).tobytes()])
    assert set(chosen) == {0, 1, 2}


def test_random_background_must_be_large_enough(tmp_path):
    path = file(tmp_path, encoded(PIL.Image.fromarray(pixels(1, (HEIGHT, 7))), "PNG"))
    with pytest.raises(RejectedError, match="the background is 7x12 pixels, smaller than the im"):
        images.on_random_background(PIL.Image.fromarray(pixels()), indices(), (path,), 0)
