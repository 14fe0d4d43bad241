"""FA-Net's recipe: its settings and the one stage that trains it."""

from dataclasses import dataclass, replace
from typing import ClassVar

import tensorflow as tf

from tfreid.errors import UsageError, require
from tfreid.methods.backbones import RESNET_DEPTH, start_pretrained
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fanet.attention import INITIAL_MAPS
from tfreid.methods.fanet.losses import (
    OBJECTIVE,
    TARGET_ATTENTIONS,
    stripe_loss,
    target_attention_loss,
)
from tfreid.methods.fanet.model import FANet
from tfreid.methods.fanet.pyramid import POOLINGS
from tfreid.methods.fields import choice, off, paper
from tfreid.methods.recipe_base import BatchNormalisation, PersonBatches, PersonImages, Sgd
from tfreid.methods.schedules import WarmupDecay
from tfreid.nn import BACKBONES, backbone_class


@dataclass(frozen=True)
class FanetRecipe(Sgd, PersonBatches, PersonImages, BatchNormalisation):
    """FA-Net.

    Rank-1 / mAP that the paper reports (Table I): Market-1501 95.0 / 84.6, DukeMTMC-reID 88.7 /
    77.0, MSMT17 76.8 / 51.0.

    Attributes:
      backbone: a name of `BACKBONES`; the paper's is `resnet50`.
      backbone_width: multiplies the channels of the backbone and of the target enhancement module.
      output_stride: 16 (without the last down-sampling) or 32.
      weights: start of the backbone: `imagenet`, a weights file or `none`.
      target_enhancement: whether F is gated with Z^f (TEM in Table I).
      attention_maps: k, the maps that Z^f is the mean of (Figure 5).
      initial_maps: how the weights that make them start.
      background_branch: whether cameras are learned beside persons (BG in Table I).
      gate_background: whether B is gated with 1 - Z^f (IA in Table I).
      target_attention: `paper` (TAL in Table I), `v1`, `v2` (Table II) or `none`.
      target_attention_weight: multiplies the target attention loss; 1 is the paper's objective, in
        which it moves Z^f far less than the classification losses do.
      detach_mask: whether the target attention loss moves the two branches alone, and not Z^f.
      normalise_pooled: whether batch normalisation follows the averaged map where there is no
        pyramid, so that the level of Z^f does not scale the logits.
      pyramid_stripes: stripes of each scale (HPP in Table I); `()` averages the whole map.
      embedding_size: values that each stripe adds to the descriptor.
      stripe_pooling: how a stripe becomes one vector.
      images_per_person: images of each of them, from as many cameras as there are.
      schedule: length of training and rates of the new layers; an epoch of 101 steps shows
        Market-1501's 12,936 images once.
      pretrained_rate: rate of the ResNet's layers as a multiple of the new layers'.
    """

    image_size_px: tuple[int, int] = paper((384, 128), "section IV-B")
    backbone: str = paper("resnet50", "section IV-B", BACKBONES)
    backbone_width: float = paper(1.0, "sections III-B, IV-B")
    output_stride: int = paper(16, "section IV-B", (16, 32))
    weights: str = paper("imagenet", "section IV-B")
    target_enhancement: bool = paper(True, "section III-B, Table I")
    attention_maps: int = paper(256, "Figure 5")
    initial_maps: str = choice(
        "glorot_uniform", "Keras' default", INITIAL_MAPS, before="glorot_uniform"
    )
    background_branch: bool = paper(True, "section III-A, Table I")
    gate_background: bool = paper(True, "eq. 3, Table I")
    target_attention: str = paper("paper", "eq. 4 and 5; Table II has others", TARGET_ATTENTIONS)
    target_attention_weight: float = off(1.0)
    detach_mask: bool = off(False)
    normalise_pooled: bool = off(False)
    pyramid_stripes: tuple[int, ...] = paper((1, 2, 4, 8), "section III-A")
    embedding_size: int = paper(256, "section III-A")
    stripe_pooling: str = choice(
        "average_and_max", "as in the paper that it cites for the pyramid", POOLINGS
    )
    flip_probability: float = choice(0.5, "section IV-B mirrors at random, and gives no share")
    persons_per_batch: int = paper(16, "section IV-B")
    images_per_person: int = paper(8, "section IV-B")
    schedule: WarmupDecay = paper(
        WarmupDecay(100, 101, 0.06, 0.6, 10, 0.1, (40, 80)),
        "section IV-B",
        steps_per_epoch="Market-1501's 12,936 images / 128; give another for other data",
    )
    pretrained_rate: float = paper(0.1, "section IV-B")
    momentum: float = choice(0.9, "as usual; section IV-B has none")
    weight_decay: float = paper(5e-4, "section IV-B")

    open_points: ClassVar = {
        "embedding of a stripe": "linear, batch normalisation",
        "losses of several stripes": "their mean",
        "objective without background branch": "the persons' loss alone, unweighted",
        "descriptor and classifier without pyramid": (
            "the average-pooled map itself; a linear classifier"
        ),
        "warm-up": "step by step",
        "initial weights": (
            "embeddings He normal, classifiers normal with deviation 0.001, as in PCB"
        ),
        "normalisation of images": "ImageNet's, which the weights expect",
    }
    former_fields: ClassVar = {"backbone_depth": RESNET_DEPTH}

    def __post_init__(self):
        """Refuses settings that do not fit together."""
        super().__post_init__()
        require(
            not self.gate_background or (self.target_enhancement and self.background_branch),
            "gate_background=True needs target_enhancement=True, which makes the mask, and "
            "background_branch=True, which is gated; set it to False",
        )
        require(
            self.target_attention == "none" or (self.target_enhancement and self.background_branch),
            f"target_attention={self.target_attention!r} compares both branches by the mask: it "
            "needs target_enhancement=True and background_branch=True; set it to 'none'",
        )
        changed = self.target_attention_weight != 1 or self.detach_mask
        require(
            self.target_attention != "none" or not changed,
            "target_attention_weight and detach_mask change the target attention loss, which "
            "target_attention='none' leaves out: set it, or leave these out",
        )
        weight = self.target_attention_weight
        require(0 < weight <= 1e6, f"target_attention_weight={weight}: above 0, at most 1000000")
        require(
            not (self.normalise_pooled and self.pyramid_stripes),
            "normalise_pooled=True is for pyramid_stripes=(): with stripes, each embedding ends in "
            "batch normalisation already",
        )
        size = backbone_class(self.backbone).map_size(self.image_size_px, self.output_stride)
        rows = size[0]
        require(
            all(stripes > 0 and rows % stripes == 0 for stripes in self.pyramid_stripes),
            f"pyramid_stripes={self.pyramid_stripes}: the feature map of {self.backbone} has "
            f"{rows} rows (image height {self.image_size_px[0]}, output stride "
            f"{self.output_stride}), which cannot be cut into that many equal stripes",
        )
        require(self.attention_maps > 0, f"attention_maps={self.attention_maps}: at least 1")
        require(self.images_per_person > 0, "images_per_person must be at least 1")


