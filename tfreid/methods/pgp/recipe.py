"""PGP's recipe: its settings and the four stages of section 3.4."""

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from tfreid.errors import UsageError, require
from tfreid.inputs import VARIANTS
from tfreid.methods import parsing
from tfreid.methods.base import Method, Stage
from tfreid.methods.fields import choice, paper
from tfreid.methods.losses import identity_loss
from tfreid.methods.parsing import ParsingRecipe
from tfreid.methods.pgp.model import PGP
from tfreid.methods.pgp.regions import BRANCH_CLASSES
from tfreid.methods.recipe_base import (
    BatchNormalisation,
    PersonImages,
    RandomBatches,
    Sgd,
    sgd_of,
)
from tfreid.methods.schedules import StepDecay

_WIDTHS = (64, 128, 256)
_STAGES = ("main", "guided", "joint")
_END = "where a stage ends; here 20,000 steps after its last decay"


@dataclass(frozen=True)
class PgpRecipe(Sgd, RandomBatches, PersonImages, BatchNormalisation):
    """PGP with random-background augmentation.

    Rank-1 that the paper reports after joint training: CUHK03 92.5, CUHK01 82.5, VIPeR 51.9,
    3DPeS 65.6, Market-1501 81.2 (Table 1); on Market-1501 with mean backgrounds 80.5, with
    random backgrounds 79.8 (Table 2).

    Attributes:
      width: multiplies the channels of the main network and the branches.
      module_widths: channels of every convolution of Inception-1, -2 and -3.
      branches: regions that are pooled (Table 3).
      descriptor_size: length of each branch's and of the final descriptor.
      augmented_stages: stages II (`main`), III (`guided`), IV (`joint`) in which backgrounds are
        replaced.
      main: updates and rates of stage II.
      guided: updates and rates of stage III.
      joint: updates and rates of stage IV.
      parsing: stage I.
      train_parser: False leaves stage I out; the parsing network then comes from the run that
        `--init_from` names.
    """

    image_size_px: tuple[int, int] = paper((96, 96), "section 3.1")
    width: float = paper(1.0, "section 3.1, the 64 channels of the first convolutions' map")
    module_widths: tuple[int, int, int] = choice(
        _WIDTHS, "as DGD's; the paper gives no widths of modules", before=_WIDTHS
    )
    branches: int = paper(3, "section 3.1; Table 3 has 0 to 3", BRANCH_CLASSES)
    descriptor_size: int = paper(256, "section 3.1")
    variant: str = choice("original", "the others are of section 2.1, there for DGD", VARIANTS)
    random_background_probability: float = paper(0.5, "section 3.3; Table 4 has others")
    augmented_stages: tuple[str, ...] = choice(
        _STAGES, "section 3.3 says `during the training process`", before=_STAGES
    )
    flip_probability: float = choice(0.5, "as the code of DGD mirrors")
    batch_size: int = choice(128, "a power of two near the 2 x 50 of DGD's code")
    main: StepDecay = paper(StepDecay(120_000, 0.1, 0.5, 20_000, 5), "section 3.4", steps=_END)
    guided: StepDecay = paper(StepDecay(100_000, 0.01, 0.1, 20_000, 4), "section 3.4", steps=_END)
    joint: StepDecay = paper(StepDecay(100_000, 0.01, 0.1, 20_000, 4), "section 3.4", steps=_END)
    momentum: float = choice(0.9, "as the code of DGD")
    weight_decay: float = paper(5e-4, "section 3.4")
    sgd_form: str = sgd_of("caffe", "Caffe is the framework of DGD, which it builds on")
    parsing: ParsingRecipe = ParsingRecipe()
    train_parser: bool = paper(True, "section 3.4, stage I")

    open_points: ClassVar = {
        '"four convolution layers in the first block and three in the second"': (
            "DGD's branches: four side by side in a module's first block, three in its second"
        ),
        "widths of the three first convolutions": "64 each",
        "parser": (
            "one of 4 classes gates; the masks of the augmentation are those of the records, which "
            "the same parser or any other made. The paper's augmentation has a binary one of its "
            "own, trained on MS-COCO too (section 4.1)"
        ),
        "down-sampling of the masks": "average over the pixels of a position",
        "unit that gives each 256-d feature": "fully connected, ReLU, batch normalisation",
        "classifier of stage II": "a linear layer of its own, dropped afterwards",
        "weights of fusion and classifier in stage III": "random",
        "normalisation of images": "(image - mean pixel) / 128, of the training images",
        "initial weights": "He normal",
    }

    def __post_init__(self):
        """Refuses settings that do not fit together."""
        super().__post_init__()
        require(
            set(self.augmented_stages) <= set(_STAGES),
            f"augmented_stages={self.augmented_stages}: expected some of {', '.join(_STAGES)}",
        )
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
    with recipe.normalisation():
        return PGP(
            persons=info.num_persons,
            mean_pixel=info.mean_pixel,
            width=recipe.width,
            module_widths=recipe.module_widths,
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
    if name not in recipe.augmented_stages:
        recipe = replace(recipe, random_background_probability=0.0)
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
        **recipe.clipping(),
        **more,
    )


METHOD = Method(name="pgp", recipe=PgpRecipe, demo=demo, build=build, stages=stages)
