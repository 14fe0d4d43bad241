"""How a model answers "who is this, or nobody": its figures at one rate, and its curve."""

from typing import Any

import numpy as np

from tfreid.errors import UsageError
from tfreid.retrieval import FPIR, OpenSetSearches

_POINTS = 60


def open_set_metrics(searches: OpenSetSearches) -> dict[str, Any]:
    """Returns the figures at an FPIR of 1% in a gallery as large as the one that was searched.

    Returns:
      `fpir`, `persons`, `distance` of the line, `fpir_interval`, and `tpir` with `tpir_interval`
      where enrolled persons were searched for; or `reason`, why the rate cannot be told.
    """
    found: dict[str, Any] = {"fpir": FPIR, "persons": searches.persons}
    try:
        line = searches.line(FPIR, searches.persons)
    except UsageError as error:
        return found | {"reason": str(error)}
    found |= {"distance": line.distance, "fpir_interval": [line.low, line.high]}
    tpir = searches.found(line.distance)  # With its interval.
    if tpir is not None:
        found |= {"tpir": tpir.value, "tpir_interval": [tpir.low, tpir.high]}
    return found


def in_words(metrics: dict[str, Any]) -> str:
    """Returns what `open_set_metrics` found, as a sentence."""
    where = f"in a gallery of {metrics['persons']:,} persons"
    if "reason" in metrics:
        return f"who is this, or nobody, {where}: {metrics['reason']}"
    low, high = (100 * end for end in metrics["fpir_interval"])
    named = f"at an FPIR of {100 * metrics['fpir']:g}% ({low:.1f} to {high:.1f})"
    if "tpir" not in metrics:
        return f"who is this, or nobody, {where}: {named} the line is {metrics['distance']:.4f}"
    tpir, (low, high) = 100 * metrics["tpir"], metrics["tpir_interval"]
    ends = "" if low is None else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"who is this, or nobody, {where}: TPIR {tpir:.1f}%{ends} {named}"


def curve(searches: OpenSetSearches) -> np.ndarray | None:
    """Returns FPIR and FNIR of many lines, `[points, 2]`; None where nothing tells FNIR.

    FNIR, the false negative identification rate, is 1 - TPIR. The gallery is the one that was
    searched.
    """
    if not np.isfinite(searches.own).any():
        return None
    nearest = np.sort(searches.nearest[:, 0])
    places = np.unique(np.geomspace(1, len(nearest), _POINTS).astype(int)) - 1
    return np.array(
        [
            (float(np.mean(nearest <= distance)), 1 - searches.found(distance).value)
            for distance in nearest[places]
        ]
    )
