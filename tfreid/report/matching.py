"""How images are compared, in words."""

from collections.abc import Mapping
from typing import Any

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


def matching_in_words(facts: Mapping[str, Any]) -> str:
    """Says in words what `AuditResult.matching` says."""
    words = _MODES[facts["mode"]].format(**facts, rest=1 - facts.get("blend_weight", 0))
    if "beta" not in facts:
        return words
    beta = f"\N{GREEK SMALL LETTER BETA} = {facts['beta']:g}"
    return f"{words}; {beta}, position features kept as {facts['position_storage']}"
