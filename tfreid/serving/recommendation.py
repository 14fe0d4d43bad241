"""Which distances mean something: the same person, or nobody who is enrolled."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfreid.errors import UsageError, require
from tfreid.evaluation import Describer, Descriptors
from tfreid.evaluation.descriptors import Advance
from tfreid.records import Records, RecordsInfo
from tfreid.retrieval import FPIR, OpenSetSearches, calibrate, cosine_blocks, search_open_set

FAR = 0.001
"""False-accept rate of the recommended threshold."""

_SPLITS = ("query", "gallery")
_OF = "cosine distance of embedding"
_MOST_QUERIES = 2000
"""Queries whose searches are kept with an export."""


@dataclass(frozen=True)
class Rates:
    """Errors that are allowed.

    Attributes:
      far: share of the pairs of different persons that the threshold may accept.
      fpir: share of the searches for strangers that may get a name.
      gallery_persons: enrolled where that is so; as many as the test images show unless given.
    """

    far: float = FAR
    fpir: float = FPIR
    gallery_persons: int | None = None

    def __post_init__(self):
        """Refuses what is no rate."""
        for name, value in (("false-accept rate", self.far), ("fpir", self.fpir)):
            require(0 < value < 1, f"the {name} must lie between 0 and 1, not {value:g}")
        require(self.gallery_persons != 0, "gallery_persons=0: expected 1 or more")


RATES = Rates()
"""Those that are allowed unless others are asked for."""


@dataclass(frozen=True)
class Recommendation:
    """What the test images recommend.

    Attributes:
      facts: `threshold`, for pairs, and `open_set`, for searches, of `serving.json`; None where
        they cannot be told, with the reason.
      searches: from which the line can be drawn for galleries of other sizes.
    """

    facts: dict[str, Any]
    searches: OpenSetSearches | None = None


def recommend(
    describer: Describer, data: Records, rates: Rates, advance: Advance
) -> Recommendation:
    """Finds the distances that go with rates of errors.

    Args:
      describer: of the networks.
      data: whose test images are compared.
      rates: that are allowed.
      advance: called with a number of images after each batch.
    """
    missing = [split for split in _SPLITS if split not in data.info.splits]
    if missing:
        reason = f"{data.info.name} has no {' and no '.join(missing)} split"
        return Recommendation({"threshold": None, "reason": f"no threshold: {reason}"})
    query, gallery = (describer.describe(data, split, advance=advance) for split in _SPLITS)
    known = {"of": _OF, "data": identified(data.info)}
    pairs = _of_pairs(query, gallery, rates, known)
    line, searches = _of_searches(query, gallery, rates, known)
    return Recommendation(pairs | line, searches)


def in_words(facts: Mapping[str, Any]) -> list[str]:
    """Returns what `serving.json` recommends, as sentences."""
    return [_pairs_in_words(facts), *_searches_in_words(facts)]


def identified(info: RecordsInfo) -> dict[str, Any]:
    """Returns what tells records from others."""
    return {"name": info.name, "fingerprint": info.fingerprint, "synthetic": info.synthetic}


def _of_pairs(
    query: Descriptors, gallery: Descriptors, rates: Rates, known: Mapping[str, Any]
) -> dict[str, Any]:
    blocks = cosine_blocks(query.features, gallery.features)
    try:
        found = calibrate(blocks, query.identities, gallery.identities, rates.far)
    except UsageError as error:
        return {"threshold": None, "reason": f"no threshold: {error}"}
    return {"threshold": dataclasses.asdict(found) | dict(known)}


def _of_searches(
    query: Descriptors, gallery: Descriptors, rates: Rates, known: Mapping[str, Any]
) -> tuple[dict[str, Any], OpenSetSearches | None]:
    order = np.random.default_rng(0).permutation(len(query.features))[:_MOST_QUERIES]
    drawn = np.sort(order)
    blocks = cosine_blocks(query.features[drawn], gallery.features)
    try:
        searches = search_open_set(blocks, query.identities[drawn], gallery.identities)
    except UsageError as error:
        return {"open_set": None, "open_set_reason": str(error)}, None
    try:
        line = searches.line(rates.fpir, rates.gallery_persons or searches.persons)
    except UsageError as error:
        reason = f"{error}, or ask for a higher rate: python -m tfreid.export --fpir=…"
        return {"open_set": None, "open_set_reason": reason}, searches
    return {"open_set": dataclasses.asdict(line) | dict(known)}, searches


def _pairs_in_words(facts: Mapping[str, Any]) -> str:
    threshold = facts["threshold"]
    if threshold is None:
        return facts["reason"]
    genuine = threshold["genuine_accept_rate"]
    accepted = "" if genuine is None else f"; it accepts {100 * genuine:.1f}% of the genuine pairs"
    return (
        f"same person: cosine distance <= {threshold['distance']:.4f}, at a false-accept rate of "
        f"{threshold['far']:g} among {threshold['impostor_pairs']:,} pairs{accepted}"
    )


def _searches_in_words(facts: Mapping[str, Any]) -> list[str]:
    line = facts.get("open_set")
    if line is None:
        reason = facts.get("open_set_reason")
        return [f"nobody: where it begins cannot be told: {reason}"] if reason else []
    found = line["tpir"]
    named = "" if found is None else f"; it names {100 * found:.1f}% of those who are enrolled"
    return [
        f"nobody: no image within {line['distance']:.4f}; of the searches for strangers among "
        f"{line['persons']:,} persons {100 * line['fpir']:g}% get a name ({100 * line['low']:.1f} "
        f"to {100 * line['high']:.1f}%, 95%){named}"
    ]
