"""Time and memory of k-reciprocal re-ranking, beside the authors' code where it is installed.

    python -m benchmarks.reranking
    python -m benchmarks.reranking --reference=.../torchreid/reid/utils/rerank.py

Clustered random descriptors, 2048-d. At the size of Market-1501 (3,368 queries, 15,913 gallery
images) time and peak memory are those of a process of its own, descriptors included. The reference
is a file with the authors' `re_ranking`, as torchreid and others ship it; it is compared on 1,000
queries and 4,000 gallery images, where it holds several matrices of 5,000 x 5,000.
"""

import importlib.util
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from absl import flags
from rich.console import Console
from rich.table import Table

from tfreid.cli import command
from tfreid.retrieval import (
    CosineDistances,
    Identities,
    Reranking,
    cosine_blocks,
    cosine_distances,
    evaluate,
    rerank,
)
from tfreid.retrieval.reranking import BLOCK_SIZE

_REFERENCE = flags.DEFINE_string("reference", None, "File with the authors' re_ranking.")
_MARKET, _SMALL = (3_368, 15_913), (1_000, 4_000)
_PERSONS, _CAMERAS, _DESCRIPTOR_SIZE = 751, 6, 2048
_STORED = "7.7 processor seconds, measured earlier on two cores, not in this run"


def problem(queries: int, gallery: int):
    """Returns descriptors and identities of queries and gallery."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((_PERSONS, _DESCRIPTOR_SIZE), np.float32)
    person = rng.integers(0, _PERSONS, queries + gallery)
    noise = rng.standard_normal((len(person), _DESCRIPTOR_SIZE), np.float32)
    features = centres[person] + 3 * noise
    identities = Identities(person + 1, rng.integers(1, _CAMERAS + 1, len(person)))
    first, rest = np.arange(queries), np.arange(queries, queries + gallery)
    return features[:queries], features[queries:], identities[first], identities[rest]


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Returns the result, seconds by the clock and of the processor."""
    start, clock = time.process_time(), time.monotonic()
    result = work()
    return result, time.monotonic() - clock, time.process_time() - start


def at_market_size() -> tuple[float, float, float]:
    """Returns seconds, processor seconds and peak memory in GiB of a process."""
    query, gallery, *_ = problem(*_MARKET)

    def work() -> None:
        for _ in rerank(CosineDistances(query, gallery), len(query)):
            pass

    _, seconds, cpu_seconds = measured(work)
    return seconds, cpu_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def reference_function(path: str) -> Callable[..., np.ndarray]:
    """Returns the `re_ranking` of a file, without importing the package that it is part of."""
    spec = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.re_ranking


class Matrix:
    """Distances that are known in full."""

    def __init__(self, matrix: np.ndarray):
        self.matrix = matrix

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields the matrix."""
        yield self.matrix

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns some of its elements."""
        return self.matrix[rows, columns]


def _all(blocks: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(blocks))


def compare(table: Table, path: str) -> None:
    """Adds both sides to the table and prints how far they agree."""
    query, gallery, of_query, of_gallery = problem(*_SMALL)
    queries = len(query)
    features = np.concatenate([query, gallery])
    matrix = np.maximum(cosine_distances(features, features), 0)
    # It squares what it is given: of unit vectors, half the squared distance is the cosine's.
    root = np.sqrt(matrix)
    reference = reference_function(path)
    work = {
        "reference, from distances": lambda: reference(
            root[:queries, queries:], root[:queries, :queries], root[queries:, queries:]
        ),
        "tfreid, from distances": lambda: _all(rerank(Matrix(matrix), queries)),
        "tfreid, from descriptors": lambda: _all(rerank(CosineDistances(query, gallery), queries)),
    }
    results = {}
    base = None
    for name, function in work.items():
        results[name], seconds, cpu_seconds = measured(function)
        base = base or cpu_seconds
        size = "{:,} x {:,}".format(*_SMALL)
        table.add_row(
            f"{name}, {size}",
            f"{seconds:.1f}",
            f"{cpu_seconds:.1f}",
            f"{cpu_seconds / base:.2f}",
            "",
        )
    their_result, ours_result, _ = results.values()
    maps = [
        evaluate([block], of_query, of_gallery).retrieval.mean_average_precision
        for block in (their_result, ours_result)
    ]
    plain = evaluate(cosine_blocks(query, gallery), of_query, of_gallery).retrieval
    print(
        f"mAP: plain {plain.mean_average_precision:.4f}, reference {maps[0]:.4f}, tfreid "
        f"{maps[1]:.4f}; largest difference of a distance "
        f"{np.abs(their_result - ours_result).max():.1e}"
    )


def main() -> None:
    """Measures and prints the table."""
    table = Table("step", "seconds", "processor seconds", "CPU ratio", "peak GiB")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, cpu_seconds, peak = pool.apply(at_market_size)
    size = "{:,} x {:,}".format(*_MARKET)
    table.add_row(f"tfreid, {size}", f"{seconds:.1f}", f"{cpu_seconds:.1f}", "", f"{peak:.2f}")
    estimate = Reranking().memory_bytes(sum(_MARKET), 4 * BLOCK_SIZE * sum(_MARKET)) / 2**30
    print(f"its own estimate, without descriptors: {estimate:.2f} GiB")
    if _REFERENCE.value:
        compare(table, _REFERENCE.value)
    else:
        print(f"no --reference: its 1,000 x 4,000 took {_STORED}")
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
