"""InputSpec: what a batch is to look like, checked when it is made."""

from dataclasses import dataclass

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.errors import require

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
      random_background_probability: share of training images whose background is replaced by a
        random one (PGP, eq. 1); evaluation ignores it.
      flip_probability: share of training images that are mirrored; evaluation ignores it.
      mask_vocabulary: if set, batches have the entry `mask` in this vocabulary.
      images_per_person: 0 for random training batches; K > 0 for batches of
        `batch_size / K` persons with K images each.
      spread_cameras: whether the K images of a person come from its cameras as evenly as the
        person's images allow (FA-Net, section IV-B).
    """

    image_size_px: tuple[int, int]
    variant: str = "original"
    random_background_probability: float = 0.0
    flip_probability: float = 0.0
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
        for name in ("random_background_probability", "flip_probability"):
            value = getattr(self, name)
            require(0.0 <= value <= 1.0, f"{name} must lie in [0, 1], not {value}")
        require(
            self.variant == "original" or self.random_background_probability == 0.0,
            f"random_background_probability={self.random_background_probability} replaces "
            f"backgrounds that variant={self.variant!r} has replaced already; "
            "set the probability to 0 or the variant to 'original'",
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
    def changes_background(self) -> bool:
        """Whether any image is composed from a person and something else."""
        return self.variant != "original" or self.random_background_probability > 0.0

    @property
    def needs_masks(self) -> bool:
        """Whether every record has to carry a mask."""
        return self.changes_background or self.mask_vocabulary is not None

    @property
    def needs_backgrounds(self) -> bool:
        """Whether background images are needed."""
        return self.variant == "random_background" or self.random_background_probability > 0.0

    @property
    def mask_reason(self) -> str:
        """The setting that makes masks necessary, for error texts."""
        if self.variant != "original":
            return f"variant={self.variant!r}"
        if self.random_background_probability > 0.0:
            return f"random_background_probability={self.random_background_probability}"
        return f"mask_vocabulary={self.mask_vocabulary!r}"
