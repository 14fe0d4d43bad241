"""Generates the embedded synthetic data set: drawn persons in the layouts of real data sets.

It is a generator, not a benchmark: `synthetic.json` marks the folder as synthetic.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tfreid.errors import UsageError
from tfreid.files import completed_folder, read_json, require_space, write_json
from tfreid.synthetic import plan
from tfreid.synthetic.drawing.camera import develop
from tfreid.synthetic.drawing.scene import SCALE, Scene
from tfreid.synthetic.drawing.shot import take
from tfreid.synthetic.world import Stream, World, seeded

VERSION = 1
"""Of the drawing; another version draws other images from the same parameters."""
DESCRIPTION_FILE = "synthetic.json"
JPEG_QUALITY = 90
BACKGROUND_SIZE_PX = (192, 256)
_SINCE = {"camera_style": 1, "shared_scenery": False}
"""What folders were drawn with whose description does not name it."""
_JOB_SHOTS = 40
_MOST = 100_000
_BYTES_AN_ITEM = 10_000  # With its mask, in whole blocks of the disk.


@dataclass(frozen=True)
class Parameters:
    """What decides on every byte of the data set.

    Attributes:
        persons: Persons for training, and as many others for the test.
        cameras: Cameras.
        seed: Seed of everything.
        lip_images: Images for training and validating a parser.
        backgrounds: Scenes without persons; conversion gives half of them to the training and half
            to the test, 100 each as in PGP.
        occluded_persons: Persons of the occluded probe set.
        scenery_link: Probability that a person is seen before one of the person's own places.
        camera_style: As of `World`: 1, or 0 for cameras that differ in place only.
        shared_scenery: As of `World`.
    """

    persons: int = 100
    cameras: int = 6
    seed: int = 0
    lip_images: int = 1500
    backgrounds: int = 200
    occluded_persons: int = 40
    scenery_link: float = 0.9
    camera_style: int = 1
    shared_scenery: bool = False

    def __post_init__(self) -> None:
        least = {"persons": 1, "cameras": 2, "seed": 0, "lip_images": 2, "backgrounds": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise UsageError(f"{name} is {getattr(self, name)}: expected at least {value}")
        for name in ("persons", "cameras", "lip_images", "backgrounds", "occluded_persons"):
            if getattr(self, name) > _MOST:
                raise UsageError(f"{name} is {getattr(self, name)}: expected at most {_MOST}")
        if not 0 <= self.scenery_link <= 1:
            raise UsageError(f"scenery_link is {self.scenery_link}: expected 0 to 1")
        if self.camera_style not in (0, 1):
            raise UsageError(f"camera_style is {self.camera_style}: expected 0 or 1")

    @property
    def world(self) -> World:
        """The world that the images show."""
        return World(
            self.seed, self.cameras, self.scenery_link, self.camera_style, self.shared_scenery
        )


@dataclass(frozen=True)
class _Background:
    """A scene without persons to draw."""

    image: str
    camera: int
    place: int


_Item = plan.Shot | _Background


def is_generated(out: Path, parameters: Parameters) -> bool:
    """Whether a folder holds the data set of these parameters, complete.

    Raises:
        UsageError: There is something else.
    """
    if not out.exists():
        return False
    path = out / DESCRIPTION_FILE
    found = read_json(path, dict[str, Any]) if path.is_file() else None
    wanted = {"version": VERSION, **asdict(parameters)}
    if found is None:
        what = "is not a synthetic data set"
    else:
        parameters_there = found.get("parameters")
        there = parameters_there if isinstance(parameters_there, dict) else {}
        there = {"version": found.get("version"), **there}
        there = {**_SINCE, **there}
        other = [name for name in wanted if there.get(name) != wanted[name]]
        if not other:
            return True
        changes = (f"{name} {there.get(name)} instead of {wanted[name]}" for name in other)
        what = f"was made with {', '.join(changes)}"
    raise UsageError(f"{out} is there already and {what}: remove it or choose another folder")


def items_of(parameters: Parameters) -> list[_Item]:
    """Lists everything to draw, images of one scene beside each other."""
    world = parameters.world
    items: list[_Item] = [
        *plan.market_shots(world, parameters.persons),
        *plan.lip_shots(world, parameters.lip_images),
        *plan.occluded_shots(world, parameters.occluded_persons),
    ]
    for index in range(parameters.backgrounds):
        place = plan.FIRST_BACKGROUND_PLACE + index
        items.append(_Background(f"backgrounds/{index:03d}.jpg", place % world.num_cameras, place))
    return sorted(items, key=lambda item: (item.camera, item.place, item.image))


def generate(
    out: Path,
    parameters: Parameters,
    workers: int = 1,
    advance: Callable[[int], None] = lambda count: None,
) -> dict:
    """Draws the data set; the folder appears under its name when it is complete.

    Args:
        out: Folder to write.
        parameters: What to draw.
        workers: Processes that draw; the bytes do not depend on it.
        advance: Called with the number of images drawn since its last call.

    Returns:
        The content of `synthetic.json`.

    Raises:
        UsageError: The folder is there and is not the result of these parameters, or the disk has
            no room for it.
    """
    if is_generated(out, parameters):
        return read_json(out / DESCRIPTION_FILE)
    items = items_of(parameters)
    require_space(out.parent, len(items) * _BYTES_AN_ITEM, "the images")
    with completed_folder(out) as partial_out:
        for folder in {Path(path).parent for item in items for path in _paths(item)}:
            (partial_out / folder).mkdir(parents=True, exist_ok=True)
        _draw_all(items, partial(_draw_job, partial_out, parameters.world), workers, advance)
        _write_lip_lists(partial_out / "lip", parameters.lip_images)
        description = _description(parameters, items)
        write_json(partial_out / DESCRIPTION_FILE, description, checksum=True)
    return description


def _paths(item: _Item) -> Iterator[str]:
    yield item.image
    if isinstance(item, plan.Shot) and item.mask:
        yield item.mask


def _jobs(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """Splits the work so that a job mostly needs one scene."""
    for _, group in groupby(items, key=lambda item: (item.camera, item.place)):
        of_scene = list(group)
        for start in range(0, len(of_scene), _JOB_SHOTS):
            yield of_scene[start : start + _JOB_SHOTS]


def _draw_all(items, draw: Callable[[list[_Item]], int], workers: int, advance) -> None:
    if workers <= 1:
        for job in _jobs(items):
            advance(draw(job))
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _ignore_interrupts) as pool:
        try:
            for count in pool.map(draw, _jobs(items)):
                advance(count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _ignore_interrupts() -> None:
    """Leaves Ctrl-C to the main process, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _draw_job(out: Path, world: World, items: Sequence[_Item]) -> int:
    for item in items:
        if isinstance(item, _Background):
            _draw_background(out, world, item)
        else:
            _draw_shot(out, world, item)
    return len(items)


