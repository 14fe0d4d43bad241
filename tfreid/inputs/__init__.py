"""TFRecords to batches: decode, resize, augment, replace backgrounds, sample persons."""

from tfreid.inputs.spec import VARIANTS, InputSpec

__all__ = ["VARIANTS", "InputSpec"]
