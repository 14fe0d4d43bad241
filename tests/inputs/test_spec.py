import pytest

from tfreid.errors import UsageError
from tfreid.inputs import InputSpec, Mirror, PaddedCrop, RandomBackground


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"image_size_px": (0, 5)}, "image_size_px"),
        ({"variant": "blurred"}, "variant must be one of original, mean_background"),
        (
            {"variant": "mean_background", "augmentation": (RandomBackground(0.5),)},
            r"RandomBackground\(probability=0.5\) .* set the probability to 0 or the variant",
        ),
        ({"augmentation": ("blur",)}, "'blur' in augmentation is no operation: it needs a name"),
        (
            {"augmentation": (PaddedCrop(1.0, 2), PaddedCrop(0.5, 4))},
            "a name of its own, .* these are padded_crop, padded_crop",
        ),
        (
            {"augmentation": (Mirror(0.5), RandomBackground(0.5))},
            "random_background and mirror .* must come first .* not mirror, random_background",
        ),
        ({"augmentation": (PaddedCrop(1.0, 2), Mirror(0.5))}, "mirror work on the stored image"),
        ({"mask_vocabulary": "lip21"}, "mask_vocabulary must be one of lip20"),
        ({"images_per_person": -1}, "images_per_person must be 0"),
        ({"spread_cameras": True}, "set images_per_person above 0 or spread_cameras to False"),
    ],
)
def test_impossible_values_are_refused(values, text):
    with pytest.raises(UsageError, match=text):
        InputSpec(**{"image_size_px": (4, 4)} | values)
