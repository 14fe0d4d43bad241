"""How a model is measured, apart from the data."""

from dataclasses import dataclass

from tfreid.retrieval import ReconstructionMatching, Reranking


@dataclass(frozen=True)
class Measurement:
    """How descriptors are computed and scored.

    Attributes:
      image_size_px: height, width of the model's input.
      batch_size: images in a batch; no figure depends on it.
      flip_averaging: average the descriptors of an image and of its mirror image.
      average_precision: `"mean"` or `"trapezoid"`, as in `tfreid.retrieval.evaluate`.
      seed: chooses the random backgrounds, the gallery images that a protocol draws and the images
        that are explained.
      reranking: also score the gallery re-ranked with these parameters; None for plain figures
        alone.
      matching: compare by reconstruction distance, in this mode; None for the cosine distance of
        descriptors, of a model that has position features the pooled ones.
      position_storage: `"float32"` or `"float16"`, in which position features are kept.
    """

    image_size_px: tuple[int, int]
    batch_size: int = 64
    flip_averaging: bool = False
    average_precision: str = "mean"
    seed: int = 0
    reranking: Reranking | None = None
    matching: ReconstructionMatching | None = None
    position_storage: str = "float32"
