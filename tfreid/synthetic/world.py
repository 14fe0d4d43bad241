"""The world of the synthetic data set: cameras, the places they see, who is seen where.

A person tends to be seen before the same few places, and neighbouring cameras see the same places.
So scenery tells something about identity, across cameras: the bias that background-robust methods
are about.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from tfreid.synthetic.drawing.camera import NEUTRAL, Camera, draw_camera
from tfreid.synthetic.drawing.look import Look, draw_look
from tfreid.synthetic.drawing.places import KINDS, Place, make_place
from tfreid.synthetic.drawing.scene import Scene, draw_scene

NUM_PLACES = 40
VISIBLE_FRACTION = 2 / 3
"""Part of the cameras that see a place: those nearest to it on a ring."""
FIRST_HOME_SHARE = 0.85
"""Of a person's images at home, those at the first of the two places."""


class Stream(IntEnum):
    """What random numbers are for; the second word of every seed."""

    LOOK = 1
    PLACE = 2
    VIEW = 3
    CAMERA = 4
    HABIT = 5
    SHOT = 6
    PLAN = 7
    BACKGROUND = 8
    SPOT = 9


def seeded(seed: int, purpose: Stream, *ids: int) -> np.random.Generator:
    """Returns the random numbers of one purpose; they depend on nothing else."""
    return np.random.default_rng([seed, purpose, *ids])


@dataclass(frozen=True)
class Habit:
    """Where a person is seen.

    Attributes:
        homes: The two places where the person mostly is.
        cameras: Cameras that see the person, counted from 0.
    """

    homes: tuple[int, int]
    cameras: tuple[int, ...]


@dataclass(frozen=True)
class World:
    """Cameras on a ring around places; a function of its fields.

    Attributes:
        seed: Seed of everything.
        num_cameras: Cameras on the ring.
        scenery_link: Probability that an image of a person is taken at one of the person's homes,
            where the camera sees any.
        camera_style: 1 for cameras that each have their own light, colours, blur, noise and path;
            0 for cameras that differ in what they see alone, so that nothing in a person's pixels
            tells the camera.
        shared_scenery: Whether what stands behind a person is mostly the same for all cameras: each
            sees every place, and a person keeps to one home and to one spot of it.
    """

    seed: int
    num_cameras: int
    scenery_link: float
    camera_style: int = 1
    shared_scenery: bool = False

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """The cameras, with colour casts spread over all hues where they have a style."""
        if not self.camera_style:
            return (NEUTRAL,) * self.num_cameras
        hues = 2 * np.pi * np.arange(self.num_cameras) / self.num_cameras
        return tuple(
            draw_camera(seeded(self.seed, Stream.CAMERA, index), hue)
            for index, hue in enumerate(hues)
        )

    def look(self, person: int) -> Look:
        """A person's appearance."""
        return draw_look(seeded(self.seed, Stream.LOOK, person))

    def place(self, index: int) -> Place:
        """A place; those from `NUM_PLACES` on are nobody's home and seen by one camera each."""
        kinds = seeded(self.seed, Stream.PLACE).permutation(list(KINDS))
        turn, kind = divmod(index, len(kinds))
        return make_place(str(kinds[kind]), turn, (self.seed, Stream.PLACE, index))

    def scene(self, camera: int, place: int) -> Scene:
        """What a camera sees of a place. Slow: keep the result."""
        view_seed = (self.seed, Stream.VIEW, camera, place)
        return draw_scene(self.place(place), view_seed, self.cameras[camera].light)

    def sees(self, camera: int, place: int) -> bool:
        """Whether a place of the ring is visible from a camera."""
        if self.shared_scenery:
            return True
        nearest = np.argsort(self._distances(place), kind="stable")
        return camera in nearest[: max(round(self.num_cameras * VISIBLE_FRACTION), 1)]

    def habit(self, person: int) -> Habit:
        """Where a person is seen.

        The second home is away from the first, so that cameras which miss one see the other.
        """
        rng = seeded(self.seed, Stream.HABIT, person)
        first = int(rng.integers(NUM_PLACES))
        apart = int(rng.integers(NUM_PLACES // 4, NUM_PLACES // 2))
        second = (first + int(rng.choice([-1, 1])) * apart) % NUM_PLACES
        nearness = self._distances(first) + rng.uniform(0, 1, self.num_cameras)
        count = rng.integers(min(3, self.num_cameras), self.num_cameras + 1)
        cameras = sorted(int(camera) for camera in np.argsort(nearness)[:count])
        return Habit((first, second), tuple(cameras))

    def whereabouts(self, habit: Habit, camera: int, rng: np.random.Generator) -> int:
        """Draws the place of one image of a person: mostly a home, if the camera sees one."""
        homes = [place for place in habit.homes if self.sees(camera, place)]
        if homes and rng.random() < self.scenery_link:
            is_first = rng.random() < FIRST_HOME_SHARE or self.shared_scenery
            return homes[0] if is_first else homes[-1]
        seen = [place for place in range(NUM_PLACES) if self.sees(camera, place)]
        return seen[rng.integers(len(seen))]

    def spot(self, person: int, place: int) -> float | None:
        """Where in a place all cameras see a person, from 0 at its left to 1; None: anywhere."""
        if not self.shared_scenery:
            return None
        return float(seeded(self.seed, Stream.SPOT, person, place).random())

    def _distances(self, place: int) -> np.ndarray:
        """Distance on the ring of each camera to a place."""
        apart = np.abs(np.arange(self.num_cameras) - place * self.num_cameras / NUM_PLACES)
        return np.minimum(apart, self.num_cameras - apart)
