"""Check what this machine's GPUs do with each method: memory, time, equal bits, precisions.

Updates every stage of every method a few times on noise, twice from the same state, in each
precision, and compares a GPU with the CPU, all GPUs with one, and the input with the update. Ends
with a table for a bug report. Without a GPU it does what it can on the CPU at demo scale, and says
what it left out.
"""

import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import tensorflow as tf
from absl import flags

from tfreid.cli import embedded
from tfreid.errors import UsageError
from tfreid.inputs import training_batches
from tfreid.methods import METHODS, Stage
from tfreid.records import Records
from tfreid.reproduction.rendering import aligned
from tfreid.training import PRECISIONS, versions
from tfreid.training.probe import Probe, StageFigures

_METHODS = flags.DEFINE_list("methods", list(METHODS), "Methods to check, for example dgd,pgp.")
_PRECISIONS = flags.DEFINE_list("precisions", list(PRECISIONS), "Precisions to check them in.")
_SCALE = flags.DEFINE_enum(
    "scale", None, ["paper", "demo"], "Size of the models: paper, or demo without a GPU."
)
_DATA = flags.DEFINE_string("data", None, "Converted data (tfreid.convert) to time the input on.")
_PARSING_DATA = flags.DEFINE_string("parsing_data", None, "Converted human-parsing data, likewise.")

_TOLERANCE = 0.01
"""Share by which a GPU's first losses and gradient may differ from the CPU's in float32."""

_INPUT_SECONDS = 2.0
_LIBRARIES = {"CUDA": "cuda_version", "cuDNN": "cudnn_version"}
_HEADINGS = (
    *("stage", "on", "precision", "size, px", "images", "s/update", "images/s", "input/s"),
    *("GiB", "same bits", "loss", "gradient"),
)


@dataclasses.dataclass(frozen=True)
class Probed:
    """A stage on devices in a precision, or why there are no figures of the method."""

    method: str
    place: str
    precision: str
    figures: StageFigures | None
    failure: str = ""


def main() -> int:
    """Checks as the flags say; returns 1 if anything failed."""
    _require_known(_METHODS, METHODS)
    _require_known(_PRECISIONS, PRECISIONS)
    gpus = [device.name.rpartition("/")[2] for device in tf.config.list_physical_devices("GPU")]
    scale = _SCALE.value or ("paper" if gpus else "demo")
    _describe_machine(gpus, scale)
    with tempfile.TemporaryDirectory() as folder:
        data = _data(Path(folder))
        rows = [row for name in _METHODS.value for row in _rows(name, scale, len(gpus))]
        speeds = _input_speeds(scale, data)
    print(f"\n{_table(rows, speeds)}\n")
    faults = [fault for row in rows for fault in _faults(row)]
    faults += _disagreements(rows)
    for fault in faults:
        print(f"- {fault}")
    for omission in _omissions(len(gpus), scale):
        print(f"- left out: {omission}")
    print("nothing failed" if not faults else f"{len(faults)} things failed, see above")
    return 1 if faults else 0


def _require_known(flag: flags.FlagHolder, known: Collection[str]) -> None:
    for name in flag.value:
        if name not in known:
            raise UsageError(f"--{flag.name}: {name!r} is none of {', '.join(known)}")


def _describe_machine(gpus: Sequence[str], scale: str) -> None:
    found = versions()
    build = tf.sysconfig.get_build_info()
    found |= {name: build[key] for name, key in _LIBRARIES.items() if key in build}
    print(", ".join(f"{name} {version}" for name, version in found.items()))
    for number, device in enumerate(tf.config.list_physical_devices("GPU")):
        details = tf.config.experimental.get_device_details(device)
        print(f"{gpus[number]}: {details.get('device_name', 'of no name')}")
    print(f"{len(gpus) or 'no'} GPU, {os.cpu_count()} cores; models at {scale} scale")


def _rows(method: str, scale: str, gpus: int) -> Iterator[Probed]:
    """Probes a method: in each precision, and where there are GPUs on other devices, too."""
    one = "GPU" if gpus else "CPU"
    for precision in _PRECISIONS.value:
        yield from _probe(Probe(method, scale, precision=precision), one)
    if gpus > 1:
        yield from _probe(Probe(method, scale), f"{gpus} GPUs")
    if gpus:
        for place in ("GPU", "CPU"):
            exact = Probe(method, "demo", tensor_float_32=False)
            yield from _probe(exact, f"{place}, demo")


