"""Pictures of drawn persons, as JPEG files."""

import functools
import io

from tfreid.synthetic.drawing.scene import Scene
from tfreid.synthetic.drawing.shot import take
from tfreid.synthetic.generate import JPEG_QUALITY, Parameters
from tfreid.synthetic.world import Stream, World, seeded


def drawn_files(person: int, cameras: int, seed: int = 1) -> list[bytes]:
    """Draws an image of a person by each of several cameras."""
    world = _world(seed)
    habit, random = world.habit(person), seeded(world.seed, Stream.PLAN, person)
    files = []
    for camera in habit.cameras[:cameras]:
        scene = _scene(world, camera, world.whereabouts(habit, camera, random))
        shot = seeded(world.seed, Stream.SHOT, person, camera)
        look, eye = world.look(person), world.cameras[camera]
        picture, _ = take(scene, eye, look, shot, "some", "detected", None)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
        files.append(buffer.getvalue())
    return files


@functools.lru_cache(maxsize=1)
def _world(seed: int) -> World:
    return Parameters(seed=seed).world


@functools.lru_cache(maxsize=400)
def _scene(world: World, camera: int, place: int) -> Scene:
    return world.scene(camera, place)
