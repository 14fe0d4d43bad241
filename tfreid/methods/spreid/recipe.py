"""SPReID's recipe: its settings, the two phases of training and the stages of a phase."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from tfreid.errors import UsageError
from tfreid.methods import parsing
from tfreid.methods.backbones import start_pretrained
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fields import choice, paper, preset
from tfreid.methods.losses import identity_loss
from tfreid.methods.parsing.recipe import ParsingRecipe, semantic, semantic_demo
from tfreid.methods.recipe_base import (
    BatchNormalisation,
    PersonImages,
    RandomBatches,
    Sgd,
    sgd_of,
)
from tfreid.methods.schedules import PlateauDecay
from tfreid.methods.spreid.model import SPReID
from tfreid.nn import BACKBONES, InceptionV3, backbone_class

AGGREGATIONS = ("with_foreground", "without_foreground", "global")
"""SPReID w/fg, SPReID wo/fg (Table 4), and the baseline, which averages over the image."""


@dataclass(frozen=True)
class SpreidRecipe(Sgd, RandomBatches, PersonImages, BatchNormalisation):
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
      classifier_rate: rate of the classifier as a multiple of the schedule's.
      parsing: the parser and its training.
      train_parser: False leaves that stage out; the parser then comes from the run that
        `--init_from` names.
    """

    phase: int = paper(1, "section 4.2", (1, 2))
    image_size_px: tuple[int, int] = choice(
        (512, 512),
        "what the parser was trained with, as in the authors' code; section 3.3 says that it "
        "usually sees more than the backbone",
    )
    backbone_size_px: tuple[int, int] | None = paper((512, 170), "section 4.2")
    backbone: str = paper("inception_v3", "section 3.3; Table 3 has ResNets", BACKBONES)
    backbone_width: float = paper(1.0, "section 3.3")
    output_stride: int = paper(32, "section 3.3", (16, 32))
    aggregation: str = paper("with_foreground", "section 3.3, Table 4", AGGREGATIONS)
    shared_backbone: bool = paper(False, "Table 5")
    weights: str = paper("imagenet", "section 5")
    flip_probability: float = choice(0.5, "as usual; the authors' code has none")
    batch_size: int = paper(15, "section 5")
    schedule: PlateauDecay = paper(PlateauDecay(200_000, 0.01), "sections 4.2, 5")
    classifier_rate: float = choice(1.0, "the paper names one rate", before=1.0)
    momentum: float = paper(0.9, "section 5")
    nesterov: bool = paper(True, "section 5")
    weight_decay: float = paper(5e-4, "section 5")
    clip_norm: float = paper(2.0, "section 5")
    clip_decayed: bool = choice(False, "the authors' code decays after clipping", before=False)
    sgd_form: str = sgd_of("caffe", "Chainer, the authors' framework, has this form")
    parsing: ParsingRecipe = field(default=semantic())
    train_parser: bool = paper(True, "sections 4.2, 5")

    presets: ClassVar = {
        ("aggregation", "global"): {
            "image_size_px": paper((492, 164), "section 4.2"),
            "backbone_size_px": choice(None, "without a parser, the images' own"),
        },
        ("phase", 2): {
            "backbone_size_px": choice(
                (748, 246), "that of the baselines of section 4.2; for SPReID it is not said"
            ),
            "weights": paper("none", "section 4.2 starts from phase 1"),
            "schedule": paper(PlateauDecay(50_000, 0.001), "sections 4.2, 5"),
            "classifier_rate": choice(10.0, "it is new; the authors' code has 0.01 beside 0.001"),
            "train_parser": choice(False, "that of phase 1 serves"),
        },
    }
    open_points: ClassVar = {
        "classes of a region": "those of the authors' code, above",
        "norm of `clip_norm`": "over all weights",
        "phase 2, whose backbones see more rows than the parser": (
            "from the same 512x512, as in the authors' code"
        ),
        "when `schedule` decays": "after equal numbers of updates",
        "order of the descriptor": "whole image, foreground, strongest part",
        "classifier": "linear, on the descriptor itself, Glorot uniform",
        "start of two backbones": "the same ImageNet weights",
        "phase 2 of a model": (
            "from phase 1 of the same `aggregation`, `backbone` and `shared_backbone`; the parser "
            "is not trained further"
        ),
        "ResNet baselines": "output stride 32, 492x164",
        "normalisation of images": "ImageNet's, which the weights expect",
    }

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


def _alone(recipe: SpreidRecipe) -> SpreidRecipe:
    """Returns a recipe without parser: images need not be larger than the backbone sees them."""
    return replace(
        recipe,
        aggregation="global",
        image_size_px=recipe.backbone_size_px,
        backbone_size_px=None,
    )


def baseline() -> SpreidRecipe:
    """Returns the recipe of the baseline (section 4.2)."""
    return preset(SpreidRecipe, "aggregation", "global")


def phase_2() -> SpreidRecipe:
    """Returns the recipe of phase 2, for all aggregations (sections 4.2 and 5)."""
    return preset(SpreidRecipe, "phase", 2)


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
    with recipe.normalisation():
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
    network = Stage(
        name="network",
        data="reid",
        inputs=recipe.inputs(),
        batch_size=recipe.batch_size,
        steps=recipe.schedule.steps,
        groups=_groups(recipe),
        losses=lambda outputs, batch: {
            "identity": identity_loss(outputs["logits"], batch["label"])
        },
        start=lambda model: start_pretrained(model.backbones, recipe.weights),
        **recipe.clipping(),
        continues=recipe.phase == 2,
    )
    if recipe.aggregation == "global" or not recipe.train_parser:
        return (network,)
    return (parsing.stage(recipe.parsing, lambda model: model.parser), network)


def _trained_layers(model):
    return [*model.backbones, model.classifier]


def _groups(recipe: SpreidRecipe) -> tuple[Group, ...]:
    """One group, as runs had before there was `classifier_rate`, or one for each rate."""
    if recipe.classifier_rate == 1.0:
        return (recipe.sgd("network", _trained_layers, recipe.schedule),)
    own = recipe.schedule.scaled(recipe.classifier_rate)
    return (
        recipe.sgd("backbones", lambda model: model.backbones, recipe.schedule),
        recipe.sgd("classifier", lambda model: [model.classifier], own),
    )


METHOD = Method(
    name="spreid",
    recipe=SpreidRecipe,
    demo=demo,
    build=build,
    stages=stages,
    presets={
        (("aggregation", "global"),): (baseline, lambda: _alone(demo())),
        (("phase", "2"),): (phase_2, demo_phase_2),
        (("aggregation", "global"), ("phase", "2")): (
            lambda: _alone(phase_2()),
            lambda: _alone(demo_phase_2()),
        ),
    },
)
