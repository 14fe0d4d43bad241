"""A badge: how much rank-1 a model loses when the background changes, for a README."""

from html import escape

from tfreid.evaluation.verdict import Verdict, in_points
from tfreid.report.markup import percent, verdict_class

_LABEL = "background loss"
_COLOURS = {"good": "#1f8a4c", "fair": "#b7791f", "bad": "#c8372d", "unknown": "#667079"}
_CHARACTER_PX, _MARGIN_PX, _HEIGHT_PX = 6.6, 7, 20


def badge(verdict: Verdict | None) -> str:
    """Returns the badge as an SVG file's text.

    Args:
      verdict: on a model; None where it could not be measured.
    """
    if verdict is None:
        figure, style = "unknown", "unknown"
    else:
        figure, style = percent(verdict.loss.value), verdict_class(verdict.loss, verdict.persons)
        if verdict.loss.is_certain:
            figure += f" [{in_points(verdict.loss).replace(' to ', ', ')}]"
    left, right = _width(_LABEL), _width(figure)
    text = f"{_LABEL}: {figure}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT_PX}" '
        f'role="img" aria-label="{escape(text)}"><title>{escape(text)}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="{_HEIGHT_PX}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{_HEIGHT_PX}" fill="#3c434a"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT_PX}" fill="{_COLOURS[style]}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'text-anchor="middle">{_text(_LABEL, left / 2, left)}'
        f"{_text(figure, left + right / 2, right)}</g></svg>\n"
    )


def _width(text: str) -> int:
    return round(_CHARACTER_PX * len(text)) + 2 * _MARGIN_PX


def _text(text: str, centre: float, width: int) -> str:
    """A text that is as wide in any font."""
    length = width - 2 * _MARGIN_PX
    return f'<text x="{centre:g}" y="14" textLength="{length}">{escape(text)}</text>'
