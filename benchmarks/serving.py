"""Images per second of clients through the local server against calling the signature directly.

    python -m benchmarks.serving

The model is DGD with random weights, exported; the images are 128x64 JPEGs. Directly,
`serving_default` is called again and again with batches of 32 image files. Served, 32 concurrent
clients send requests over gRPC on this machine to `tfreid.serving.server`, which joins those that
wait; the clients are threads of another process. Rounds alternate and the table shows each one's
best: images per second by the clock, and processor time per image of the process that computes,
which a busy machine disturbs less. What the clients' process needs comes out of the
clock's ratio alone, and weighs more the fewer processor cores there are. Ratios are to `direct`.
The last row is of requests for the model's state, with no image and nothing to compute: what
gRPC costs by itself, in Python, for each request.
"""

import contextlib
import functools
import io
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import numpy as np
import PIL.Image
import tensorflow as tf
from absl import flags

from tfreid.methods import METHODS
from tfreid.serving import ReidClient, write_saved_model
from tfreid.serving.server import LocalServer
from tfreid.training.building import build_model

_SCALE = flags.DEFINE_enum("scale", "demo", ["demo", "paper"], "Size of the model.")
_CLIENTS = flags.DEFINE_integer("clients", 32, "Concurrent clients.", lower_bound=1)
_IMAGES = flags.DEFINE_integer("images", 4096, "Images of each measurement.", lower_bound=64)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each.", lower_bound=1)

_BATCH_IMAGES = 32
_REQUEST_IMAGES = (1, 8, 32)
_SIZE_PX = (128, 64)
_DIFFERENT_IMAGES = 256
_INFO = SimpleNamespace(num_persons=100, num_cameras=6, mean_pixel=(110.0, 105.0, 100.0))


def make_images() -> list[bytes]:
    """Returns JPEG files of smooth noise."""
    rng = np.random.default_rng(0)
    files = []
    for _ in range(_DIFFERENT_IMAGES):
        coarse = PIL.Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
        buffer = io.BytesIO()
        coarse.resize(_SIZE_PX[::-1], PIL.Image.Resampling.BICUBIC).save(buffer, "JPEG")
        files.append(buffer.getvalue())
    return files


def export_model(path: Path, images: list[bytes]) -> None:
    """Writes DGD with random weights."""
    method = METHODS["dgd"]
    recipe = method.demo() if _SCALE.value == "demo" else method.recipe()
    model = build_model(method, recipe, _INFO)
    size_px = method.stages(recipe)[-1].inputs.image_size_px
    write_saved_model(model, size_px, path, images[:4])


def run_clients(connection: Connection, address: str, images: list[bytes], clients: int) -> None:
    """Sends images when told to, in a process of its own.

    Args:
      connection: brings `total` and `in_request`, the images in all and in a request, of which 0
        stands for requests of the state, and None at the end; takes a note when all are answered.
      address: of the server.
      images: to choose from.
      clients: how many send at the same time, each on its own connection.
    """
    everyone = [ReidClient(address, batch_size=_BATCH_IMAGES) for _ in range(clients)]

    def send_every(nth: int, total: int, in_request: int) -> None:
        if not in_request:
            for _ in range(nth, total, clients):
                everyone[nth].status()
            return
        for start in range(nth * in_request, total, clients * in_request):
            places = range(start, start + in_request)
            everyone[nth].embed([images[place % len(images)] for place in places])

    with ThreadPoolExecutor(clients) as threads:
        while (task := connection.recv()) is not None:
            list(threads.map(functools.partial(send_every, **task), range(clients)))
            connection.send("done")


@contextlib.contextmanager
def other_process(address: str, images: list[bytes]) -> Iterator[Callable[[int], None]]:
    """Context in which clients wait in a process of their own.

    Yields:
      A function that has them send all images, given the images in a request.
    """
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    arguments = (theirs, address, images, _CLIENTS.value)
    process = processes.Process(target=run_clients, args=arguments, daemon=True)
    process.start()

    def send(in_request: int) -> None:
        ours.send({"total": _IMAGES.value, "in_request": in_request})
        ours.recv()

    yield send
    ours.send(None)
    process.join()


def direct_calls(version: Path, images: list[bytes]) -> Callable[[], None]:
    """Returns a function that calls the signature with all images."""
    signature = tf.saved_model.load(str(version)).signatures["serving_default"]
    starts = range(0, len(images), _BATCH_IMAGES)
    batches = [tf.constant(images[start : start + _BATCH_IMAGES]) for start in starts]

    def call() -> None:
        for number in range(_IMAGES.value // _BATCH_IMAGES):
            signature(image_bytes=batches[number % len(batches)])["embedding"].numpy()

    return call


def measure(act: Callable[[], None]) -> np.ndarray:
    """Returns the seconds per image, by the clock and of this process's processors."""
    started = np.array([time.perf_counter(), time.process_time()])
    act()
    return (np.array([time.perf_counter(), time.process_time()]) - started) / _IMAGES.value


def compare(base: Path, images: list[bytes]) -> dict[str, np.ndarray]:
    """Returns the least seconds per image of each way, by the clock and of the processor."""
    ways = {"direct": direct_calls(base / "1", images)}
    best: dict[str, np.ndarray] = {}
    with (
        LocalServer(base) as server,
        other_process(f"127.0.0.1:{server.port}", images) as send,
    ):
        for size in _REQUEST_IMAGES:
            name = f"served, {size} image{'s' if size > 1 else ''} a request"
            ways[name] = functools.partial(send, size)
        ways["requests without an image"] = functools.partial(send, 0)
        for number in range(_ROUNDS.value + 1):
            for name, act in ways.items():
                seconds = measure(act)
                if number:  # The first round warms up.
                    best[name] = np.minimum(best.get(name, np.inf), seconds)
    return best


def main() -> None:
    """Runs the benchmark and prints a table."""
    images = make_images()
    with tempfile.TemporaryDirectory() as folder:
        export_model(Path(folder) / "1", images)
        best = compare(Path(folder), images)
    print(f"{_SCALE.value} scale, {_CLIENTS.value} clients, {os.cpu_count()} processor cores\n")
    print("| what | images/s | ratio | CPU µs/image | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, times in best.items():
        clock, processor = best["direct"] / times
        print(
            f"| {name} | {1 / times[0]:,.0f} | {clock:.2f} | {1e6 * times[1]:,.0f} "
            f"| {processor:.2f} |"
        )


if __name__ == "__main__":
    command.run(main)
