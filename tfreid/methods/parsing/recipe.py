"""The recipe of the parsing networks: PGP's, stage I of its training, and SPReID's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import keras

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.errors import UsageError
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fields import choice, paper, preset
from tfreid.methods.parsing.heads import HEADS
from tfreid.methods.parsing.losses import pixel_cross_entropy
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.methods.parsing.parser import Parser
from tfreid.methods.parsing.semantic_parser import SemanticParser
from tfreid.methods.recipe_base import BatchNormalisation, Images, RandomBatches, Sgd, sgd_of
from tfreid.methods.schedules import StepDecay
from tfreid.nn import load_pretrained
from tfreid.nn.inception_v3 import DILATED_POOLINGS

ARCHITECTURES = ("pgp", "inception_v3")
SMALLEST_PX = 75
"""Height and width that Inception-V3 needs."""

_WIDTHS = (64, 128, 256)


@dataclass(frozen=True)
class ParsingRecipe(Sgd, RandomBatches, Images, BatchNormalisation):
    """A parsing network and its training.

    The defaults are PGP's (sections 3.2 and 3.4), which reports, on a random 10% of LIP, accuracy
    0.846 and F1 0.790 with four classes, 0.892 and 0.891 with two (Table 5).

    `architecture="inception_v3"` is SPReID's model, and on the command line brings SPReID's
    settings (section 5, `semantic`). The paper reports, on the validation images of LIP, overall
    accuracy 0.851, mean accuracy 0.605 and mean IoU 0.482 (Table 1).

    Attributes:
      architecture: the network, PGP's or SPReID's.
      image_size_px: height, width of the network's input and of its output.
      width: multiplies the channels of every convolution.
      module_widths: of `"pgp"`: half the channels of every convolution of its three modules.
      parsing_head: of `"pgp"`: `"paper"`, or `"skip"`, a decoder with connections from finer maps.
      vocabulary: the classes, for example `"lip20"`, `"regions4"` (background, head, upper torso,
        lower torso) or `"binary"`.
      weights: start of Inception-V3: `imagenet`, a weights file or `none`.
      dilated_pooling: of Inception-V3's blocks behind its last reduction: `dilated`, over 3x3
        positions 2 apart, as their convolutions, or `plain`, over 5x5.
      schedule: number of updates and their learning rates.
      backbone_rate: rate of Inception-V3 as a multiple of the schedule's, which is the pyramid's.
      classifier_rate: rate of the 1x1 convolution behind the pyramid, likewise.
    """

    architecture: str = choice("pgp", "the other is SPReID's", ARCHITECTURES)
    image_size_px: tuple[int, int] = paper((96, 96), "section 3.2")
    width: float = paper(1.0, "section 3.2, twice the channels of PGP's main network")
    module_widths: tuple[int, int, int] = choice(
        _WIDTHS, "as DGD's; the paper gives no widths of modules", before=_WIDTHS
    )
    parsing_head: str = paper("paper", "section 3.2; `skip` is ours", HEADS)
    vocabulary: str = paper("regions4", "section 3.2", VOCABULARIES)
    weights: str = choice("none", "there are none for this network")
    dilated_pooling: str = choice(
        "dilated",
        "each layer sees the positions that it was trained on; SPReID's code has `plain`",
        DILATED_POOLINGS,
        before="dilated",
    )
    random_background_probability: float = choice(0.0, "the paper replaces them to tell persons")
    flip_probability: float = choice(0.5, "left and right classes change places")
    batch_size: int = choice(128, "as PGP's main network")
    schedule: StepDecay = paper(
        StepDecay(120_000, 0.1, 0.5, 20_000, 5),
        "section 3.4",
        steps="the paper trains to convergence; here 20,000 steps after the last decay",
    )
    backbone_rate: float = paper(1.0, "section 3.4, one rate")
    classifier_rate: float = paper(1.0, "section 3.4, one rate")
    momentum: float = choice(0.9, "as the code of DGD")
    # Named here because SPReID's settings change them, so `recipe.json` says what holds.
    nesterov: bool = choice(False, "section 3.4 has SGD, and names no form of it")
    weight_decay: float = paper(5e-4, "section 3.4")
    clip_norm: float | None = choice(None, "section 3.4 names none")
    sgd_form: str = sgd_of("caffe", "Caffe is the framework of DGD, which PGP builds on")

    presets: ClassVar = {
        ("architecture", "inception_v3"): {
            "architecture": paper("inception_v3", "section 3.2"),
            "image_size_px": paper((512, 512), "section 5"),
            "module_widths": choice(_WIDTHS, "of PGP's network alone"),
            "parsing_head": choice("paper", "of PGP's network alone"),
            "width": paper(1.0, "section 3.2"),
            "vocabulary": paper("lip20", "section 3.2"),
            "weights": paper("imagenet", "section 5"),
            "flip_probability": choice(0.5, "left and right change places; its code has none"),
            "batch_size": paper(15, "section 5"),
            "schedule": paper(
                StepDecay(30_000, 0.1, 0.9, 30_000 // 11, 10),
                "section 5",
                every_steps="the paper does not say when: after equal numbers of steps",
            ),
            "backbone_rate": paper(0.1, "section 5"),
            "classifier_rate": paper(1.0, "section 5"),
            "momentum": paper(0.9, "section 5"),
            "nesterov": paper(True, "section 5"),
            "weight_decay": paper(5e-4, "section 5"),
            "clip_norm": paper(2.0, "section 5"),
            "clip_decayed": choice(False, "its code decays after clipping"),
            "sgd_form": choice("caffe", "Chainer, its framework, has this form"),
        }
    }
    open_points: ClassVar = {
        "up-sampling": "bilinear",
        "pyramid kernels of PGP where the map is not 6x6": (
            "such that the grids stay 1x1, 2x2, 3x3"
        ),
        "branches of ASPP": (
            "as in SPReID's code: 3x3 convolutions of 256 channels with rates 3, 6, 9, 12; a 1x1 "
            "convolution and the map's mean, 512 each; all concatenated, then 1x1 to 1024; batch "
            "normalisation and ReLU after each"
        ),
        "norm of `clip_norm`": "over all layers",
        "edges of SPReID's scores": (
            "repeated once, as Inception-V3's unpadded convolutions leave out a position at each "
            "edge: so scores come to lie where they were taken"
        ),
        "normalisation of images": (
            "PGP's (image - mean pixel) / 128, of the training images; SPReID's ImageNet's, which "
            "the weights expect"
        ),
    }

    def __post_init__(self):
        """Refuses unknown values and settings of the other architecture."""
        super().__post_init__()
        if self.architecture == "pgp":
            self._require("weights", "none", "there are no weights for PGP's network")
            self._require("backbone_rate", 1.0, "PGP's network has one learning rate")
            self._require("classifier_rate", 1.0, "PGP's network has one learning rate")
            self._require("dilated_pooling", "dilated", "PGP's network has no dilated blocks")
        else:
            self._require("module_widths", _WIDTHS, "only PGP's network has its modules")
            self._require("parsing_head", "paper", "only PGP's network has other heads")
            if min(self.image_size_px) < SMALLEST_PX:
                raise UsageError(
                    f"image_size_px={self.image_size_px}: Inception-V3 needs {SMALLEST_PX} px or "
                    "more in height and width"
                )

    def _require(self, field: str, expected: Any, reason: str) -> None:
        value = getattr(self, field)
        if value != expected:
            raise UsageError(
                f"{field}={value!r} with architecture={self.architecture!r}: {reason}; "
                f"leave it at {expected!r}"
            )


def demo() -> ParsingRecipe:
    """Returns PGP's recipe at a scale of minutes on two CPU cores."""
    return replace(
        ParsingRecipe(),
        image_size_px=(48, 48),
        width=0.125,
        parsing_head="skip",
        random_background_probability=0.5,
        batch_size=32,
        schedule=StepDecay(600, 0.1, 0.5, 150, 3),
    )


