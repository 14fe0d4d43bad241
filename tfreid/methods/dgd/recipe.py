"""DGD's recipe: the settings and the one stage that trains it."""

from dataclasses import dataclass, replace

from tfreid.methods.base import Method, Stage
from tfreid.methods.dgd.model import DGD
from tfreid.methods.fields import choice
from tfreid.methods.losses import identity_loss
from tfreid.methods.recipe_base import PersonImages, RandomBatches, Sgd
from tfreid.methods.schedules import StepDecay


@dataclass(frozen=True)
class DgdRecipe(Sgd, RandomBatches, PersonImages):
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

    image_size_px: tuple[int, int] = (144, 56)
    width: float = 1.0
    descriptor_size: int = 256
    dropout: float = 0.5
    flip_probability: float = choice(0.5)
    batch_size: int = choice(128)
    schedule: StepDecay = choice(StepDecay(120_000, 0.1, 0.5, 20_000, 5))
    momentum: float = 0.9
    weight_decay: float = choice(5e-4)


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
            clip_norm=recipe.clip_norm,
        ),
    )


METHOD = Method(name="dgd", recipe=DgdRecipe, demo=demo, build=build, stages=stages)