def demo() -> FanetRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores: a small ResNet, few maps."""
    return replace(
        FanetRecipe(),
        image_size_px=(128, 64),
        backbone="resnet14",
        backbone_width=0.25,
        weights="none",
        attention_maps=16,
        embedding_size=32,
        persons_per_batch=8,
        images_per_person=4,
        schedule=WarmupDecay(30, 50, 0.02, 0.2, 3, 0.1, (20, 27)),
        pretrained_rate=0.5,
    )


def build(recipe: FanetRecipe, info) -> FANet:
    """Returns the model for the training persons and cameras of a converted data set.

    Raises:
      UsageError: if there are fewer than two cameras to tell apart.
    """
    if recipe.background_branch and info.num_cameras < 2:
        alone = (
            "; background_branch=false, gate_background=false and target_attention=none train the "
            "foreground branch alone"
        )
        raise UsageError(
            f"the background branch learns to tell cameras apart, and the training images come "
            f"from {info.num_cameras} known: FA-Net needs two or more"
            + (alone if info.num_cameras else "")
        )
    with recipe.normalisation():
        return FANet(
            persons=info.num_persons,
            cameras=info.num_cameras if recipe.background_branch else 0,
            backbone=recipe.backbone,
            width=recipe.backbone_width,
            output_stride=recipe.output_stride,
            attention_maps=recipe.attention_maps if recipe.target_enhancement else 0,
            initial_maps=recipe.initial_maps,
            pyramid={
                "scales": recipe.pyramid_stripes,
                "embedding_size": recipe.embedding_size,
                "pooling": recipe.stripe_pooling,
                "normalise": recipe.normalise_pooled,
            },
            gate_background=recipe.gate_background,
        )


def stages(recipe: FanetRecipe) -> tuple[Stage, ...]:
    """Returns the single stage, which trains both branches together (section III-D)."""

    def losses(outputs, batch):
        values = {"identity": stripe_loss(outputs["logits"], batch["label"])}
        if recipe.background_branch:
            values["camera"] = stripe_loss(outputs["camera_logits"], batch["camera"])
        if recipe.target_attention != "none":
            mask = outputs["mask"]
            values["target_attention"] = target_attention_loss(
                outputs["foreground"],
                outputs["background"],
                tf.stop_gradient(mask) if recipe.detach_mask else mask,
                recipe.target_attention,
            )
        return values

    objective = OBJECTIVE | {"target_attention": recipe.target_attention_weight}
    return (
        Stage(
            name="network",
            data="reid",
            inputs=recipe.inputs(images_per_person=recipe.images_per_person, spread_cameras=True),
            batch_size=recipe.batch_size,
            steps=recipe.schedule.steps,
            groups=_groups(recipe),
            losses=losses,
            loss_weights=objective if recipe.background_branch else {},
            start=lambda model: start_pretrained(model.backbones, recipe.weights),
            **recipe.clipping(),
        ),
    )


def _groups(recipe: FanetRecipe) -> tuple[Group, Group]:
    pretrained = recipe.schedule.scaled(recipe.pretrained_rate)
    return (
        recipe.sgd("pretrained", lambda model: model.backbones, pretrained),
        recipe.sgd("new", lambda model: model.new_layers, recipe.schedule),
    )


METHOD = Method(
    name="fanet",
    recipe=FanetRecipe,
    demo=demo,
    build=build,
    stages=stages,
    flip_averaging=True,
    inference=lambda model: model.foreground,
)
