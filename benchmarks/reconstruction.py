"""Time and memory of matching by reconstruction, against its products and pairs by themselves.

    python -m benchmarks.reconstruction
    python -m benchmarks.reconstruction --queries=10 --gallery=100

Images as in the paper: 110 positions of 2048 values, here of random persons, in float32 files that
are memory-mapped. They are written to a temporary folder first (`TMPDIR` chooses where; 1 GB) and
removed at the end.

- Products alone: for each pair one of 110 x 2048 by 2048 x 110, those of all queries and 40 gallery
  images at a time as one product in float32.
- Pairs by themselves: the equations as published, `numpy.linalg.solve` for each of a few pairs.

Each line is measured in a new process. Memory is what the resident size (VmHWM) grows by after the
features were opened, files that are mapped included.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks.ranking import alone
from tfreid.cli import command
from tfreid.progress import duration
from tfreid.retrieval import (
    PositionFeatures,
    ReconstructionMatching,
    position_writer,
    reconstruction_blocks,
)
from tfreid.retrieval.reconstruction import estimate

_QUERIES = flags.DEFINE_integer("queries", 100, "Queries.", lower_bound=1)
_GALLERY = flags.DEFINE_integer("gallery", 1_000, "Gallery images.", lower_bound=1)
_PAIRS = flags.DEFINE_integer("pairs", 60, "Pairs that are computed by themselves.", lower_bound=1)
_POSITIONS, _SIZE, _PERSONS, _PARTS, _BETA = 110, 2048, 50, 8, 0.01
_STACKED = 40
_BUDGETS_GIB = (0.25, 0.5, 1.0, 2.0)
_QUERIES_FOR_MEMORY = 10


@dataclass(frozen=True)
class Measured:
    """What some work took for each of its pairs, and what it gave."""

    pairs: int
    seconds: float
    cpu_seconds: float
    grown_mib: float
    result: Any

    def row(self, name: str, bare: "Measured") -> str:
        """Returns a line of the table."""
        milliseconds, bare_milliseconds = (
            [1e3 * taken / one.pairs for taken in (one.seconds, one.cpu_seconds)]
            for one in (self, bare)
        )
        ratios = np.divide(milliseconds, bare_milliseconds)
        return (
            f"| {name} | {self.pairs:,} | {self.seconds:.1f} | {milliseconds[0]:.3f} "
            f"| {ratios[0]:.2f} | {milliseconds[1]:.3f} | {ratios[1]:.2f} |"
        )


def measured(pairs: int, work: Callable[[], Any]) -> Measured:
    """Does some work; for a process that does nothing else."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # The peak starts here.
    before = _status_mib("VmRSS")
    start = time.perf_counter(), time.process_time()
    result = work()
    taken = time.perf_counter() - start[0], time.process_time() - start[1]
    return Measured(pairs, *taken, _status_mib("VmHWM") - before, result)


