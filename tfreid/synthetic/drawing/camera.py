"""A camera: where its light comes from, how people pass it, what it does to colours."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter


@dataclass(frozen=True)
class Camera:
    """What all images of a camera have in common.

    Attributes:
        light: Unit vector in the picture, towards the light.
        heading: Direction of the path that people take, in radians, as `Pose.yaw`; None for any.
        tilt: How far the camera looks down, in radians.
        gains: Factor of each colour channel.
        gamma: Exponent of the brightness, 1 for neutral.
        haze: Part of the contrast that is lost, in [0, 1].
        blur_px: Radius of the blur.
        noise: Standard deviation of the noise, of 255.
    """

    light: tuple[float, float]
    heading: float | None
    tilt: float
    gains: tuple[float, float, float]
    gamma: float
    haze: float
    blur_px: float
    noise: float


NEUTRAL = Camera(
    light=(float(np.sin(0.8)), float(-np.cos(0.8))),
    heading=None,
    tilt=0.15,
    gains=(1.07, 1.07, 1.07),
    gamma=0.87,
    haze=0.07,
    blur_px=0.3,
    noise=4.0,
)
"""Midway between all that `draw_camera` draws: what all cameras are that differ in place only."""


def draw_camera(rng: np.random.Generator, hue: float) -> Camera:
    """Draws a camera.

    Args:
        rng: Source of randomness.
        hue: Angle of the colour cast, in radians; spread them over the circle so that cameras
            differ.
    """
    sun = rng.uniform(0.35, 1.0) * rng.choice([-1.0, 1.0])
    strength = rng.uniform(0.05, 0.11)
    angles = hue - np.array([0.0, 2.0, 4.0]) * np.pi / 3
    gains = rng.uniform(0.95, 1.2) * (1 + strength * np.cos(angles))
    return Camera(
        light=(float(np.sin(sun * 1.2)), float(-np.cos(sun * 1.2))),
        heading=float(rng.uniform(-np.pi, np.pi)),
        tilt=float(rng.uniform(0.08, 0.22)),
        gains=tuple(gains.tolist()),
        gamma=float(rng.uniform(0.72, 1.02)),
        haze=float(rng.uniform(0.0, 0.14)),
        blur_px=float(rng.uniform(0.0, 0.6)),
        noise=float(rng.uniform(2.0, 6.0)),
    )


def develop(image: Image.Image, camera: Camera, rng: np.random.Generator) -> Image.Image:
    """Turns a drawn picture into what the camera records: blur, cast, exposure, noise."""
    if camera.blur_px > 0.05:
        image = image.filter(ImageFilter.GaussianBlur(camera.blur_px))
    levels = np.asarray(image, np.float32) / 255
    exposure = np.float32(rng.normal(1, 0.06))
    levels = levels * (exposure * np.asarray(camera.gains, np.float32))
    levels = np.clip(levels, 0, 1) ** np.float32(camera.gamma)
    levels = levels * np.float32(1 - camera.haze) + np.float32(0.6 * camera.haze)
    grain = rng.standard_normal(levels.shape, np.float32) * np.float32(camera.noise)
    return Image.fromarray(np.clip(levels * 255 + grain + 0.5, 0, 255).astype(np.uint8))