def _probe(probe: Probe, place: str) -> list[Probed]:
    """Runs a probe in a process of its own."""
    print(f"{probe.method}, {probe.precision}, {place}", flush=True)
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    visible = {"CPU": "-1", "GPU": first}.get(place.partition(",")[0])
    ended = subprocess.run(
        [sys.executable, "-m", "tfreid.training.probe", json.dumps(dataclasses.asdict(probe))],
        env=os.environ | ({"CUDA_VISIBLE_DEVICES": visible} if visible else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        return [Probed(probe.method, place, probe.precision, None, _reason(ended))]
    found = [StageFigures(**values) for values in json.loads(ended.stdout.splitlines()[-1])]
    return [Probed(probe.method, place, probe.precision, figures) for figures in found]


def _reason(ended: subprocess.CompletedProcess) -> str:
    if ended.returncode < 0:
        return f"killed by signal {-ended.returncode}; 9 is the system's where memory runs out"
    return ended.stderr.strip().rpartition("\n")[2][:300]


def _data(folder: Path) -> dict[str, Records]:
    """What the input is timed on: the records given, or a few drawn ones."""
    paths: dict[str, Any] = {"reid": _DATA.value, "parsing": _PARSING_DATA.value}
    if not any(paths.values()):
        few = ["--persons=32", "--lip_images=64", "--occluded_persons=1", "--backgrounds=20"]
        paths = dict(zip(paths, embedded.ensure(folder, few), strict=True))
    return {kind: Records(path) for kind, path in paths.items() if path}


def _input_speeds(scale: str, data: Mapping[str, Records]) -> dict[tuple[str, str], float]:
    """Images a second of the input of each stage, from records."""
    print("timing the input", flush=True)
    return {
        (name, stage.name): _images_per_second(stage, data[stage.data])
        for name in _METHODS.value
        for stage in METHODS[name].stages(METHODS[name].base_recipe(scale, {}))
        if stage.data in data
    }


def _images_per_second(stage: Stage, records: Records) -> float:
    batches = iter(training_batches(records, "train", stage.inputs, stage.batch_size, seed=0))
    next(batches)
    started = time.perf_counter()
    for count in itertools.count(1):
        next(batches)
        seconds = time.perf_counter() - started
        if seconds > _INPUT_SECONDS:
            return count * stage.batch_size / seconds
    raise AssertionError("batches have no end")


def _table(rows: Sequence[Probed], speeds: Mapping[tuple[str, str], float]) -> str:
    lines = [list(_HEADINGS)]
    for row in rows:
        name = f"{row.method} {row.figures.stage}" if row.figures else row.method
        lines.append([name, row.place, row.precision, *_cells(row, rows, speeds)])
    return aligned(lines)


def _cells(
    row: Probed, rows: Sequence[Probed], speeds: Mapping[tuple[str, str], float]
) -> list[str]:
    found = row.figures
    if found is None:
        return ["-", "-", "failed", *["-"] * (len(_HEADINGS) - 6)]
    speed = speeds.get((row.method, found.stage))
    size, images, losses = found.image_size_px, found.images, found.losses
    return [
        f"{size[0]}x{size[1]}",
        str(images),
        f"{found.seconds:.3f}",
        f"{images / found.seconds:,.0f}",
        "-" if speed is None or "demo" in row.place else f"{speed:,.0f}",
        "-" if found.peak_bytes is None else f"{found.peak_bytes / 2**30:.2f}",
        "yes" if found.repeats else "no",
        *(_beside(row, rows, name, losses[name]) for name in ("total", "gradient_norm")),
    ]


def _beside(row: Probed, rows: Sequence[Probed], name: str, value: float) -> str:
    """A first loss with what it differs by from float32 in the same place."""
    plain = _found(rows, row, row.place, "float32")
    if plain is None or plain is row.figures:
        return f"{value:.4g}"
    return f"{value:.4g} ({value / plain.losses[name] - 1:+.1%})"


def _found(rows: Sequence[Probed], row: Probed, place: str, precision: str) -> StageFigures | None:
    for other in rows:
        same = (other.method, other.place, other.precision) == (row.method, place, precision)
        if same and other.figures and row.figures and other.figures.stage == row.figures.stage:
            return other.figures
    return None


def _faults(row: Probed) -> Iterator[str]:
    if row.figures is None:
        yield f"{row.method} on {row.place} in {row.precision}: {row.failure}"
        return
    name = f"{row.method} {row.figures.stage} on {row.place} in {row.precision}"
    if not all(map(math.isfinite, row.figures.losses.values())):
        yield f"{name}: a loss is not finite: {row.figures.losses}"
    if not row.figures.repeats:
        yield f"{name}: the same update from the same state gave other bits"
    if row.figures.refused:
        yield f"{name}: no deterministic kernel on a GPU: {', '.join(row.figures.refused)}"


def _disagreements(rows: Sequence[Probed]) -> Iterator[str]:
    """What differs between a GPU and the CPU in float32 by more than rounding explains."""
    for row in rows:
        other = _found(rows, row, "CPU, demo", "float32") if row.place == "GPU, demo" else None
        for name, value in (row.figures.losses if other and row.figures else {}).items():
            if not math.isclose(value, other.losses[name], rel_tol=_TOLERANCE, abs_tol=1e-6):
                yield (
                    f"{row.method} {row.figures.stage}: {name} is {value:.6g} on a GPU and "
                    f"{other.losses[name]:.6g} on the CPU"
                )


def _omissions(gpus: int, scale: str) -> Iterator[str]:
    if not gpus:
        yield "a GPU's memory, time and bits, and the CPU beside it: there is none here"
    if gpus < 2:
        yield "several GPUs"
    if scale == "demo":
        yield "models at the papers' size (--scale=paper)"


if __name__ == "__main__":
    command.run(main, reads=("data", "parsing_data"))
