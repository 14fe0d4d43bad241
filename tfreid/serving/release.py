"""From a run to a model that others can use: calibrated, exported and documented."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfrecords_schema.schema import parse_spec
from tfreid.errors import DataError
from tfreid.evaluation import Describer, Network
from tfreid.evaluation.descriptors import Advance, no_progress
from tfreid.records import Records
from tfreid.serving.export import (
    check_networks,
    next_version,
    require_descriptor,
    require_room,
    write_networks,
)
from tfreid.serving.recommendation import RATES, Rates, identified, recommend
from tfreid.serving.refused import faults_of
from tfreid.training import Run, open_data, open_runs, short_names, versions

_IMAGES_TO_CHECK = 8


def export_run(
    run: str | Path | Run,
    *,
    base: str | Path | None = None,
    path: str | Path | None = None,
    data: Records | None = None,
    rates: Rates = RATES,
    flip_averaging: bool | None = None,
    batch_size: int = 64,
    advance: Advance = no_progress,
) -> Path:
    """Exports the model of a run with the threshold that its test images recommend.

    Args:
      run: the run or its folder; of one that is not finished, the latest weights are taken.
      base: folder of the versions, in which the next one is written; the run's `export/` unless
        given.
      path: folder to write instead of a version in `base`.
      data: records for the threshold and the check; the run's unless given.
      rates: errors that the recommended distances may make.
      flip_averaging: average the descriptors of an image and of its mirror image; None for what
        the method does.
      batch_size: images in a batch; changes no figure.
      advance: called with a number of images after each batch.

    Returns:
      The folder that was written.

    Raises:
      UsageError: if the model gives no descriptor.
      MissingPathError: if there is no run or no data.
      DataError: if the exported model differs from the run's, or a file is damaged.
      TrainingError: if a descriptor is not finite.
    """
    run = run if isinstance(run, Run) else Run(run)
    network = _network(run, run.method.name, flip_averaging)
    check_networks([network])
    path = Path(path) if path else next_version(base or run.path / "export")
    require_room([network], path)
    data = data or run.open_data("reid")
    found = recommend(Describer([network], batch_size), data, rates, advance)
    facts = {**_trained(run), "versions": versions(), **found.facts}
    extra = {"recipe": run.description, "facts": facts, "searches": found.searches}
    write_networks([network], path, _encoded_images(data), **extra)
    return path


def export_runs(
    runs: Sequence[str | Path],
    *,
    base: str | Path,
    data: str | Path | None = None,
    rates: Rates = RATES,
    flip_averaging: bool | None = None,
    batch_size: int = 64,
    advance: Advance = no_progress,
) -> Path:
    """Exports several runs as one model, which gives their combined descriptors.

    Args:
      runs: their folders; the maps are those of the first.
      base: folder of the versions, in which the next one is written.
      data: folder of records for the threshold and the check; the runs' unless given.
      rates: errors that the recommended distances may make.
      flip_averaging: average the descriptors of an image and of its mirror image; None for what
        each method does.
      batch_size: images in a batch; changes no figure.
      advance: called with a number of images after each batch of each network.

    Returns:
      The folder that was written.

    Raises:
      UsageError: if a run is named twice or gives no descriptor, the runs were trained on
        different data and none are given.
      MissingPathError, DataError, TrainingError: as for `export_run`.
    """
    opened = open_runs([Path(run) for run in runs])
    records = open_data(opened, data)
    named = list(zip(short_names(opened), opened, strict=True))
    networks = [_network(run, name, flip_averaging) for name, run in named]
    path = next_version(base)
    require_room(networks, path)
    pairs = zip(networks, opened, strict=True)
    found = recommend(Describer(networks, batch_size), records, rates, advance)
    facts = {
        "method": " + ".join(run.method.name for run in opened),
        "combined": [{**network.to_json(), **_trained(run)} for network, run in pairs],
        "versions": versions(),
        **found.facts,
    }
    recipe = {"runs": [run.description for run in opened]}
    extra = {"recipe": recipe, "facts": facts, "searches": found.searches}
    write_networks(networks, path, _encoded_images(records), **extra)
    return path


def _network(run: Run, name: str, flip_averaging: bool | None) -> Network:
    """What of a run is exported."""
    require_descriptor(run.model)
    network = replace(run.network, name=name, model=run.method.inference(run.model))
    if flip_averaging is None:
        return network
    return replace(network, flip_averaging=flip_averaging)


def _trained(run: Run) -> dict[str, Any]:
    return {"method": run.method.name, "data": identified(run.info)}


def _encoded_images(data: Records) -> list[bytes]:
    """A few image files of the first split, usually the training split, that a server takes."""
    store = data.store(next(iter(data.info.splits)))
    records = store.read(np.arange(min(len(store), _IMAGES_TO_CHECK)))
    parsed = tf.io.parse_example(records, parse_spec(data.info.kind))
    files = parsed["image/encoded"].numpy().tolist()
    faults = faults_of(files)
    if len(faults) == len(files):
        raise DataError(f"no server would take the images of {data.path}: the first is {faults[0]}")
    return [file for place, file in enumerate(files) if place not in faults]
