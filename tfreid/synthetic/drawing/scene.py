"""A camera's wide view of a place: ground, backdrop, furniture, light.

Scenes are drawn without persons and without the camera's colours, in units in which a person at
middle distance is about 105 high. `draw_scene` depends on nothing but its arguments.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageEnhance

from tfreid.synthetic.drawing import grounds, props
from tfreid.synthetic.drawing.painter import Painter
from tfreid.synthetic.drawing.places import KINDS, Place

WIDTH, HEIGHT = 512, 240
SCALE = 2
SATURATION, CONTRAST = 0.78, 0.85
"""Of the drawn colours: scenery is duller than clothes, so that persons stand out."""
BASE_RANGE = (136.0, 156.0)
"""Heights, from the top, at which the backdrop meets the ground."""


@dataclass(frozen=True)
class Scene:
    """A drawn place, as one camera sees it.

    Attributes:
        image: RGB, `SCALE` pixels a unit.
        base: Distance from the top, in units, at which the ground begins.
    """

    image: Image.Image
    base: float


def draw_scene(place: Place, view_seed: tuple[int, ...], light: tuple[float, float]) -> Scene:
    """Draws a place.

    Args:
        place: What is seen.
        view_seed: Seed of what differs between cameras: distance, angle, what stands about.
        light: Unit vector in the picture, towards the light.

    Returns:
        The scene.
    """
    view = np.random.default_rng(view_seed)
    details = np.random.default_rng(place.seed)
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), place.colour)
    painter = Painter(image, SCALE, light=light)
    base = float(view.uniform(*BASE_RANGE))
    KINDS[place.kind].draw(painter, details, base, place.colour, place.accent)
    grounds.GROUNDS[place.ground](painter, details, base, place.ground_colour)
    _darken_base(painter, base)
    props.furnish(painter, view, base)
    image = ImageEnhance.Color(_grain(image, view)).enhance(SATURATION)
    image = ImageEnhance.Contrast(image).enhance(CONTRAST)
    return Scene(_lit(image, light, view), base)


def _darken_base(painter: Painter, base: float) -> None:
    """Shade where backdrop and ground meet."""
    for reach, alpha in ((9, 22), (5, 30), (2, 44)):
        painter.rectangle(0, base - reach * 0.4, WIDTH, base + reach, (0, 0, 8, alpha))


def _grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Gives surfaces a texture: stains of several sizes."""
    field = np.full((image.height, image.width), 128.0, np.float32)
    for cell, strength in ((96, 10.0), (24, 7.0), (5, 6.0)):
        coarse = rng.normal(0, strength, (image.height // cell + 2, image.width // cell + 2))
        stains = Image.fromarray(coarse.astype(np.float32), mode="F")
        field += np.asarray(stains.resize(image.size, Image.Resampling.BICUBIC))
    texture = Image.fromarray(np.clip(field, 0, 255).astype(np.uint8)).convert("RGB")
    return ImageChops.overlay(image, texture)


def _lit(image: Image.Image, light: tuple[float, float], rng: np.random.Generator) -> Image.Image:
    """Light falls off across the scene, from the side of the light."""
    across = np.linspace(-1, 1, 64)[None, :] * light[0]
    down = np.linspace(1, -1, 32)[:, None] * abs(light[1])
    fall = 128 + 24 * across + 12 * down + rng.normal(0, 4, (32, 64))
    shade = Image.fromarray(np.clip(fall, 0, 255).astype(np.uint8))
    return ImageChops.overlay(
        image, shade.resize(image.size, Image.Resampling.BICUBIC).convert("RGB")
    )