@lru_cache(maxsize=2)
def _scene(world: World, camera: int, place: int) -> Scene:
    return world.scene(camera, place)


def _draw_shot(out: Path, world: World, shot: plan.Shot) -> None:
    picture, mask = take(
        _scene(world, shot.camera, shot.place),
        world.cameras[shot.camera],
        None if shot.person is None else world.look(shot.person),
        seeded(world.seed, Stream.SHOT, *shot.seed),
        shot.occlusion,
        shot.alignment,
        shot.spot,
    )
    picture.save(out / shot.image, quality=JPEG_QUALITY)
    if shot.mask is not None:
        mask.save(out / shot.mask)


def _draw_background(out: Path, world: World, background: _Background) -> None:
    scene = _scene(world, background.camera, background.place)
    rng = seeded(world.seed, Stream.BACKGROUND, background.place)
    height, width = (length * SCALE for length in BACKGROUND_SIZE_PX)
    left = int(rng.integers(scene.image.width - width + 1))
    top = int(rng.integers(scene.image.height - height + 1))
    crop = scene.image.crop((left, top, left + width, top + height)).reduce(SCALE)
    picture = develop(crop, world.cameras[background.camera], rng)
    picture.save(out / background.image, quality=JPEG_QUALITY)


def _write_lip_lists(folder: Path, images: int) -> None:
    for split in ("train", "val"):
        names = (f"{i:06d}\n" for i in range(images) if plan.lip_split(i, images) == split)
        (folder / f"{split}_id.txt").write_text("".join(names), encoding="utf-8")


def _description(parameters: Parameters, items: Sequence[_Item]) -> dict:
    folders = Counter(str(Path(item.image).parent) for item in items)
    occluded = {name: n for name, n in folders.items() if name.startswith("occluded_reid")}
    counts = {name: folders[name] for name in sorted(folders) if name not in occluded}
    for folder in ("occluded_body_images", "whole_body_images"):
        counts[f"occluded_reid/{folder}"] = sum(n for f, n in occluded.items() if folder in f)
    return {
        "synthetic": True,
        "version": VERSION,
        "parameters": asdict(parameters),
        "images": counts,
        "mask_vocabulary": "lip20",
    }
