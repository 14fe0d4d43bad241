"""How a model is measured, apart from the data."""

from dataclasses import dataclass

from tfreid.retrieval import ReconstructionMatching, Reranking

LIST_LENGTH = 10


@dataclass(frozen=True)
class Measurement:
    """How descriptors are computed and scored.

    Attributes:
      variants: of the images, in this order; None for all that the data allow.
      batch_size: images in a batch; no figure depends on it.
      average_precision: `"mean"` or `"trapezoid"`, as in `tfreid.retrieval.evaluate`.
      seed: chooses the random backgrounds, the gallery images that a protocol draws and the images
        that are explained.
      reranking: also score the gallery re-ranked with these parameters; None for plain figures
        alone.
      matching: compare by reconstruction distance, in this mode; None for the cosine distance of
        descriptors, of a model that has position features the pooled ones.
      list_length: how many of the nearest gallery images of each query to keep; the page shows
        `LIST_LENGTH`.
      occluded_images: of how many queries a patch after the other is covered, to see where that
        changes the descriptor.
      position_storage: `"float32"` or `"float16"`, in which position features are kept.
    """

    variants: tuple[str, ...] | None = None
    batch_size: int = 64
    average_precision: str = "mean"
    seed: int = 0
    reranking: Reranking | None = None
    matching: ReconstructionMatching | None = None
    list_length: int = LIST_LENGTH
    position_storage: str = "float32"
    occluded_images: int = 0
