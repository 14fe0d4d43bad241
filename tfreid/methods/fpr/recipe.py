"""FPR's recipe: its settings and the one stage that trains it."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tfreid.errors import require
from tfreid.methods.backbones import RESNET_DEPTH, start_pretrained
from tfreid.methods.base import Group, Method, Stage
from tfreid.methods.fields import choice, paper
from tfreid.methods.fpr.foreground import patch_labels
from tfreid.methods.fpr.losses import foreground_loss, triplet_loss
from tfreid.methods.fpr.model import DISTANCES, FPR
from tfreid.methods.fpr.pyramid import fitting_kernels
from tfreid.methods.losses import identity_loss
from tfreid.methods.recipe_base import (
    BatchNormalisation,
    PersonBatches,
    PersonImages,
    WeightDecay,
)
from tfreid.methods.schedules import WarmupDecay
from tfreid.nn import BACKBONES, backbone_class


@dataclass(frozen=True)
class FprRecipe(WeightDecay, PersonBatches, PersonImages, BatchNormalisation):
    """FPR.

    Rank-1 / mAP that the paper reports (Tables 3 and 4): Partial-REID 81.00 / 76.60, Partial-iLIDS
    68.08 / 61.78, Occluded-REID 78.30 / 68.00, trained on Market-1501; Market-1501 95.42 / 86.58,
    CUHK03 76.08 / 72.31, DukeMTMC-reID 88.64 / 78.42.

    Attributes:
      backbone: a name of `BACKBONES`; the paper's is `resnet50`.
      backbone_width: multiplies the channels of the backbone.
      output_stride: 16 (without the last down-sampling) or 32.
      weights: start of the backbone: `imagenet`, a weights file or `none`.
      distance: that the triplet loss and matching use: `foreground` (eq. 5), `uniform` (eq. 4, as
        DSR: no foreground weights) or `pooled` (the baseline: descriptors averaged over the map).
      kernels: sides of the pyramid's max-pooling; larger ones than the map are left out.
      stride: of the same.
      beta: weight of the coefficients' norm in the reconstruction (eq. 1).
      margin: m of the triplet loss (eq. 6).
      alpha: weight of the foreground probability generator's loss (eq. 10).
      tau: share of the person above which a position's patch counts as foreground (eq. 8).
      identity_weight: weight of a classification loss on pooled descriptors; 0 has no classifier.
      schedule: length of training and rates; an epoch of 202 steps shows Market-1501's 12,936
        images once.
    """

    image_size_px: tuple[int, int] = paper((384, 128), "section 4.1")
    backbone: str = paper("resnet50", "section 3.1", BACKBONES)
    backbone_width: float = paper(1.0, "section 3.1")
    output_stride: int = choice(16, "the authors' code removes the last down-sampling", (16, 32))
    weights: str = choice("imagenet", "the authors' code")
    distance: str = paper("foreground", "eq. 5; Table 3 has others", DISTANCES)
    kernels: tuple[int, ...] = choice((2, 4, 6, 8), "the authors' code")
    stride: int = choice(2, "the authors' code")
    beta: float = paper(0.01, "section 4.1; the authors' later code has 0.001")
    margin: float = choice(0.3, "the usual one of the batch-hard loss")
    alpha: float = paper(0.02, "section 4.1, eq. 10")
    tau: float = paper(0.35, "section 4.1, eq. 8")
    identity_weight: float = choice(0.0, "eq. 10 has none; the authors' later code has one")
    random_background_probability: float = paper(0.0, "section 4.1, no augmentation")
    flip_probability: float = paper(0.0, "section 4.1, no augmentation")
    persons_per_batch: int = paper(16, "section 4.1")
    images_per_person: int = paper(4, "section 4.1")
    schedule: WarmupDecay = choice(
        WarmupDecay(200, 202, 3.5e-4, 3.5e-4, 0, 0.1, (100, 166)),
        "Adam, a tenth from 50% and 83% of the training, after the authors' code; 202 steps are "
        "Market-1501's 12,936 images / 64, give another for other data",
        epochs="section 4.1",
    )
    weight_decay: float = choice(5e-4, "the authors' code; part of the gradient, as PyTorch's Adam")

    open_points: ClassVar = {
        "padding of the pyramid": (
            "none, the authors' code; kernels that are larger than the map are left out"
        ),
        "norm of the coefficients": (
            "squared: eq. 1 prints β‖w‖, but eq. 3 is the solution for β‖w‖²"
        ),
        "H of eq. 5": "the probabilities divided by their sum, the authors' code",
        "features of positions": (
            "scaled to length 1 before they are reconstructed, the authors' code"
        ),
        "triplet loss of a batch": (
            "the mean over the anchors, with a hinge (eq. 6 sums, without one)"
        ),
        "sign of eq. 9": "minus: the loss is the negative log-likelihood, summed over positions",
        "probe and gallery in training": (
            "each image is reconstructed from each other one, with its own weights"
        ),
        "generator": (
            "one logit, whose sigmoid is the softmax over two classes; on the features before they "
            "are scaled; the same for all kernels"
        ),
        "pooled descriptor": "the mean over the map",
        "baseline": "the same network, `distance=pooled`",
        "mask under a position": (
            "averaged over the pixels of each position of the map, then over the patch"
        ),
        "normalisation of images": "ImageNet's, which the weights expect",
    }
    former_fields: ClassVar = {"backbone_depth": RESNET_DEPTH}

    def __post_init__(self):
        """Refuses settings that do not fit together."""
        super().__post_init__()
        for name in ("persons_per_batch", "images_per_person"):
            value = getattr(self, name)
            require(value > 1, f"{name}={value}: a triplet needs at least 2")
        for name in ("beta", "stride"):
            value = getattr(self, name)
            require(value > 0, f"{name}={value} must be above 0")
        require(0 <= self.tau <= 1, f"tau={self.tau} is a share: it must lie in [0, 1]")
        require(
            bool(self.kernels) and min(self.kernels) > 0,
            f"kernels={self.kernels}: give at least one, each above 0",
        )
        if self.distance != "pooled":
            self.fitting_kernels()

    def fitting_kernels(self) -> tuple[int, ...]:
        """Returns the kernels that are not larger than the training images' map."""
        return fitting_kernels(
            self.kernels, self.image_size_px, backbone_class(self.backbone), self.output_stride
        )


