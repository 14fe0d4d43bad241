"""Which images an evaluation used, and which it left out and why."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfreid.datasets import DISTRACTOR_PERSON_ID, JUNK_PERSON_ID, Protocol
from tfreid.retrieval import Identities

_NOBODY = (JUNK_PERSON_ID, DISTRACTOR_PERSON_ID)


def count_images(
    query: Identities, gallery: Identities, scored: np.ndarray, protocol: Protocol
) -> dict[str, int]:
    """Counts the images that were used and those that were left out.

    Args:
      query: identities of the queries.
      gallery: identities of the gallery images.
      scored: `[queries]` bool: the queries that have a valid match.
      protocol: how they were compared.

    Returns:
      `queries` = `queries_used` + `queries_without_match` + `queries_junk` (of no person), and
      `gallery` = `gallery_used` + `gallery_junk`; `gallery_distractors` are among the used.
      `same_camera` counts the gallery images that were left out because the query's own camera
      took them, once for each query that was used.
    """
    of_nobody = np.isin(query.person, _NOBODY)
    junk = int((gallery.person == JUNK_PERSON_ID).sum())
    return {
        "queries": len(query),
        "queries_used": int(scored.sum()),
        "queries_without_match": int((~scored & ~of_nobody).sum()),
        "queries_junk": int(of_nobody.sum()),
        "gallery": len(gallery),
        "gallery_used": len(gallery) - junk,
        "gallery_distractors": int((gallery.person == DISTRACTOR_PERSON_ID).sum()),
        "gallery_junk": junk,
        "same_camera": _same_camera(query[scored], gallery) if protocol.camera_filter else 0,
    }


def _same_camera(query: Identities, gallery: Identities) -> int:
    seen = Counter(zip(gallery.person.tolist(), gallery.camera.tolist(), strict=True))
    asked = zip(query.person.tolist(), query.camera.tolist(), strict=True)
    return sum(seen[person_and_camera] for person_and_camera in asked)


def describe_counts(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Says in words what was used and what was left out.

    Args:
      metrics: from `AuditResult.metrics`.

    Returns:
      Heading -> text, for a page or a terminal.
    """
    counts, data, protocol = (metrics[part] for part in ("counts", "data", "protocol"))
    texts = {
        "Queries": _queries(counts),
        "Gallery": _gallery(counts, protocol["gallery_draws"]),
        "Split": _split(data["split"]),
        "Read as": _reading(data),
    }
    return {heading: text for heading, text in texts.items() if text}


def _queries(counts: Mapping[str, int]) -> str:
    left_out = {
        "without a valid match": counts["queries_without_match"],
        "of nobody (junk or distractors)": counts["queries_junk"],
    }
    return _used(counts["queries"], counts["queries_used"], left_out)


def _gallery(counts: Mapping[str, int], draws: int) -> str:
    left_out = {
        "junk": counts["gallery_junk"],
        "for single queries, of their person by their own camera": counts["same_camera"],
    }
    distractors = counts["gallery_distractors"]
    note = f" (distractors, which match nobody: {distractors:,})" if distractors else ""
    text = _used(counts["gallery"], counts["gallery_used"], left_out, note)
    return text + (f"; each of {draws} draws takes one image a person" if draws else "")


def _used(total: int, used: int, left_out: Mapping[str, int], note: str = "") -> str:
    reasons = [f"{count:,} {reason}" for reason, count in left_out.items() if count]
    text = f"{total:,}, {'all' if used == total else f'{used:,}'} used{note}"
    return f"{text}; left out: {', '.join(reasons)}" if reasons else text


def _split(split: Mapping[str, Any] | None) -> str:
    if split is None:
        return ""
    drawn = "" if split["seed"] is None else f"drawn with seed {split['seed']}"
    if split["of"] == 1:
        return drawn
    which = ", ".join(filter(None, [f"{split['index']} (of 0 to {split['of'] - 1})", drawn]))
    return f"{which}; published figures are the mean over all {split['of']}"


def _reading(data: Mapping[str, Any]) -> str:
    options = [f"{name}={value}" for name, value in data["options"].items()]
    left_out = [f"{images:,} images left out: {why}" for why, images in data["excluded"].items()]
    return "; ".join([*options, *left_out])
