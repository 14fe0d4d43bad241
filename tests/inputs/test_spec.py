import pytest

from tfreid.errors import UsageError
from tfreid.inputs import InputSpec


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"image_size_px": (0, 5)}, "image_size_px"),
        ({"variant": "blurred"}, "variant must be one of original, mean_background"),
        ({"flip_probability": 1.5}, r"flip_probability must lie in \[0, 1\], not 1.5"),
        ({"random_background_probability": -0.1}, "random_background_probability must lie"),
        (
            {"variant": "mean_background", "random_background_probability": 0.5},
            "set the probability to 0 or the variant to 'original'",
        ),
        ({"mask_vocabulary": "lip21"}, "mask_vocabulary must be one of lip20"),
        ({"images_per_person": -1}, "images_per_person must be 0"),
        ({"spread_cameras": True}, "set images_per_person above 0 or spread_cameras to False"),
    ],
)
def test_impossible_values_are_refused(values, text):
    with pytest.raises(UsageError, match=text):
        InputSpec(**{"image_size_px": (4, 4)} | values)
