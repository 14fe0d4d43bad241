"""Average runs that differ in the split or the seed: mean and standard deviation.

    python -m tfreid.average runs/viper-*

reads what tfreid.evaluate measured, as VIPeR, CUHK01, PRID, 3DPeS and classic CUHK03 are
published: the mean over 10 or 20 splits. Runs that are not comparable are refused.
"""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid import evaluation, files, report

_OUT = flags.DEFINE_string("out", None, "File for the figures, .json.")


def main(runs: list[str]) -> None:
    """Averages the runs and prints the figures."""
    if _OUT.value:
        files.require_writable(Path(_OUT.value).parent)
    averages = evaluation.average_runs([Path(run) for run in runs])
    for dataset, average in averages.items():
        _print(dataset, average)
    print(f"percent; mean and sample standard deviation over {len(runs)} runs")
    if _OUT.value:
        _write(Path(_OUT.value), runs, averages)
        print(f"wrote {_OUT.value}")


def _print(dataset: str, average: evaluation.Average) -> None:
    rows = {
        f"{variant} {name}": {"mean": spread.mean, "deviation": spread.deviation}
        for variant, figures in average.figures.items()
        for name, spread in figures.items()
    }
    matching = f", matching {average.matching['mode']}" if "mode" in average.matching else ""
    print(f"{dataset}, protocol {average.protocol['name']}{matching}")
    report.print_table("", rows)
    for warning in average.warnings:
        print(f"warning: {dataset}: {warning}", file=sys.stderr)


def _write(path: Path, runs: list[str], averages: Mapping[str, evaluation.Average]) -> None:
    values = {
        "runs": runs,
        "datasets": {name: dataclasses.asdict(average) for name, average in averages.items()},
    }
    files.write_json(path, values)


if __name__ == "__main__":
    command.run(main, arguments="RUN RUN ...")
