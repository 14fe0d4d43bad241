"""Charts as SVG that takes its colours for text and lines from the page around it."""

import html
import io
import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tfreid.inputs import readable
from tfreid.training import LossCurve

MODEL_COLOURS = ("#8a94a6", "#d9622b", "#2f7fb8", "#3f9a6b", "#8b62b5")
VARIANT_COLOURS = {
    "original": "#2f7fb8",
    "mean_background": "#3f9a6b",
    "random_background": "#d9622b",
    "background_only": "#8a94a6",
}
STAGE_COLOURS = ("#2f7fb8", "#d9622b", "#3f9a6b", "#8b62b5", "#8a94a6")
# Matplotlib cannot write a CSS variable, so two colours that nothing else uses stand for them.
_INK, _LINE = "#010203", "#040506"
_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _LINE,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}


def rank1_bars(rank1: Mapping[str, Mapping[str, float]], chance: float) -> str:
    """Draws rank-1 by variant, one bar a model.

    Args:
      rank1: model's name to variant to rank-1, a fraction.
      chance: rank-1 of a random ranking, a fraction, drawn as a dashed line.

    Returns:
      An `<svg>` element.
    """
    variants = list(next(iter(rank1.values())))
    width = 0.8 / len(rank1)
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": "bars"}):
        figure, axes = _figure(6.6, 3.6)
        for i, (model, scores) in enumerate(rank1.items()):
            values = [100 * scores[variant] for variant in variants]
            places = np.arange(len(variants)) + (i - (len(rank1) - 1) / 2) * width
            bars = axes.bar(
                places, values, 0.92 * width, color=MODEL_COLOURS[i % len(MODEL_COLOURS)]
            )
            bars.set_label(model)
            axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=min(10, 32 / len(rank1)))
        axes.axhline(100 * chance, color=_INK, linewidth=1, linestyle=(0, (4, 3)), label="chance")
        axes.set_xticks(range(len(variants)), [readable(v).replace(" ", "\n") for v in variants])
        axes.set_ylabel("rank-1 (%)")
        axes.set_ylim(0, 108)
        axes.set_yticks(range(0, 101, 20))
        _legend(figure, columns=6)
        return _svg(figure, "Rank-1 by background variant and model")


def open_set_curves(curves: Mapping[str, np.ndarray]) -> str:
    """Draws how many enrolled persons are missed against how many strangers get a name.

    Args:
      curves: model's name to `[points, 2]` floats, FPIR and FNIR, fractions.

    Returns:
      An `<svg>` element.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": "open set"}):
        figure, axes = _figure(6.6, 3.2)
        for i, (model, points) in enumerate(curves.items()):
            colour = MODEL_COLOURS[i % len(MODEL_COLOURS)]
            axes.plot(*(100 * points.T), color=colour, linewidth=2, label=model)
        axes.axvline(1, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xscale("log")
        axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_xlabel("FPIR: strangers who get a name (%)")
        axes.set_ylabel("FNIR: enrolled who do not (%)")
        axes.set_ylim(0, 100)
        _legend(figure, columns=6)
        return _svg(figure, "Missed persons against named strangers, by model")


def cmc_curves(model: str, curves: Mapping[str, np.ndarray]) -> str:
    """Draws a model's cumulative match characteristic in each variant.

    Args:
      model: the model's name.
      curves: variant to `[ranks]` floats, fractions.

    Returns:
      An `<svg>` element.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"cmc {model}"}):
        figure, axes = _figure(4.6, 3.6)
        for variant, curve in curves.items():
            ranks = np.arange(1, len(curve) + 1)
            colour = VARIANT_COLOURS[variant]
            axes.plot(ranks, 100 * curve, color=colour, linewidth=2, label=readable(variant))
        axes.set_xlabel("rank")
        axes.set_ylabel("queries with a match (%)")
        axes.set_xlim(1, len(curve))
        axes.set_xticks([1, *range(5, len(curve) + 1, 5)])
        axes.set_ylim(0, 103)
        axes.set_yticks(range(0, 101, 20))
        _legend(figure, columns=2)
        return _svg(figure, f"CMC curves of {model}")


def loss_curves(title: str, curves: Sequence[LossCurve]) -> str:
    """Draws a loss over the steps of a run, each stage in its own colour.

    Args:
      title: what the chart shows, for those who cannot see it; each chart of a page has its own.
      curves: of the stages that have the loss.

    Returns:
      An `<svg>` element.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": title}):
        figure, axes = _figure(4.6, 2.7)
        for curve, colour in zip(curves, itertools.cycle(STAGE_COLOURS)):
            # A line through a single point would not show.
            marker = "o" if len(curve.steps) == 1 else None
            axes.plot(curve.steps, curve.values, color=colour, linewidth=1.6, marker=marker)
            axes.lines[-1].set_label(readable(curve.stage))
        axes.set_xlabel("step")
        axes.axhline(0, color=_LINE, linewidth=1)
        axes.spines["bottom"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        if len(curves) > 1:
            _legend(figure, columns=4)
        return _svg(figure, title)


def _legend(figure: Figure, columns: int) -> None:
    """Names what is drawn above it, in so many columns or as many as there is room for."""
    while True:
        legend = figure.legend(loc="outside upper left", ncols=columns)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
        columns -= 1


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    # Without a date the same figures give the same bytes.
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Title": title})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor").replace(_LINE, "var(--line)")
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
