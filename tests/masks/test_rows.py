"""Masks of images as they lie on the disk: files of every format, and parts of files."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfreid.datasets import Row
from tfreid.datasets.parts import Box
from tfreid.errors import UsageError
from tfreid.masks.rows import masks_of_rows, require_room
from tfreid.masks.run import ImageParser
from tfreid.records.images import RejectedError, UnsureError

SIZE_PX = (48, 48)
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 20, 3), np.uint8)


class Bright:
    """A network for which what is red is a person."""

    vocabulary = "binary"

    def __call__(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        red = images[..., :1]
        return {"logits": tf.concat([255.0 - red, red], axis=-1)}


@pytest.fixture(scope="module")
def parser():
    return ImageParser(Bright(), SIZE_PX).parse


def row(path, part=None):
    return Row(str(path), 1, 1, "train", f"any/{path.name}", image_part=part)


def saved(path):
    Image.fromarray(PIXELS).save(path)
    return path


def test_masks_do_not_depend_on_the_format_or_the_place(parser, tmp_path):
    whole = [row(saved(tmp_path / f"person.{kind}")) for kind in ("png", "bmp", "tif")]
    frame = np.zeros((60, 50, 3), np.uint8)
    frame[5:45, 7:27] = PIXELS
    Image.fromarray(frame).save(tmp_path / "frame.png")
    rows = [*whole, row(tmp_path / "frame.png", Box(left=7, top=5, width=20, height=40))]
    first, *others = masks_of_rows(parser, rows, batch_size=3)
    assert first.shape == (40, 20)
    assert first.dtype == np.uint8
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_what_cannot_be_read_takes_no_place_in_a_batch(parser, tmp_path):
    good, bad = saved(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_text("no image")
    rows = [row(bad), row(good), row(good, Box(99, 99, 5, 5)), row(tmp_path / "missing.png")]
    damaged, mask, outside, missing = masks_of_rows(parser, rows)
    assert mask.shape == (40, 20)
    for error, text in (
        (damaged, "is no JPEG"),
        (outside, "inside the image"),
        (missing, "missing.png"),
    ):
        assert isinstance(error, RejectedError)
        assert text in str(error)
    (alone,) = masks_of_rows(parser, rows[:1])
    assert isinstance(alone, RejectedError)


def test_a_disk_without_room_for_masks_is_named(tmp_path, full_disk):
    rows = [row(saved(tmp_path / "person.bmp"))]
    with pytest.raises(UsageError, match=r"the masks take about .* in .*/out, and .* are free"):
        require_room(rows, tmp_path / "out")


def test_images_beyond_the_limit_are_refused(parser, tmp_path):
    rows = [row(saved(tmp_path / "person.png"))]
    (refused,) = masks_of_rows(parser, rows, max_image_mpx=0.0005)
    assert "20x40 pixels, more than the 0.0005 million of max_image_mpx" in str(refused)
    (mask,) = masks_of_rows(parser, rows, max_image_mpx=0.001)
    assert mask.shape == (40, 20)


def test_an_image_without_a_person_has_no_mask(parser, tmp_path):
    dark = tmp_path / "dark.png"
    Image.fromarray(np.zeros_like(PIXELS)).save(dark)
    nobody, mask = masks_of_rows(parser, [row(dark), row(saved(tmp_path / "person.png"))])
    assert isinstance(nobody, UnsureError)
    assert str(nobody) == "the person is 0.0% of the image"
    assert set(np.unique(mask)) == {0, 1}
