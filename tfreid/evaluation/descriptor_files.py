"""Descriptors that another system computed, from files: NumPy's, CSV, MATLAB's.

A folder holds either one file with a row for each line of the list that `exchange` wrote, or one
file `<variant>-<split>` for each variant and split. A row of CSV may begin with the picture's file
name, which is then compared with the list.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfreid.errors import DataError, MissingPathError
from tfreid.evaluation.descriptors import MOST_BLANK
from tfreid.evaluation.exchange import COLUMNS, LIST, SPLITS, ListedImage, listed_images
from tfreid.evaluation.sets import EvaluationSet
from tfreid.inputs import VARIANTS

_INSTEAD = "write the pictures anew (--write_images) and describe these"


def read_descriptors(
    place: Path, sets: Sequence[EvaluationSet], variants: Sequence[str]
) -> dict[tuple[str, str], np.ndarray]:
    """Reads descriptors.

    Args:
      place: a folder, or a single file.
      sets: the images that were described.
      variants: of them.

    Returns:
      Variant and split -> `[n, d]` float32, in the order of the list.

    Raises:
      MissingPathError: if there is no such file, or a variant is missing.
      DataError: if a file is damaged, or does not match the list; naming the file, and the row.
    """
    listed: dict[tuple[str, str], list[ListedImage]] = {}
    for line in listed_images(sets, variants):
        listed.setdefault((line.variant, line.split), []).append(line)
    if place.is_dir() and (place / LIST).is_file():
        _check_list(place / LIST, [line for lines in listed.values() for line in lines])
    files = _files(place)
    single = files[0] if len(files) == 1 and files[0].stem not in map("-".join, listed) else None
    if single:
        rows = _read(single, [line for lines in listed.values() for line in lines])
        ends = np.cumsum([len(lines) for lines in listed.values()])[:-1]
        return dict(zip(listed, np.split(rows, ends), strict=True))
    by_name = {file.stem: file for file in files}
    missing = [
        f"{variant}-{split}" for variant, split in listed if f"{variant}-{split}" not in by_name
    ]
    if missing:
        raise MissingPathError(
            f"{place} has no descriptors of {', '.join(missing)}: expected files of these names, "
            ".npy, .csv or .mat, or one file with a row for each line of the list; fewer variants "
            "can be asked for (variants)"
        )
    unknown = {*by_name} - {f"{variant}-{split}" for variant in VARIANTS for split in SPLITS}
    if unknown:
        raise DataError(
            f"{place} has {by_name[min(unknown)].name}, which is of no variant and split: "
            "remove or rename it"
        )
    found = {pair: _read(by_name["-".join(pair)], lines) for pair, lines in listed.items()}
    _check_sizes(found, by_name)
    return found


def _check_sizes(found: Mapping[tuple[str, str], np.ndarray], files: Mapping[str, Path]) -> None:
    (first, values), *others = found.items()
    for pair, other in others:
        if other.shape[1] != values.shape[1]:
            raise DataError(
                f"{files['-'.join(pair)]} has descriptors of {other.shape[1]:,} values, and "
                f"{files['-'.join(first)]} of {values.shape[1]:,}: they must be of one system"
            )


def _check_list(path: Path, lines: Sequence[ListedImage]) -> None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            heads, *rows = list(csv.reader(file)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV in UTF-8 ({error}); {_INSTEAD}") from None
    expected = [[line.variant, line.split, line.key, line.file] for line in lines]
    try:
        places = [heads.index(name) for name in ("variant", "split", "key", "file")]
        found = [[row[place] for place in places] for row in rows]
    except (ValueError, IndexError):
        raise DataError(
            f"{path} is not the list of an audit: expected {','.join(COLUMNS)}"
        ) from None
    for number, pair in enumerate(zip(found, expected, strict=False), start=2):
        if pair[0] != pair[1]:
            raise DataError(
                f"{path} is of other images or variants: line {number} names "
                f"{' '.join(pair[0][:3])}, these data have {' '.join(pair[1][:3])}; {_INSTEAD}"
            )
    if len(found) != len(expected):
        raise DataError(
            f"{path} lists {len(found):,} pictures, these data and variants have "
            f"{len(expected):,}; {_INSTEAD}"
        )


def _files(place: Path) -> list[Path]:
    if place.is_file() and place.suffix.lower() in _READERS:
        return [place]
    if not place.is_dir():
        raise MissingPathError(
            f"{place}: expected a folder with descriptors, or a file {', '.join(_READERS)}"
        )
    found = (path for path in sorted(place.iterdir()) if path.is_file() and path.name != LIST)
    files = [path for path in found if path.suffix.lower() in _READERS]
    if not files:
        raise MissingPathError(f"{place} has no descriptors: expected files {', '.join(_READERS)}")
    stems = [file.stem for file in files]
    if len({*stems}) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise DataError(f"{place} has descriptors of {twice} in two files: remove one")
    return files


def _read(path: Path, lines: Sequence[ListedImage]) -> np.ndarray:
    """Returns a file's descriptors, float32 `[lines, d]`."""
    try:
        values = np.asarray(_READERS[path.suffix.lower()](path, lines))
    except DataError:
        raise
    except Exception as error:  # Whatever the readers of these formats raise on damaged files.
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read as {path.suffix} ({reason})") from None
    return checked(values, str(path), [line.file for line in lines])


