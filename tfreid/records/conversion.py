"""The conversion of image folders to TFRecords: one Apache Beam pipeline.

Rows become entries, each with its place in a shard (`sources`); each worker opens the files of a
shard and writes it whole (`shards`). Images never travel between workers.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

import tfreid
from tfrecords_schema import schema
from tfreid.datasets.files import MAX_IMAGE_MPX
from tfreid.errors import DataError, UsageError
from tfreid.files import completed_folder, read_json, write_json
from tfreid.records import manifest, shards, sources
from tfreid.records.entries import TRAIN
from tfreid.records.info import RecordsInfo, SplitInfo
from tfreid.records.mask_maker import UNMASKED, write_reasons
from tfreid.records.own_backgrounds import can_inpaint, write_own_backgrounds
from tfreid.records.records import Records
from tfreid.records.runners import unwrapped_errors, with_runner
from tfreid.records.scenes import copy_scenes, find_scenes, held_out
from tfreid.records.watch import watch_shards

REJECTS = "rejects.jsonl"
_REPORT = "report.json"
_LONGEST_NAME = 255
"""Bytes, on all usual disks."""
_REASONS_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class ConversionOptions:
    """How to convert.

    Attributes:
        max_reject_fraction: largest fraction of the records that may be rejected.
        random_backgrounds: copies of each training image on random backgrounds, 0, 1 or 2
            (PGP, Table 4: original to random 1:1 and 1:2).
        backgrounds_root: folder of background scenes, copied into the output: half of them for
            training and half for the test, or those of its folders `train` and `test` where it has
            no others. Without it, backgrounds are made of the pictures themselves, where they have
            masks and OpenCV is installed.
        seed: seed of the records' order and of the random backgrounds.
        synthetic: whether the images were drawn by the synthetic generator.
        max_image_mpx: megapixels of the largest image; larger ones are rejected, as are such
            backgrounds.
    """

    max_reject_fraction: float = 0.01
    random_backgrounds: int = 0
    backgrounds_root: Path | None = None
    seed: int = 0
    synthetic: bool = False
    max_image_mpx: float = MAX_IMAGE_MPX


def convert(
    plan: sources.ConversionPlan,
    out: Path,
    options: ConversionOptions,
    command: str = "",
    beam_args: Sequence[str] = (),
    advance: Callable[[int], None] = lambda records: None,
) -> RecordsInfo:
    """Writes a converted data set.

    Args:
        plan: what to write; see `sources.plan`.
        out: the folder to make. It appears when complete.
        options: how to convert.
        command: the command line, to be kept in `dataset.json`.
        beam_args: Beam pipeline options; see `with_runner`. Workers on other machines need to see
            the same files.
        advance: called with the number of records of each shard that is whole.

    Returns:
        The contents of `dataset.json`.

    Raises:
        UsageError: if `out` or the file for rejects is taken or cannot have its name, or random
            backgrounds lack masks or scenes.
        DataError: if too many records were rejected, or a split has no record left. The rejects
            are then in `<out>.rejects.jsonl`.
        OSError: if the disk is full.
    """
    out = out.absolute()
    scenes = held_out(find_scenes(options.backgrounds_root), plan.num_records)
    _check_random_backgrounds(plan, options, scenes)
    kept_rejects = out.with_name(f"{out.name}.{REJECTS}")
    excess = len(os.fsencode(kept_rejects.name)) - _LONGEST_NAME
    if excess > 0:
        size = len(os.fsencode(out.name))
        raise UsageError(
            f"the name of {out} has {size} bytes: choose one of at most {size - excess}, which "
            "leaves room for that of its rejects"
        )
    if os.path.lexists(kept_rejects) and not _holds_rejects(kept_rejects):
        raise UsageError(
            f"{kept_rejects} is where rejects would be kept, and is something else: move it away"
        )
    with completed_folder(out) as folder:
        copy_scenes(scenes, folder, options.max_image_mpx)
        job = shards.ConversionJob(
            str(folder),
            plan.kind,
            tuple(map(str, scenes.get(TRAIN, scenes.get("", ())))),
            options.seed,
            plan.mask_vocabulary,
            plan.parser,
            options.max_image_mpx,
        )
        with unwrapped_errors(out):
            report = _run(plan, job, beam_args, advance)
        write_reasons(report.rejects, folder / REJECTS)
        if plan.parser or report.unmasked:
            write_reasons(report.unmasked, folder / UNMASKED)
        try:
            _check_rejects(plan, report, options.max_reject_fraction)
        except DataError as error:
            os.replace(folder / REJECTS, kept_rejects)
            raise DataError(f"{error}\nAll rejects with their reasons: {kept_rejects}") from None
        info = _info(plan, report, options, command)
        info.write(folder)
        if not scenes:
            info = _with_own_backgrounds(info, folder, options.seed)
        _write_tfds_metadata(folder, plan, report)
    kept_rejects.unlink(missing_ok=True)
    return info


def _check_random_backgrounds(
    plan: sources.ConversionPlan, options: ConversionOptions, scenes: Mapping[str, list[Path]]
) -> None:
    if not options.random_backgrounds:
        return
    if plan.kind != "reid":
        raise UsageError("random-background copies are made of re-identification data sets only")
    missing = [
        what
        for what, there in (
            ("masks (masks_root)", plan.mask_vocabulary),
            ("backgrounds (backgrounds_root)", scenes),
        )
        if not there
    ]
    if missing:
        raise UsageError(f"random-background copies need {' and '.join(missing)}")


def _run(
    plan: sources.ConversionPlan,
    job: shards.ConversionJob,
    beam_args: Sequence[str],
    advance: Callable[[int], None],
) -> shards.ConversionReport:
    """Runs the pipeline; its report comes back through a file, as any runner can do that."""
    folder = Path(job.folder)
    entries = {name: found for split in plan.shards.values() for name, found in split.items()}
    for name, found in entries.items():
        manifest.write_manifest(folder, name, found)
    counts = {name: len(found) for name, found in entries.items()}
    with (
        watch_shards(folder, counts, advance),
        beam.Pipeline(options=PipelineOptions(with_runner(beam_args))) as pipeline,
    ):
        _ = (
            pipeline
            | "Shards" >> beam.Create(list(entries))
            | "Spread" >> beam.Reshuffle()
            | "WriteShards" >> beam.ParDo(shards.WriteShard(job))
            | "MergeReports" >> beam.CombineGlobally(shards.merge).without_defaults()
            | "WriteReport" >> beam.Map(_write_report, str(folder / _REPORT))
        )
    report = read_json(folder / _REPORT, shards.ConversionReport)
    for name in entries:
        manifest.remove_manifest(folder, name)
    (folder / _REPORT).unlink()
    return report


def _write_report(report: shards.ConversionReport, path: str) -> None:
    write_json(Path(path), report.to_json())


def _holds_rejects(path: Path) -> bool:
    """Whether a file is what `write_reasons` wrote, which may be replaced and removed."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline()
    return not first or first.startswith(b'{"key": ')


