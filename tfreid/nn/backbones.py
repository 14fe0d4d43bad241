"""The table of backbones that methods choose from."""

from tfreid.errors import UsageError
from tfreid.nn.backbone import Backbone
from tfreid.nn.efficientnet_v2 import EfficientNetV2B0
from tfreid.nn.inception_v3 import InceptionV3
from tfreid.nn.resnet import ResNet14, ResNet26, ResNet50, ResNet101, ResNet152

BACKBONES: dict[str, type[Backbone]] = {
    "resnet14": ResNet14,
    "resnet26": ResNet26,
    "resnet50": ResNet50,
    "resnet101": ResNet101,
    "resnet152": ResNet152,
    "inception_v3": InceptionV3,
    "efficientnet_v2_b0": EfficientNetV2B0,
}
"""Name, as in `--recipe.backbone`, to backbone."""


def backbone_class(backbone: str | type[Backbone]) -> type[Backbone]:
    """Returns the backbone of a name of `BACKBONES`, or the class that is given.

    Raises:
      UsageError: if the name is not known.
    """
    if not isinstance(backbone, str):
        return backbone
    if backbone not in BACKBONES:
        raise UsageError(
            f"backbone={backbone!r} is not known: use one of {', '.join(BACKBONES)}, or give a "
            "class"
        )
    return BACKBONES[backbone]
