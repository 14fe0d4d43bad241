"""A detector's crop of a person in a scene, with its label mask."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from tfreid.synthetic.drawing.camera import Camera, develop
from tfreid.synthetic.drawing.figure import draw_figure
from tfreid.synthetic.drawing.look import Look, draw_look
from tfreid.synthetic.drawing.painter import Painter
from tfreid.synthetic.drawing.pose import draw_pose
from tfreid.synthetic.drawing.props import OCCLUDERS
from tfreid.synthetic.drawing.scene import HEIGHT, SCALE, WIDTH, Scene

CROP_SIZE_PX = (128, 64)
SUPERSAMPLE = 3
OCCLUSION_PROBABILITY = 0.1
BYSTANDER_PROBABILITY = 0.2
STEPS_ASIDE = 14
"""How far from a spot a person is seen at most, in the scene's units: a quarter of a crop."""


@dataclass(frozen=True)
class _Framing:
    """Where the person is in the crop: foot point and height, in pixels of the crop."""

    foot: tuple[float, float]
    height: float


def take(
    scene: Scene,
    camera: Camera,
    look: Look | None,
    rng: np.random.Generator,
    occlusion: str = "some",
    alignment: str = "detected",
    spot: float | None = None,
) -> tuple[Image.Image, Image.Image]:
    """Takes a picture of a person, as a detector would crop it.

    Args:
        scene: What is behind the person.
        camera: Takes the picture.
        look: Appearance of the person; None for a detection where nobody is.
        rng: Decides on pose, place in the scene, framing and occlusion.
        occlusion: Which persons are partly hidden by an object or by somebody else: `some` of
            them, `all` or `none`.
        alignment: `detected`, or `bad` for a crop that misses much of the person.
        spot: Where the person stands in the place, from 0 at its left to 1, give or take some
            steps; None for anywhere.

    Returns:
        The picture, RGB `[128, 64]`, and its mask of lip20 classes, mode L.
    """
    framing = _frame(rng, alignment, 1.0 if look is None else look.stature)
    canvas = _crop(scene, framing, rng, spot)
    labels = Image.new("L", canvas.size)
    painter = Painter(canvas, SUPERSAMPLE, labels, camera.light)
    if rng.random() < BYSTANDER_PROBABILITY:
        _bystander(painter, camera, framing, rng, nearness=rng.uniform(0.62, 0.85))
    if look is not None:
        pose = draw_pose(rng, camera.heading, camera.tilt)
        _cast_shadow(painter, framing.foot, framing.height)
        draw_figure(painter, look, pose, framing.foot, framing.height)
        is_hidden = rng.random() < {"some": OCCLUSION_PROBABILITY, "all": 1, "none": 0}[occlusion]
        if is_hidden:
            _occlude(painter, camera, framing, rng)
    picture = develop(canvas.reduce(SUPERSAMPLE), camera, rng)
    middle = slice(SUPERSAMPLE // 2, None, SUPERSAMPLE)
    return picture, Image.fromarray(np.ascontiguousarray(np.asarray(labels)[middle, middle]))


def _frame(rng: np.random.Generator, alignment: str, stature: float) -> _Framing:
    height, width = CROP_SIZE_PX
    # The detector's box follows the height of the person, if not exactly.
    size = height * rng.uniform(0.86, 0.94) / stature**0.8
    x, y = width / 2 + rng.normal(0, 2.5), height * rng.uniform(0.955, 0.985)
    if rng.random() < 0.06:
        size, y = size * 1.18, y + rng.uniform(6, 16)
    if alignment == "bad":
        size *= rng.uniform(0.55, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 2.1)
        x += rng.choice([-1, 1]) * rng.uniform(14, 26)
        y += rng.uniform(-30, 34)
    return _Framing((float(x), float(y)), float(size))


def _crop(
    scene: Scene, framing: _Framing, rng: np.random.Generator, spot: float | None
) -> Image.Image:
    """Cuts the part of the scene that is around the person, at the crop's supersampled size."""
    height, width = CROP_SIZE_PX
    ground = scene.base + rng.uniform(8, min(56, HEIGHT - scene.base - 10))
    units = (0.74 + 0.0052 * (ground - scene.base)) * 105 / (0.85 * height)
    free = WIDTH - width * units
    left = rng.uniform(0, free)
    if spot is not None:
        steps = STEPS_ASIDE * (2 * left / free - 1)
        left = float(np.clip(spot * free + steps, 0, free))
    top = float(np.clip(ground - framing.foot[1] * units, 0, HEIGHT - height * units))
    box = [left, top, left + width * units, top + height * units]
    size = width * SUPERSAMPLE, height * SUPERSAMPLE
    corners = tuple(value * SCALE for value in box)
    return scene.image.resize(size, Image.Resampling.BILINEAR, box=corners)


def _bystander(
    painter: Painter, camera: Camera, framing: _Framing, rng: np.random.Generator, nearness: float
) -> None:
    """Draws somebody else beside the person; nearer than 1 is in front."""
    aside = rng.choice([-1, 1]) * rng.uniform(15, 27)
    foot = framing.foot[0] + aside, framing.foot[1] + (nearness - 1) * 34
    height = framing.height * (0.4 + 0.6 * nearness)
    pose = draw_pose(rng, camera.heading, camera.tilt)
    _cast_shadow(painter, foot, height)
    draw_figure(painter, draw_look(rng), pose, foot, height, is_subject=False)


def _occlude(painter: Painter, camera: Camera, framing: _Framing, rng: np.random.Generator) -> None:
    """Puts an object or somebody else before the person."""
    if rng.random() < 0.3:
        _bystander(painter, camera, framing, rng, nearness=rng.uniform(1.06, 1.2))
        return
    foot = framing.foot[0] + rng.uniform(-13, 13), framing.foot[1] + rng.uniform(2, 9)
    size = framing.height * rng.uniform(0.95, 1.3)
    OCCLUDERS[rng.integers(len(OCCLUDERS))](painter, rng, foot, size)


def _cast_shadow(painter: Painter, foot: tuple[float, float], height: float) -> None:
    """Shade under the shoes, and a shadow on the ground away from the light."""
    x, y = foot
    away = -painter.light[0]
    for reach, alpha in ((0.3, 34), (0.2, 30)):
        centre = x + away * height * reach * 0.9, y - height * 0.012
        painter.ellipse(centre, (height * (0.08 + reach), height * 0.032), (0, 0, 10, alpha))
    painter.ellipse((x, y), (height * 0.13, height * 0.022), (0, 0, 10, 70))