def _check_rejects(
    plan: sources.ConversionPlan, report: shards.ConversionReport, limit: float
) -> None:
    count, total = len(report.rejects), sum(plan.num_records.values())
    if count > limit * total:
        reasons = "".join(
            f"\n  {key}: {reason}" for key, reason in sorted(report.rejects)[:_REASONS_SHOWN]
        )
        raise DataError(
            f"{count:,} of {total:,} records rejected, more than max_reject_fraction={limit:g} "
            f"allows. The first reasons:{reasons}"
        )
    empty = [split for split in plan.shards if not report.of(split).records]
    if empty:
        raise DataError(f"no record of {', '.join(empty)} is left: all were rejected.")


def _info(
    plan: sources.ConversionPlan,
    report: shards.ConversionReport,
    options: ConversionOptions,
    command: str,
) -> RecordsInfo:
    splits = {
        split: SplitInfo(
            records=tally.records,
            persons=len(tally.persons),
            cameras=len(tally.cameras),
            shards=len(names),
            with_mask=tally.with_mask,
        )
        for split, names in plan.shards.items()
        for tally in [report.of(split)]
    }
    with_mask = any(split.with_mask for split in splits.values())
    return RecordsInfo(
        name=plan.name,
        kind=plan.kind,
        schema_version=schema.version(plan.kind),
        splits=splits,
        num_persons=sum(map(len, plan.person_labels.values())),
        num_cameras=sum(map(len, plan.camera_labels.values())),
        mean_pixel=_mean_pixel(report.splits),
        mask_vocabulary=plan.mask_vocabulary if with_mask else "",
        synthetic=options.synthetic,
        fingerprint=_fingerprint(report.digests),
        person_labels=plan.person_labels,
        camera_labels=plan.camera_labels,
        made_by={
            "command": command,
            "version": tfreid.__version__,
            "rejected": len(report.rejects),
            "random_backgrounds": options.random_backgrounds,
            "seed": options.seed,
            "parser": dict(plan.parser.facts) if plan.parser else None,
            **({"unmasked": len(report.unmasked)} if plan.parser or report.unmasked else {}),
        },
        sources=plan.sources,
    )


def _with_own_backgrounds(info: RecordsInfo, folder: Path, seed: int) -> RecordsInfo:
    """Adds backgrounds of the pictures themselves, where persons have masks and OpenCV is there."""
    if info.kind != "reid" or not info.mask_vocabulary or not can_inpaint():
        return info
    made = write_own_backgrounds(Records(folder), seed)
    info = dataclasses.replace(info, own_backgrounds=made > 0)
    info.write(folder)
    return info


def _fingerprint(digests: str) -> str:
    """Hashes the hashes of all records, in an order that does not depend on the shards'."""
    found = np.frombuffer(bytes.fromhex(digests), f"S{shards.DIGEST_BYTES}")
    return hashlib.blake2b(np.sort(found).tobytes(), digest_size=16).hexdigest()


def _mean_pixel(splits: Mapping[str, shards.SplitTally]) -> tuple[float, float, float]:
    tallies = [splits[TRAIN]] if TRAIN in splits else list(splits.values())
    sums = np.sum([tally.pixel_sums for tally in tallies], axis=0)
    return tuple((sums / sum(tally.pixels for tally in tallies)).tolist())


def _write_tfds_metadata(
    folder: Path, plan: sources.ConversionPlan, report: shards.ConversionReport
) -> None:
    from tfreid.records import tfds_metadata  # imports TensorFlow, which the workers do without

    counts = {
        split: {name: report.shards[name] for name in names} for split, names in plan.shards.items()
    }
    tfds_metadata.write(folder, plan.name, plan.kind, counts)
