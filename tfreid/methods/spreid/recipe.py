"""SPReID's recipe: its settings, the two phases of training and the stages of a phase."""

from dataclasses import dataclass, field, replace

from tfreid.errors import UsageError
from tfreid.methods import parsing
from tfreid.methods.backbones import start_pretrained
from tfreid.methods.base import Method, Stage
from tfreid.methods.fields import choice, one_of
from tfreid.methods.losses import identity_loss
from tfreid.methods.parsing.recipe import ParsingRecipe, semantic, semantic_demo
from tfreid.methods.recipe_base import PersonImages, RandomBatches, Sgd
from tfreid.methods.schedules import PlateauDecay
from tfreid.methods.spreid.model import SPReID
from tfreid.nn import BACKBONES, InceptionV3, backbone_class

AGGREGATIONS = ("with_foreground", "without_foreground", "global")
"""SPReID w/fg, SPReID wo/fg (Table 4), and the baseline, which averages over the image."""


@dataclass(frozen=True)
class SpreidRecipe(Sgd, RandomBatches, PersonImages):
    """SPReID, phase 1.

    mAP / rank-1 that the paper reports for Market-1501 (Tables 4 and 5): baseline 73.06 / 88.87,
    with foreground 78.66 / 90.97, after phase 2 80.68 / 92.40; DukeMTMC-reID 59.87 / 79.08, 67.20 /
    82.32, 69.79 / 84.02.

    Attributes:
      phase: 1, on many data sets; 2, on one of them at a higher resolution, starts with
        `--init_from` from phase 1. It decides what the other fields are unless they are given.
      image_size_px: height, width of the images, and so of the parser's input: what it was trained
        with (section 3.3, Figure 1).
      backbone_size_px: height, width to which they are scaled for the backbones, bilinearly; None
        leaves them as they are.
      backbone: a name of `BACKBONES`; the paper's are `inception_v3`, `resnet50` and `resnet152`
        (Table 3).
      backbone_width: multiplies the channels of the backbone.
      output_stride: of the backbone: 32, or 16.
      aggregation: `with_foreground`, `without_foreground` or, without parser, `global`.
      shared_backbone: whether both heads share a backbone (Table 5).
      weights: start of the backbones: `imagenet`, a weights file or `none`.
      schedule: number of updates and their learning rates.
      parsing: the parser and its training.
      train_parser: False leaves that stage out; the parser then comes from the run that
        `--init_from` names.
    """

    phase: int = one_of((1, 2), 1)
    image_size_px: tuple[int, int] = (512, 512)
    backbone_size_px: tuple[int, int] | None = (512, 170)
    backbone: str = one_of(BACKBONES, "inception_v3")
    backbone_width: float = 1.0
    output_stride: int = one_of((16, 32), 32)
    aggregation: str = one_of(AGGREGATIONS, "with_foreground")
    shared_backbone: bool = False
    weights: str = "imagenet"
    flip_probability: float = choice(0.5)
    batch_size: int = 15
    schedule: PlateauDecay = choice(PlateauDecay(200_000, 0.01))
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    clip_norm: float = 2.0
    parsing: ParsingRecipe = field(default=semantic())
    train_parser: bool = True

    def __post_init__(self):
        """Refuses settings that do not fit together."""
        super().__post_init__()
        seen_px = self.backbone_size_px or self.image_size_px
        backbone_class(self.backbone).map_size(seen_px, self.output_stride)
        if self.aggregation != "global" and self.parsing.architecture == "inception_v3":
            InceptionV3.map_size(self.image_size_px, 16)
        if self.parsing.vocabulary != "lip20":
            raise UsageError(
                f"parsing.vocabulary={self.parsing.vocabulary!r}: SPReID's regions are made of the "
                "classes of lip20"
            )


def _alone(recipe: SpreidRecipe, size_px: tuple[int, int] | None = None) -> SpreidRecipe:
    """Returns a recipe without parser: images need not be larger than the backbone sees them."""
    return replace(
        recipe,
        aggregation="global",
        image_size_px=size_px or recipe.backbone_size_px,
        backbone_size_px=None,
    )


def baseline() -> SpreidRecipe:
    """Returns the recipe of the baseline (section 4.2)."""
    return _alone(SpreidRecipe(), (492, 164))


def phase_2() -> SpreidRecipe:
    """Returns the recipe of phase 2 (sections 4.2 and 5): the parser sees what it saw before."""
    return replace(
        SpreidRecipe(),
        phase=2,
        backbone_size_px=(748, 246),
        weights="none",
        schedule=PlateauDecay(50_000, 0.001),
        train_parser=False,
    )


def demo() -> SpreidRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores: narrow networks."""
    parser = semantic_demo()
    return replace(
        SpreidRecipe(),
        image_size_px=parser.image_size_px,
        backbone_size_px=(160, 80),
        backbone_width=0.25,
        output_stride=16,
        weights="none",
        batch_size=32,
        schedule=PlateauDecay(1_000, 0.05, factor=0.75),
        parsing=parser,
    )


def demo_phase_2() -> SpreidRecipe:
    """Returns phase 2 of the demo."""
    return replace(
        demo(),
        phase=2,
        backbone_size_px=(192, 96),
        schedule=PlateauDecay(200, 0.005),
        train_parser=False,
    )


def build(recipe: SpreidRecipe, info) -> SPReID:
    """Returns the model for the training persons of a converted data set."""
    has_parser = recipe.aggregation != "global"
    return SPReID(
        persons=info.num_persons,
        parser=parsing.build(recipe.parsing, info) if has_parser else None,
        backbone=recipe.backbone,
        width=recipe.backbone_width,
        output_stride=recipe.output_stride,
        foreground=recipe.aggregation == "with_foreground",
        shared=recipe.shared_backbone,
        backbone_size_px=recipe.backbone_size_px,
    )


def stages(recipe: SpreidRecipe) -> tuple[Stage, ...]:
    """Returns the parser's stage, where it is trained, and that of the re-identification model."""

    def layers(model):
        return [*model.backbones, model.classifier]

    network = Stage(
        name="network",
        data="reid",
        inputs=recipe.inputs(),
        batch_size=recipe.batch_size,
        steps=recipe.schedule.steps,
        groups=(recipe.sgd("network", layers, recipe.schedule),),
        losses=lambda outputs, batch: {
            "identity": identity_loss(outputs["logits"], batch["label"])
        },
        start=lambda model: start_pretrained(model.backbones, recipe.weights),
        clip_norm=recipe.clip_norm,
        continues=recipe.phase == 2,
    )
    if recipe.aggregation == "global" or not recipe.train_parser:
        return (network,)
    return (parsing.stage(recipe.parsing, lambda model: model.parser), network)


METHOD = Method(
    name="spreid",
    recipe=SpreidRecipe,
    demo=demo,
    build=build,
    stages=stages,
    presets={
        ("aggregation", "global"): (baseline, lambda: _alone(demo())),
        ("phase", "2"): (phase_2, demo_phase_2),
        ("aggregation", "global", "phase", "2"): (
            lambda: _alone(phase_2()),
            lambda: _alone(demo_phase_2()),
        ),
    },
)
