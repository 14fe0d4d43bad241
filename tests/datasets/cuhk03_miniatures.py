"""Miniatures of CUHK03: the MATLAB files as they are published, and the extracted images."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from tests.datasets.hand_made import write_image

PERSONS = (3, 2, 1, 1, 1)
"""Persons of each camera pair."""

TEST_SETS = [((1, 1), (2, 2)), ((5, 1), (1, 3))] * 10
"""Camera pair and person, from 1, of the persons of each published test set."""

_TRAINING = {(1, 1), (1, 3), (3, 1), (5, 1)}


def views(boxes: str, pair: int, person: int) -> tuple[int, ...]:
    """The views, from 1, in which a person is seen; camera 1 of the pair has the first five."""
    if pair == 5:
        return (1, 2)  # Camera 2 never saw her.
    if boxes == "detected" and (pair, person) == (1, 2):
        return (1, 2, 4, 6, 7)  # The detector missed view 8.
    return (1, 2, 4, 6, 7, 8)


def pixels(boxes: str, pair: int, person: int, view: int) -> np.ndarray:
    """The image, upright: uint8 `[height, width, 3]`, of a size of its own."""
    rng = np.random.default_rng([boxes == "labeled", pair, person, view])
    return rng.integers(0, 256, (30 + view, 12 + person, 3), np.uint8)


def names(boxes: str) -> Iterator[str]:
    """The names that the new protocol gives the images."""
    for pair, persons in enumerate(PERSONS, start=1):
        for person in range(1, persons + 1):
            for view in views(boxes, pair, person):
                yield f"{pair}_{person:03}_{1 if view < 6 else 2}_{view:02}.png"


def release(root: Path) -> Path:
    """`cuhk03_release/cuhk-03.mat`, and the lists of the new protocol one folder up."""
    folder = root / "cuhk03_release"
    folder.mkdir(parents=True)
    with h5py.File(folder / "cuhk-03.mat", "w", userblock_size=512) as file:
        for boxes in ("detected", "labeled"):
            pairs = range(1, len(PERSONS) + 1)
            _cell(file, boxes, [[_views(file, boxes, pair)] for pair in pairs])
        _cell(file, "testsets", [[_stored(file, np.array(pairs, float).T)] for pairs in TEST_SETS])
    for boxes in ("detected", "labeled"):
        write_config(root / f"cuhk03_new_protocol_config_{boxes}.mat", boxes)
    return folder


def _cell(file: h5py.File, name: str, references: list[list[h5py.Reference]]) -> h5py.Dataset:
    """Stores a cell array as MATLAB does, with its dimensions in reverse."""
    cell = file.create_dataset(name, data=np.array(references, h5py.ref_dtype).T)
    cell.attrs["MATLAB_class"] = np.bytes_("cell")
    return cell


def _views(file: h5py.File, boxes: str, pair: int) -> h5py.Reference:
    """Stores the images of a pair of cameras: a cell of persons by ten views."""
    empty = _stored(file, np.zeros(2, np.uint64))
    file[empty].attrs["MATLAB_empty"] = np.uint8(1)
    references = [
        [
            _stored(file, pixels(boxes, pair, person, view).T)
            if view in views(boxes, pair, person)
            else empty
            for view in range(1, 11)
        ]
        for person in range(1, PERSONS[pair - 1] + 1)
    ]
    return _cell(file, _next_name(file), references).ref


def _stored(file: h5py.File, array: np.ndarray) -> h5py.Reference:
    return file.create_dataset(_next_name(file), data=array).ref


def _next_name(file: h5py.File) -> str:
    return f"#refs#/{len(file.require_group('#refs#'))}"


def write_config(path: Path, boxes: str) -> None:
    """Writes the lists of the new protocol, with a query a person and camera."""
    files = list(names(boxes))
    fields = [tuple(map(int, name.removesuffix(".png").split("_"))) for name in files]
    persons = sorted({field[:2] for field in fields})
    numbers: dict[str, list[int]] = {"train_idx": [], "query_idx": [], "gallery_idx": []}
    asked = set()
    for number, (pair, person, camera, _) in enumerate(fields, start=1):
        if (pair, person) in _TRAINING:
            numbers["train_idx"].append(number)
        elif (pair, person, camera) in asked:
            numbers["gallery_idx"].append(number)
        else:
            numbers["query_idx"].append(number)
            asked.add((pair, person, camera))
    filelist = np.empty((len(files), 1), object)
    filelist[:, 0] = files
    columns = {
        "filelist": filelist,
        "labels": [[1 + persons.index(field[:2])] for field in fields],
        "camId": [[field[2]] for field in fields],
    }
    savemat(path, columns | {name: [found] for name, found in numbers.items()})


def extracted(root: Path) -> Path:
    """The images of the new protocol in the folders of Market-1501, detected boxes only."""
    folder = root / "cuhk03-np"
    for name in (
        "bounding_box_train/0001_c1_301.png",
        "bounding_box_train/0001_c2_302.PNG",
        "query/0004_c1_303.png",
        "bounding_box_test/0004_c1_304.png",
        "bounding_box_test/0004_c2_305.png",
    ):
        write_image(folder / "detected" / name)
    return folder
