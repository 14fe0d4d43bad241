"""PGP's recipe: its settings and the four stages of section 3.4."""

from dataclasses import dataclass, replace
from functools import partial

from tfreid.errors import UsageError
from tfreid.methods import parsing
from tfreid.methods.base import Method, Stage
from tfreid.methods.fields import choice, one_of
from tfreid.methods.losses import identity_loss
from tfreid.methods.parsing import ParsingRecipe
from tfreid.methods.pgp.model import PGP
from tfreid.methods.pgp.regions import BRANCH_CLASSES
from tfreid.methods.recipe_base import PersonImages, RandomBatches, Sgd
from tfreid.methods.schedules import StepDecay


@dataclass(frozen=True)
class PgpRecipe(Sgd, RandomBatches, PersonImages):
    """PGP with random-background augmentation.

    Rank-1 that the paper reports after joint training: CUHK03 92.5, CUHK01 82.5, VIPeR 51.9,
    3DPeS 65.6, Market-1501 81.2 (Table 1); on Market-1501 with mean backgrounds 80.5, with
    random backgrounds 79.8 (Table 2).

    Attributes:
      width: multiplies the channels of the main network and the branches.
      branches: regions that are pooled (Table 3).
      descriptor_size: length of each branch's and of the final descriptor.
      main: updates and rates of stage II.
      guided: updates and rates of stage III.
      joint: updates and rates of stage IV.
      parsing: stage I.
      train_parser: False leaves stage I out; the parsing network then comes from the run that
        `--init_from` names.
    """

    image_size_px: tuple[int, int] = (96, 96)
    width: float = 1.0
    branches: int = one_of(BRANCH_CLASSES, 3)
    descriptor_size: int = 256
    random_background_probability: float = 0.5
    flip_probability: float = choice(0.5)
    batch_size: int = choice(128)
    main: StepDecay = StepDecay(120_000, 0.1, 0.5, 20_000, 5)
    guided: StepDecay = StepDecay(100_000, 0.01, 0.1, 20_000, 4)
    joint: StepDecay = StepDecay(100_000, 0.01, 0.1, 20_000, 4)
    momentum: float = choice(0.9)
    weight_decay: float = 5e-4
    parsing: ParsingRecipe = ParsingRecipe()
    train_parser: bool = True

    def __post_init__(self):
        """Refuses settings that do not fit together."""
        super().__post_init__()
        if self.parsing.image_size_px != self.image_size_px:
            raise UsageError(
                f"parsing.image_size_px={self.parsing.image_size_px} differs from "
                f"image_size_px={self.image_size_px}: the parsing network reads the images of the "
                "main network, give both the same size"
            )
        if self.parsing.vocabulary == "binary":
            raise UsageError(
                "parsing.vocabulary='binary': PGP gates with the regions of 'regions4', or of a "
                "finer vocabulary"
            )


def demo() -> PgpRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores."""
    return replace(
        PgpRecipe(),
        image_size_px=(48, 48),
        width=0.25,
        descriptor_size=128,
        batch_size=32,
        main=StepDecay(1_500, 0.05, 0.5, 300, 4),
        guided=StepDecay(300, 0.01, 0.1, 200, 1),
        joint=StepDecay(600, 0.01, 0.1, 400, 1),
        parsing=parsing.METHOD.demo(),
    )


def build(recipe: PgpRecipe, info) -> PGP:
    """Returns the model for the training persons of a converted data set."""
    return PGP(
        persons=info.num_persons,
        mean_pixel=info.mean_pixel,
        width=recipe.width,
        branches=recipe.branches,
        descriptor_size=recipe.descriptor_size,
        parser=partial(parsing.build, recipe.parsing, info),
    )


def stages(recipe: PgpRecipe) -> tuple[Stage, ...]:
    """Returns stages I to IV; without branches, stage II alone."""

    def main_layers(model):
        return [model.stem, model.inception, model.main]

    def guided_layers(model):
        return [*model.branches, model.fusion, model.classifier]

    main = _stage(
        recipe,
        "main",
        recipe.main,
        layers=lambda model: [*main_layers(model), model.main_classifier],
        forward=lambda model, batch, training: model.call_main(batch["image"], training),
    )
    if not recipe.branches:
        return (main,)
    guided = _stage(
        recipe,
        "guided",
        recipe.guided,
        layers=guided_layers,
        start=lambda model: model.copy_main_to_branches(),
    )
    joint = _stage(
        recipe,
        "joint",
        recipe.joint,
        layers=lambda model: [*main_layers(model), *guided_layers(model)],
    )
    first = parsing.stage(recipe.parsing, lambda model: model.parser)
    return (*((first,) if recipe.train_parser else ()), main, guided, joint)


def _stage(recipe, name, schedule, layers, **more) -> Stage:
    return Stage(
        name=name,
        data="reid",
        inputs=recipe.inputs(),
        batch_size=recipe.batch_size,
        steps=schedule.steps,
        groups=(recipe.sgd("network", layers, schedule),),
        losses=lambda outputs, batch: {
            "identity": identity_loss(outputs["logits"], batch["label"])
        },
        clip_norm=recipe.clip_norm,
        **more,
    )


METHOD = Method(name="pgp", recipe=PgpRecipe, demo=demo, build=build, stages=stages)