def semantic() -> ParsingRecipe:
    """Returns SPReID's recipe (section 5)."""
    return preset(ParsingRecipe, "architecture", "inception_v3")


def semantic_demo() -> ParsingRecipe:
    """Returns SPReID's recipe at a scale of minutes on two CPU cores."""
    return replace(
        semantic(),
        image_size_px=(256, 128),
        width=0.125,
        weights="none",
        random_background_probability=0.5,
        batch_size=8,
        schedule=StepDecay(3_000, 0.4, 0.5, 750, 3),
        backbone_rate=1.0,
    )


def build(recipe: ParsingRecipe, info) -> Parser:
    """Returns the network for a converted data set."""
    with recipe.normalisation():
        if recipe.architecture == "inception_v3":
            return SemanticParser(recipe.vocabulary, recipe.width, recipe.dilated_pooling)
        return ParsingNetwork(
            vocabulary=recipe.vocabulary,
            mean_pixel=info.mean_pixel,
            width=recipe.width,
            head=recipe.parsing_head,
            module_widths=recipe.module_widths,
        )


def stage(
    recipe: ParsingRecipe, network: Callable[[keras.Model], Parser] = lambda model: model
) -> Stage:
    """Returns the stage that trains a parsing network.

    Args:
      recipe: its settings.
      network: takes the parsing network out of the model that is trained.
    """
    return Stage(
        name="parsing",
        data="parsing",
        inputs=recipe.inputs(mask_vocabulary=recipe.vocabulary),
        batch_size=recipe.batch_size,
        steps=recipe.schedule.steps,
        groups=_groups(recipe, network),
        forward=lambda model, batch, training: network(model)(batch["image"], training=training),
        losses=lambda outputs, batch: {
            "parsing": pixel_cross_entropy(outputs["logits"], batch["mask"])
        },
        start=_start(recipe, network),
        **recipe.clipping(),
    )


def _groups(recipe: ParsingRecipe, network: Callable[[keras.Model], Parser]) -> tuple[Group, ...]:
    rates = {"parsing": 1.0}
    if recipe.architecture == "inception_v3":
        rates = {
            "backbone": recipe.backbone_rate,
            "pyramid": 1.0,
            "classifier": recipe.classifier_rate,
        }
    return tuple(
        recipe.sgd(
            name,
            lambda model, name=name: network(model).trained_layers()[name],
            recipe.schedule.scaled(rate),
        )
        for name, rate in rates.items()
    )


def _start(
    recipe: ParsingRecipe, network: Callable[[keras.Model], Parser]
) -> Callable[[keras.Model], None] | None:
    if recipe.weights == "none":
        return None
    return lambda model: print(load_pretrained([network(model).backbone], recipe.weights))


def stages(recipe: ParsingRecipe) -> tuple[Stage, ...]:
    """Returns the single stage."""
    return (stage(recipe),)


METHOD = Method(
    name="parsing",
    recipe=ParsingRecipe,
    demo=demo,
    build=build,
    stages=stages,
    presets={(("architecture", "inception_v3"),): (semantic, semantic_demo)},
)
