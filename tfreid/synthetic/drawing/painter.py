"""Shapes drawn into a picture and, with the same geometry, into its label map."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, ...]
"""RGB, or RGBA to blend with what is there."""

BACKGROUND = 0
KEEP = -1
"""As a label: leaves the label map as it is. Shading and details of a part keep its label."""


class Tube:
    """A limb or a trunk in the picture: a centre line with a radius at each point.

    A place on it has two coordinates: `t` along (0 at the first point, 1 at the last) and `u`
    across (-1 on one edge, 1 on the other; on the right where the tube points down).
    """

    def __init__(self, centres: Sequence[Sequence[float]], radii: Sequence[float]) -> None:
        """Rounds the corners of the outline.

        Args:
            centres: Points of the centre line, `[points, 2]`, in picture units.
            radii: Half of the width at each point.
        """
        outline = np.column_stack([np.asarray(centres, float), np.asarray(radii, float)])
        outline = _smoothing(len(outline)) @ outline
        self.centres, self.radii = outline[:, :2], outline[:, 2]
        tangents = np.empty_like(self.centres)
        tangents[1:-1] = self.centres[2:] - self.centres[:-2]
        tangents[[0, -1]] = self.centres[[1, -1]] - self.centres[[0, -2]]
        tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
        self.normals = tangents[:, ::-1] * (1, -1)
        self._edge = np.hstack([self.centres, self.normals * self.radii[:, None]])
        self._last = len(outline) - 1

    @property
    def extent(self) -> float:
        """Length of the centre line."""
        return float(np.hypot(*np.diff(self.centres, axis=0).T).sum())

    def at(self, t: float, u: float = 0.0) -> np.ndarray:
        """Returns the point `[2]` at the given coordinates."""
        x, y, right, down = self._slice(t)
        return np.array([x + u * right, y + u * down])

    def band(self, t0: float, t1: float, u0: float = -1.0, u1: float = 1.0) -> np.ndarray:
        """Returns the polygon `[points, 2]` of the part between the given coordinates."""
        line = self._edge
        if t0 > 0 or t1 < 1:
            first, last = int(t0 * self._last) + 1, ceil(t1 * self._last)
            line = np.vstack([self._slice(t0), line[first:last], self._slice(t1)])
        near, far = line[:, :2] + u0 * line[:, 2:], line[:, :2] + u1 * line[:, 2:]
        return np.vstack([near, far[::-1]])

    def _slice(self, t: float) -> np.ndarray:
        """Centre and half of the way across, `[4]`, at a place along."""
        place = min(max(t, 0.0), 1.0) * self._last
        before = min(int(place), self._last - 1)
        share = place - before
        return self._edge[before] * (1 - share) + self._edge[before + 1] * share


@lru_cache
def _smoothing(count: int) -> np.ndarray:
    """Matrix that smooths an open line `[count, values]`: Chaikin's corner cutting, twice."""
    line = np.eye(count)
    for _ in range(2):
        before, after = line[:-1], line[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        line = np.concatenate([line[:1], cut.reshape(-1, count)[1:-1], line[-1:]])
    return line


@dataclass
class Painter:
    """Draws in picture units; `scale` pixels a unit, so that reducing the result smooths edges.

    Attributes:
        image: The picture, RGB; drawn into.
        scale: Pixels a unit.
        labels: Label map of the same size (mode L), drawn into with the same shapes, or None.
        light: Unit vector in the picture, towards the light.
    """

    image: Image.Image
    scale: float
    labels: Image.Image | None = None
    light: tuple[float, float] = (0.6, -0.8)
    _colours: ImageDraw.ImageDraw = field(init=False, repr=False)
    _labels: ImageDraw.ImageDraw | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._colours = ImageDraw.Draw(self.image, "RGBA")
        self._labels = ImageDraw.Draw(self.labels) if self.labels is not None else None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in picture units."""
        return self.image.width / self.scale, self.image.height / self.scale

    def polygon(self, points: np.ndarray | Sequence, fill: Colour, label: int = BACKGROUND) -> None:
        """Fills a polygon `[points, 2]`."""
        pixels = (np.asarray(points, float) * self.scale).ravel().tolist()
        self._colours.polygon(pixels, fill=fill)
        if self._labels is not None and label != KEEP:
            self._labels.polygon(pixels, fill=label)

    def ellipse(
        self,
        centre: Sequence[float],
        radii: Sequence[float],
        fill: Colour,
        label: int = BACKGROUND,
    ) -> None:
        """Fills an ellipse."""
        (x, y), (across, down), scale = centre, radii, self.scale
        box = [(x - across) * scale, (y - down) * scale, (x + across) * scale, (y + down) * scale]
        self._colours.ellipse(box, fill=fill)
        if self._labels is not None and label != KEEP:
            self._labels.ellipse(box, fill=label)

    def rectangle(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Colour,
        label: int = BACKGROUND,
    ) -> None:
        """Fills a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill, label)

    def line(self, points: Sequence, width: float, fill: Colour, label: int = BACKGROUND) -> None:
        """Draws connected segments of the given width."""
        pixels = (np.asarray(points, float) * self.scale).ravel().tolist()
        width_px = max(round(width * self.scale), 1)
        self._colours.line(pixels, fill=fill, width=width_px, joint="curve")
        if self._labels is not None and label != KEEP:
            self._labels.line(pixels, fill=label, width=width_px, joint="curve")

    def tube(
        self,
        tube: Tube,
        fill: Colour,
        label: int = BACKGROUND,
        caps: tuple[bool, bool] = (True, True),
        shading: float = 1.0,
    ) -> None:
        """Draws a tube, lit from one side.

        Args:
            tube: The shape.
            fill: Its colour.
            label: Its label.
            caps: Whether its first and its last end are round.
            shading: Strength of light and shade; 0 draws it flat.
        """
        self.polygon(tube.band(0, 1), fill, label)
        for end, is_round in ((0, caps[0]), (-1, caps[1])):
            if is_round:
                self.ellipse(tube.centres[end], (tube.radii[end],) * 2, fill, label)
        if shading > 0:
            self.shade(tube, shading)

    def shade(self, tube: Tube, strength: float = 1.0) -> None:
        """Darkens the side of a tube that is turned from the light, and lights the other."""
        facing = float(np.mean(tube.normals @ np.asarray(self.light)))
        side = 1.0 if facing >= 0 else -1.0
        depth = strength * (0.45 + 0.55 * abs(facing))
        for start, alpha in ((0.1, 30), (-0.4, 38), (-0.72, 42)):
            dark = (0, 0, 12, int(alpha * depth))
            self.polygon(tube.band(0, 1, -side, side * start), dark, KEEP)
        for start, end, alpha in ((0.2, 0.92, 24), (0.45, 0.8, 26)):
            bright = (255, 250, 235, int(alpha * depth))
            self.polygon(tube.band(0, 1, side * start, side * end), bright, KEEP)


def tinted(colour: Colour, factor: float) -> Colour:
    """Returns the colour darkened (factor below 1) or lightened towards white (above 1)."""
    if factor <= 1:
        return tuple(int(value * factor) for value in colour[:3])
    return tuple(int(value + (255 - value) * min(factor - 1, 1)) for value in colour[:3])


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Returns a colour between two; `share` is the other's part."""
    pairs = zip(one[:3], other[:3], strict=True)
    return tuple(int(a * (1 - share) + b * share) for a, b in pairs)


def varied(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    """Returns the colour, lighter or darker by up to `spread`, its hue a little changed."""
    change = rng.uniform(-spread, spread) + rng.uniform(-spread, spread, 3) * 0.3
    return tuple(int(np.clip(v + d, 0, 255)) for v, d in zip(colour[:3], change, strict=True))
