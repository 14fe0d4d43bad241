"""Tiny data sets, made once a test session; see `tiny_people.py` for what they hold."""

import ctypes
import gc
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny_people

from tests.commands import run_command
from tests.graphs import leave_as_traced
from tfreid.datasets import Reading, rows_of
from tfreid.records import Records

pytest_plugins = ["tests.measured"]


def pytest_addoption(parser):
    """Adds how long each test with random inputs looks for trouble."""
    parser.addoption("--fuzz_seconds", type=float, default=3.0, help="for each fuzzing test")


def pytest_configure():
    """Lets Ctrl-C reach the commands under test where a shell in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Prepares TensorFlow before any test runs it: two CPUs if one asks for replicas."""
    leave_as_traced()
    if not any("two_replicas" in item.fixturenames for item in items):
        return
    import tensorflow as tf

    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)


def pytest_collection_finish():
    """Leaves the libraries' million objects out of each search for garbage from now on."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def memory_of_one_file() -> Iterator[None]:
    """Frees what the models and graphs of a file of tests held, which gathers in gigabytes.

    TensorFlow never forgets the custom gradients of a graph, which hold the graph and its weights.
    """
    yield
    if "keras" in sys.modules:
        from tensorflow.python.framework.ops import gradient_registry

        for name in list(gradient_registry.list()):
            if name.startswith("CustomGradient-"):
                del gradient_registry._registry[name]
        sys.modules["keras"].backend.clear_session(free_memory=False)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(scope="session")
def two_replicas():
    """The `tf.distribute.MirroredStrategy` of the test session, over two logical CPU devices.

    A process can have only one such strategy with synchronised batch normalisation.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def full_disk(monkeypatch):
    """A disk on which hardly anything is free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))


@pytest.fixture(scope="session")
def raw_data(tmp_path_factory) -> Path:
    """A folder with `market1501/`, its mirror `masks/` (lip20), `lip/` and `backgrounds/`."""
    root = tmp_path_factory.mktemp("raw")
    tiny_people.write_market(root / "market1501", root / "masks")
    tiny_people.write_lip(root / "lip")
    tiny_people.write_backgrounds(root / "backgrounds")
    return root


@pytest.fixture(scope="session")
def reid_folder(raw_data, tmp_path_factory) -> Records:
    """Converted records: 8 training persons x 2 cameras x 3 images, 6 test persons, lip20 masks."""
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks")
    return _converted("market1501", rows, raw_data, tmp_path_factory.mktemp("converted") / "reid")


@pytest.fixture(scope="session")
def parsing_folder(raw_data, tmp_path_factory) -> Records:
    """Converted records for the parser: 12 training and 6 validation images, lip20 masks."""
    rows = rows_of("lip", raw_data / "lip")
    return _converted("lip", rows, raw_data, tmp_path_factory.mktemp("converted") / "parsing")


@pytest.fixture(scope="session")
def dgd_run(reid_folder, tmp_path_factory) -> Path:
    """A run of `--method=dgd` of one step, with inputs of 32x16 px."""
    out = tmp_path_factory.mktemp("runs") / "dgd"
    _train("dgd", out, f"--data={reid_folder.path}", "--recipe.image_size_px=(32,16)")
    return out


@pytest.fixture(scope="session")
def larger_dgd_run(reid_folder, tmp_path_factory) -> Path:
    """A run as `dgd_run`, with inputs of 48x24 px."""
    out = tmp_path_factory.mktemp("runs") / "larger"
    size = "--recipe.image_size_px=(48,24)"
    _train("dgd", out, f"--data={reid_folder.path}", size, "--noexport")
    return out


@pytest.fixture(scope="session")
def parsing_run(parsing_folder, tmp_path_factory) -> Path:
    """A run of `--method=parsing` of one step, with inputs of 48x48 px."""
    out = tmp_path_factory.mktemp("runs") / "parsing"
    data = f"--parsing_data={parsing_folder.path}"
    _train("parsing", out, data, "--recipe.image_size_px=(48,48)")
    return out


@pytest.fixture(scope="module")
def dask_args(tmp_path_factory) -> Iterator[list[str]]:
    """Beam options for the Dask runner on a scheduler and two workers, which idle at some cost."""
    from tests.dask_cluster import dask_cluster

    with dask_cluster(tmp_path_factory.mktemp("dask")) as options:
        yield options


def _train(method: str, out: Path, *arguments: str) -> None:
    small = ("--recipe.width=0.05", "--recipe.schedule.steps=1", "--recipe.batch_size=4")
    trained = run_command("train", f"--method={method}", f"--out={out}", *small, *arguments)
    assert trained.returncode == 0, trained.stderr


def _converted(name: str, rows: list, raw_data: Path, out: Path) -> Records:
    from tfreid.records import ImageSet, conversion, sources

    source = ImageSet(name, given=Reading(rows), mask_vocabulary="lip20")
    plan = sources.plan([source], shards=2, copies=0, seed=0)
    options = conversion.ConversionOptions(
        backgrounds_root=raw_data / "backgrounds", synthetic=True
    )
    conversion.convert(plan, out, options)
    return Records(out)
