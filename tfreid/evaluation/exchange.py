"""The pictures of an audit as files, for systems that are not networks here.

`write_images` writes each variant's pictures with a list, `images.csv`. Whatever describes them
gives its descriptors back in the order of that list; see `descriptor_files`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from tfreid.evaluation.audit import checked_variants, variants_of
from tfreid.evaluation.sets import SPLITS, EvaluationSet
from tfreid.inputs import VARIANTS, evaluation_images

LIST = "images.csv"


@dataclass(frozen=True)
class ListedImage:
    """A line of the list.

    Attributes:
      variant: of the picture.
      split: `query` or `gallery`.
      key: the image's key.
      person: name of who is on it.
      camera: name of the camera.
      file: the picture, relative to the list.
    """

    variant: str
    split: str
    key: str
    person: str
    camera: str
    file: str


COLUMNS = tuple(field.name for field in fields(ListedImage))


def measured_variants(
    sets: Sequence[EvaluationSet], asked: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Returns the variants that any of the data sets allows, or those of them asked for.

    Raises:
      UsageError: if one that is asked for is not known or not allowed.
    """
    allowed = {variant for tested in sets for variant in variants_of(tested)}
    return checked_variants(tuple(asked or ()), tuple(v for v in VARIANTS if v in allowed))


def measured_records(
    sets: Sequence[EvaluationSet], variant: str, split: str
) -> list[tuple[EvaluationSet, np.ndarray]]:
    """Returns which records of a split a variant shows, data set by data set."""
    return [
        (tested, tested.measured(split, variant))
        for tested in sets
        if variant in variants_of(tested)
    ]


def listed_images(sets: Sequence[EvaluationSet], variants: Sequence[str]) -> Iterator[ListedImage]:
    """Yields the lines of the list: by variant, split and data set, in the order of the records."""
    known: dict[tuple[str, str], tuple] = {}
    for variant in variants:
        for split in SPLITS:
            for tested, records in measured_records(sets, variant, split):
                if (tested.dataset, split) not in known:
                    known[tested.dataset, split] = tested.identities(split)
                who, keys = known[tested.dataset, split]
                for place in np.searchsorted(tested.records[split], records):
                    yield ListedImage(
                        variant,
                        split,
                        str(keys[place]),
                        tested.person(who.person[place]),
                        tested.camera(who.camera[place]),
                        f"{variant}/{split}/{tested.records[split][place]:06d}.png",
                    )


def write_images(
    folder: Path,
    sets: Sequence[EvaluationSet],
    variants: Sequence[str],
    seed: int,
    advance: Callable[[int], None],
) -> int:
    """Writes the pictures as PNG, in their own sizes, and the list.

    Args:
      folder: to write to.
      sets: the images.
      variants: of them.
      seed: chooses the random backgrounds.
      advance: told of each picture.

    Returns:
      Number of pictures.
    """
    listed = list(listed_images(sets, variants))
    with (folder / LIST).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(astuple, listed))
    lines = iter(listed)
    for variant in variants:
        for split in SPLITS:
            (folder / variant / split).mkdir(parents=True, exist_ok=True)
            for tested, records in measured_records(sets, variant, split):
                for image in evaluation_images(tested.folder, split, variant, seed, records):
                    Image.fromarray(image).save(folder / next(lines).file, compress_level=1)
                    advance(1)
    return len(listed)