def checked(
    values: np.ndarray, name: str, images: Sequence[str], variant: str | None = None
) -> np.ndarray:
    """Returns descriptors as float32 `[n, d]`.

    Args:
      values: to be checked.
      name: what to call them.
      images: `[n]` names of the images that they should be of.
      variant: of the images, if it is known.

    Raises:
      DataError: if they are not one finite descriptor an image, or, of too many original images,
        zeros.
    """
    count = len(images)
    if not (np.issubdtype(values.dtype, np.integer) or np.issubdtype(values.dtype, np.floating)):
        raise DataError(f"{name}: expected numbers, found {values.dtype}")
    if values.ndim != 2 or not values.shape[-1]:
        raise DataError(
            f"{name}: expected an array of {count:,} rows, one descriptor an image, found the "
            f"shape {list(values.shape)}"
        )
    if len(values) != count:
        turned = values.shape[1] == count
        raise DataError(
            f"{name}: expected {count:,} rows, one for each line of the list, found "
            f"{len(values):,}" + (": rows and columns have changed places" if turned else "")
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    faults = {"is not finite": ~np.isfinite(values).all(axis=1)}
    blank = ~values.any(axis=1)
    if variant == "original" and blank.sum() > MOST_BLANK * count:
        faults["is all zeros"] = blank
    for fault, rows in faults.items():
        bad = np.flatnonzero(rows)
        if len(bad):
            raise DataError(
                f"{name}: the descriptor of {images[bad[0]]} (row {bad[0] + 1}) {fault}"
                + (f", and so are those of {len(bad) - 1} other images" if len(bad) > 1 else "")
            )
    return values


def _npy(path: Path, lines: Sequence[ListedImage]) -> np.ndarray:
    return np.load(path, allow_pickle=False)


def _mat(path: Path, lines: Sequence[ListedImage]) -> np.ndarray:
    from scipy.io import loadmat

    try:
        found = loadmat(path)
    except NotImplementedError:  # Version 7.3 is HDF5, with the axes the other way round.
        import h5py

        with h5py.File(path, "r") as file:
            found = {name: data[()].T for name, data in file.items() if hasattr(data, "dtype")}
    matrices = {
        name: values
        for name, values in found.items()
        if not name.startswith("__") and np.ndim(values) == 2 and np.size(values) > 1
    }
    if len(matrices) != 1:
        raise DataError(f"{path}: expected one matrix, found {', '.join(matrices) or 'none'}")
    return next(iter(matrices.values()))


def _csv(path: Path, lines: Sequence[ListedImage]) -> np.ndarray:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    if rows and any(";" in cell for cell in rows[0][1]):
        raise DataError(f"{path}: expected commas between columns and points in numbers, found ;")
    if len(rows) > 1 and not _is_number(rows[0][1][-1]) and _is_number(rows[1][1][-1]):
        del rows[0]  # Names of the columns.
    named = bool(rows) and not _is_number(rows[0][1][0])
    width = len(rows[0][1]) if rows else 0
    values = []
    for (number, row), line in zip(rows, [*lines, *[None] * len(rows)], strict=False):
        if named and line is not None and row[0] != line.file:
            raise DataError(
                f"{path}: line {number} is of {row[0]}, and the list has {line.file} there: write "
                "the rows in the order of the list"
            )
        if len(row) != width:
            raise DataError(f"{path}: line {number} has {len(row)} columns, the first {width}")
        try:
            values.append(np.array(row[named:], np.float64))
        except ValueError as error:
            raise DataError(f"{path}: line {number}: {error}") from None
    return np.array(values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_READERS = {".npy": _npy, ".csv": _csv, ".mat": _mat}
