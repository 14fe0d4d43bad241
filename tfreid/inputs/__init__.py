"""TFRecords to batches: decode, resize, augment, replace backgrounds, sample persons."""

from tfreid.inputs.augmentation import (
    Augmentation,
    ColourJitter,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
)
from tfreid.inputs.batches import (
    data_errors,
    evaluation_batches,
    evaluation_images,
    training_batches,
)
from tfreid.inputs.checks import masks_missing
from tfreid.inputs.images import decode_image, resize_image
from tfreid.inputs.spec import VARIANTS, InputSpec, readable

__all__ = [
    "VARIANTS",
    "Augmentation",
    "ColourJitter",
    "InputSpec",
    "Mirror",
    "PaddedCrop",
    "RandomBackground",
    "RandomErasing",
    "data_errors",
    "decode_image",
    "evaluation_batches",
    "evaluation_images",
    "masks_missing",
    "readable",
    "resize_image",
    "training_batches",
]
