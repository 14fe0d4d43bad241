"""From a run to a model that others can use: calibrated, exported and documented."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfrecords_schema.schema import parse_spec
from tfreid.errors import UsageError
from tfreid.inputs import InputSpec
from tfreid.records import DatasetFolder, DatasetInfo
from tfreid.report.descriptors import Advance, Batched, describe_split, embedder, no_progress
from tfreid.retrieval import calibrate, cosine_blocks
from tfreid.serving.export import next_version, require_descriptor, write_saved_model
from tfreid.training import RunFolder, load_run, read_run, versions

FAR = 0.001
"""False-accept rate of the recommended threshold."""

_SPLITS = ("query", "gallery")
_IMAGES_TO_CHECK = 8


def export_run(
    run: str | Path,
    *,
    base: str | Path | None = None,
    path: str | Path | None = None,
    model: keras.Model | None = None,
    data: DatasetFolder | None = None,
    far: float = FAR,
    flip_averaging: bool | None = None,
    batch_size: int = 64,
    advance: Advance = no_progress,
) -> Path:
    """Exports the model of a run with the threshold that its test images recommend.

    Args:
      run: folder of the run; of one that is not finished, the latest weights are taken.
      base: folder of the versions, in which the next one is written; the run's `export/` unless
        given.
      path: folder to write instead of a version in `base`.
      model: the run's model where it is at hand already.
      data: converted data set for the threshold and the check; the run's unless given.
      far: false-accept rate of the threshold.
      flip_averaging: average the descriptors of an image and of its mirror image; None for what
        the method does.
      batch_size: images in a batch; changes no figure.
      advance: called with a number of images after each batch.

    Returns:
      The folder that was written.

    Raises:
      UsageError: if the model gives no descriptor, or the rate is out of range.
      MissingPathError: if there is no run or no data.
      DataError: if the exported model differs from the run's, or a file is damaged.
      TrainingError: if a descriptor is not finite.
    """
    if not 0 < far < 1:
        raise UsageError(f"the false-accept rate must lie between 0 and 1, not {far:g}")
    folder = RunFolder(Path(run))
    method, recipe, info = read_run(folder.path)
    if model is None:
        *_, model = load_run(folder.path)
    require_descriptor(model)
    model = method.inference(model)
    if flip_averaging is None:
        flip_averaging = method.flip_averaging
    size = method.stages(recipe)[-1].inputs.image_size_px
    data = data or folder.open_data("reid")
    embed = embedder(model, size, batch_size, flip_averaging)
    facts = {
        "method": method.name,
        "data": _identified(info),
        "versions": versions(),
        **_threshold(embed, size, data, far, advance),
    }
    path = Path(path) if path else next_version(base or folder.path / "export")
    write_saved_model(
        model,
        size,
        path,
        _encoded_images(data),
        flip_averaging=flip_averaging,
        recipe=folder.read_recipe(),
        facts=facts,
    )
    return path


def _threshold(
    embed: Batched, size_px: tuple[int, int], data: DatasetFolder, far: float, advance: Advance
) -> dict[str, Any]:
    """Returns `threshold` for `serving.json`, or why there is none."""
    missing = [split for split in _SPLITS if split not in data.info.splits]
    if missing:
        reason = f"{data.info.name} has no {' and no '.join(missing)} split"
        return {"threshold": None, "reason": f"no threshold: {reason}"}
    spec = InputSpec(image_size_px=size_px)
    query, gallery = (
        describe_split(embed, data, split, spec, advance=advance) for split in _SPLITS
    )
    blocks = cosine_blocks(query.features, gallery.features)
    try:
        found = calibrate(blocks, query.identities, gallery.identities, far)
    except UsageError as error:
        return {"threshold": None, "reason": f"no threshold: {error}"}
    return {"threshold": dataclasses.asdict(found) | {"data": _identified(data.info)}}


def _identified(info: DatasetInfo) -> dict[str, Any]:
    return {"name": info.name, "fingerprint": info.fingerprint, "synthetic": info.synthetic}


def _encoded_images(data: DatasetFolder) -> list[bytes]:
    """A few image files of the first split, usually the training split."""
    store = data.store(next(iter(data.info.splits)))
    records = store.read(np.arange(min(len(store), _IMAGES_TO_CHECK)))
    parsed = tf.io.parse_example(records, parse_spec(data.info.kind))
    return parsed["image/encoded"].numpy().tolist()
