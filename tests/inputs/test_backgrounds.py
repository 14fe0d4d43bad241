import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfreid.errors import DataError
from tfreid.inputs import backgrounds

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (7, 5, 3), dtype=np.uint8)
OTHER = RNG.integers(0, 256, (7, 5, 3), dtype=np.uint8)
MASK = RNG.integers(0, 4, (7, 5), dtype=np.uint8)
PIXEL = (10.25, 120.5, 200.125)


def equation_1(image, mask, replacement):
    """I_out = I_in * M + R * (1 - M) in float64."""
    m = (mask > 0).astype(np.float64)[..., None]
    return image.astype(np.float64) * m + np.asarray(replacement, np.float64) * (1 - m)


def test_compose_is_equation_1_exactly():
    composed = backgrounds.compose(IMAGE, MASK, OTHER)
    assert composed.dtype == tf.uint8
    np.testing.assert_array_equal(composed, equation_1(IMAGE, MASK, OTHER))


def test_mean_background_keeps_the_person():
    filled = backgrounds.fill_background(IMAGE, MASK, PIXEL)
    np.testing.assert_array_equal(filled, equation_1(IMAGE, MASK, PIXEL))


def test_background_only_keeps_the_background():
    filled = backgrounds.fill_person(IMAGE, MASK, PIXEL)
    np.testing.assert_array_equal(
        filled, equation_1(np.broadcast_to(PIXEL, (7, 5, 3)), MASK, IMAGE)
    )


def scene(height, width, number):
    """Pixels that tell where they come from: image, row, column."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([np.full_like(rows, number), rows, columns], axis=-1)


@pytest.fixture
def scenes(tmp_path):
    paths = []
    for number, size in enumerate([(12, 9), (7, 20), (30, 5)]):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(scene(*size, number)).save(paths[-1])
    return backgrounds.load_backgrounds(paths, (7, 5))


def test_crops_are_pieces_of_one_scene(scenes):
    seen = set()
    for draw in np.random.default_rng(1).random((600, 3)):
        crop = scenes.crop(tf.constant(draw), tf.constant([7, 5])).numpy()
        number, top, left = (int(value) for value in crop[0, 0])
        expected = scene(40, 40, number)[top : top + 7, left : left + 5]
        np.testing.assert_array_equal(crop, expected)
        seen.add((number, top, left))
    corners = [(0, t, c) for t in range(6) for c in range(5)]
    corners += [(1, 0, c) for c in range(16)] + [(2, t, 0) for t in range(24)]
    assert seen == set(corners)  # every place of every scene, and nothing else


def test_crops_reach_no_further_than_the_scene(scenes):
    last = tf.constant(np.nextafter([1.0, 1.0, 1.0], 0))
    crop = scenes.crop(last, tf.constant([7, 5])).numpy()
    np.testing.assert_array_equal(crop, scene(30, 5, 2)[23:, :])


def test_small_scenes_are_scaled_up_with_their_aspect_ratio(tmp_path):
    Image.fromarray(scene(10, 30, 0)).save(tmp_path / "small.png")
    loaded = backgrounds.load_backgrounds([tmp_path / "small.png"], (20, 12))
    assert loaded.sizes_px.numpy().tolist() == [[20, 60]]


def test_large_scenes_are_scaled_down(tmp_path):
    Image.new("L", (2048, 64), 9).save(tmp_path / "large.png")
    loaded = backgrounds.load_backgrounds([tmp_path / "large.png"], (20, 12))
    assert loaded.sizes_px.numpy().tolist() == [[32, 1024]]
    assert loaded.pixels.shape == (1, 32, 1024, 3)


@pytest.mark.parametrize("size_px", [(3000, 1500), (1500, 3000), (7, 5), (3000, 1)])
def test_crops_for_photographs_are_enlarged_and_not_kept(tmp_path, size_px):
    """Scenes for images of 12 megapixels take no more memory than others."""
    rows, columns = (255 * np.mgrid[:300, :400].T / (299, 399)).T
    ramp = np.stack([rows, columns, np.full_like(rows, 7)], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    loaded = backgrounds.load_backgrounds([tmp_path / "ramp.png"], (4000, 3000))
    assert loaded.sizes_px.numpy().tolist() == [[1024, 1365]]
    draw = tf.constant([0.0, 0.5, 0.9], tf.float64)
    crop = tf.function(loaded.crop)(draw, tf.constant(size_px)).numpy()
    assert (crop.dtype, crop.shape) == (np.uint8, (*size_px, 3))
    spans = np.ptp(crop.astype(int), axis=(0, 1))
    shares = np.array(size_px) * min(1024 / size_px[0], 1365 / size_px[1], 1) / (1024, 1365)
    np.testing.assert_allclose(spans, [*(255 * shares), 0], atol=4)


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match=r"notes\.txt cannot be read as an image"):
        backgrounds.load_backgrounds([tmp_path / "notes.txt"], (2, 2))


OWNERS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]


@pytest.mark.parametrize(
    ("seen", "allowed"),
    [
        ((1, 1), {3}),  # Another person and another camera.
        ((3, 1), {1, 3}),
        ((3, 3), {0, 1, 2, 3}),
        ((9, 9), {0, 1, 2, 3, 4}),
    ],
)
def test_pictures_of_other_persons_and_cameras_are_taken(tmp_path, seen, allowed):
    assert _numbers(tmp_path, OWNERS, seen) == allowed


def test_where_there_is_no_such_picture_the_next_best_is_taken(tmp_path):
    assert _numbers(tmp_path, [(1, 1), (1, 2), (2, 1)], (1, 1)) == {2}
    assert _numbers(tmp_path, [(1, 0), (2, 0)], (1, 0)) == {1}
    assert _numbers(tmp_path, [(1, 1), (1, 1)], (1, 1)) == {0, 1}


def _numbers(folder, owners, seen):
    """Which pictures an image of this person and camera gets."""
    paths = []
    for number in range(len(owners)):
        paths.append(folder / f"{number}.png")
        Image.fromarray(scene(8, 8, number)).save(paths[-1])
    loaded = backgrounds.load_backgrounds(paths, (7, 5), owners)
    draws = np.random.default_rng(0).random((60, 3))
    seen = tf.constant(seen, tf.int64)
    crops = [loaded.crop(tf.constant(draw), tf.constant([7, 5]), seen) for draw in draws]
    return {int(crop[0, 0, 0]) for crop in crops}


def test_a_giant_is_named_and_not_decoded(tmp_path):
    path = tmp_path / "giant.png"
    Image.new("1", (20_000, 10_000)).save(path)
    with pytest.raises(DataError, match=r"giant\.png cannot be read as an image: .*pixels"):
        backgrounds.load_backgrounds([path], (2, 2))
