"""How a model is measured, apart from the data."""

from dataclasses import dataclass
from typing import Any

from tfreid.retrieval import ReconstructionMatching, Reranking

LIST_LENGTH = 10
_OWN = {"shortlist": ("shortlist_size",), "blend": ("shortlist_size", "blend_weight")}


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


def matching_facts(measurement: Measurement, pooled: bool) -> dict[str, Any]:
    """Returns how images are compared.

    Args:
      measurement: how they are measured.
      pooled: whether the model has position features.

    Returns:
      `mode`: `exact`, `shortlist` or `blend` by reconstruction distance, `pooled` by the cosine of
      the pooled descriptors of such a model, `cosine` of other models' descriptors; and what else
      figures depend on.
    """
    matching = measurement.matching
    if matching is None:
        return {"mode": "pooled" if pooled else "cosine"}
    own = {name: getattr(matching, name) for name in _OWN.get(matching.mode, ())}
    storage = measurement.position_storage
    return {"mode": matching.mode, "beta": matching.beta, **own, "position_storage": storage}