def _status_mib(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def write(folder: Path, queries: int, gallery: int) -> None:
    """Writes features of queries and gallery images."""
    random = np.random.default_rng(0)
    parts = np.abs(random.standard_normal((_PERSONS, _PARTS, _SIZE), np.float32))
    for name, images in (("query", queries), ("gallery", gallery)):
        with position_writer(folder / name) as writer:
            for _ in range(images):
                part = parts[random.integers(_PERSONS), random.integers(0, _PARTS, _POSITIONS)]
                noise = random.standard_normal((1, _POSITIONS, _SIZE), np.float32)
                positions = np.maximum(part + noise, 0)
                weights = random.random((1, _POSITIONS))
                positions /= np.linalg.norm(positions, axis=2, keepdims=True)
                weights /= weights.sum()
                writer.append(
                    PositionFeatures.from_arrays(positions, weights, positions.mean(axis=1))
                )


def features(folder: Path) -> tuple[PositionFeatures, PositionFeatures]:
    """Opens the features of queries and gallery images."""
    return PositionFeatures.open(folder / "query"), PositionFeatures.open(folder / "gallery")


def products(folder: Path) -> Measured:
    """Multiplies, and keeps nothing."""
    query, gallery = features(folder)
    rows = np.array(query.positions)
    out = np.empty((len(rows), _STACKED * _POSITIONS), np.float32)

    def work() -> None:
        for start in range(0, len(gallery), _STACKED):
            block = gallery[start : start + _STACKED].positions
            np.matmul(rows, block.T, out=out[:, : len(block)])

    return measured(len(query) * len(gallery), work)


def matching(folder: Path, how: ReconstructionMatching, queries: int | None = None) -> Measured:
    """Matches, and returns the distances."""
    query, gallery = features(folder)
    query = query[:queries]
    with tempfile.TemporaryDirectory(dir=folder) as parts:
        pairs = estimate(query, gallery, how).pairs

        def work() -> np.ndarray:
            return np.concatenate(list(reconstruction_blocks(query, gallery, how, folder=parts)))

        return measured(pairs, work)


def expected(folder: Path, how: ReconstructionMatching) -> float:
    """Returns how many seconds matching is expected to take."""
    return estimate(*features(folder), how).seconds


def by_themselves(folder: Path, pairs: int, dtype: type) -> Measured:
    """Computes some pairs as published; returns queries, images and distances."""
    query, gallery = features(folder)
    random = np.random.default_rng(1)
    chosen = random.integers(0, len(query), pairs), random.integers(0, len(gallery), pairs)
    ridge = _BETA * np.eye(_POSITIONS, dtype=dtype)

    def distance(probe: PositionFeatures, image: PositionFeatures) -> float:
        x, y = probe.positions.astype(dtype), image.positions.astype(dtype)
        coefficients = np.linalg.solve(y @ y.T + ridge, y @ x.T)
        return np.linalg.norm(x - coefficients.T @ y, axis=1) @ probe.weights

    def work() -> list[float]:
        return [
            distance(query[q : q + 1], gallery[g : g + 1]) for q, g in zip(*chosen, strict=True)
        ]

    taken = measured(pairs, work)
    return dataclasses.replace(taken, result=(*chosen, taken.result))


def compare_times(folder: Path) -> None:
    """Prints what pairs take."""
    exact = ReconstructionMatching(beta=_BETA)
    shortlist = dataclasses.replace(exact, mode="shortlist")
    print(f"estimate for all pairs: {duration(alone(expected, folder, exact))}", flush=True)
    rows = {
        "products alone": alone(products, folder),
        "exact": alone(matching, folder, exact),
        "shortlist of 100": alone(matching, folder, shortlist),
        "pairs by themselves, float32": alone(by_themselves, folder, _PAIRS.value, np.float32),
        "pairs by themselves, float64": alone(by_themselves, folder, _PAIRS.value, np.float64),
    }
    print("| what | pairs | seconds | ms/pair | ratio | CPU ms/pair | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, taken in rows.items():
        print(taken.row(name, rows["products alone"]))
    queries, images, right = rows["pairs by themselves, float64"].result
    difference = np.abs(rows["exact"].result[queries, images] - right).max()
    print(f"largest difference of exact from float64: {difference:.1e}", flush=True)


def compare_memory(folder: Path) -> None:
    """Prints what is held with several budgets."""
    print(f"| budget MiB, {_QUERIES_FOR_MEMORY} queries | peak MiB |")
    print("| ---: | ---: |")
    for gib in _BUDGETS_GIB:
        how = ReconstructionMatching(beta=_BETA, memory_budget_gib=gib)
        taken = alone(matching, folder, how, _QUERIES_FOR_MEMORY)
        print(f"| {1024 * gib:,.0f} | {taken.grown_mib:,.0f} |", flush=True)


def main() -> None:
    """Measures and prints the tables."""
    queries, gallery = _QUERIES.value, _GALLERY.value
    print(f"{queries:,} queries x {gallery:,} gallery images x {_POSITIONS} x {_SIZE}", flush=True)
    with tempfile.TemporaryDirectory(prefix="reconstruction.") as folder:
        alone(write, Path(folder), queries, gallery)
        compare_times(Path(folder))
        compare_memory(Path(folder))


if __name__ == "__main__":
    command.run(main)
