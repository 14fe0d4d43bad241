"""The report's section on reconstructed pairs: which part of a query the nearest image lacks."""

from collections.abc import Sequence
from html import escape

import numpy as np

from tfreid.evaluation.reconstruction_errors import ReconstructedPairs
from tfreid.evaluation.result import AuditResult
from tfreid.inputs import readable
from tfreid.report.examples import PICTURE_SIZE_PX
from tfreid.report.markup import picture, row
from tfreid.report.pictures import embedded, overlay


def pairs_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with one card a model; empty where nothing was reconstructed."""
    cards = "".join(_card(result) for result in results if result.reconstructed)
    if not cards:
        return ""
    return (
        '<h2>What the nearest image explains</h2><p class="soft">Each column is a query and the '
        "gallery image that was found nearest, with a tick where it shows the same person. "
        "<i>Query error</i>: how far the positions of the query are from what the match's "
        "positions can reconstruct; bright is what the match does not have. <i>Match error</i>: "
        "the reverse direction, which the distance does not use; bright is what the query does "
        "not have, hidden parts for example. At a pixel stands the mean of the positions that "
        "cover it.</p>"
        f"{cards}"
    )


def _card(result: AuditResult) -> str:
    rows = "".join(_rows(variant, pairs) for variant, pairs in result.reconstructed.items())
    return f'<div class="card query maps"><h3>{escape(result.name)}</h3>{rows}</div>'


def _rows(variant: str, pairs: ReconstructedPairs) -> str:
    errors = np.stack([pairs.query_errors, pairs.match_errors])
    least, most = errors.min(initial=1), errors.max(initial=0)
    query_heat, match_heat = (errors - least) / max(most - least, 1e-6)
    names = [
        f"query<br> <span>{escape(readable(variant))}</span>",
        '<span class="soft">query error</span>',
        "nearest image",
        '<span class="soft">match error</span>',
    ]
    strips = [
        [picture(embedded(image, PICTURE_SIZE_PX), "query") for image in pairs.queries],
        _overlays(pairs.queries, query_heat, "query error"),
        [_match(pairs, place) for place in range(len(pairs.matches))],
        _overlays(pairs.matches, match_heat, "match error"),
    ]
    scale = f"Errors from {least:.2f} (dark) to {most:.2f} (bright)."
    lists = "".join(row(*pair) for pair in zip(names, strips, strict=True))
    return f'<div class="lists">{lists}</div><p class="soft small">{scale}</p>'


def _match(pairs: ReconstructedPairs, place: int) -> str:
    right = bool(pairs.correct[place])
    text = f"nearest, {'same person' if right else 'somebody else'}"
    text += f", distance {pairs.distances[place]:.3f}"
    address = embedded(pairs.matches[place], PICTURE_SIZE_PX)
    return picture(address, text, "right" if right else "wrong", "✓" if right else "✗")


def _overlays(images: np.ndarray, heat: np.ndarray, name: str) -> list[str]:
    return [
        picture(embedded(overlay(image, values), PICTURE_SIZE_PX), name)
        for image, values in zip(images, heat, strict=True)
    ]
