"""What is behind persons: one function a kind of place."""

import numpy as np

from tfreid.synthetic.drawing import props
from tfreid.synthetic.drawing.facades import glass, letters, sky
from tfreid.synthetic.drawing.painter import Colour, Painter, mixed, tinted, varied


def bricks(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A brick wall with a few posters."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, mixed(main, (190, 186, 176), 0.55))
    _masonry(painter, rng, base, main, 7.0, 18.0, 16)
    for x in np.arange(rng.uniform(20, 80), width, rng.uniform(90, 150)):
        _poster(painter, rng, x, base - rng.uniform(78, 92), 30, 44, accent)


def stones(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A wall of large stones under a coping, with plants above."""
    width, _ = painter.size
    sky(painter, base, (176, 202, 226))
    props.canopy(painter, rng, base - 122, base - 74, (70, 112, 62), 500)
    painter.rectangle(0, base - 86, width, base, tinted(main, 0.6))
    _masonry(painter, rng, base, main, 14.0, 26.0, 26, top=base - 86)
    painter.rectangle(0, base - 92, width, base - 85, tinted(main, 1.25))


def _masonry(painter, rng, base, colour, row, brick, spread, top=0.0) -> None:
    for i, y in enumerate(np.arange(base, top - row, -row)):
        for x in np.arange(-brick * (i % 2) / 2, painter.size[0], brick):
            left, right = x + 0.8, x + brick - 0.4
            painter.rectangle(left, max(y - row + 0.9, top), right, y, varied(colour, rng, spread))


def _poster(painter, rng, x, y, width, height, accent) -> None:
    paper = tinted(varied(accent, rng, 40), rng.choice([0.8, 1.0, 1.5]))
    painter.rectangle(x - 1, y - 1, x + width + 1, y + height + 1, (40, 38, 38))
    painter.rectangle(x, y, x + width, y + height, paper)
    figure = varied((230, 210, 120), rng, 25)
    painter.ellipse((x + width / 2, y + height * 0.38), (width * 0.32, height * 0.22), figure)
    letters(painter, rng, x + 4, y + height * 0.72, width - 8, height * 0.1, (245, 245, 240))


def hedge(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A clipped hedge with blossoms, trees and sky above."""
    width, _ = painter.size
    sky(painter, base, (170, 200, 230))
    props.canopy(painter, rng, base - 140, base - 60, tinted(main, 0.85), 700)
    painter.rectangle(0, base - 76, width, base, tinted(main, 0.5))
    props.foliage(painter, rng, 0, width, base - 78, base, main, 2000)
    for _ in range(240):
        spot = rng.uniform(0, width), rng.uniform(base - 76, base - 6)
        painter.ellipse(spot, (1.8, 1.8), varied(accent, rng, 20))


def tiles(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A tiled underpass with a coloured band and lamps."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, tinted(main, 0.75))
    size = 11.0
    for y in np.arange(base, 0, -size):
        is_band = 44 < base - y < 66
        for x in np.arange(0, width, size):
            shade = varied(accent if is_band else main, rng, 7)
            painter.rectangle(x + 0.4, y - size + 0.4, x + size - 0.3, y, shade)
            painter.rectangle(x + 1.5, y - size + 1.5, x + 4, y - size + 3, (255, 255, 255, 60))
    for x in np.arange(rng.uniform(30, 90), width, 120):
        painter.rectangle(x, base - 104, x + 44, base - 99, (255, 252, 226))
        painter.rectangle(x - 4, base - 99, x + 48, base - 88, (255, 252, 226, 50))


def bus(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Buses at a stop, before houses."""
    width, _ = painter.size
    glass(painter, rng, base, mixed(main, (190, 186, 180), 0.8), accent)
    painter.rectangle(0, base - 14, width, base, (74, 74, 78))
    length = 236.0
    for left in np.arange(-rng.uniform(0, 100), width, length + 12):
        right = left + length
        painter.rectangle(left, base - 98, right, base - 8, main)
        painter.rectangle(left, base - 98, right, base - 92, tinted(main, 1.35))
        painter.rectangle(left, base - 34, right, base - 25, accent)
        painter.rectangle(left + 4, base - 86, right - 4, base - 46, (38, 46, 56))
        for x in np.arange(left + 8, right - 20, 32):
            painter.rectangle(x, base - 84, x + 28, base - 48, varied((96, 120, 138), rng, 12))
            painter.polygon(
                [
                    (x + 6, base - 84),
                    (x + 14, base - 84),
                    (x + 4, base - 48),
                    (x, base - 48),
                    (x, base - 60),
                ],
                (255, 255, 255, 46),
            )
        letters(painter, rng, left + 70, base - 22, 90, 8, tinted(main, 1.7))
        for x in (left + 42, right - 52):
            props.wheel(painter, (x, base - 9), 13)


def shutters(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Roller shutters between piers, some with graffiti."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, (172, 166, 156))
    for left in np.arange(-rng.uniform(0, 60), width, 104):
        painter.rectangle(left, base - 96, left + 88, base, main)
        for y in np.arange(base - 96, base, 4.6):
            painter.rectangle(left, y, left + 88, y + 1.6, tinted(main, 0.7))
            painter.rectangle(left, y + 1.6, left + 88, y + 2.6, tinted(main, 1.2))
        painter.rectangle(left - 2, base - 104, left + 90, base - 95, tinted(accent, 0.8))
        letters(painter, rng, left + 14, base - 102, 56, 5, (244, 240, 230))
        if rng.random() < 0.7:
            _graffiti(painter, rng, left + 12, base - 62, accent)


def _graffiti(painter, rng, x, y, colour) -> None:
    steps = np.cumsum(np.c_[rng.uniform(3, 10, 8), rng.normal(0, 12, 8)], axis=0)
    points = np.clip(np.array([x, y]) + steps, [0, y - 18], [x + 66, y + 28])
    painter.line(points, 6, tinted(colour, 0.5))
    painter.line(points, 3.4, varied(colour, rng, 40))


def park(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Lawn, flower beds and trees under the sky."""
    width, _ = painter.size
    sky(painter, base, (150, 194, 232))
    props.canopy(painter, rng, base - 92, base - 26, mixed(main, (130, 150, 160), 0.35), 900)
    painter.rectangle(0, base - 38, width, base, tinted(main, 1.1))
    for x in np.arange(rng.uniform(-20, 30), width, rng.uniform(52, 74)):
        props.tree(painter, rng, (x, base - rng.uniform(8, 26)), rng.uniform(104, 140), main)
    props.foliage(painter, rng, 0, width, base - 16, base, tinted(main, 0.8), 500)
    for _ in range(420):
        spot = rng.uniform(0, width), rng.uniform(base - 17, base - 2)
        painter.ellipse(spot, (2, 1.7), varied(accent, rng, 24))


def fence(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A fence of boards; roofs and trees behind."""
    width, _ = painter.size
    sky(painter, base, (186, 206, 224))
    props.canopy(painter, rng, base - 128, base - 72, (70, 110, 60), 600)
    for x in np.arange(0, width, 9.5):
        top = base - 82 + rng.uniform(-1.5, 1.5)
        plank = [(x, top + 3), (x + 4.6, top - 2), (x + 9, top + 3), (x + 9, base), (x, base)]
        painter.polygon(plank, varied(main, rng, 15))
        painter.line([(x + 3, top + 8), (x + 3.5, base)], 0.5, (*tinted(main, 0.6), 120))
    for y in (base - 62, base - 18):
        painter.rectangle(0, y, width, y + 5, (*tinted(main, 0.72), 200))


def posters(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A long hoarding covered with posters."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, tinted(main, 1.1))
    painter.rectangle(0, base - 102, width, base - 4, main)
    for x in np.arange(-rng.uniform(0, 30), width, 54):
        _poster(painter, rng, x + 4, base - 96, 46, 66, accent if rng.random() < 0.6 else main)
    painter.rectangle(0, base - 24, width, base, tinted(main, 0.6))


def cars(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """A car park: a row of cars before concrete with painted pillars."""
    width, _ = painter.size
    concrete = (150, 148, 144)
    painter.rectangle(0, 0, width, base, concrete)
    painter.rectangle(0, base - 108, width, base - 96, tinted(concrete, 0.7))
    for x in np.arange(rng.uniform(0, 60), width, 92):
        painter.rectangle(x, 0, x + 17, base, tinted(concrete, 1.2))
        painter.rectangle(x, base - 74, x + 17, base - 30, main)
        letters(painter, rng, x + 4, base - 62, 9, 14, (245, 245, 240), count=1)
    for x in np.arange(-rng.uniform(0, 60), width, 106):
        props.car(
            painter, (x + 52, base + 3), 98, varied(accent if rng.random() < 0.6 else main, rng, 30)
        )


def containers(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Corrugated steel containers."""
    width, _ = painter.size
    sky(painter, base, (196, 206, 214))
    for i, left in enumerate(np.arange(-rng.uniform(0, 90), width, 150)):
        colour = accent if i % 3 == 2 else main
        painter.rectangle(left, base - 112, left + 147, base - 2, colour)
        for x in np.arange(left + 3, left + 144, 6.6):
            painter.rectangle(x, base - 106, x + 2.2, base - 8, tinted(colour, 0.72))
            painter.rectangle(x + 2.2, base - 106, x + 3.4, base - 8, tinted(colour, 1.2))
        painter.rectangle(left, base - 112, left + 147, base - 107, tinted(colour, 0.6))
        letters(painter, rng, left + 30, base - 84, 70, 14, (236, 236, 230))


def shelves(
    painter: Painter, rng: np.random.Generator, base: float, main: Colour, accent: Colour
) -> None:
    """Shelves full of goods, inside a shop."""
    width, _ = painter.size
    painter.rectangle(0, 0, width, base, tinted(main, 0.5))
    for y in np.arange(base - 6, -10, -25):
        x = 0.0
        while x < width:
            wide, high = rng.uniform(4, 10), rng.uniform(12, 20)
            goods = varied((main, accent, (220, 214, 200))[rng.integers(3)], rng, 45)
            painter.rectangle(x, y - high, x + wide - 0.6, y, goods)
            painter.rectangle(
                x + 1, y - high * 0.6, x + wide - 1.6, y - high * 0.4, tinted(goods, 1.5)
            )
            x += wide
        painter.rectangle(0, y, width, y + 3.5, tinted(main, 1.25))
    for x in np.arange(rng.uniform(0, 60), width, 96):
        painter.rectangle(x, 0, x + 4, base, tinted(main, 0.8))
