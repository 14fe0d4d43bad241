"""The local server through a long and busy time: its answers, its memory, changes of versions.

    python -m benchmarks.serve_load

`python -m tfreid.serve` runs in a process of its own, with DGD at demo scale and random weights.
32 clients, threads of another process, send requests of 1 to 8 images one after the other. One
request in a hundred is garbage: cut off images, images of gigabytes, other formats, bytes that are
no request, long names. Meanwhile versions are dropped in and taken away, broken and impossible ones
among them. Every good request must be answered with the descriptors of the version that the answer
names, every garbage one refused, and the server must not grow; otherwise the exit code is 1.
"""

import contextlib
import io
import itertools
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import grpc
import numpy as np
import PIL.Image
import tensorflow as tf
from absl import flags
from tensorflow_serving.apis import predict_pb2

from tfreid.errors import ServingError
from tfreid.methods import METHODS
from tfreid.serving import ServedModel, write_saved_model
from tfreid.training.building import build_model

_SECONDS = flags.DEFINE_float("seconds", 600.0, "How long the clients ask.", 1.0)
_CLIENTS = flags.DEFINE_integer("clients", 32, "Concurrent clients.", 1)
_GARBAGE = flags.DEFINE_float("garbage", 0.01, "Share of garbage among the requests.", 0.0, 1.0)
_EVERY = flags.DEFINE_float("change_seconds", 10.0, "Time between changes of versions.", 0.1)
_GROWTH = flags.DEFINE_float("max_growth_mib", 400.0, "Memory that the server may gain.", 0.0)

_SIZE_PX, _IMAGES, _MOST_IN_REQUEST = (128, 64), 64, 8
_INFO = SimpleNamespace(num_persons=100, num_cameras=6, mean_pixel=(110.0, 105.0, 100.0))
_TOLERANCE, _TIMEOUT_S = 1e-3, 60
_PREDICT = "/tensorflow.serving.PredictionService/Predict"
_REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
_WARM = 0.25  # part of the time after which the server's memory is taken for the first time


def make_images() -> list[bytes]:
    """Returns JPEG files of smooth noise."""
    rng = np.random.default_rng(0)
    files = []
    for _ in range(_IMAGES):
        coarse = PIL.Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
        buffer = io.BytesIO()
        coarse.resize(_SIZE_PX[::-1], PIL.Image.Resampling.BICUBIC).save(buffer, "JPEG")
        files.append(buffer.getvalue())
    return files


def bomb() -> bytes:
    """Returns a PNG file of 30 KB that holds 16,000 x 16,000 pixels."""
    rows = zlib.compress(bytes(16_000 * 2_001), 9)
    header = (16_000).to_bytes(4, "big") * 2 + b"\1\0\0\0\0"
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in chunks
    )


def write_models(folder: Path, images: list[bytes]) -> list[np.ndarray]:
    """Writes two models, `0` and `1`, and returns the descriptors of each."""
    method = METHODS["dgd"]
    recipe = method.demo()
    size_px = method.stages(recipe)[-1].inputs.image_size_px
    expected = []
    for name in ("0", "1"):
        tf.keras.utils.set_random_seed(int(name))
        write_saved_model(build_model(method, recipe, _INFO), size_px, folder / name, images[:4])
        expected.append(ServedModel(folder / name).embed_files(images))
    return expected


