"""Mean and spread of figures over runs that differ in the split or the seed."""

import contextlib
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.evaluation.result import figure_rows
from tfreid.files import read_json
from tfreid.methods import METHODS
from tfreid.methods.recipe import from_json, to_json
from tfreid.training.description import check_description
from tfreid.typed import typed

_VARIES = ("batch_size", "seed")


@dataclass(frozen=True)
class Spread:
    """A figure over several runs; fractions.

    Attributes:
      mean: arithmetic mean.
      deviation: sample standard deviation.
      values: the runs' figures, in the order of the runs.
    """

    mean: float
    deviation: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class _SplitFacts:
    index: int
    of: int
    seed: int | None
    test_persons: int


@dataclass(frozen=True)
class _Measured:
    """What is read of an evaluation beside its figures."""

    dataset: str
    options: dict[str, Any]
    split: _SplitFacts | None
    protocol: dict[str, Any]
    matching: dict[str, Any]


@dataclass(frozen=True)
class Average:
    """The figures of several runs on one data set.

    Attributes:
      figures: variant of the images, or `<variant>_reranked` -> name of a figure -> its spread.
      protocol: how all the runs were measured.
      matching: how images were compared in all of them.
      splits: index and seed of each run's split; None where the data set has one split.
      warnings: what keeps the mean from being a published one.
    """

    figures: dict[str, dict[str, Spread]]
    protocol: dict[str, Any]
    matching: dict[str, Any]
    splits: tuple[tuple[int, int | None] | None, ...]
    warnings: tuple[str, ...]


def average_runs(runs: Sequence[Path]) -> dict[str, Average]:
    """Averages what `tfreid.evaluate` measured.

    Args:
      runs: folders with the `metrics.json` of runs that differ in the split or the seed alone.

    Returns:
      Name of the data set -> its figures; more than one for a joint set.

    Raises:
      UsageError: if there are fewer than two runs or they are not comparable.
      MissingPathError: if a folder holds no evaluation.
      DataError: if a file is damaged.
    """
    if len({run.resolve() for run in runs}) < max(len(runs), 2):
        raise UsageError(f"an average takes two different runs or more, {len(runs)} given")
    evaluations = {run: _by_dataset(run) for run in runs}
    trained = {run: _training(run) for run in runs}
    _compare(runs, {run: trained[run] | {"data sets": [*evaluations[run]]} for run in runs})
    averages = {}
    for dataset in evaluations[runs[0]]:
        measured = {run: evaluations[run][dataset] for run in runs}
        _compare(runs, {run: _conditions(values) for run, values in measured.items()})
        averages[dataset] = _average(measured)
    return averages


def _by_dataset(run: Path) -> dict[str, dict[str, Any]]:
    """Reads the evaluation of a run, by data set."""
    evaluation = _read(run / "metrics.json").get("evaluation")
    if evaluation is None:
        raise MissingPathError(
            f"{run} holds no evaluation: measure it with python -m tfreid.evaluate --run={run}"
        )
    try:
        evaluation = typed(dict[str, Any], evaluation)
        by_dataset = typed(dict[str, dict[str, Any]], evaluation.get("datasets", {}))
        measured = list(by_dataset.values()) or [evaluation]
        for values in measured:
            _check(values, run)
    except UsageError:
        raise
    except (ValueError, TypeError) as error:
        raise DataError(f"the evaluation in {run}/metrics.json is damaged: {error}") from error
    return {values["data"]["dataset"]: values for values in measured}


def _check(values: Mapping[str, Any], run: Path) -> None:
    """Raises a `ValueError` unless an evaluation has what an average reads of it."""
    data = typed(dict[str, Any], values.get("data", {}), "data")
    if "dataset" not in data or "protocol" not in values:
        raise UsageError(
            f"the evaluation of {run} names no protocol: it is of a parsing network or of an "
            "earlier release. Measure it again with python -m tfreid.evaluate"
        )
    read = {name: data.get(name) for name in ("dataset", "options", "split")}
    read |= {name: values.get(name, {}) for name in ("protocol", "matching")}
    typed(str, typed(_Measured, read).protocol.get("name"), "protocol.name")
    typed(dict[str, dict[str, float]], figure_rows(values))


def _training(run: Path) -> dict[str, Any]:
    """What was trained, in the fields of today; nothing where only the evaluation is there."""
    path = run / "recipe.json"
    if not path.exists():
        return {}
    values = _read(path)
    try:
        check_description(values)
    except ValueError as error:
        raise DataError(f"{path} is not the recipe of a run ({error})") from error
    method, recipe = METHODS.get(values["method"]), values["recipe"]
    if method and recipe:
        with contextlib.suppress(UsageError):
            recipe = to_json(from_json(method.recipe, recipe))
    return {"method": values["method"], "recipe": recipe}


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path, dict[str, Any])
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPathError(
            f"there is no {path}: give folders of runs that python -m tfreid.evaluate measured"
        ) from None


def _conditions(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the evaluations of comparable runs share."""
    data, split = values["data"], values["data"]["split"] or {}
    protocol = {name: value for name, value in values["protocol"].items() if name not in _VARIES}
    networks = protocol.pop("combined", [])
    return {
        "data set": data["dataset"],
        "options": data["options"],
        "number of splits": split.get("of"),
        "test persons": split.get("test_persons"),
        "variants": [*figure_rows(values)],
        "matching": values.get("matching", {}),
        "combined networks": [{**network, "name": ""} for network in networks],
        "protocol": protocol.pop("name"),
        **protocol,
    }


def _compare(runs: Sequence[Path], described: Mapping[Path, Mapping[str, Any]]) -> None:
    first, *others = runs
    expected = _flat(described[first])
    for run in others:
        found = _flat(described[run])
        differences = [
            f"{name} is {found.get(name)}, not {expected.get(name)}"
            for name in expected | found
            if expected.get(name) != found.get(name)
        ]
        if differences:
            raise UsageError(f"{run} is not comparable with {first}: {'; '.join(differences)}")


def _flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        flat |= _flat(value, f"{path}{name}.") if nested else {path + name: value}
    return flat


def _average(measured: Mapping[Path, Mapping[str, Any]]) -> Average:
    first = next(iter(measured.values()))
    rows = [figure_rows(values) for values in measured.values()]
    figures = {
        variant: {name: _spread([of_run[variant][name] for of_run in rows]) for name in names}
        for variant, names in rows[0].items()
    }
    splits = [values["data"]["split"] for values in measured.values()]
    of = splits[0]["of"] if splits[0] else 1
    identities = tuple(split and (split["index"], split["seed"]) for split in splits)
    warnings = tuple(_warnings(identities, of))
    return Average(figures, first["protocol"], first.get("matching", {}), identities, warnings)


def _spread(values: list[float]) -> Spread:
    return Spread(statistics.fmean(values), statistics.stdev(values), tuple(values))


def _warnings(splits: Sequence[tuple[int, int | None] | None], of: int) -> list[str]:
    there = Counter(split for split in splits if split)
    repeated = [index for (index, _), count in there.items() if count > 1]
    warnings = []
    if repeated:
        numbers = ", ".join(map(str, repeated))
        warnings.append(f"split {numbers} is there more than once: the mean leans towards it")
    if there and len(there) < of:
        warnings.append(
            f"{len(there)} of {of} splits: published figures are the mean over all {of}"
        )
    return warnings
