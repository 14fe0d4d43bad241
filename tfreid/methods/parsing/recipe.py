"""The recipe of the parsing networks: PGP's, stage I of its training, and SPReID's."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.errors import UsageError
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fields import choice, one_of
from tfreid.methods.parsing.heads import HEADS
from tfreid.methods.parsing.losses import pixel_cross_entropy
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.methods.parsing.parser import Parser
from tfreid.methods.parsing.semantic_parser import SemanticParser
from tfreid.methods.recipe_base import Images, RandomBatches, Sgd
from tfreid.methods.schedules import StepDecay
from tfreid.nn import load_pretrained

ARCHITECTURES = ("pgp", "inception_v3")
SMALLEST_PX = 75
"""Height and width that Inception-V3 needs."""


@dataclass(frozen=True)
class ParsingRecipe(Sgd, RandomBatches, Images):
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
      parsing_head: of `"pgp"`: `"paper"`, or `"skip"`, a decoder with connections from finer maps.
      vocabulary: the classes, for example `"lip20"`, `"regions4"` (background, head, upper torso,
        lower torso) or `"binary"`.
      weights: start of Inception-V3: `imagenet`, a weights file or `none`.
      schedule: number of updates and their learning rates.
      backbone_rate: rate of Inception-V3 as a multiple of the schedule's, which is the pyramid's.
      classifier_rate: rate of the 1x1 convolution behind the pyramid, likewise.
    """

    architecture: str = one_of(ARCHITECTURES, "pgp")
    image_size_px: tuple[int, int] = (96, 96)
    width: float = 1.0
    parsing_head: str = one_of(HEADS, "paper")
    vocabulary: str = one_of(VOCABULARIES, "regions4")
    weights: str = "none"
    random_background_probability: float = choice(0.0)
    flip_probability: float = choice(0.5)
    batch_size: int = choice(128)
    schedule: StepDecay = StepDecay(120_000, 0.1, 0.5, 20_000, 5)
    backbone_rate: float = 1.0
    classifier_rate: float = 1.0
    momentum: float = choice(0.9)
    # Named here because SPReID's settings change them, so `recipe.json` says what holds.
    nesterov: bool = False
    weight_decay: float = 5e-4
    clip_norm: float | None = None

    def __post_init__(self):
        """Refuses unknown values and settings of the other architecture."""
        super().__post_init__()
        if self.architecture == "pgp":
            self._require("weights", "none", "there are no weights for PGP's network")
            self._require("backbone_rate", 1.0, "PGP's network has one learning rate")
            self._require("classifier_rate", 1.0, "PGP's network has one learning rate")
        else:
            self._require("parsing_head", "paper", "only PGP's network has other heads")
            if min(self.image_size_px) < SMALLEST_PX:
                raise UsageError(
                    f"image_size_px={self.image_size_px}: Inception-V3 needs {SMALLEST_PX} px or "
                    "more in height and width"
                )

    def _require(self, field: str, expected: str | float, reason: str) -> None:
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
    """Returns SPReID's recipe (section 5).

    The rate decays 10 times by 0.9; the paper does not state when, here it is after equal numbers
    of updates.
    """
    return ParsingRecipe(
        architecture="inception_v3",
        image_size_px=(512, 512),
        vocabulary="lip20",
        weights="imagenet",
        batch_size=15,
        schedule=StepDecay(30_000, 0.1, 0.9, 30_000 // 11, 10),
        backbone_rate=0.1,
        nesterov=True,
        clip_norm=2.0,
    )


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
    if recipe.architecture == "inception_v3":
        return SemanticParser(recipe.vocabulary, recipe.width)
    return ParsingNetwork(
        vocabulary=recipe.vocabulary,
        mean_pixel=info.mean_pixel,
        width=recipe.width,
        head=recipe.parsing_head,
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
        clip_norm=recipe.clip_norm,
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
    presets={("architecture", "inception_v3"): (semantic, semantic_demo)},
)
