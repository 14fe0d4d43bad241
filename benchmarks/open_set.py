"""Whether strangers get a name as often as the line is drawn for: drawn persons, a trained model.

    python -m benchmarks.open_set --model=runs/pgp/export
    python -m benchmarks.open_set --model=runs/pgp/export --sizes=100,10000 --calibrated=2000

Draws persons of a world of its own, two images each, by two cameras. The line comes from searches
among the first of them, as `tfreid.gallery calibrate` would draw it; strangers are others, and are
searched for in galleries of still others, of each size. What is measured has an interval over
strangers (95%, bootstrap by person); the one beside it is the line's own promise. The figures are
of drawn people.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from absl import flags

from tests.drawn_people import drawn_files
from tfreid.cli import command, network_flags
from tfreid.errors import UsageError
from tfreid.gallery.describing import ImageDescriber
from tfreid.retrieval import FPIR, Identities, PersonBootstrap, cosine_blocks, search_open_set

flags.adopt_module_key_flags(network_flags)

_SIZES = flags.DEFINE_list("sizes", ["100"], "Persons in the galleries.")
_CALIBRATED = flags.DEFINE_integer("calibrated", 500, "Persons that the line is drawn from.", 20)
_STRANGERS = flags.DEFINE_integer("strangers", 500, "Persons who are not enrolled.", 20)
_FPIR = flags.DEFINE_float("fpir", FPIR, "Rate that is asked for.", 0.0, 1.0)
_SEED = flags.DEFINE_integer("seed", 1000, "Of the world; not one that was trained in.", 0)

_IMAGES, _JOB_PERSONS = 2, 20


def main() -> None:
    """Measures and prints a table."""
    networks = network_flags.networks_from_flags()
    if len(networks) != 1:
        raise UsageError("--model must be given, one of them")
    sizes = [int(size) for size in _SIZES.value]
    counts = [_CALIBRATED.value, _STRANGERS.value, max(sizes)]
    found = _described(ImageDescriber(networks[0]), sum(counts))
    calibrated, strangers, enrolled = np.split(found, np.cumsum(counts)[:2])
    searches = _searched(calibrated)
    print("| persons enrolled | line | promised | measured |\n| ---: | ---: | ---: | ---: |")
    for size in sizes:
        try:
            line = searches.line(_FPIR.value, size)
        except UsageError as error:
            print(f"| {size:,} | {error} | | |")
            continue
        gallery = enrolled[:size].reshape(size * _IMAGES, -1)
        queries = strangers.reshape(len(strangers) * _IMAGES, -1)
        blocks = cosine_blocks(queries, gallery)
        named = np.concatenate([block.min(axis=1) <= line.distance for block in blocks])
        person = np.repeat(np.arange(len(strangers)), _IMAGES)
        rate = PersonBootstrap(person).mean(named.astype(np.float64))
        promised = f"{_FPIR.value:.2%} ({line.low:.2%} to {line.high:.2%})"
        measured = f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"
        print(f"| {size:,} | {line.distance:.4f} | {promised} | {measured} |", flush=True)


def _described(describer: ImageDescriber, persons: int) -> np.ndarray:
    """Draws persons and describes them, `[persons, images, d]`."""
    jobs = [range(s, min(s + _JOB_PERSONS, persons)) for s in range(0, persons, _JOB_PERSONS)]
    found = []
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as pool,
        command.progress(persons, "drawing and describing", unit="persons") as bar,
    ):
        for files in pool.map(partial(_drawn, _SEED.value), jobs):
            found.append(describer.describe(files, [str(n) for n in range(len(files))]))
            bar.advance(len(files) // _IMAGES)
    return np.concatenate(found).reshape(persons, _IMAGES, -1)


def _drawn(seed: int, persons: range) -> list[bytes]:
    """Draws an image by each of two cameras of some persons, as JPEG files."""
    return [file for person in persons for file in drawn_files(person, _IMAGES, seed)]


def _searched(descriptors: np.ndarray):
    flat = descriptors.reshape(len(descriptors) * _IMAGES, -1)
    who = np.repeat(np.arange(1, len(descriptors) + 1), _IMAGES)
    identities = Identities(who, np.tile(np.arange(_IMAGES), len(descriptors)))
    return search_open_set(cosine_blocks(flat, flat), identities, identities)


if __name__ == "__main__":
    command.run(main)
