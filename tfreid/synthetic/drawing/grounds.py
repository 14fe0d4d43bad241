"""The ground persons stand on, in perspective: one function a kind."""

from itertools import pairwise

import numpy as np

from tfreid.synthetic.drawing.painter import Colour, Painter, tinted, varied

HORIZON_RISE = 120.0
"""How far above the backdrop's foot lines on the ground meet, in units."""


def _rows(base: float, height: float, count: int) -> np.ndarray:
    """Distances from the top of lines that are evenly spaced on the ground."""
    near = height - base
    depth = np.linspace(1, 0, count + 1)
    shrink = 1 + depth * near / HORIZON_RISE
    top = base - HORIZON_RISE
    return np.clip(top + (height - top) / shrink, base, height)


def _fan(painter: Painter, base: float, pitch: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lines from the foot of the backdrop to the bottom that run into one vanishing point."""
    width, height = painter.size
    spread = (height - base + HORIZON_RISE) / HORIZON_RISE
    starts = np.arange(-pitch, width + 2 * pitch, pitch)
    ends = width / 2 + (starts - width / 2) * spread
    return [(np.array([s, base]), np.array([e, height])) for s, e in zip(starts, ends, strict=True)]


def _fill(painter: Painter, base: float, colour: Colour) -> None:
    width, height = painter.size
    painter.rectangle(0, base, width, height, colour)


def _cells(
    painter: Painter, rng, base: float, colour: Colour, pitch: float, count: int, spread: float
) -> None:
    """Tiles of slightly different shades."""
    rows = _rows(base, painter.size[1], count)
    fan = _fan(painter, base, pitch)
    total = painter.size[1] - base
    for top, bottom in pairwise(rows):
        a, b = (top - base) / total, (bottom - base) / total
        for (s0, e0), (s1, e1) in pairwise(fan):
            corners = [
                s0 + (e0 - s0) * a,
                s1 + (e1 - s1) * a,
                s1 + (e1 - s1) * b,
                s0 + (e0 - s0) * b,
            ]
            painter.polygon(corners, varied(colour, rng, spread))


def _joints(painter: Painter, base: float, pitch: float, count: int, fill: Colour) -> None:
    width, height = painter.size
    for row in _rows(base, height, count):
        painter.line([(0, row), (width, row)], 0.5, fill)
    for line in _fan(painter, base, pitch):
        painter.line(line, 0.5, fill)


def slabs(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """Large paving slabs."""
    _fill(painter, base, colour)
    _cells(painter, rng, base, colour, 30, 6, 7)
    _joints(painter, base, 30, 6, (*tinted(colour, 0.6), 150))


def cobbles(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """Small stones."""
    _fill(painter, base, tinted(colour, 0.7))
    _cells(painter, rng, base, colour, 11, 14, 22)
    _joints(painter, base, 11, 14, (*tinted(colour, 0.5), 120))


def checker(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """Polished tiles of two shades."""
    _fill(painter, base, colour)
    rows, fan = _rows(base, painter.size[1], 7), _fan(painter, base, 24)
    total = painter.size[1] - base
    for i, (top, bottom) in enumerate(pairwise(rows)):
        a, b = (top - base) / total, (bottom - base) / total
        for (s0, e0), (s1, e1) in zip(fan[i % 2 :: 2], fan[i % 2 + 1 :: 2], strict=False):
            corners = [
                s0 + (e0 - s0) * a,
                s1 + (e1 - s1) * a,
                s1 + (e1 - s1) * b,
                s0 + (e0 - s0) * b,
            ]
            painter.polygon(corners, varied(tinted(colour, 0.68), rng, 4))


def asphalt(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """A pavement with its kerb, then the road with a line."""
    width, height = painter.size
    _fill(painter, base, tinted(colour, 1.2))
    kerb = base + rng.uniform(9, 16)
    painter.rectangle(0, kerb, width, kerb + 3, tinted(colour, 1.5))
    painter.rectangle(0, kerb + 3, width, height, colour)
    painter.rectangle(0, kerb + 3, width, kerb + 5, tinted(colour, 0.6))
    line = kerb + rng.uniform(22, 34)
    for start in np.arange(-20, width, 70):
        painter.polygon(
            [(start, line), (start + 40, line), (start + 37, line + 4), (start - 4, line + 4)],
            (214, 210, 196, 190),
        )
    for _ in range(260):
        x, y = rng.uniform(0, width), rng.uniform(base, height)
        painter.rectangle(x, y, x + 1.6, y + 0.8, (*tinted(colour, rng.choice([0.7, 1.3])), 140))


def grass(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """A lawn and a worn path."""
    width, height = painter.size
    _fill(painter, base, colour)
    for _ in range(1500):
        x, y = rng.uniform(0, width), base + (height - base) * rng.random() ** 1.4
        size = 1.2 + 3.2 * (y - base) / (height - base)
        blade = varied(colour, rng, 26)
        painter.polygon(
            [(x, y), (x + size * 0.4, y), (x + rng.uniform(-1, 1) * size, y - size)], blade
        )
    middle, half = base + (height - base) * 0.55, (height - base) * 0.2
    wobble = np.cumsum(rng.normal(0, 1.2, 18))
    xs = np.linspace(0, width, 18)
    path = np.r_[np.c_[xs, middle - half + wobble], np.c_[xs, middle + half + wobble][::-1]]
    painter.polygon(path, (176, 156, 122, 190))


def boards(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """Wooden boards that run away from the viewer."""
    fan = _fan(painter, base, 13)
    for (s0, e0), (s1, e1) in pairwise(fan):
        painter.polygon([s0, s1, e1, e0], varied(colour, rng, 14))
        painter.line([s1, e1], 0.6, (*tinted(colour, 0.5), 190))


def platform(painter: Painter, rng: np.random.Generator, base: float, colour: Colour) -> None:
    """Smooth floor with a yellow guiding line."""
    width, height = painter.size
    _fill(painter, base, colour)
    _cells(painter, rng, base, colour, 44, 4, 4)
    row = base + rng.uniform(14, 26)
    painter.rectangle(0, row, width, row + 7, (226, 184, 44))
    for x in np.arange(0, width, 7):
        painter.ellipse((x, row + 3.5), (1.5, 1.2), (176, 140, 30))
    painter.rectangle(0, height - 18, width, height, (255, 255, 255, 26))


GROUNDS = {
    "slabs": slabs,
    "cobbles": cobbles,
    "checker": checker,
    "asphalt": asphalt,
    "grass": grass,
    "boards": boards,
    "platform": platform,
}
"""Kinds of ground: functions of painter, randomness, the ground's first line and colour."""

COLOURS: dict[str, Colour] = {
    "slabs": (178, 172, 162),
    "cobbles": (150, 142, 134),
    "checker": (206, 202, 194),
    "asphalt": (108, 108, 112),
    "grass": (104, 142, 68),
    "boards": (162, 128, 92),
    "platform": (166, 166, 168),
}
"""Usual colours of the kinds."""
