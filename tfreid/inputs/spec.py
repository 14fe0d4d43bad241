"""InputSpec: what a batch is to look like, checked when it is made."""

from dataclasses import dataclass
from typing import Any

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.errors import require
from tfreid.inputs.augmentation import Augmentation, Mirror, RandomBackground

VARIANTS = ("original", "mean_background", "random_background", "background_only")
"""The four data sets of PGP's background study (Figure 3)."""


def readable(variant: str) -> str:
    """Returns a variant's name in words."""
    return variant.replace("_", " ")


@dataclass(frozen=True)
class InputSpec:
    """How records become batches.

    Attributes:
      image_size_px: height, width to which every image is resized.
      variant: one of `VARIANTS`. `mean_background` fills the background with the training
        split's mean pixel, `random_background` replaces it by a random crop of a background
        image, `background_only` fills the person with the mean pixel.
      augmentation: random changes of training images, in the order in which they happen:
        `RandomBackground` and `Mirror`, which work on the stored image, come first. Evaluation
        ignores them.
      mask_vocabulary: if set, batches have the entry `mask` in this vocabulary.
      images_per_person: 0 for random training batches; K > 0 for batches of
        `batch_size / K` persons with K images each.
      spread_cameras: whether the K images of a person come from its cameras as evenly as the
        person's images allow (FA-Net, section IV-B).
    """

    image_size_px: tuple[int, int]
    variant: str = "original"
    augmentation: tuple[RandomBackground | Mirror | Augmentation, ...] = ()
    mask_vocabulary: str | None = None
    images_per_person: int = 0
    spread_cameras: bool = False

    def __post_init__(self):
        """Refuses values that no batch can have."""
        require(
            len(self.image_size_px) == 2 and min(self.image_size_px) > 0,
            f"image_size_px must be (height, width), both above 0, not {self.image_size_px}",
        )
        require(
            self.variant in VARIANTS,
            f"variant must be one of {', '.join(VARIANTS)}, not {self.variant!r}",
        )
        _check_augmentation(self.augmentation)
        require(
            self.variant == "original" or not self.background_probability,
            f"{self._find(RandomBackground)} replaces backgrounds that variant={self.variant!r} "
            "has replaced already; set the probability to 0 or the variant to 'original'",
        )
        require(
            self.mask_vocabulary is None or self.mask_vocabulary in VOCABULARIES,
            f"mask_vocabulary must be one of {', '.join(VOCABULARIES)}, "
            f"not {self.mask_vocabulary!r}",
        )
        require(
            self.images_per_person >= 0,
            f"images_per_person must be 0 (random batches) or more, not {self.images_per_person}",
        )
        require(
            self.images_per_person > 0 or not self.spread_cameras,
            "spread_cameras=True spreads the images of a person over its cameras, and "
            "images_per_person=0 asks for random batches; set images_per_person above 0 or "
            "spread_cameras to False",
        )

    @property
    def background_probability(self) -> float:
        """Share of the training images that get a random background."""
        found = self._find(RandomBackground)
        return found.probability if found else 0.0

    @property
    def mirror_probability(self) -> float:
        """Share of the training images that are mirrored."""
        found = self._find(Mirror)
        return found.probability if found else 0.0

    @property
    def operations(self) -> tuple[Augmentation, ...]:
        """The operations on images that have their final size."""
        return tuple(o for o in self.augmentation if not isinstance(o, _ON_STORED_IMAGES))

    @property
    def changes_background(self) -> bool:
        """Whether any image is composed from a person and something else."""
        return self.variant != "original" or self.background_probability > 0.0

    @property
    def needs_masks(self) -> bool:
        """Whether masks are read."""
        return self.changes_background or self.mask_vocabulary is not None

    @property
    def needs_every_mask(self) -> bool:
        """Whether an image without mask is of no use: else it keeps its background."""
        return self.variant != "original" or self.mask_vocabulary is not None

    @property
    def needs_backgrounds(self) -> bool:
        """Whether background images are needed."""
        return self.variant == "random_background" or self.background_probability > 0.0

    @property
    def mask_reason(self) -> str:
        """The setting that makes masks necessary, for error texts."""
        if self.variant != "original":
            return f"variant={self.variant!r}"
        if self.background_probability:
            return str(self._find(RandomBackground))
        return f"mask_vocabulary={self.mask_vocabulary!r}"

    def _find(self, kind: type) -> Any:
        return next((o for o in self.augmentation if isinstance(o, kind)), None)


_ON_STORED_IMAGES = (RandomBackground, Mirror)


def _check_augmentation(operations: tuple[Any, ...]) -> None:
    for operation in operations:
        require(
            isinstance(operation, (*_ON_STORED_IMAGES, Augmentation)),
            f"{operation!r} in augmentation is no operation: it needs a name, the number of its "
            "draws, and a call with image, mask and draws (tfreid.inputs.Augmentation)",
        )
    names = [operation.name for operation in operations]
    require(
        len(set(names)) == len(names),
        f"each operation in augmentation needs a name of its own, for its own random numbers, "
        f"and these are {', '.join(names)}",
    )
    first = [o.name for kind in _ON_STORED_IMAGES for o in operations if isinstance(o, kind)]
    require(
        names[: len(first)] == first,
        f"{' and '.join(first)} work on the stored image and must come first in augmentation, in "
        f"this order, not {', '.join(names)}",
    )
