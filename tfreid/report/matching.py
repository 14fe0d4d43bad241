"""How images are compared, for JSON and in words."""

from collections.abc import Mapping
from typing import Any

from tfreid.report.measurement import Measurement

_MODES = {
    "cosine": "cosine distance of the descriptors",
    "pooled": "cosine distance of the pooled descriptors; position features are not used",
    "exact": "reconstruction distance (FPR, eq. 5) of every pair",
    "shortlist": "reconstruction distance (FPR, eq. 5) of each query's {shortlist_size:,} nearest "
    "images by pooled descriptor; the others follow in the order of that descriptor",
    "blend": "of each query's {shortlist_size:,} nearest images by pooled descriptor {rest:g} r + "
    "{blend_weight:g} c, the reconstruction distance r (FPR, eq. 5) and the cosine distance c of "
    "these descriptors; the others follow in the order of c",
}
_OWN = {"shortlist": ("shortlist_size",), "blend": ("shortlist_size", "blend_weight")}


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


def describe_matching(facts: Mapping[str, Any]) -> str:
    """Says in words what `matching_facts` returns."""
    words = _MODES[facts["mode"]].format(**facts, rest=1 - facts.get("blend_weight", 0))
    if "beta" not in facts:
        return words
    beta = f"\N{GREEK SMALL LETTER BETA} = {facts['beta']:g}"
    return f"{words}; {beta}, position features kept as {facts['position_storage']}"
