"""DGD's recipe: the settings and the one stage that trains it."""

from dataclasses import dataclass, replace

from tfreid.inputs import InputSpec
from tfreid.methods.base import Group, Method, Stage, choice
from tfreid.methods.dgd.model import DGD
from tfreid.methods.losses import identity_loss
from tfreid.methods.schedules import StepDecay


@dataclass(frozen=True)
class DgdRecipe:
    """DGD as the PGP paper's background study trains it.

    Rank-1 that the PGP paper reports on Market-1501 (Table 2): 79.1 on the original test images,
    71.1 with mean and 58.4 with random backgrounds, after joint training.

    Attributes:
      image_size_px: height, width of the network's input.
      width: multiplies the channels of every convolution.
      descriptor_size: length of the descriptor.
      dropout: rate in front of the classifier.
      variant: background variant of the training images (Figure 3 trains on each of the four).
      random_background_probability: share of training images whose background is replaced.
      flip_probability: share of training images that are mirrored.
      batch_size: images in one global batch.
      schedule: number of updates and their learning rates.
      momentum: of SGD.
      weight_decay: of SGD.
    """

    image_size_px: tuple[int, int] = (144, 56)
    width: float = 1.0
    descriptor_size: int = 256
    dropout: float = 0.5
    variant: str = "original"
    random_background_probability: float = 0.0
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
    group = Group(
        name="network",
        layers=lambda model: [*model.stem, *model.inceptions, model.feature, model.classifier],
        schedule=recipe.schedule,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    return (
        Stage(
            name="network",
            data="reid",
            inputs=InputSpec(
                image_size_px=recipe.image_size_px,
                variant=recipe.variant,
                random_background_probability=recipe.random_background_probability,
                flip_probability=recipe.flip_probability,
            ),
            batch_size=recipe.batch_size,
            steps=recipe.schedule.steps,
            groups=(group,),
            forward=lambda model, batch, training: model(batch["image"], training=training),
            losses=lambda outputs, batch: {
                "identity": identity_loss(outputs["logits"], batch["label"])
            },
        ),
    )


METHOD = Method(name="dgd", recipe=DgdRecipe, demo=demo, build=build, stages=stages)
