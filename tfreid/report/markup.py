"""Small pieces of HTML that the report's sections share."""

from collections.abc import Iterable
from html import escape

from tfreid.evaluation.verdict import FEW_PERSONS
from tfreid.retrieval import Interval

LARGE_LOSS, SMALL_LOSS = 0.10, 0.04
"""Losses of rank-1, fractions: above the first a reader should worry, below the second not."""


def percent(fraction: float, sign: str = "") -> str:
    """Writes a fraction as a percentage, with a real minus sign; `sign="+"` shows a plus too."""
    # Adding 0 takes the sign off a zero.
    return f"{round(100 * fraction, 1) + 0.0:{sign}.1f}".replace("-", "\N{MINUS SIGN}")


def verdict_class(loss: Interval, persons: int) -> str:
    """Returns the style class for a loss of rank-1 that was measured on so many persons.

    It is `unknown` of few persons, without an interval, and where that allows no loss as well as a
    large one.
    """
    is_wide = loss.is_certain and loss.low <= 0 and loss.high > LARGE_LOSS
    if persons < FEW_PERSONS or not loss.is_certain or is_wide:
        return "unknown"
    return "bad" if loss.value > LARGE_LOSS else "fair" if loss.value > SMALL_LOSS else "good"


def row(name: str, figures: Iterable[str]) -> str:
    """Returns a named row of pictures."""
    return (
        f'<div class="list"><div class="name">{name}</div>'
        f'<div class="strip">{"".join(figures)}</div></div>'
    )


def picture(address: str, text: str, kind: str = "", mark: str = "") -> str:
    """Returns a picture with its description for those who cannot see it."""
    badge = f'<span class="mark" aria-hidden="true">{mark}</span>' if mark else ""
    return (
        f'<figure class="{kind}"><img src="{address}" alt="{escape(text)}" '
        f'title="{escape(text)}">{badge}</figure>'
    )
