"""What recipes share: each of these classes is a group of fields that a recipe inherits."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from tfreid.errors import require
from tfreid.inputs import (
    VARIANTS,
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
)
from tfreid.methods.base import SGD_FORMS, Group, Schedule
from tfreid.methods.fields import check_known, choice, off
from tfreid.nn import normalisation_settings


@dataclass(frozen=True, kw_only=True)
class Images:
    """The images that a network is trained on.

    Attributes:
      image_size_px: height, width of the network's input.
      random_background_probability: share of training images whose background is replaced.
      flip_probability: share of training images that are mirrored.
      crop_padding_px: border around training images, out of which they are cropped at random; 0
        for none.
      brightness_jitter: s, training images are multiplied by a factor from [1 - s, 1 + s].
      contrast_jitter: likewise of their contrast.
      saturation_jitter: likewise of their saturation.
      erasing_probability: share of training images in which a rectangle is erased.
    """

    image_size_px: tuple[int, int]
    random_background_probability: float = choice(0.0, "it is PGP's augmentation")
    flip_probability: float = choice(0.0, "the paper has none")
    crop_padding_px: int = off(0)
    brightness_jitter: float = off(0.0)
    contrast_jitter: float = off(0.0)
    saturation_jitter: float = off(0.0)
    erasing_probability: float = off(0.0)

    def __post_init__(self):
        """Refuses values that are not known, and shares that are none."""
        check_known(self)
        for name in (
            "random_background_probability",
            "flip_probability",
            "brightness_jitter",
            "contrast_jitter",
            "saturation_jitter",
            "erasing_probability",
        ):
            value = getattr(self, name)
            require(0.0 <= value <= 1.0, f"{name} must lie in [0, 1], not {value}")
        require(self.crop_padding_px >= 0, f"crop_padding_px={self.crop_padding_px}: at least 0")

    def inputs(self, **more: Any) -> InputSpec:
        """Returns how records become batches; `more` are further fields of `InputSpec`."""
        jitter = (self.brightness_jitter, self.contrast_jitter, self.saturation_jitter)
        listed = (
            (self.random_background_probability, RandomBackground),
            (self.flip_probability, Mirror),
            (self.crop_padding_px, lambda padding_px: PaddedCrop(1.0, padding_px)),
            (any(jitter), lambda _: ColourJitter(1.0, *jitter)),
            (self.erasing_probability, RandomErasing),
        )
        augmentation = tuple(operation(setting) for setting, operation in listed if setting)
        return InputSpec(self.image_size_px, augmentation=augmentation, **more)


@dataclass(frozen=True, kw_only=True)
class PersonImages(Images):
    """Images of persons to tell apart.

    Attributes:
      variant: background variant of the training images.
    """

    variant: str = choice("original", "the others are of PGP's background study", VARIANTS)

    def inputs(self, **more: Any) -> InputSpec:
        """Returns how records become batches; `more` are further fields of `InputSpec`."""
        return super().inputs(variant=self.variant, **more)


@dataclass(frozen=True, kw_only=True)
class RandomBatches:
    """Batches of any images.

    Attributes:
      batch_size: images in one global batch.
    """

    batch_size: int


@dataclass(frozen=True, kw_only=True)
class PersonBatches:
    """Batches of several images of each person.

    Attributes:
      persons_per_batch: persons in one global batch.
      images_per_person: images of each of them.
    """

    persons_per_batch: int
    images_per_person: int

    @property
    def batch_size(self) -> int:
        """Images in one global batch."""
        return self.persons_per_batch * self.images_per_person


def sgd_of(form: str, why: str) -> Any:
    """Declares which form of SGD a recipe has; there was PyTorch's alone before."""
    return choice(form, why, SGD_FORMS, before="pytorch")


@dataclass(frozen=True, kw_only=True)
class WeightDecay:
    """What is decayed, and when.

    Attributes:
      weight_decay: multiple of the weight that is added to its gradient.
      decay_all: whether biases and the scale and offset of batch normalisation are decayed, too.
    """

    weight_decay: float
    decay_all: bool = choice(True, "as PyTorch, Caffe and Chainer do unless told", before=True)


@dataclass(frozen=True, kw_only=True)
class Sgd(WeightDecay):
    """Stochastic gradient descent.

    Attributes:
      momentum: of SGD.
      nesterov: whether SGD looks ahead along the momentum.
      clip_norm: limit of the gradient's norm over all weights that are trained, or None.
      clip_decayed: whether that gradient has its weight decay already.
      sgd_form: whether the momentum buffer sums gradients (`pytorch`), which the learning rate then
        multiplies, or steps (`caffe`, Chainer), each with the rate of its time.
    """

    momentum: float
    nesterov: bool = off(False)
    clip_norm: float | None = off(None)
    clip_decayed: bool = off(False, "PyTorch clips before its optimizer decays")
    sgd_form: str = sgd_of("pytorch", "PyTorch's; the paper names no framework")

    def sgd(
        self,
        name: str,
        layers: Callable[[keras.Model], Sequence[keras.layers.Layer]],
        schedule: Schedule,
    ) -> Group:
        """Returns a group of layers that is updated so."""
        return Group(
            name,
            layers,
            schedule,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
            sgd_form=self.sgd_form,
            decay_all=self.decay_all,
        )

    def clipping(self) -> dict[str, Any]:
        """Returns what a stage is told of it."""
        return {"clip_norm": self.clip_norm, "clip_decayed": self.clip_decayed}


@dataclass(frozen=True, kw_only=True)
class BatchNormalisation:
    """Settings of batch normalisation.

    Attributes:
      bn_momentum: share of the running statistics that a step keeps; None for what the layers have:
        0.99, EfficientNet 0.9.
      bn_epsilon: what is added to the variance; None for what the layers have: 0.001, ResNet
        1.001e-5.
    """

    bn_momentum: float | None = choice(
        None, "the layers' own, 0.99, of EfficientNet 0.9; no paper states any", before=None
    )
    bn_epsilon: float | None = choice(
        None, "the layers' own, 0.001, of ResNet 1.001e-5; no paper states any", before=None
    )

    def normalisation(self) -> contextlib.AbstractContextManager:
        """Returns a context; the batch normalisation that is made in it has these settings."""
        return normalisation_settings(momentum=self.bn_momentum, epsilon=self.bn_epsilon)
