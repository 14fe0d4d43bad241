"""Files changed at random: the right result or an error of ours, nothing else.

`--fuzz_seconds=600` goes on for longer than the few seconds of each test. Seeds count from 0, so
that input number n is the same everywhere; `-rP` shows how many there were, and what came of them.
"""

import contextlib
import copy
import json
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datasets.hand_made import write_image
from tfreid.datasets import rows_of
from tfreid.errors import DataError, UsageError
from tfreid.methods import METHODS
from tfreid.records import Records, framing
from tfreid.training import Run
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.description import run_description
from tfreid.training.saved_steps import newest_checkpoint

LONGEST_S = 20
ABSURD = [None, True, -1, 0, 1e300, 10**30, "", "x", "../x", "\x00", [], {}, [[]], {"x": 1}]


@pytest.fixture
def fuzz(request) -> Callable[[Callable[[random.Random], str]], Counter]:
    """Tries inputs for a while: a function of a random generator that says what came of one."""

    def hangs(*_):
        raise TimeoutError(f"an input took more than {LONGEST_S} s")

    def run(attempt: Callable[[random.Random], str]) -> Counter:
        seconds = request.config.getoption("--fuzz_seconds")
        outcomes, end = Counter(), time.monotonic() + seconds
        before = signal.signal(signal.SIGALRM, hangs)
        try:
            while time.monotonic() < end:
                seed = outcomes.total()
                signal.alarm(LONGEST_S)
                try:
                    outcomes[attempt(random.Random(seed))] += 1
                except (UsageError, DataError) as error:
                    outcomes["error of ours" if str(error).strip() else "no word"] += 1
                except Exception as error:
                    raise AssertionError(f"input {seed}: {error!r}") from error
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
        print(f"{outcomes.total():,} inputs: {dict(outcomes)}")
        assert outcomes["error of ours"]
        assert not outcomes["no word"]
        return outcomes

    return run


def changed(data: bytes, chance: random.Random) -> bytes:
    """The bytes after one to four changes: bits, cuts, insertions, repetitions, zeros."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((1, 2, 8, 64, 4096)))
        what = chance.randrange(6)
        if what == 0 and start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[start:end]
        elif what == 2:
            data[start:start] = chance.randbytes(chance.choice((1, 4, 64)))
        elif what == 3:
            data[start:start] = data[start:end]
        elif what == 4:
            data[start:end] = bytes(end - start)
        else:
            del data[start:]
    return bytes(data)


def places(values: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key of JSON values."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield values, key
        if isinstance(value, dict | list):
            yield from places(value)


def absurd(values: dict, chance: random.Random) -> str:
    """The values with one to three of them missing or absurd, and no checksum."""
    values = copy.deepcopy(values)
    values.pop("checksum", None)
    for _ in range(chance.randint(1, 3)):
        found = list(places(values))
        if not found:
            break
        holder, key = chance.choice(found)
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(ABSURD))
    return json.dumps(chance.choice(ABSURD) if chance.random() < 0.05 else values)


def replaced(path: Path, whole: bytes, chance: random.Random) -> bool:
    """Writes a changed JSON file; returns whether its checksum is still there to tell."""
    by_bytes = chance.random() < 0.5
    text = changed(whole, chance) if by_bytes else absurd(json.loads(whole), chance).encode()
    path.write_bytes(text)
    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(text)
        return isinstance(values, dict) and "checksum" in values
    return False


def test_dataset_json(fuzz, reid_folder, tmp_path):
    folder = tmp_path / "records"
    shutil.copytree(reid_folder.path, folder)
    path = folder / "dataset.json"
    whole = path.read_bytes()

    def attempt(chance):
        has_checksum = replaced(path, whole, chance)
        records = Records(folder)
        assert not has_checksum or records.info == reid_folder.info
        for split in records.info.splits:
            _ = records.store(split), records.info.has_masks(split)
        return "read"

    fuzz(attempt)


def test_recipe_json(fuzz, tmp_path):
    recipe = METHODS["pgp"].demo()
    with Run(tmp_path).claim(run_description("pgp", recipe, 0, Arithmetic(), {})):
        pass
    path = tmp_path / "recipe.json"
    whole = path.read_bytes()

    def attempt(chance):
        has_checksum = replaced(path, whole, chance)
        run = Run(tmp_path)
        found, stages = run.recipe, run.stages
        assert not has_checksum or found == recipe
        return f"read, {len(stages)} stages"

    fuzz(attempt)


def test_csv_manifest(fuzz, tmp_path):
    lines = ["path,person_id,camera_id,split"]
    for number, split in enumerate(("train", "train", "query", "gallery")):
        name = write_image(tmp_path / f"{number}.jpg").name
        lines.append(f"{name},person {number // 2},yard,{split}")
    whole = ("\n".join(lines) + "\n").encode()
    path = tmp_path / "people.csv"
    images = {str(image) for image in tmp_path.glob("*.jpg")}

    def attempt(chance):
        path.write_bytes(changed(whole, chance))
        rows = rows_of("csv", path)
        assert {row.split for row in rows} <= {"train", "query", "gallery"}
        assert {str(Path(row.image_path).resolve()) for row in rows} <= images
        return "read"

    fuzz(attempt)


def test_tfrecord_shards(fuzz, reid_folder, tmp_path):
    folder = tmp_path / "records"
    shutil.copytree(reid_folder.path, folder)
    wanted = reid_folder.store("query").read(np.arange(len(reid_folder.store("query"))))
    paths = Records(folder).shards("query")
    whole = [path.read_bytes() for path in paths]

    def attempt(chance):
        for path, data in zip(paths, whole, strict=True):
            path.write_bytes(data)
        number = chance.randrange(len(paths))
        paths[number].write_bytes(changed(whole[number], chance))
        store = Records(folder).store("query")
        np.testing.assert_array_equal(store.read(np.arange(len(store))), wanted)
        return "the same records"

    fuzz(attempt)
    assert framing.payload_spans(whole[0], paths[0]).size


def test_checkpoint_folders(fuzz, tmp_path):
    import tensorflow as tf

    value = tf.Variable(tf.zeros(64))
    checkpoint = tf.train.Checkpoint(value=value)
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, 3)
    for step in (2, 4, 6):
        value.assign(tf.fill((64,), float(step)))
        manager.save(checkpoint_number=step)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def attempt(chance):
        for path, data in whole.items():
            path.write_bytes(data)
        for path in chance.sample(sorted(whole), chance.randint(1, len(whole))):
            if chance.random() < 0.2:
                path.unlink()
            else:
                path.write_bytes(changed(whole[path], chance))
        found = newest_checkpoint(tmp_path)
        if found is None:
            return "none was ever there"
        checkpoint.restore(found).assert_existing_objects_matched()
        np.testing.assert_array_equal(value.numpy(), float(found.rpartition("-")[2]))
        return f"step {found.rpartition('-')[2]}"

    outcomes = fuzz(attempt)
    assert not outcomes["none was ever there"]
