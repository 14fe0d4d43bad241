"""Time and memory of ranking a gallery against the usual sorting of every row.

    python -m benchmarks.ranking

The problem has the size of Market-1501: 3,368 queries, 15,913 gallery images, 2048-d descriptors
in clusters, one a person. `sorted rows` is the common way in plain NumPy: sort each row of the
distance matrix, drop what the protocol leaves out, walk along the hits. It is timed on every
twentieth query. Times are processor seconds, memory is what is held at the peak.
"""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import flags
from rich.console import Console
from rich.table import Table

from tfreid import command
from tfreid.retrieval import Identities, cosine_blocks, cosine_distances, evaluate

_QUERIES = flags.DEFINE_integer("queries", 3368, "Query images.", lower_bound=20)
_GALLERY = flags.DEFINE_integer("gallery", 15913, "Gallery images.", lower_bound=20)
_SIZE = flags.DEFINE_integer("descriptor_size", 2048, "Length of a descriptor.", lower_bound=2)
_PERSONS, _DISTRACTOR_SHARE, _CAMERAS, _STRIDE = 750, 0.176, 6, 20


def problem(rng: np.random.Generator, images: int, centres: np.ndarray, distractors: float):
    """Returns descriptors `[images, d]` in clusters and their identities."""
    person = rng.integers(1, len(centres) + 1, images)
    noise = rng.standard_normal((images, centres.shape[1]), np.float32)
    features = centres[person - 1] + 2 * noise
    person[rng.random(images) < distractors] = 0
    return features, Identities(person, rng.integers(1, _CAMERAS + 1, images))


def sorted_rows(distances: np.ndarray, query: Identities, gallery: Identities) -> float:
    """Returns the mAP, from a full sort of every row."""
    precisions = []
    for row, person, camera in zip(distances, query.person, query.camera, strict=True):
        order = np.argsort(row, kind="stable")
        same = gallery.person[order] == person
        kept = ~(same & (gallery.camera[order] == camera))
        hits = same[kept]
        if hits.any():
            ranks = np.flatnonzero(hits) + 1
            precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return float(np.mean(precisions))


def measured(work: Callable[[], Any]) -> tuple[Any, float]:
    """Returns the result and the processor seconds it took, the better of two."""
    seconds = []
    for _ in range(2):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return result, min(seconds)


def peak_mib(work: Callable[[], Any]) -> float:
    """Returns the memory that some work holds at its peak, in MiB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    """Measures and prints the table."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((_PERSONS, _SIZE.value), np.float32)
    queries, query = problem(rng, _QUERIES.value, centres, 0.0)
    images, gallery = problem(rng, _GALLERY.value, centres, _DISTRACTOR_SHARE)
    matrix, matrix_seconds = measured(lambda: cosine_distances(queries, images))
    result, seconds = measured(lambda: evaluate([matrix], query, gallery))
    few = Identities(query.person[::_STRIDE], query.camera[::_STRIDE])
    expected, part = measured(lambda: sorted_rows(matrix[::_STRIDE], few, gallery))
    ours = evaluate([matrix[::_STRIDE]], few, gallery).mean_average_precision
    assert abs(ours - expected) < 1e-6, f"mAP {ours} differs from the sorted rows' {expected}"
    rows_seconds = part * len(query) / len(few)

    def in_blocks():
        return evaluate(cosine_blocks(queries, images), query, gallery)

    table = Table("step", "processor seconds", "ratio", "peak MiB")
    table.add_row("distance matrix", f"{matrix_seconds:.2f}", "", f"{matrix.nbytes / 2**20:.0f}")
    table.add_row("CMC and mAP, sorted rows", f"{rows_seconds:.2f}", "1.00", "")
    peak = peak_mib(lambda: evaluate([matrix], query, gallery))
    ratio = f"{seconds / rows_seconds:.2f}"
    table.add_row("CMC and mAP, tfreid", f"{seconds:.2f}", ratio, f"{peak:.1f}")
    _, block_seconds = measured(in_blocks)
    table.add_row(
        "distances, CMC and mAP in blocks", f"{block_seconds:.2f}", "", f"{peak_mib(in_blocks):.0f}"
    )
    Console().print(table)
    size = f"{len(query):,} x {len(gallery):,} x {_SIZE.value}"
    print(f"{size}; mAP {result.mean_average_precision:.4f}")


if __name__ == "__main__":
    command.run(main)
