"""A gallery of random descriptors: how fast it is filled and searched, against arrays in memory.

    python -m benchmarks.gallery
    python -m benchmarks.gallery --images=1000000
    python -m benchmarks.gallery --images=2000 --positions=110 --noindex
    uv run --with faiss-cpu python -m benchmarks.gallery

Descriptors have 512 values, a tenth as many persons as images, six cameras. Searches go through
`Gallery.search` from its descriptor on, log included; arrays are searched by NumPy's matrix product
and, where it is installed, by FAISS (IndexFlatIP), float32 both. Clients are threads that search at
the same time. The memory is that of all of the database's processes, shared pages once. Positions
have 2,048 values; an exact search reconstructs 100 images.
"""

import concurrent.futures
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
from absl import flags

from tfreid.cli import command
from tfreid.gallery import Database, Gallery, NewImage
from tfreid.gallery.embedded import stop
from tfreid.gallery.storing import store
from tfreid.retrieval.reconstruction import PositionFeatures

_IMAGES = flags.DEFINE_integer("images", 100_000, "Images in the gallery.", 1000)
_SEARCHES = flags.DEFINE_integer("searches", 20, "Searches of each kind.", 2)
_CLIENTS = flags.DEFINE_integer("clients", 8, "Clients at the same time.", 1)
_POSITIONS = flags.DEFINE_integer("positions", 0, "Positions of an image, as FPR's.", 0)
_INDEX = flags.DEFINE_bool("index", True, "Also make an index, and search by it.")

_VALUES, _CAMERAS, _STEP, _TOP = 512, 6, 100_000, 10
_POSITION_VALUES, _POSITION_STEP = 2048, 500
_THUMBNAIL = bytes(1500)


def main() -> None:
    """Measures and prints a table."""
    with tempfile.TemporaryDirectory(prefix="gallery") as folder:
        database = Database(Path(folder) / "g")
        gallery = Gallery.create(database, _Describer(), "random")
        stored = np.empty((_IMAGES.value, _VALUES), np.float32)
        rate = _fill(database, stored)
        print(f"\n{_IMAGES.value:,} descriptors of {_VALUES}, stored at {rate:,.0f}/s\n")
        print("| search | median ms | 99% ms | ratio |\n| --- | ---: | ---: | ---: |")
        plain = _row("NumPy, float32 in memory", _numpy(stored))
        if (faiss := _faiss(stored)) is not None:
            _row("FAISS flat, float32 in memory", faiss, plain)
        _row("gallery, exact", _search(gallery), plain)
        _row("gallery, exact, of one camera", _search(gallery, cameras=["camera 1"]), plain)
        name = f"gallery, exact, {_CLIENTS.value} clients"
        _row(name, _search(gallery), plain, clients=_CLIENTS.value)
        if _POSITIONS.value:
            start = time.perf_counter()
            gallery.calibrate("benchmark")
            print(f"\ncalibrated in {time.perf_counter() - start:.0f} s")
        if _INDEX.value:
            start = time.perf_counter()
            recall = gallery.index("benchmark")
            took = time.perf_counter() - start
            _row("gallery, by its index", _search(gallery, approximate=True), plain)
            print(f"\nindex made and measured in {took:.0f} s: {recall:.1%} of the 10 nearest")
        print(f"\nmemory of the database: {_memory_mib(Path(folder)):,.0f} MiB")
        stop(Path(folder) / "g")


class _Describer(SimpleNamespace):
    """Stands for a model: a picture is the number of its descriptor."""

    size, searches, fingerprint = _VALUES, None, np.eye(4, _VALUES, dtype=np.float32)

    @property
    def beta(self) -> float | None:
        return 0.01 if _POSITIONS.value else None

    def require(self, *_: object) -> None:
        pass

    def describe(self, files: list[bytes], _: list[str]) -> np.ndarray:
        return np.concatenate([_descriptors(int(file), 1) for file in files])

    def describe_positions(self, files: list[bytes], names: list[str]) -> PositionFeatures:
        return _positions(int(files[0]), self.describe(files, names))


def _positions(seed: int, pooled: np.ndarray) -> PositionFeatures:
    shape = (len(pooled), _POSITIONS.value, _POSITION_VALUES)
    found = np.random.default_rng(seed).standard_normal(shape, np.float32)
    found /= np.linalg.norm(found, axis=2, keepdims=True)
    return PositionFeatures.from_arrays(found, np.full(shape[:2], 1 / shape[1]), pooled)


def _descriptors(seed: int, count: int) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, _VALUES), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _fill(database: Database, stored: np.ndarray) -> float:
    """Stores descriptors; returns how many a second."""
    took = 0.0
    step = _POSITION_STEP if _POSITIONS.value else _STEP
    for start in range(0, len(stored), step):
        part = stored[start : start + step]
        part[:] = _descriptors(1_000_000 + start, len(part))
        images = [
            NewImage(str(n), f"person {n // 10}", b"", f"camera {n % _CAMERAS}")
            for n in range(start, start + len(part))
        ]
        positions = _positions(start, part) if _POSITIONS.value else None
        with command.progress(1, "storing", unit="parts") as bar, database.connect() as connection:
            began = time.perf_counter()
            with connection.transaction():
                small = [_THUMBNAIL] * len(part)
                store(connection, images, part, small, keep_images=False, positions=positions)
            took += time.perf_counter() - began
            bar.advance(1)
    return len(stored) / took


def _search(gallery: Gallery, **options: object) -> Callable[[int], object]:
    return lambda n: gallery.search([b"%d" % n], top=_TOP, actor="benchmark", **options)


def _numpy(stored: np.ndarray) -> Callable[[int], object]:
    def search(n: int) -> np.ndarray:
        similar = stored @ _descriptors(n, 1)[0]
        nearest = np.argpartition(-similar, _TOP)[:_TOP]
        return nearest[np.argsort(-similar[nearest])]

    return search


def _faiss(stored: np.ndarray) -> Callable[[int], object] | None:
    try:
        import faiss
    except ImportError:
        return None
    index = faiss.IndexFlatIP(_VALUES)
    index.add(stored)
    return lambda n: index.search(_descriptors(n, 1), _TOP)


def _row(
    name: str, search: Callable[[int], object], plain: float | None = None, clients: int = 1
) -> float:
    """Searches, and prints a line of the table; returns the median in milliseconds."""
    search(0)

    def timed(n: int) -> float:
        start = time.perf_counter()
        search(n)
        return 1e3 * (time.perf_counter() - start)

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        took = list(pool.map(timed, range(_SEARCHES.value * clients)))
    median, slowest = np.median(took), np.quantile(took, 0.99)
    print(f"| {name} | {median:,.0f} | {slowest:,.0f} | {median / (plain or median):.2f} |")
    return float(median)


def _memory_mib(folder: Path) -> float:
    """Returns the proportional set size of the processes that work in a folder."""
    total = 0
    for process in psutil.process_iter(["cwd"]):
        if (process.info["cwd"] or "").startswith(str(folder)):
            with contextlib.suppress(psutil.NoSuchProcess):  # Workers come and go.
                total += process.memory_full_info().pss
    return total / 2**20


if __name__ == "__main__":
    command.run(main)
