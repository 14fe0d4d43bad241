"""What the recipes of methods with a backbone share."""

from collections.abc import Sequence

from tfreid.methods.recipe import FormerField
from tfreid.nn import Backbone, load_pretrained

RESNET_DEPTH = FormerField(int, lambda depth: {"backbone": f"resnet{depth}"})
"""`backbone_depth`, of the time when all backbones were ResNets."""


def start_pretrained(backbones: Sequence[Backbone], weights: str) -> None:
    """Starts all backbones of a model from the same weights, and says what was loaded.

    Args:
      backbones: of one architecture, whole or pieces, built.
      weights: as of `load_pretrained`.
    """
    report = load_pretrained(backbones, weights)
    if report is not None:
        print(report)
