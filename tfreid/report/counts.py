"""Which images an evaluation used, and which it left out and why, in words."""

from collections.abc import Mapping
from typing import Any

_BLANK = "of which the model sees nothing, descriptors of zeros"


def counts_in_words(metrics: Mapping[str, Any]) -> dict[str, str]:
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
        "Masks": _masks(metrics),
        "Split": _split(data["split"]),
        "Read as": _reading(data),
    }
    return {heading: text for heading, text in texts.items() if text}


def _queries(counts: Mapping[str, int]) -> str:
    left_out = {
        "without a valid match": counts["queries_without_match"],
        "of nobody (junk or distractors)": counts["queries_junk"],
    }
    note = _note({_BLANK: counts.get("queries_blank", 0)})
    return _used(counts["queries"], counts["queries_used"], left_out, note)


def _gallery(counts: Mapping[str, int], draws: int) -> str:
    left_out = {
        "junk": counts["gallery_junk"],
        "for single queries, of their person by their own camera": counts["same_camera"],
    }
    notes = {
        "distractors, which match nobody": counts["gallery_distractors"],
        "persons without a query": counts["persons_without_query"],
        _BLANK: counts.get("gallery_blank", 0),
    }
    text = _used(counts["gallery"], counts["gallery_used"], left_out, _note(notes))
    return text + (f"; each of {draws} draws takes one image a person" if draws else "")


def _masks(metrics: Mapping[str, Any]) -> str:
    masks, counts = metrics.get("masks"), metrics["counts"]
    if not masks:
        return ""
    return (
        f"{masks['query']:,} of {counts['queries']:,} queries and {masks['gallery']:,} of "
        f"{counts['gallery']:,} gallery images have one; other backgrounds are of these alone "
        f"({masks['queries_used']:,} queries used), and losses are against the same original images"
    )


def _note(counts: Mapping[str, int]) -> str:
    found = "; ".join(f"{what}: {count:,}" for what, count in counts.items() if count)
    return f" ({found})" if found else ""


def _used(total: int, used: int, left_out: Mapping[str, int], note: str = "") -> str:
    reasons = [f"{count:,} {reason}" for reason, count in left_out.items() if count]
    text = f"{total:,}, {'all' if used == total else f'{used:,}'} used{note}"
    return f"{text}; left out: {', '.join(reasons)}" if reasons else text


def _split(split: Mapping[str, Any] | None) -> str:
    if split is None:
        return ""
    drawn = "" if split["seed"] is None else f"drawn with seed {split['seed']}"
    if drawn and split["test_persons"]:
        drawn = f"{split['test_persons']:,} test persons, {drawn}"
    if split["of"] == 1:
        return drawn
    which = ", ".join(filter(None, [f"{split['index']} (of 0 to {split['of'] - 1})", drawn]))
    return f"{which}; published figures are the mean over all {split['of']}"


def _reading(data: Mapping[str, Any]) -> str:
    options = [f"{name}={value}" for name, value in data["options"].items()]
    left_out = [f"{images:,} images left out: {why}" for why, images in data["excluded"].items()]
    return "; ".join([*options, *left_out])
