"""Time and memory of ranking a gallery, against the bare matrix product and other toolkits.

    python -m benchmarks.ranking
    python -m benchmarks.ranking --torchreid=/path/to/deep-person-reid --fastreid=/path/to/fast-reid
    python -m benchmarks.ranking --size=market500k --rounds=1

From random descriptors of 2048 values in clusters, one a person, to the scores, distances
included. Ratios are to `queries @ gallery.T` in the same run, of at most 16,384 gallery images at a
time. Lines take turns, each time in a new process; the table shows the best. Memory is the largest
resident size of such a process (VmHWM): descriptors, Python, and what is mapped from files. The
descriptors are written to a temporary folder first (`TMPDIR` chooses where) and removed at the end;
with `--size=market500k` (4.3 GB) they stay there and are memory-mapped.

Where the folder of a toolkit's package is given, its published ranking gets the same distances, at
the size of Market-1501 and without ties: each row holds the order of its distances.
"""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks._ranking_peers import MAX_RANK, MODULES, Peer, peers_in
from tfreid.cli import command
from tfreid.errors import UsageError
from tfreid.retrieval import Identities, cosine_blocks, cosine_distances, evaluate


@dataclass(frozen=True)
class Size:
    """How large a test is."""

    queries: int
    gallery: int
    persons: int
    cameras: int
    distractors: int
    mapped: bool = False

    @property
    def bytes(self) -> int:
        """What the descriptors take."""
        return 4 * _DESCRIPTOR_SIZE * (self.queries + self.gallery)


SIZES = {
    "market": Size(3_368, 15_913, 750, 6, 2_793),
    "msmt17": Size(11_659, 82_161, 3_060, 15, 0),
    "market500k": Size(3_368, 515_913, 750, 6, 502_793, mapped=True),
}
_SIZE = flags.DEFINE_enum("size", "market", list(SIZES), "How large a test.")
_ROUNDS = flags.DEFINE_integer("rounds", 2, "Measurements of each.", lower_bound=1)
_PATHS = {
    toolkit: flags.DEFINE_string(toolkit, None, f"Folder that holds {toolkit}'s package.")
    for toolkit in MODULES
}

_DESCRIPTOR_SIZE, _NOISE, _SLAB = 2048, 3.5, 16_384
_STORED = """\
not measured in this run, but earlier on two CPU cores, in processor seconds: the distance matrix in
NumPy 3.5; CMC and mAP from the matrix with torchreid's Cython 4.4, with its Python 92
(--torchreid=PATH and --fastreid=PATH measure them here)"""


@dataclass(frozen=True)
class Measured:
    """What some work took, and what it gave."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    result: Any


def measured(work: Callable[[], Any]) -> Measured:
    """Does some work; for a process that does nothing else."""
    start = time.perf_counter(), time.process_time()
    result = work()
    taken = time.perf_counter() - start[0], time.process_time() - start[1]
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_kib = int(status.split("VmHWM:")[1].split()[0])
    return Measured(*taken, peak_kib / 1024, result)


def best(rounds: Sequence[Measured]) -> Measured:
    """Returns the shortest times, the largest memory and the result."""
    return Measured(
        seconds=min(one.seconds for one in rounds),
        cpu_seconds=min(one.cpu_seconds for one in rounds),
        peak_mib=max(one.peak_mib for one in rounds),
        result=rounds[0].result,
    )


def alone(step: Callable[..., Any], *arguments: Any) -> Any:
    """Runs a step in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(step, *arguments).result()


def write(folder: Path, size: Size) -> None:
    """Writes descriptors and identities of queries and gallery images."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((size.persons, _DESCRIPTOR_SIZE), np.float32)
    for part, images, strangers in (
        ("query", size.queries, 0),
        ("gallery", size.gallery, size.distractors),
    ):
        person = random.integers(1, size.persons + 1, images)
        person[random.permutation(images)[:strangers]] = 0
        camera = random.integers(1, size.cameras + 1, images)
        np.save(folder / f"{part}_identities.npy", np.stack([person, camera]))
        shape = (images, _DESCRIPTOR_SIZE)
        file = np.lib.format.open_memmap(folder / f"{part}.npy", "w+", np.float32, shape)
        for start in range(0, images, _SLAB):
            slab = slice(start, start + _SLAB)
            file[slab] = random.standard_normal(file[slab].shape, np.float32)
            file[slab] *= _NOISE
            known = start + np.flatnonzero(person[slab])
            file[known] += centres[person[known] - 1]


def identities(folder: Path, part: str) -> Identities:
    """Reads who is on the images of a part."""
    return Identities(*np.load(folder / f"{part}_identities.npy", allow_pickle=False))


def features(folder: Path, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Reads the descriptors of queries and gallery images, or maps the latter."""
    mode = "r" if size.mapped else None
    query = np.load(folder / "query.npy", allow_pickle=False)
    return query, np.load(folder / "gallery.npy", mmap_mode=mode, allow_pickle=False)


