"""Things that stand about: in scenes, and in front of persons."""

import numpy as np

from tfreid.synthetic.drawing.painter import KEEP, Colour, Painter, Tube, mixed, tinted, varied

Point = tuple[float, float]


def foliage(
    painter: Painter,
    rng: np.random.Generator,
    left: float,
    right: float,
    top: float,
    bottom: float,
    colour: Colour,
    count: int,
) -> None:
    """Fills a box with leaves, lighter towards the top."""
    xs, ys = rng.uniform(left, right, count), rng.uniform(top, bottom, count)
    sizes, shades = rng.uniform(1.6, 4.6, count), rng.normal(0, 0.14, count)
    turns = rng.uniform(0, np.pi, count)
    for x, y, size, shade, turn in zip(xs, ys, sizes, shades, turns, strict=True):
        lit = 1.12 - 0.45 * (y - top) / max(bottom - top, 1) + shade
        along = np.array([np.cos(turn), np.sin(turn)]) * size
        across = np.array([-along[1], along[0]]) * 0.55
        middle = np.array([x, y])
        leaf = [middle - along, middle - across, middle + along, middle + across]
        painter.polygon(leaf, tinted(colour, float(np.clip(lit, 0.4, 1.35))))


def canopy(
    painter: Painter,
    rng: np.random.Generator,
    top: float,
    bottom: float,
    colour: Colour,
    count: int,
) -> None:
    """Crowns of trees that stand side by side, over the whole width."""
    width, _ = painter.size
    radius = (bottom - top) / 2
    for x in np.arange(0, width + radius, radius * 0.9):
        middle = x + rng.normal(0, 4), bottom - radius * rng.uniform(0.5, 1.0)
        painter.ellipse(middle, (radius * 1.1, radius), tinted(colour, rng.uniform(0.5, 0.62)))
    foliage(painter, rng, 0, width, top + radius * 0.5, bottom, colour, count)


def tree(
    painter: Painter, rng: np.random.Generator, foot: Point, height: float, colour: Colour
) -> None:
    """A trunk and a crown."""
    x, y = foot
    trunk = Tube(
        [(x, y), (x + rng.uniform(-3, 3), y - height * 0.6)], [height * 0.04, height * 0.025]
    )
    painter.tube(trunk, varied((92, 70, 52), rng, 12))
    for _ in range(7):
        cx, cy = x + rng.normal(0, height * 0.13), y - height * rng.uniform(0.55, 0.92)
        size = height * rng.uniform(0.1, 0.17)
        painter.ellipse((cx, cy), (size * 1.25, size), tinted(colour, rng.uniform(0.6, 0.85)))
        foliage(painter, rng, cx - size, cx + size, cy - size, cy + size, colour, 46)


def wheel(painter: Painter, centre: Point, radius: float) -> None:
    """A car's wheel."""
    painter.ellipse(centre, (radius, radius), (26, 26, 28))
    painter.ellipse(centre, (radius * 0.58,) * 2, (150, 152, 156))
    painter.ellipse(centre, (radius * 0.3,) * 2, (84, 86, 90))


def car(painter: Painter, foot: Point, length: float, colour: Colour) -> None:
    """A car from the side."""
    x, y = foot
    unit = length / 100
    body = [
        (-50, -12),
        (-50, -27),
        (-44, -32),
        (-26, -35),
        (-14, -49),
        (16, -49),
        (32, -35),
        (47, -31),
        (50, -24),
        (50, -12),
    ]
    glass = [(-22, -35), (-12, -46), (14, -46), (27, -35)]

    def placed(points) -> np.ndarray:
        return np.array([x, y]) + unit * np.array(points, float)

    painter.ellipse((x, y - unit * 2), (unit * 52, unit * 4), (0, 0, 8, 110))
    painter.polygon(placed(body), colour)
    painter.polygon(placed([(-50, -12), (-50, -19), (50, -19), (50, -12)]), tinted(colour, 0.65))
    painter.polygon(placed([(-44, -31), (47, -30), (46, -28), (-45, -29)]), tinted(colour, 1.4))
    painter.polygon(placed(glass), (54, 66, 78))
    painter.polygon(placed([(-16, -36), (-8, -45), (-3, -45), (-11, -36)]), (190, 206, 216, 130))
    painter.polygon(placed([(1, -46), (3, -46), (3, -35), (1, -35)]), colour)
    painter.polygon(placed([(44, -27), (50, -26), (50, -21), (44, -22)]), (250, 240, 200))
    painter.polygon(placed([(-50, -27), (-46, -28), (-46, -22), (-50, -22)]), (190, 30, 30))
    for offset in (-30, 30):
        wheel(painter, (x + unit * offset, y - unit * 9), unit * 9.5)