def demo() -> FprRecipe:
    """Returns the recipe at a scale of minutes on two CPU cores: a small ResNet, few positions."""
    return replace(
        FprRecipe(),
        image_size_px=(192, 96),
        backbone="resnet14",
        backbone_width=0.25,
        weights="none",
        identity_weight=1.0,
        persons_per_batch=8,
        images_per_person=4,
        schedule=WarmupDecay(12, 50, 1e-3, 1e-3, 0, 0.1, (6, 10)),
    )


def build(recipe: FprRecipe, info) -> FPR:
    """Returns the model for the training persons of a converted data set."""
    with recipe.normalisation():
        return FPR(
            backbone=recipe.backbone,
            width=recipe.backbone_width,
            output_stride=recipe.output_stride,
            distance=recipe.distance,
            kernels=recipe.kernels,
            stride=recipe.stride,
            persons=info.num_persons if recipe.identity_weight else 0,
            beta=recipe.beta,
        )


def stages(recipe: FprRecipe) -> tuple[Stage, ...]:
    """Returns the single stage (section 3.3)."""
    backbone = backbone_class(recipe.backbone)
    size = backbone.map_size(recipe.image_size_px, recipe.output_stride)

    def losses(outputs, batch):
        values = {"triplet": triplet_loss(outputs, batch["label"], recipe.margin, recipe.beta)}
        if recipe.distance == "foreground":
            mask = backbone.under_map(batch["mask"], recipe.output_stride)
            kernels = recipe.fitting_kernels()
            labels = patch_labels(mask, size, kernels, recipe.stride, recipe.tau)
            values["foreground"] = foreground_loss(outputs["foreground_logits"], labels)
        if recipe.identity_weight:
            values["identity"] = identity_loss(outputs["logits"], batch["label"])
        return values

    return (
        Stage(
            name="network",
            data="reid",
            inputs=recipe.inputs(
                mask_vocabulary="binary" if recipe.distance == "foreground" else None,
                images_per_person=recipe.images_per_person,
            ),
            batch_size=recipe.batch_size,
            steps=recipe.schedule.steps,
            groups=(
                Group(
                    name="network",
                    layers=lambda model: model.parts.values(),
                    schedule=recipe.schedule,
                    weight_decay=recipe.weight_decay,
                    decay_all=recipe.decay_all,
                    optimizer="adam",
                ),
            ),
            losses=losses,
            loss_weights={"foreground": recipe.alpha, "identity": recipe.identity_weight},
            start=lambda model: start_pretrained([model.backbone], recipe.weights),
        ),
    )


METHOD = Method(name="fpr", recipe=FprRecipe, demo=demo, build=build, stages=stages)
