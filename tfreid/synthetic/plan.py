"""Which images the synthetic data set has: file names, persons, cameras, places, seeds."""

from collections.abc import Iterator
from dataclasses import dataclass

from tfreid.datasets.lip import IMAGES, LABELS
from tfreid.datasets.split_folders import SPLIT_FOLDERS
from tfreid.synthetic.world import NUM_PLACES, Stream, World, seeded

NUM_WILD_PLACES = 60
"""Places of the parser's and the occluded images; persons have no homes among them."""
FIRST_WILD_PLACE = NUM_PLACES
FIRST_BACKGROUND_PLACE = FIRST_WILD_PLACE + NUM_WILD_PLACES
IMAGES_AT_A_CAMERA = (3, 6)
"""Least number of images of a person at a camera, and one more than the largest."""
OCCLUDED_IMAGES = WHOLE_IMAGES = 5
LIP_VAL_FRACTION = 0.2

# Appearances of the persons without a number of their own, apart from each other.
_DISTRACTORS, _OCCLUDED, _PARSED = 100_000, 200_000, 300_000


@dataclass(frozen=True)
class Shot:
    """One image to draw.

    Attributes:
        image: Path of the image in the data set.
        mask: Path of its mask, or None.
        camera: Camera, counted from 0.
        place: Place, as `World.place` counts them.
        person: Person whose appearance is drawn, or None for a false detection.
        seed: Words of the seed after the data set's own.
        occlusion: As in `shot.take`.
        alignment: As in `shot.take`.
        spot: As in `shot.take`.
    """

    image: str
    mask: str | None
    camera: int
    place: int
    person: int | None
    seed: tuple[int, ...]
    occlusion: str = "some"
    alignment: str = "detected"
    spot: float | None = None


def market_shots(world: World, persons: int) -> Iterator[Shot]:
    """Yields the Market-1501 part: `persons` for training (even IDs), as many for the test (odd).

    The gallery also holds distractors (other persons, and detections of nobody) and junk (bad
    crops of the test's persons), two and one for each person of the test.
    """
    for person in range(1, 2 * persons + 1):
        yield from _person_shots(world, person, "train" if person % 2 == 0 else "test")
    for index in range(2 * persons):
        is_nobody = index % 3 == 2
        person = _DISTRACTORS + index
        yield _extra(world, index, "0000", person, None if is_nobody else person, "detected")
    for index in range(persons):
        person = 2 * index + 1
        yield _extra(world, 2 * persons + index, "-1", person, person, "bad")


def _person_shots(world: World, person: int, part: str) -> Iterator[Shot]:
    rng = seeded(world.seed, Stream.PLAN, person)
    habit = world.habit(person)
    for camera in habit.cameras:
        frame = int(rng.integers(1_000, 90_000))
        if world.shared_scenery:  # One passage, as a tracker follows it.
            place = world.whereabouts(habit, camera, rng)
        for index in range(rng.integers(*IMAGES_AT_A_CAMERA)):
            split = "train" if part == "train" else "gallery" if index else "query"
            frame += int(rng.integers(5, 60))
            name = f"{person:04d}_c{camera + 1}s1_{frame:06d}_{index + 1:02d}"
            if not world.shared_scenery:
                place = world.whereabouts(habit, camera, rng)
            seed = (person, camera, index)
            spot = world.spot(person, place)
            yield _market_shot(split, name, camera, place, person, seed, spot)


def _extra(world, index, prefix, habit_of, person, alignment) -> Shot:
    """A distractor or a piece of junk."""
    rng = seeded(world.seed, Stream.PLAN, 0, index)
    habit = world.habit(habit_of)
    camera = habit.cameras[rng.integers(len(habit.cameras))]
    place = world.whereabouts(habit, camera, rng)
    name = f"{prefix}_c{camera + 1}s1_{100_000 + 7 * index:06d}_00"
    spot = world.spot(habit_of, place)
    return _market_shot("gallery", name, camera, place, person, (0, index), spot, alignment)


def _market_shot(split, name, camera, place, person, seed, spot, alignment="detected") -> Shot:
    folder = SPLIT_FOLDERS[split]
    image, mask = f"market1501/{folder}/{name}.jpg", f"masks/{folder}/{name}.png"
    return Shot(image, mask, camera, place, person, seed, alignment=alignment, spot=spot)


def lip_shots(world: World, images: int) -> Iterator[Shot]:
    """Yields the parser's part: every image another person, in wild places."""
    for index in range(images):
        split = lip_split(index, images)
        name = f"{index:06d}"
        rng = seeded(world.seed, Stream.PLAN, _PARSED, index)
        place = FIRST_WILD_PLACE + int(rng.integers(NUM_WILD_PLACES))
        yield Shot(
            image=f"lip/{IMAGES}/{split}_images/{name}.jpg",
            mask=f"lip/{LABELS}/{split}_segmentations/{name}.png",
            camera=place % world.num_cameras,
            place=place,
            person=_PARSED + index,
            seed=(_PARSED, index),
        )


def lip_split(index: int, images: int) -> str:
    """Split of a parser's image: the last ones are for validation."""
    return "val" if index >= images - max(round(images * LIP_VAL_FRACTION), 1) else "train"


def occluded_shots(world: World, persons: int) -> Iterator[Shot]:
    """Yields the Occluded-REID part: hidden and whole images of further persons."""
    folders = (
        ("occluded_body_images", "all", OCCLUDED_IMAGES),
        ("whole_body_images", "none", WHOLE_IMAGES),
    )
    for person in range(1, persons + 1):
        rng = seeded(world.seed, Stream.PLAN, _OCCLUDED, person)
        for part, (folder, occlusion, count) in enumerate(folders):
            for index in range(1, count + 1):
                place = FIRST_WILD_PLACE + int(rng.integers(NUM_WILD_PLACES))
                yield Shot(
                    image=f"occluded_reid/{folder}/{person:03d}/{person:03d}_{index:02d}.jpg",
                    mask=None,
                    camera=place % world.num_cameras,
                    place=place,
                    person=_OCCLUDED + person,
                    seed=(_OCCLUDED, person, part, index),
                    occlusion=occlusion,
                )