def lamp_post(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A lamp post; `size` is a person's height."""
    x, y = foot
    metal = varied((62, 66, 68), rng, 14)
    painter.tube(Tube([(x, y), (x, y - size * 2.2)], [size * 0.03, size * 0.02]), metal)
    painter.rectangle(x - size * 0.06, y - size * 0.12, x + size * 0.06, y, tinted(metal, 0.8))
    if rng.random() < 0.4:
        plate = varied((60, 110, 190), rng, 60)
        painter.ellipse((x, y - size * 1.0), (size * 0.11,) * 2, plate)
        painter.rectangle(
            x - size * 0.07, y - size * 1.02, x + size * 0.07, y - size * 0.98, (245, 245, 245)
        )


def bin_(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A litter bin or a wheeled bin."""
    x, y = foot
    colour = ((60, 90, 70), (70, 74, 80), (46, 86, 140), (150, 120, 40))[rng.integers(4)]
    half, height = size * rng.uniform(0.13, 0.2), size * rng.uniform(0.45, 0.62)
    body = Tube([(x, y - height), (x, y)], [half, half * 0.85])
    painter.tube(body, varied(colour, rng, 12), caps=(False, False), shading=1.2)
    painter.ellipse((x, y - height), (half * 1.1, half * 0.28), tinted(colour, 1.25))
    painter.ellipse((x, y - height), (half * 0.8, half * 0.17), (26, 26, 28))
    painter.polygon(body.band(0.3, 0.52, -0.5, 0.5), (235, 235, 225, 200), KEEP)


def planter(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A pot with a bush."""
    x, y = foot
    half, height = size * rng.uniform(0.13, 0.19), size * 0.22
    top = y - size * rng.uniform(0.48, 0.68)
    green = varied((64, 112, 56), rng, 18)
    painter.ellipse(
        (x, (top + y - height) / 2), (half * 1.05, (y - height - top) / 2 + 3), tinted(green, 0.6)
    )
    foliage(painter, rng, x - half * 1.1, x + half * 1.1, top, y - height, green, 110)
    pot = Tube([(x, y - height), (x, y)], [half, half * 0.75])
    painter.tube(pot, varied((168, 96, 66), rng, 26), caps=(False, False), shading=1.2)


def bollard(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A post with a reflecting band, or a cone."""
    x, y = foot
    if rng.random() < 0.4:
        cone = Tube([(x, y - size * 0.42), (x, y)], [size * 0.025, size * 0.12])
        painter.tube(cone, (226, 96, 36), caps=(False, False))
        painter.polygon(cone.band(0.35, 0.6), (244, 240, 232), KEEP)
        painter.rectangle(x - size * 0.16, y - size * 0.03, x + size * 0.16, y, (60, 60, 62))
        return
    post = Tube([(x, y - size * 0.5), (x, y)], [size * 0.05, size * 0.055])
    painter.tube(post, varied((70, 72, 76), rng, 20))
    painter.polygon(post.band(0.1, 0.25), (232, 228, 214), KEEP)


def bicycle(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A bicycle from the side."""
    x, y = foot
    radius, colour = size * 0.19, varied((150, 60, 60), rng, 90)
    rear, front = np.array([x - size * 0.3, y - radius]), np.array([x + size * 0.3, y - radius])
    angles = np.linspace(0, 2 * np.pi, 25)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    for hub in (rear, front):
        painter.line(hub + ring * radius, size * 0.025, (28, 28, 30))
        for spoke in ring[:12:3]:
            painter.line(
                [hub - spoke * radius, hub + spoke * radius], size * 0.006, (150, 150, 152)
            )
    crank = np.array([x - size * 0.04, y - radius])
    seat, bar = (
        np.array([x - size * 0.12, y - size * 0.5]),
        np.array([x + size * 0.2, y - size * 0.52]),
    )
    for frame in ([rear, seat, crank, rear], [seat, bar, crank], [bar, front]):
        painter.line(frame, size * 0.028, colour)
    across, up = np.array([size * 0.06, 0]), np.array([0, -size * 0.07])
    painter.line([seat - across, seat + across], size * 0.04, (30, 30, 32))
    painter.line([bar - up, bar + up + across], size * 0.03, (60, 60, 62))


def bench(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """A bench with a back."""
    x, y = foot
    wood, half = varied((142, 98, 58), rng, 20), size * 0.42
    for up in (0.27, 0.38, 0.49):
        painter.rectangle(x - half, y - size * (up + 0.07), x + half, y - size * up, wood)
    painter.rectangle(
        x - half * 1.03, y - size * 0.26, x + half * 1.03, y - size * 0.2, tinted(wood, 1.2)
    )
    for side in (-0.85, 0.85):
        painter.rectangle(x + side * half - 1, y - size * 0.5, x + side * half + 1, y, (54, 54, 58))


def parked_car(painter: Painter, rng: np.random.Generator, foot: Point, size: float) -> None:
    """The front or the tail of a car that covers legs."""
    paint = ((170, 40, 40), (60, 80, 130), (196, 198, 200), (44, 46, 50), (206, 168, 60))
    side = rng.choice([-1, 1])
    colour = varied(mixed(paint[rng.integers(5)], (128, 128, 128), 0.15), rng, 15)
    car(painter, (foot[0] + side * size * 0.55, foot[1]), size * 1.7, colour)


OCCLUDERS = (bin_, planter, bollard, bicycle, bench, parked_car, lamp_post)
"""What can hide a part of a person: functions of painter, randomness, foot point and size."""


def furnish(painter: Painter, rng: np.random.Generator, base: float) -> None:
    """Puts a few things along the foot of the backdrop."""
    width, _ = painter.size
    kinds = (bin_, planter, bollard, bicycle, bench, lamp_post)
    for x in np.arange(rng.uniform(10, 80), width, 62):
        if rng.random() < 0.55:
            continue
        foot = x + rng.uniform(-20, 20), base + rng.uniform(2, 10)
        painter.ellipse(foot, (16, 2.6), (0, 0, 8, 60))
        kinds[rng.integers(len(kinds))](painter, rng, foot, 76)
