"""From images to figures in one call each, for notebooks; commands and programs use the layers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfreid import evaluation
from tfreid.errors import UsageError
from tfreid.evaluation import (
    AuditResult,
    DescribedNetwork,
    Measurement,
    Network,
    audit,
    evaluation_sets,
    images_to_see,
)
from tfreid.masks import mask_maker
from tfreid.methods import METHODS, Method
from tfreid.progress import Progress
from tfreid.records import ImageSet, Records
from tfreid.records.mask_maker import MaskMaker
from tfreid.serving import export_run
from tfreid.training import Run, fit

_SCALES = ("paper", "demo")


def convert_images(
    images: ImageSet | Sequence[ImageSet],
    out: str | Path,
    *,
    parser: str | Path | MaskMaker | None = None,
    backgrounds_root: str | Path | None = None,
    shards: int = 4,
    seed: int = 0,
    max_reject_fraction: float = 0.01,
) -> Records:
    """Converts images to records, unless that is done already.

    Args:
      images: a data set, or several of one kind that make a joint set.
      out: folder of the records. Where there are records, they are opened.
      parser: makes the masks that are missing: `"mediapipe_pose"`, the folder of a run, the path
        of a network, or a maker of one's own (`tfreid.records.mask_maker.MaskMaker`). An image of
        which it is not confident stays without mask; `unmasked.jsonl` in `out` names it.
      backgrounds_root: folder of scenes without persons, copied into `out`; those of the synthetic
        generator where it drew the images. Without any, where there are masks and OpenCV, they are
        made of the images themselves.
      shards: files a split.
      seed: of the records' order.
      max_reject_fraction: largest fraction of bad records; more fail the conversion.

    Returns:
      The records.

    Raises:
      UsageError: if the data sets cannot be joined, or `out` holds something else.
      MissingPathError: if a folder does not have its data set's layout.
      DataError: if too many images cannot be read.
    """
    if (Path(out) / "dataset.json").is_file():
        return Records(out)
    from tfreid.records import conversion, sources  # Only here: Beam is slow to import.

    sets = [images] if isinstance(images, ImageSet) else list(images)
    scenes = backgrounds_root or next(filter(None, (s.own_backgrounds for s in sets)), None)
    options = conversion.ConversionOptions(
        max_reject_fraction=max_reject_fraction,
        backgrounds_root=Path(scenes) if scenes else None,
        seed=seed,
        synthetic=any(s.drawn_in for s in sets),
    )
    maker = mask_maker(parser) if isinstance(parser, str | Path) else parser
    plan = sources.plan(sets, shards, copies=0, seed=seed, parser=maker)
    with Progress(sum(plan.num_records.values()), "converting", unit="records") as bar:
        conversion.convert(plan, Path(out), options, "tfreid.convert_images", advance=bar.advance)
    return Records(out)


def train_method(
    method: str | Method,
    data: Records | Mapping[str, Records],
    out: str | Path | None = None,
    *,
    scale: str = "paper",
    recipe: Mapping[str, Any] | None = None,
    export: bool | Callable[[Run], object] = False,
    **options: Any,
) -> Run:
    """Trains a method, or continues the run that `out` holds.

    Args:
      method: name of one of `METHODS`, or a method of one's own.
      data: records, or kind of records (`"reid"`, `"parsing"`) -> records.
      out: folder of the run; `runs/<method>` unless given.
      scale: `"paper"` or `"demo"`, the recipe to start from.
      recipe: fields of the recipe, dotted where nested, to value; `{"schedule.steps": 100}`.
      export: whether to end with a SavedModel, or what to call with the trained run.
      **options: of `tfreid.training.fit`, such as `seed` and `init_from`.

    Returns:
      The run, finished, with its model.

    Raises:
      UsageError, DataError, TrainingError: as `tfreid.training.fit`.
    """
    method = _method(method)
    data = {data.info.kind: data} if isinstance(data, Records) else data
    if scale not in _SCALES:
        raise UsageError(f"scale={scale!r} is not known: use {' or '.join(_SCALES)}")
    settings = method.recipe_with(scale, recipe or {})
    finish = export_run if export is True else export or None
    return fit(method, settings, data, out or f"runs/{method.name}", export=finish, **options)


def _method(method: str | Method) -> Method:
    if isinstance(method, Method):
        return method
    if method not in METHODS:
        raise UsageError(f"method={method!r} is not known: use one of {', '.join(METHODS)}")
    return METHODS[method]


def measure(
    networks: Sequence[Network],
    records: Records,
    measurement: Measurement | None = None,
    protocol: str | None = None,
) -> list[AuditResult]:
    """Measures a network on the test images of records, with a progress line.

    Args:
      networks: one, such as `run.network`, or several whose combined descriptors are compared.
      records: with splits `query` and `gallery`.
      measurement: how to measure.
      protocol: name of the protocol to use; each data set's own unless given.

    Returns:
      One audit a data set, with `.metrics()` and `.verdict`; for `write_report`.

    Raises:
      UsageError, DataError, TrainingError: as `tfreid.evaluation.audit`.
    """
    for network in networks:
        if not isinstance(network, Network):
            raise UsageError(
                f"networks={type(network).__name__}: expected networks, such as run.network; "
                "open_network makes one of a path or a function, described_network of descriptors"
            )
    sets, measurement = evaluation_sets(records, protocol), measurement or Measurement()
    total = sum(images_to_see(networks, tested, measurement) for tested in sets)
    with Progress(total, "measuring", unit="images") as bar:
        return [audit(networks, tested, measurement, bar) for tested in sets]


def described_network(
    name: str,
    descriptors: Mapping[tuple[str, str], np.ndarray],
    records: Records,
    protocol: str | None = None,
) -> DescribedNetwork:
    """Makes a network of descriptors that another system computed, for `measure`.

    Args:
      name: tells it from others.
      descriptors: variant and split, such as `("original", "query")`, -> `[n, d]` numbers, in the
        order of the records; of other variants without the images that have no mask.
      records: the images that were described.
      protocol: as of `measure`.

    Raises:
      UsageError, DataError: as `tfreid.evaluation.described_network`.
    """
    return evaluation.described_network(name, descriptors, evaluation_sets(records, protocol))
