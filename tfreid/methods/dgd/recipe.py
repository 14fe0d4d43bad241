"""DGD's recipe: the settings and the one stage that trains it."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tfreid.inputs import VARIANTS
from tfreid.methods.base import Method, Stage
from tfreid.methods.dgd.model import DGD
from tfreid.methods.fields import choice, paper
from tfreid.methods.losses import identity_loss
from tfreid.methods.recipe_base import (
    BatchNormalisation,
    PersonImages,
    RandomBatches,
    Sgd,
    sgd_of,
)
from tfreid.methods.schedules import StepDecay

_CODE = "the authors' code"


@dataclass(frozen=True)
class DgdRecipe(Sgd, RandomBatches, PersonImages, BatchNormalisation):
    """DGD as the PGP paper's background study trains it.

    Rank-1 that the PGP paper reports on Market-1501 (Table 2): 79.1 on the original test images,
    71.1 with mean and 58.4 with random backgrounds, after joint training. Figure 3 trains on each
    of the four variants.

    Attributes:
      width: multiplies the channels of every convolution.
      descriptor_size: length of the descriptor.
      dropout: rate in front of the classifier.
      schedule: number of updates and their learning rates.
    """

    image_size_px: tuple[int, int] = choice((144, 56), _CODE)
    width: float = choice(1.0, f"the channels of {_CODE}")
    descriptor_size: int = choice(256, _CODE)
    dropout: float = choice(0.5, _CODE)
    variant: str = paper("original", "PGP, Figure 3 (a); (b) to (d) are the others", VARIANTS)
    random_background_probability: float = choice(0.0, "PGP, Figure 3 (d), replaces all or none")
    flip_probability: float = choice(0.5, f"{_CODE} mirrors half of the images")
    batch_size: int = choice(128, "as PGP's here; the authors' code has 2 x 50")
    schedule: StepDecay = choice(
        StepDecay(120_000, 0.1, 0.5, 20_000, 5),
        "that of PGP, which it is compared with; the authors' code has 0.1, less 0.004 every 2,000",
    )
    momentum: float = choice(0.9, _CODE)
    weight_decay: float = choice(5e-4, _CODE)
    decay_all: bool = choice(False, f"{_CODE} decays no biases, no normalisation", before=True)
    sgd_form: str = sgd_of("caffe", "the authors' framework is Caffe")

    open_points: ClassVar = {
        "cropping": (
            "none, images are scaled to 144x56; the authors' code crops it at random out of larger "
            "ones. The nearest that there is is `crop_padding_px`"
        ),
        "normalisation of images": "(image - mean pixel) / 128, of the training images",
        "rate of biases": "that of the weights; the authors' code has twice that",
        "initial weights": "He normal; the authors' code has Xavier, and biases of 0.2",
    }


def demo() -> DgdRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores."""
    return replace(
        DgdRecipe(),
        image_size_px=(72, 28),
        width=0.25,
        descriptor_size=128,
        batch_size=32,
        schedule=StepDecay(1_500, 0.05, 0.5, 300, 4),
    )


def build(recipe: DgdRecipe, info) -> DGD:
    """Returns the model for the training persons of a converted data set."""
    with recipe.normalisation():
        return DGD(
            persons=info.num_persons,
            mean_pixel=info.mean_pixel,
            width=recipe.width,
            descriptor_size=recipe.descriptor_size,
            dropout=recipe.dropout,
        )


def stages(recipe: DgdRecipe) -> tuple[Stage, ...]:
    """Returns the single stage, which trains the whole network."""

    def layers(model):
        return [*model.stem, *model.inceptions, model.feature, model.classifier]

    return (
        Stage(
            name="network",
            data="reid",
            inputs=recipe.inputs(),
            batch_size=recipe.batch_size,
            steps=recipe.schedule.steps,
            groups=(recipe.sgd("network", layers, recipe.schedule),),
            losses=lambda outputs, batch: {
                "identity": identity_loss(outputs["logits"], batch["label"])
            },
            **recipe.clipping(),
        ),
    )


METHOD = Method(name="dgd", recipe=DgdRecipe, demo=demo, build=build, stages=stages)
