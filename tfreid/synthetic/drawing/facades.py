"""Fronts of houses and shops, their signs, and the sky."""

from itertools import pairwise

import numpy as np

from tfreid.synthetic.drawing.painter import Colour, Painter, mixed, tinted, varied


def sky(painter: Painter, base: float, colour: Colour) -> None:
    """Fills everything above the ground with a sky that is paler below."""
    width, _ = painter.size
    for i, top in enumerate(np.linspace(0, base, 13)[:-1]):
        painter.rectangle(0, top, width, top + base / 12 + 1, tinted(colour, 1 + 0.045 * i))


def letters(
    painter: Painter,
    rng: np.random.Generator,
    x: float,
    y: float,
    width: float,
    height: float,
    fill: Colour,
    count: int | None = None,
) -> None:
    """Draws something that looks like a word from afar."""
    count = count or max(int(width / (height * 0.95)), 1)
    step = width / count
    for i in range(count):
        left, right = x + i * step, x + (i + 0.72) * step
        strokes = rng.random(5) < 0.62
        bars = (
            (left, y, left + step * 0.2, y + height),
            (left, y, right, y + height * 0.22),
            (left, y + height * 0.4, right, y + height * 0.6),
            (left, y + height * 0.78, right, y + height),
            (right - step * 0.2, y, right, y + height),
        )
        for bar, is_drawn in zip(bars, strokes | np.array([True, *[False] * 4]), strict=True):
            if is_drawn:
                painter.rectangle(*bar, fill)


def _pane(painter, rng, left, top, right, bottom, glow: Colour) -> None:
    """A shop window: dim room, goods, reflection."""
    painter.rectangle(left, top, right, bottom, tinted(glow, 0.42))
    painter.rectangle(left, bottom - (bottom - top) * 0.35, right, bottom, tinted(glow, 0.6))
    for x in np.arange(left + 5, right - 6, 9):
        height = rng.uniform(6, (bottom - top) * 0.6)
        goods = varied((170, 140, 110), rng, 70)
        painter.rectangle(x, bottom - height, x + rng.uniform(4, 7), bottom, goods)
        painter.ellipse((x + 2.5, bottom - height), (2.6, 2.6), tinted(goods, 1.2))
    for x in np.arange(left + 8, right, 20):
        painter.ellipse((x, top + 4), (2, 1.6), (255, 240, 190))
    shine = [(left + 4, bottom), (left + 16, top), (left + 26, top), (left + 14, bottom)]
    painter.polygon(shine, (255, 255, 255, 34))


def shopfront(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Shops with signs and striped awnings."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, mixed(main, (206, 196, 180), 0.75))
    bay = rng.uniform(92, 116)
    for left in np.arange(-rng.uniform(0, 60), width, bay):
        right = left + bay
        painter.rectangle(left, base - 100, right, base, main)
        _pane(painter, rng, left + 8, base - 62, right - 34, base - 12, accent)
        painter.rectangle(right - 29, base - 64, right - 8, base, tinted(main, 0.55))
        _pane(painter, rng, right - 26, base - 60, right - 11, base - 20, accent)
        painter.rectangle(right - 28, base - 34, right - 26, base - 26, (220, 200, 140))
        painter.rectangle(left + 3, base - 98, right - 3, base - 80, tinted(main, 0.7))
        letters(painter, rng, left + 16, base - 95, bay - 36, 12, tinted(accent, 1.7))
        _awning(painter, left + 4, base - 80, right - 30, base - 58, accent)
        painter.rectangle(left, base - 12, right - 30, base, tinted(main, 0.75))


def _awning(painter, left, top, right, bottom, colour) -> None:
    count = max(int((right - left) / 8), 2)
    edges = np.linspace(left, right, count + 1)
    for i, (a, b) in enumerate(pairwise(edges)):
        stripe = colour if i % 2 else (240, 236, 226)
        lower = bottom - 4
        painter.polygon([(a + 3, top), (b + 3 * (b < right), top), (b, lower), (a, lower)], stripe)
        painter.ellipse(((a + b) / 2, lower), ((b - a) / 2, 4), tinted(stripe, 0.9))
    painter.rectangle(left, bottom, right, bottom + 6, (0, 0, 10, 60))


def glass(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """An office front: panes that mirror the sky, coloured panels below them."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, tinted(main, 0.8))
    for top in np.arange(base - 30, -60, -52):
        for x in np.arange(0, width, 29):
            pane = varied(mixed((128, 164, 190), main, 0.25), rng, 12)
            painter.rectangle(x + 1.5, top - 36, x + 27.5, top, pane)
            painter.polygon(
                [(x + 1.5, top - 10), (x + 18, top - 36), (x + 27, top - 36), (x + 4, top)],
                (255, 255, 255, 40),
            )
            painter.rectangle(x + 1.5, top + 1.5, x + 27.5, top + 14, varied(main, rng, 6))
    painter.rectangle(0, base - 16, width, base, tinted(accent, 0.8))
    for x in np.arange(rng.uniform(0, 100), width, 174):
        painter.rectangle(x, base - 72, x + 54, base, tinted(accent, 0.6))
        for left in (x + 3, x + 28.5):
            painter.rectangle(left, base - 69, left + 22.5, base, (88, 108, 120))
            painter.rectangle(left + 2, base - 66, left + 8, base, (255, 255, 255, 44))


def stalls(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Market stalls: striped roofs over crates of fruit."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, mixed(main, (120, 110, 104), 0.7))
    for left in np.arange(-rng.uniform(0, 60), width, 118):
        painter.rectangle(left, base - 70, left + 112, base - 30, tinted(main, 0.35))
        _awning(painter, left, base - 104, left + 112, base - 72, main)
        for x in (left + 4, left + 105):
            painter.rectangle(x, base - 76, x + 3, base, (200, 196, 190))
        painter.rectangle(left, base - 34, left + 112, base, tinted(accent, 0.7))
        painter.rectangle(left, base - 36, left + 112, base - 31, tinted(accent, 1.2))
        for x in np.arange(left + 3, left + 100, 22):
            fruit = ((206, 60, 50), (236, 150, 40), (120, 168, 60), (240, 208, 70))[rng.integers(4)]
            painter.rectangle(x, base - 28, x + 19, base - 12, (150, 112, 70))
            for _ in range(9):
                spot = x + rng.uniform(2, 17), base - rng.uniform(26, 32)
                painter.ellipse(spot, (2.7, 2.7), varied(fruit, rng, 18))
