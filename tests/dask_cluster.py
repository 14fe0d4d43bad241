"""A Dask cluster on this machine: a scheduler and worker processes, as users start them."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import distributed

WORKERS = 2


@contextlib.contextmanager
def dask_cluster(folder: Path) -> Iterator[list[str]]:
    """Gives the Beam options that run a pipeline on the cluster, an element a partition."""
    file = f"--scheduler-file={folder / 'scheduler.json'}"
    worker = ("worker", file, "--no-nanny", "--nthreads=1", f"--local-directory={folder}")
    started = [_start("scheduler", file, "--host=127.0.0.1", "--port=0")]
    try:
        started += [_start(*worker) for _ in range(WORKERS)]
        with distributed.Client(scheduler_file=folder / "scheduler.json") as client:
            client.wait_for_workers(WORKERS, timeout=120)
        yield [
            "--runner=apache_beam.runners.dask.dask_runner.DaskRunner",
            f"--dask_scheduler_file={folder / 'scheduler.json'}",
            "--dask_partition_size=1",
        ]
        with contextlib.suppress(ValueError):  # raised when none is left
            while True:
                distributed.default_client().close()  # The runner leaves one open a pipeline.
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _start(command: str, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", command, *options, "--no-dashboard"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def workers_that_loaded(module: str) -> int:
    """Returns how many workers of the cluster that the last pipeline ran on loaded a module."""
    loaded = distributed.default_client().run(lambda: module in sys.modules)
    return sum(loaded.values())
