"""From what the pose network says to masks."""

import pickle

import numpy as np
import pytest

from tests.masks.networks import png, write_lite, write_pose
from tfreid.errors import DataError, MissingPathError
from tfreid.masks.pose import PoseMaker
from tfreid.records.images import RejectedError, UnsureError

BLACK, BLUE = (0, 0, 0), (0, 0, 255)


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return PoseMaker(str(write_pose(tmp_path_factory.mktemp("pose") / "pose.tflite")))


def picture(height, width, rows=slice(None), columns=slice(None), colour=BLUE):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[rows, columns] = colour
    return png(pixels)


@pytest.mark.parametrize(("height", "width"), [(96, 47), (120, 60), (30, 90), (500, 201)])
def test_the_person_is_where_the_network_sees_it_at_the_images_own_size(maker, height, width):
    rows, columns = slice(height // 5, height - height // 6), slice(width // 4, width // 2)
    (mask,) = maker([picture(height, width, rows, columns)])
    assert (mask.dtype, mask.shape) == (np.uint8, (height, width))
    expected = np.zeros((height, width), bool)
    expected[rows, columns] = True
    both, either = expected & (mask > 0), expected | (mask > 0)
    assert both.sum() > 0.85 * either.sum()
    step = -(-max(height, width) * 5 // 4 // 256)  # A pixel of the network's square.
    edges = [np.flatnonzero((mask > 0).any(axis=axis))[[0, -1]] for axis in (1, 0)]
    for found, wanted in zip(edges, (rows, columns), strict=True):
        np.testing.assert_allclose(found, (wanted.start, wanted.stop - 1), atol=1 + step)


def test_each_pixel_belongs_to_the_part_of_the_body_that_is_nearest(maker):
    (mask,) = maker([picture(204, 80)])  # One pixel of the image is nearly one of the square.
    middle = mask[:, 40]
    assert (np.diff(middle.astype(int)) >= 0).all()
    assert {*middle} == {1, 2, 3}
    first = [int(np.argmax(middle == region)) + 26 for region in (2, 3)]
    # Half way from mouth (58) to shoulders (80); from the waist, above the hips at 130, to them.
    np.testing.assert_allclose(first, (69, 126), atol=3)
    assert mask[105 - 26, 2] == 2  # Beside an elbow.


def test_it_says_so_where_it_is_not_confident(maker):
    images = [picture(96, 48, colour=(0, 255, blue)) for blue in (255, 128, 127, 50)]
    sure, just, hardly, unsure = maker(images)
    assert sure.all()
    assert just.all()
    assert isinstance(hardly, UnsureError)
    assert str(unsure) == "a person with confidence 0.20, below 0.5"


def test_an_empty_mask_is_none(maker):
    (found,) = maker([picture(100, 100, slice(40, 41), slice(40, 41))])
    assert isinstance(found, UnsureError)
    assert "of the image" in str(found)


def test_what_cannot_be_decoded_is_rejected_and_takes_nobodys_place(maker):
    good = picture(96, 48)
    bad, mask = maker([b"no image", good])
    assert isinstance(bad, RejectedError)
    np.testing.assert_array_equal(mask, *maker([good]))


def test_it_travels_to_workers(maker):
    sent = pickle.loads(pickle.dumps(maker))
    np.testing.assert_array_equal(sent([picture(96, 48)])[0], maker([picture(96, 48)])[0])


def test_other_networks_are_refused(tmp_path):
    other = write_lite(tmp_path / "other.tflite", lambda image: 2.0 * image, (1, 256, 256, 3))
    with pytest.raises(DataError, match=r"other.tflite is not mediapipe_pose: its outputs are"):
        PoseMaker(str(other))([picture(8, 8)])
    (tmp_path / "text.tflite").write_text("text")
    with pytest.raises(DataError, match=r"text.tflite is not a TFLite model"):
        PoseMaker(str(tmp_path / "text.tflite"))([picture(8, 8)])
    with pytest.raises(MissingPathError, match="there is no such file"):
        PoseMaker(str(tmp_path / "none.tflite"))([picture(8, 8)])