def request_for(images: list[bytes], name: str = "reid") -> bytes:
    """Returns the bytes of a request for descriptors."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(images, tf.string))
    return request.SerializeToString()


def make_garbage(images: list[bytes]) -> list[bytes]:
    """Returns requests that must be refused."""
    other = io.BytesIO()
    PIL.Image.open(io.BytesIO(images[0])).save(other, "GIF")
    bad = [bomb(), other.getvalue(), images[0][:500], images[0][:20], b"", b"no image"]
    return [
        *(request_for([images[0], image]) for image in bad),
        request_for(images[:1], name="n" * 2**20),
        b"\xff" * 1000,
    ]


def ask(address: str, images: list[bytes], expected: list[np.ndarray], seed: int) -> tuple:
    """Sends one client's requests.

    Args:
      address: of the server.
      images: to choose from.
      expected: their descriptors by model 0 and by model 1, which has the odd versions.
      seed: of the client.

    Returns:
      Outcomes and how often they came, versions and how often they answered, and the seconds that
      each good request took.
    """
    chance, garbage = random.Random(seed), make_garbage(images)
    outcomes, versions, seconds = Counter(), Counter(), []
    end = time.monotonic() + _SECONDS.value
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(address, options=options) as channel:
        predict = channel.unary_unary(_PREDICT)
        while (started := time.monotonic()) < end:
            is_garbage = chance.random() < _GARBAGE.value
            places = [chance.randrange(_IMAGES) for _ in range(chance.randint(1, _MOST_IN_REQUEST))]
            message = (
                chance.choice(garbage) if is_garbage else request_for([images[p] for p in places])
            )
            try:
                answer = predict_pb2.PredictResponse.FromString(
                    predict(message, timeout=_TIMEOUT_S)
                )
            except grpc.RpcError as error:
                refused = is_garbage and error.code() in _REFUSED
                outcomes["refused garbage" if refused else f"{error.code().name}"] += 1
                continue
            version = answer.model_spec.version.value
            found = tf.make_ndarray(answer.outputs["embedding"])
            right = np.allclose(found, expected[version % 2][places], atol=_TOLERANCE)
            outcomes["right" if right and not is_garbage else "wrong"] += 1
            versions[version] += 1
            seconds.append(time.monotonic() - started)
    return outcomes, versions, seconds


def run_clients(connection, arguments: list[str], *rest) -> None:
    """Lets all clients ask, in a process of its own."""
    flags.FLAGS(arguments)
    with ThreadPoolExecutor(_CLIENTS.value) as threads:
        asked = [threads.submit(ask, *rest, seed) for seed in range(_CLIENTS.value)]
        outcomes, versions, seconds = zip(*(future.result() for future in asked), strict=True)
    connection.send(
        (sum(outcomes, Counter()), sum(versions, Counter()), [s for each in seconds for s in each])
    )


@contextlib.contextmanager
def served(base: Path, log: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """Context in which the command serves; yields its process and its address."""
    arguments = [f"--model_base={base}", "--port=0", "--poll_seconds=0.5"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tfreid.serve", *arguments], stdout=output, stderr=output
        )
        try:
            while not (lines := [ln for ln in log.read_text().splitlines() if "(gRPC)" in ln]):
                if process.poll() is not None:
                    raise ServingError(f"the server ended: {log.read_text()}")
                time.sleep(0.1)
            yield process, lines[0].split()[-2]
        finally:
            process.terminate()
            process.wait()


def memory_mib(process: subprocess.Popen) -> float:
    """Returns the memory of a process that is in use."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise ServingError("the server is gone")


def change_versions(base: Path, models: Path) -> Iterator[None]:
    """Changes the folder of versions at each step."""

    def drop(number: int) -> None:
        shutil.copytree(models / str(number % 2), base / ".copying")
        (base / ".copying").rename(base / str(number))

    for newest in itertools.count(2):
        drop(newest)
        yield
        if newest % 3 == 0:  # the newest is taken away: the one before serves again
            shutil.rmtree(base / str(newest))
            yield
            drop(newest)
            yield
        broken = base / str(newest + 1)
        broken.mkdir()
        (broken / "saved_model.pb").write_bytes(b"\xff" * 99)
        (broken / "notes").symlink_to("nowhere")
        (base / f"{2**63 + newest}").mkdir()
        (base / f"{2**63 + newest}" / "saved_model.pb").touch()
        yield
        shutil.rmtree(broken)
        shutil.rmtree(base / f"{2**63 + newest}")
        shutil.rmtree(base / str(newest - 1))


def main() -> None:
    """Runs the load and prints a table."""
    images = make_images()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = write_models(folder / "models", images)
        shutil.copytree(folder / "models" / "1", folder / "served" / "1")
        with served(folder / "served", folder / "log") as (process, address):
            ours, theirs = multiprocessing.get_context("spawn").Pipe()
            started = time.monotonic()
            asking = multiprocessing.get_context("spawn").Process(
                target=run_clients, args=(theirs, sys.argv, address, images, expected), daemon=True
            )
            asking.start()
            changes, memory = change_versions(folder / "served", folder / "models"), []
            while not ours.poll(_EVERY.value):
                next(changes)
                if time.monotonic() - started > _WARM * _SECONDS.value:
                    memory.append(memory_mib(process))
            outcomes, versions, seconds = ours.recv()
            memory.append(memory_mib(process))
            asking.join()
        log = (folder / "log").read_text()
    report(outcomes, versions, seconds, memory, log)


def report(outcomes: Counter, versions: Counter, seconds: list, memory: list, log: str) -> None:
    """Prints the table, and fails where the server did."""
    quantiles = np.quantile(seconds, [0.5, 0.99, 1.0]) * 1000
    print(f"{_SECONDS.value:g} s, {_CLIENTS.value} clients\n\n| what | |\n| --- | ---: |")
    for outcome, count in sorted(outcomes.items()):
        print(f"| requests: {outcome} | {count:,} |")
    print(f"| versions loaded | {log.count('serving version'):,} |")
    print(f"| versions that answered | {len(versions):,} |")
    print(f"| median, 99%, longest answer | {' / '.join(f'{ms:,.0f}' for ms in quantiles)} ms |")
    print(
        f"| memory: first, highest, last | {memory[0]:,.0f} / {max(memory):,.0f} / "
        f"{memory[-1]:,.0f} MiB |"
    )
    print(f"| tracebacks in the log | {log.count('Traceback')} |")
    unexpected = set(outcomes) - {"right", "refused garbage"}
    if unexpected or "Traceback" in log:
        raise ServingError(f"the server failed: {dict(outcomes)}")
    if memory[-1] - memory[0] > _GROWTH.value:
        raise ServingError(f"the server grew by {memory[-1] - memory[0]:,.0f} MiB")


if __name__ == "__main__":
    command.run(main)
