"""The parsing network's recipe: stage I of PGP's training, as a method of its own."""

from dataclasses import dataclass, replace

from tfreid.errors import UsageError
from tfreid.inputs import InputSpec
from tfreid.methods.base import Group, Method, Stage, choice
from tfreid.methods.parsing.heads import HEADS
from tfreid.methods.parsing.losses import pixel_cross_entropy
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.methods.schedules import StepDecay

CLASSES = {"regions4": 4, "binary": 2}
"""Mask vocabulary that the network is trained on to number of classes."""


@dataclass(frozen=True)
class ParsingRecipe:
    """PGP's parsing network (section 3.2) and stage I of its training (section 3.4).

    The paper reports, on a random 10% of LIP, accuracy 0.846 and F1 0.790 with four classes,
    0.892 and 0.891 with two (Table 5).

    Attributes:
      image_size_px: height, width of the network's input and of its output.
      width: multiplies the channels of every convolution.
      parsing_head: `"paper"`, or `"skip"`, a decoder with connections from finer maps.
      vocabulary: `"regions4"` (background, head, upper torso, lower torso) or `"binary"`.
      random_background_probability: share of training images whose background is replaced.
      flip_probability: share of training images that are mirrored.
      batch_size: images in one global batch.
      schedule: number of updates and their learning rates.
      momentum: of SGD.
      weight_decay: of SGD.
    """

    image_size_px: tuple[int, int] = (96, 96)
    width: float = 1.0
    parsing_head: str = "paper"
    vocabulary: str = "regions4"
    random_background_probability: float = choice(0.0)
    flip_probability: float = choice(0.5)
    batch_size: int = choice(128)
    schedule: StepDecay = StepDecay(120_000, 0.1, 0.5, 20_000, 5)
    momentum: float = choice(0.9)
    weight_decay: float = 5e-4

    def __post_init__(self):
        """Refuses unknown heads and vocabularies."""
        for field, known in (("parsing_head", HEADS), ("vocabulary", CLASSES)):
            value = getattr(self, field)
            if value not in known:
                raise UsageError(f"{field}={value!r} is not known: use one of {', '.join(known)}")


def demo() -> ParsingRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores."""
    return replace(
        ParsingRecipe(),
        image_size_px=(48, 48),
        width=0.125,
        parsing_head="skip",
        random_background_probability=0.5,
        batch_size=32,
        schedule=StepDecay(600, 0.1, 0.5, 150, 3),
    )


def build(recipe: ParsingRecipe, info) -> ParsingNetwork:
    """Returns the network for a converted data set."""
    return ParsingNetwork(
        vocabulary=recipe.vocabulary,
        mean_pixel=info.mean_pixel,
        width=recipe.width,
        head=recipe.parsing_head,
    )


def stage(recipe: ParsingRecipe, network=lambda model: model) -> Stage:
    """Returns stage I.

    Args:
      recipe: its settings.
      network: takes the parsing network out of the model that is trained.
    """

    def layers(model):
        parser = network(model)
        return [parser.stem, *parser.inceptions, parser.head]

    return Stage(
        name="parsing",
        data="parsing",
        inputs=InputSpec(
            image_size_px=recipe.image_size_px,
            mask_vocabulary=recipe.vocabulary,
            random_background_probability=recipe.random_background_probability,
            flip_probability=recipe.flip_probability,
        ),
        batch_size=recipe.batch_size,
        steps=recipe.schedule.steps,
        groups=(
            Group(
                name="parsing",
                layers=layers,
                schedule=recipe.schedule,
                momentum=recipe.momentum,
                weight_decay=recipe.weight_decay,
            ),
        ),
        forward=lambda model, batch, training: network(model)(batch["image"], training=training),
        losses=lambda outputs, batch: {
            "parsing": pixel_cross_entropy(outputs["logits"], batch["mask"])
        },
    )


def stages(recipe: ParsingRecipe) -> tuple[Stage, ...]:
    """Returns the single stage."""
    return (stage(recipe),)


METHOD = Method(name="parsing", recipe=ParsingRecipe, demo=demo, build=build, stages=stages)