def product(folder: Path, size: Size) -> Measured:
    """Multiplies, and keeps the products of one slab."""
    query, gallery = features(folder, size)

    def work() -> None:
        for start in range(0, len(gallery), _SLAB):
            query @ gallery[start : start + _SLAB].T

    return measured(work)


def ranking(folder: Path, size: Size, options: dict[str, Any]) -> Measured:
    """Evaluates from descriptors."""
    query, gallery = features(folder, size)
    who = identities(folder, "query"), identities(folder, "gallery")

    def work() -> dict[str, float]:
        return evaluate(cosine_blocks(query, gallery), *who, **options).retrieval.metrics()

    return measured(work)


def write_matrix(folder: Path, size: Size) -> None:
    """Writes distances without ties: each row holds the order of its distances."""
    matrix = cosine_distances(*features(folder, size))
    for row in matrix:
        row[np.argsort(row)] = np.arange(len(row))
    np.save(folder / "matrix.npy", matrix)


def from_matrix(folder: Path, peer: Peer | None) -> Measured:
    """Scores a whole distance matrix, here or with another toolkit."""
    matrix = np.load(folder / "matrix.npy", allow_pickle=False)
    who = identities(folder, "query"), identities(folder, "gallery")

    def work() -> dict[str, np.ndarray]:
        if peer:
            return peer.evaluate(matrix, *who)
        retrieval = evaluate([matrix], *who).retrieval
        return {
            "CMC": retrieval.cmc(MAX_RANK),
            "mAP": retrieval.mean_average_precision,
            "mINP": retrieval.mean_inverse_negative_penalty,
        }

    return measured(work)


def compare_with_product(folder: Path, size: Size, rounds: int) -> None:
    """Prints what evaluation from descriptors takes beside the matrix product."""
    more = {"list_length": 10, "camera_pairs": True}
    scores = "distances, CMC, mAP, mINP"
    steps = {
        "queries @ gallery.T": (product, folder, size),
        scores: (ranking, folder, size, {}),
        "the same, lists of 10, camera pairs": (ranking, folder, size, more),
    }
    turns = [{name: alone(*step) for name, step in steps.items()} for _ in range(rounds)]
    rows = {name: best([turn[name] for turn in turns]) for name in steps}
    bare = rows["queries @ gallery.T"]
    print("| what | seconds | ratio | CPU seconds | ratio | peak MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, taken in rows.items():
        print(
            f"| {name} | {taken.seconds:.2f} | {taken.seconds / bare.seconds:.2f} "
            f"| {taken.cpu_seconds:.2f} | {taken.cpu_seconds / bare.cpu_seconds:.2f} "
            f"| {taken.peak_mib:,.0f} |"
        )
    print(", ".join(f"{name} {value:.4f}" for name, value in rows[scores].result.items()))


def compare_with_peers(folder: Path, size: Size, peers: list[Peer]) -> None:
    """Prints what others take for scores from the same distances, and how far they agree."""
    alone(write_matrix, folder, size)
    ours = alone(from_matrix, folder, None)
    print("| CMC and mAP from the matrix | seconds | CPU seconds | peak MiB | differs by |")
    print("| --- | ---: | ---: | ---: | --- |")
    for peer in (None, *peers):
        taken = alone(from_matrix, folder, peer) if peer else ours
        differences = [
            f"{name} {np.abs(taken.result[name] - ours.result[name]).max():.0e}"
            for name in taken.result
        ]
        print(
            f"| {peer.name if peer else 'tfreid'} | {taken.seconds:.2f} "
            f"| {taken.cpu_seconds:.2f} | {taken.peak_mib:,.0f} "
            f"| {', '.join(differences) if peer else ''} |"
        )


def main() -> None:
    """Measures and prints the tables."""
    size, rounds = SIZES[_SIZE.value], _ROUNDS.value
    paths = {toolkit: flag.value for toolkit, flag in _PATHS.items() if flag.value}
    if paths and _SIZE.value != "market":
        raise UsageError("other toolkits hold the whole matrix and its order: use --size=market")
    peers = [peer for given in paths.items() for peer in alone(peers_in, *given)]
    place = Path(tempfile.gettempdir())
    if shutil.disk_usage(place).free < 1.2 * size.bytes:
        raise UsageError(
            f"{place} has not the {size.bytes / 1e9:.1f} GB free that the descriptors take: name "
            "another folder with TMPDIR, or use a smaller --size"
        )
    print(f"writing {size.bytes / 1e9:.1f} GB to {place} for as long as this takes")
    print(f"{size.queries:,} queries x {size.gallery:,} gallery images x {_DESCRIPTOR_SIZE}")
    with tempfile.TemporaryDirectory(prefix="ranking.") as folder:
        alone(write, Path(folder), size)
        compare_with_product(Path(folder), size, rounds)
        if _SIZE.value == "market":
            compare_with_peers(Path(folder), size, peers)
    if _SIZE.value == "market" and not peers:
        print(_STORED)


if __name__ == "__main__":
    command.run(main)
