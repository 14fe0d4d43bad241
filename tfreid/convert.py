"""Convert data sets to TFRecords, with one Apache Beam pipeline.

Several --dataset (each with its --data_root) make a joint set: person and camera labels of one
data set follow those of the one before. Beam options come after `--`, for example
`-- --direct_running_mode=multi_processing --direct_num_workers=4`.
"""

import dataclasses
import json
import logging
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfreid.cli import command
from tfreid.datasets import VOCABULARIES, SplitChoice, has_several_splits, parse_name
from tfreid.datasets.check import NO_QUERY
from tfreid.datasets.files import LARGEST_LIMIT_MPX, MAX_IMAGE_MPX
from tfreid.errors import UsageError
from tfreid.files import require_new, require_space
from tfreid.records import ImageSet, Records, RecordsInfo
from tfreid.records.mask_maker import UNMASKED
from tfreid.records.own_backgrounds import INSTALL, can_inpaint

if TYPE_CHECKING:
    from tfreid.records.conversion import ConversionOptions
    from tfreid.records.mask_maker import MaskMaker
    from tfreid.records.sources import ConversionPlan

_DATASET = flags.DEFINE_multi_string(
    "dataset",
    None,
    "Data set, NAME or NAME:CHOICE,...; python -m tfreid.datasets lists them.",
    required=True,
)
_DATA_ROOT = flags.DEFINE_multi_string(
    "data_root", None, "Folder of the data set, one for each --dataset.", required=True
)
_OUT = flags.DEFINE_string("out", None, "Folder to write; it must not be there.", required=True)
_MASKS_ROOT = flags.DEFINE_multi_string(
    "masks_root",
    [],
    "Folder of mask PNGs that mirrors the images; one for each --dataset, may be empty (=).",
)
_MASK_VOCABULARY = flags.DEFINE_enum(
    "mask_vocabulary", None, list(VOCABULARIES), "Classes of the masks of --masks_root."
)
_PARSER = flags.DEFINE_string(
    "parser",
    None,
    "What makes the masks that are missing: mediapipe_pose, a run, or a .tflite or .onnx file.",
)
_BACKGROUNDS_ROOT = flags.DEFINE_string(
    "backgrounds_root",
    None,
    "Folder of scenes without persons, or of train/ and test/ with such; copied into the output.",
)
_RANDOM_BACKGROUND = flags.DEFINE_integer(
    "offline_random_background",
    0,
    "Copies of each training image on random backgrounds (PGP, Table 4).",
    lower_bound=0,
    upper_bound=2,
)
_SHARDS = flags.DEFINE_integer("shards", 4, "Files a split.", lower_bound=1)
_MAX_REJECT_FRACTION = flags.DEFINE_float(
    "max_reject_fraction",
    0.01,
    "Largest fraction of bad records; more fail the job.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_MAX_IMAGE_MPX = flags.DEFINE_float(
    "max_image_mpx",
    MAX_IMAGE_MPX,
    "Megapixels of the largest image; larger ones are rejected unread.",
    lower_bound=0.001,
    upper_bound=LARGEST_LIMIT_MPX,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the records' order and the random backgrounds.")
_SPLIT_SEED = flags.DEFINE_integer(
    "split_seed", None, "Seed of the splits, for data sets that draw them."
)
_SPLIT_INDEX = flags.DEFINE_integer(
    "split_index", None, "Which split, from 0, for data sets that have several.", lower_bound=0
)
_SPLIT_FROM = flags.DEFINE_string(
    "split_from", None, "Converted folder whose test persons are taken instead of drawing them."
)
_TEST_ALL = flags.DEFINE_bool(
    "test_all", False, "Test all persons where the split is drawn, as nothing is trained on them."
)

_KINDS_SHOWN = 10
_UNMASKED_SHOWN = 3


def main(beam_args: list[str]) -> None:
    """Runs the command."""
    _quieten_workers()
    from tfreid.records import conversion, runners, sources

    runners.with_runner(beam_args)  # Refuses wrong ones before the work.
    out = Path(_OUT.value)
    require_new(out)
    datasets = _datasets()
    plan = sources.plan(
        datasets,
        shards=_SHARDS.value,
        copies=_RANDOM_BACKGROUND.value,
        seed=_SEED.value,
        parser=_parser(),
    )
    options = conversion.ConversionOptions(
        max_reject_fraction=_MAX_REJECT_FRACTION.value,
        random_backgrounds=_RANDOM_BACKGROUND.value,
        backgrounds_root=_backgrounds_root(datasets),
        seed=_SEED.value,
        synthetic=any(dataset.drawn_in for dataset in datasets),
        max_image_mpx=_MAX_IMAGE_MPX.value,
    )
    _announce(plan, options, out, beam_args)
    for dataset in datasets:
        _warn_of_passed_over(dataset)
    require_space(out.parent, plan.image_bytes, "the records")
    started = time.monotonic()
    with command.progress(sum(plan.num_records.values()), "converting", unit="records") as bar:
        info = conversion.convert(
            plan,
            out,
            options,
            command=shlex.join(["python", "-m", "tfreid.convert", *sys.argv[1:]]),
            beam_args=beam_args,
            advance=bar.advance,
        )
    _summarise(info, out, time.monotonic() - started)


def _parser() -> "MaskMaker | None":
    if _PARSER.value is None:
        return None
    from tfreid.masks import mask_maker  # Only here: makers bring TensorFlow.

    return mask_maker(_PARSER.value)


def _quieten_workers() -> None:
    """Keeps Beam's own chatter and tracebacks away; what fails is still raised.

    Worker processes import Google's clients, which warn about the Python version.
    """
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")
    # Each decodes images with TensorFlow, which else takes a GPU's memory for the first of them.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)


def _datasets() -> list[ImageSet]:
    names, roots, masks_roots = _DATASET.value, _DATA_ROOT.value, _MASKS_ROOT.value
    if len(roots) != len(names) or len(masks_roots) not in (0, len(names)):
        raise UsageError(
            f"{len(names)} --dataset, {len(roots)} --data_root and {len(masks_roots)} "
            "--masks_root given: give one --data_root for each --dataset, and as many "
            "--masks_root (--masks_root= where there are none) or none"
        )
    masks_roots = masks_roots or [""] * len(names)
    return [_dataset(*given) for given in zip(names, roots, masks_roots, strict=True)]


def _dataset(name: str, root: str, masks_root: str) -> ImageSet:
    dataset, _ = parse_name(name)
    # Of a joint set, only those are asked whom the flags concern; alone, a data set may refuse.
    is_joint = len(_DATASET.value) > 1
    asked = has_several_splits(name) or not is_joint
    seed = None if is_joint and dataset.published_splits else _SPLIT_SEED.value
    split = _split(dataset.name, seed, _SPLIT_INDEX.value) if asked else None
    if _TEST_ALL.value and has_several_splits(name):
        split = dataclasses.replace(split or SplitChoice(), test_all=True)
    return ImageSet(
        name,
        Path(root),
        masks_root=Path(masks_root) if masks_root else None,
        mask_vocabulary=_MASK_VOCABULARY.value or "",
        split=split,
    )


def _split(name: str, seed: int | None, index: int | None) -> SplitChoice | None:
    if _SPLIT_FROM.value is None:
        return None if seed is None and index is None else SplitChoice(seed, index)
    if _SPLIT_SEED.value is not None or index is not None:
        raise UsageError("--split_from with --split_seed or --split_index: give one or the other")
    info = Records(Path(_SPLIT_FROM.value)).info
    split = info.split_again(name)
    if split is None:
        known = [name for name, source in info.sources.items() if source.split]
        raise UsageError(
            f"--split_from={_SPLIT_FROM.value} has no split of {name}: it has those of "
            f"{', '.join(known) or 'no data set'}"
        )
    return split


def _backgrounds_root(datasets: Sequence[ImageSet]) -> Path | None:
    if _BACKGROUNDS_ROOT.value is not None:
        return Path(_BACKGROUNDS_ROOT.value)
    return next((found for dataset in datasets if (found := dataset.own_backgrounds)), None)


def _announce(
    plan: "ConversionPlan", options: "ConversionOptions", out: Path, beam_args: Sequence[str]
) -> None:
    counts = ", ".join(f"{count:,} {split}" for split, count in plan.num_records.items())
    print(f"{plan.name}: {counts} records")
    if plan.kind == "reid":
        persons, cameras = (
            sum(map(len, table.values())) for table in (plan.person_labels, plan.camera_labels)
        )
        if persons:
            print(f"  training labels: {persons:,} persons, {cameras} cameras")
    for name, source in plan.sources.items():
        if source.split:
            print(f"  {name}: {source.split}")
        for reason, images in source.excluded.items():
            print(f"  {name}: {images:,} images left out, {reason}")
    if plan.num_records.get("gallery") and not plan.num_records.get("query"):
        print(f"  WARNING: {NO_QUERY}")
    print(f"  masks: {plan.mask_vocabulary or 'none'}")
    for name, source in plan.sources.items():
        if source.mask_vocabulary not in ("", plan.mask_vocabulary):
            print(f"  {name}: masks in {source.mask_vocabulary} become {plan.mask_vocabulary}")
    if plan.parser:
        print(f"  masks of {plan.num_parsed:,} records by {plan.parser.name}")
    print(f"  backgrounds: {options.backgrounds_root or _own_backgrounds(plan)}")
    print(f"  Beam: {shlex.join(beam_args) or 'local runner in this process'}")
    print(f"  to: {out}", flush=True)


def _own_backgrounds(plan: "ConversionPlan") -> str:
    """What there is where no scenes are given."""
    if plan.kind != "reid" or not plan.mask_vocabulary:
        return "none"
    if can_inpaint():
        return "the pictures themselves, without their persons"
    return f"none, so no random ones: give --backgrounds_root, or {INSTALL}"


def _warn_of_passed_over(dataset: ImageSet) -> None:
    kinds = [f"{files:,} {kind}" for kind, files in dataset.reading.passed_over.items()]
    if kinds:
        more = f" and {len(kinds) - _KINDS_SHOWN} more kinds" if kinds[_KINDS_SHOWN:] else ""
        named = ", ".join(kinds[:_KINDS_SHOWN])
        print(f"WARNING: {dataset.name}: files passed over: {named}{more}", flush=True)


def _summarise(info: RecordsInfo, out: Path, seconds: float) -> None:
    records = sum(split.records for split in info.splits.values())
    rejected = info.made_by["rejected"]
    print(f"{records:,} records in {seconds:.1f} s, {rejected} rejected")
    for split, counts in info.splits.items():
        masks = f", {counts.with_mask:,} with mask" if counts.with_mask else ""
        print(f"  {split}: {counts.records:,} records in {counts.shards} shards{masks}")
    if (scenes := Records(out).background_source) != "none":
        print(f"  backgrounds: {scenes}")
    _name_unmasked(out)
    others = sorted(path.name for path in out.iterdir() if ".tfrecord-" not in path.name)
    print(f"wrote {out}/: TFRecord shards, {', '.join(others)}")


def _name_unmasked(out: Path) -> None:
    """Says which images have no mask although there is a parser, or a file for each."""
    path = out / UNMASKED
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if lines:
        print(f"  WARNING: {len(lines):,} without mask, as no person was found with confidence:")
        for found in map(json.loads, lines[:_UNMASKED_SHOWN]):
            print(f"    {found['key']}: {found['reason']}")
        print(f"    all of them: {path}")


_NEEDS = {
    "mask_vocabulary": "masks_root or dataset=csv",
}


if __name__ == "__main__":
    command.run(
        main,
        arguments="[-- BEAM_OPTIONS]",
        needs=_NEEDS,
        reads=("data_root", "masks_root", "backgrounds_root"),
    )
