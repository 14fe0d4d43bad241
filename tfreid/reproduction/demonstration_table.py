"""What the demo gave over one or several seeds, as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfreid.errors import DataError
from tfreid.evaluation import Change
from tfreid.evaluation.verdict import points
from tfreid.files import read_json
from tfreid.inputs import VARIANTS, readable
from tfreid.reproduction.demonstration import CHANGES, MODELS
from tfreid.retrieval import Interval, over_repeats


def read(path: Path) -> dict[str, Any]:
    """Reads `results.json`.

    Raises:
      DataError: if it is damaged or of an earlier release.
    """
    values = read_json(path)
    names = [model.name for model in MODELS]
    if not isinstance(values, dict) or list(values.get("models", {})) != names:
        raise DataError(
            f"{path} is not of these models ({', '.join(names)}): move its folder away, then give "
            "the same command again"
        )
    return values


def as_markdown(seeds: Sequence[Mapping[str, Any]]) -> str:
    """Returns rank-1 of the models, and what each change does, as two tables.

    Args:
      seeds: `results.json` of each seed.

    Raises:
      DataError: if they were trained with different settings.
    """
    settings = [
        {name: {**model, "variants": None} for name, model in one["models"].items()}
        for one in seeds
    ]
    for one, other in zip(seeds, settings, strict=True):
        if other != settings[0]:
            raise DataError(
                f"seed {one['seed']} was trained with other settings than seed "
                f"{seeds[0]['seed']}: move its folder away, then give the same command again"
            )
    models = {
        name: {
            variant: over_repeats([s["models"][name]["variants"][variant]["rank1"] for s in seeds])
            for variant in VARIANTS
        }
        for name in seeds[0]["models"]
    }
    changes = {
        f"{change.name}: {change.before} → {change.after}": {
            variant: over_repeats([_gain(s, change, variant) for s in seeds])
            for variant in VARIANTS
        }
        for change in CHANGES
    }
    return "\n".join(
        [
            *_table("rank-1, percent", models, _level),
            "",
            *_table("points of rank-1", changes, _points),
            "",
            _caption(seeds),
            "",
        ]
    )


def _gain(of_seed: Mapping[str, Any], change: Change, variant: str) -> float:
    before, after = (
        of_seed["models"][name]["variants"][variant]["rank1"]
        for name in (change.before, change.after)
    )
    return after - before


def _table(title: str, rows: Mapping[str, Mapping[str, Interval]], write: Any) -> list[str]:
    heads = [title, *map(readable, VARIANTS)]
    return [
        f"| {' | '.join(heads)} |",
        f"| --- |{' ---: |' * len(VARIANTS)}",
        *(f"| {name} | {' | '.join(map(write, row.values()))} |" for name, row in rows.items()),
    ]


def _level(interval: Interval) -> str:
    return points(interval.value) + _half(interval)


def _points(interval: Interval) -> str:
    text = points(interval.value)
    known = interval.excludes(0)
    text = (text if text.startswith("\N{MINUS SIGN}") else f"+{text}") + _half(interval)
    return f"**{text}**" if known else text


def _half(interval: Interval) -> str:
    if not interval.is_certain:
        return ""
    return f" ± {100 * (interval.high - interval.value):.1f}"


def _caption(seeds: Sequence[Mapping[str, Any]]) -> str:
    numbers = ", ".join(str(one["seed"]) for one in seeds)
    chance = points(over_repeats([one["chance_rank1"] for one in seeds]).value)
    if len(seeds) == 1:
        return f"Seed {numbers}, one run; a random ranking gets {chance}."
    return (
        f"Mean over seeds {numbers}, each with persons, places and trainings of its own, ± half of "
        f"the 95% interval (Student's t); changes whose interval excludes 0 are bold. A random "
        f"ranking gets {chance}."
    )
