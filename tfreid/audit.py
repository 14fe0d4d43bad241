"""Tell whether models look at the person or at the background: any model, any pictures.

Converts a folder of images where that is needed, shows each model its variants with other
backgrounds, and writes audit.json, index.html and a badge. Systems that are no models here describe
the pictures of --write_images, and their --descriptors are measured alike. With
--max_background_loss the exit code is 1 where a model loses more.
"""

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from tfreid.cli import command, network_flags
from tfreid.datasets import PROTOCOLS, VOCABULARIES
from tfreid.errors import DataError, UsageError
from tfreid.files import completed_folder, require_new, require_writable, write_json, write_text

if TYPE_CHECKING:
    from tfreid.evaluation import AuditResult, EvaluationSet, Measurement
    from tfreid.nn.network import Network

flags.adopt_module_key_flags(network_flags)

_DATA = flags.DEFINE_string("data", None, "Converted data (tfreid.convert), or else give:")
_DATA_ROOT = flags.DEFINE_string("data_root", None, "Folder of images, <person>/[<camera>/]*.jpg.")
_DATASET = flags.DEFINE_string("dataset", "folder", "Layout of --data_root (tfreid.datasets).")
_PARSER = flags.DEFINE_string("parser", None, "What makes masks: mediapipe_pose, a run, a file.")
_MASKS_ROOT = flags.DEFINE_string("masks_root", None, "Folder of mask PNGs instead.")
_MASK_VOCABULARY = flags.DEFINE_enum("mask_vocabulary", None, list(VOCABULARIES), "Their classes.")
_BACKGROUNDS_ROOT = flags.DEFINE_string("backgrounds_root", None, "Folder of scenes.")
_MAX_REJECT_FRACTION = flags.DEFINE_float(
    "max_reject_fraction", None, "Largest fraction of images that may be damaged.", 0, 1
)
_OUT = flags.DEFINE_string("out", "audit", "Folder to write to.")
_VARIANTS = flags.DEFINE_list("variants", None, "All that the data allow unless given.")
_PROTOCOL = flags.DEFINE_enum(
    "protocol", None, list(PROTOCOLS), "How to compare; the data set's own unless given."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch; changes no figure.", 1)
_SEED = flags.DEFINE_integer("seed", 0, "Of random backgrounds and intervals.", 0)
_LIMIT = flags.DEFINE_float(
    "max_background_loss", None, "Largest loss of rank-1 that is allowed, a fraction.", 0, 1
)
_WRITE_IMAGES = flags.DEFINE_string("write_images", None, "Write pictures there, measure nothing.")
_DESCRIPTORS = flags.DEFINE_multi_string(
    "descriptors", [], "Folder with what a system made of these; DIR,name=NAME names it."
)

_LOOKED_AT, _LOOKED_AT_PX = 256, (256, 128)
"""Images that the diagnosis chooses from, and their size."""


def main() -> int:
    """Audits the models as the flags say; returns the exit code."""
    _check_flags()
    out = Path(_OUT.value)
    target = Path(_WRITE_IMAGES.value) if _WRITE_IMAGES.value else None
    if target:
        require_new(target)
    if _DATA.value is None or not target:
        require_writable(out)
    networks = [] if target else network_flags.networks_from_flags()
    from tfreid import evaluation
    from tfreid.records import Records

    records = Records(Path(_DATA.value) if _DATA.value else _converted(out))
    sets = evaluation.evaluation_sets(records, _PROTOCOL.value)
    measurements = [_measurement(tested) for tested in sets]
    if target:
        return _write_pictures(target, sets)
    _require_verdict(measurements)
    networks += _described(sets)
    _require_names(networks)
    warnings = {network.name: _diagnosed(network, sets[0]) for network in networks}
    results = _audit(networks, sets, measurements)
    return _report(out, results, warnings)


def _check_flags() -> None:
    """Refuses what cannot be together."""
    if _DATA.value is None and _DATA_ROOT.value is None:
        raise UsageError("give --data_root (a folder of images), or --data (converted before)")
    if _DATA.value is not None and _DATA_ROOT.value is not None:
        raise UsageError("--data and --data_root are given: leave one of them out")
    of_root = (
        *(_PARSER, _MASKS_ROOT, _MASK_VOCABULARY, _BACKGROUNDS_ROOT),
        _MAX_REJECT_FRACTION,
    )
    odd = [f"--{flag.name}" for flag in of_root if flag.value is not None and _DATA.value]
    if odd:
        raise UsageError(f"{', '.join(odd)}: goes with --data_root; --data is converted already")
    described = bool(flags.FLAGS.model or _DESCRIPTORS.value)
    if _WRITE_IMAGES.value and described:
        raise UsageError("--write_images measures nothing: leave --model and --descriptors out")
    if not _WRITE_IMAGES.value and not described:
        raise UsageError("give --model, or --descriptors of a system, or --write_images for one")


def _converted(out: Path) -> Path:
    from tfreid.cli.converted import ensure_converted

    given = (
        *(_DATASET, _DATA_ROOT, _PARSER, _MASKS_ROOT, _MASK_VOCABULARY, _BACKGROUNDS_ROOT),
        _MAX_REJECT_FRACTION,
    )
    arguments = [f"--{flag.name}={flag.value}" for flag in given if flag.value is not None]
    roots = [_DATA_ROOT, _MASKS_ROOT, _BACKGROUNDS_ROOT]
    paths = [Path(flag.value) for flag in roots if flag.value is not None]
    if _PARSER.value is not None:  # A file, with its description beside it, or a run; or a name.
        parser = Path(_PARSER.value)
        paths += [path for path in (parser, Path(f"{parser}.json")) if path.exists()]
    return ensure_converted(out, [*arguments, "--test_all"], paths)


def _measurement(tested: "EvaluationSet") -> "Measurement":
    """How a data set is measured; says what it allows."""
    from tfreid import evaluation

    protocol = tested.protocol
    print(f"{tested.dataset}: protocol {protocol.name} ({tested.reason}): {protocol.summary}")
    variants = evaluation.variants_of(tested)
    if variants == ("original",):
        print(
            f"{tested.dataset}: no person has masks in query and gallery, so only the original "
            "images can be measured"
            + ("" if _PARSER.value else ": --parser=mediapipe_pose makes masks")
        )
    elif "random_background" not in variants:
        print(f"{tested.dataset}: there are no scenes (--backgrounds_root) for random backgrounds")
    return evaluation.Measurement(
        variants=tuple(_VARIANTS.value or variants),
        batch_size=_BATCH_SIZE.value,
        seed=_SEED.value,
        occluded_images=evaluation.EXPLAINED_IMAGES,
    )


def _require_verdict(measurements: Sequence["Measurement"]) -> None:
    """Refuses a limit of what cannot be measured, so that nothing passes that was not tested."""
    changed = {"mean_background", "random_background"}
    for measurement in measurements if _LIMIT.value is not None else ():
        if "original" not in measurement.variants or not changed & {*measurement.variants}:
            raise DataError(
                "--max_background_loss cannot be tested: that takes the original and another "
                f"background, and here are only {', '.join(measurement.variants)} images"
            )


def _write_pictures(target: Path, sets: Sequence["EvaluationSet"]) -> int:
    from tfreid.evaluation import exchange

    variants = exchange.measured_variants(sets, _VARIANTS.value)
    total = sum(
        len(records)
        for variant in variants
        for split in exchange.SPLITS
        for _, records in exchange.measured_records(sets, variant, split)
    )
    with (
        completed_folder(target) as folder,
        command.progress(total, "writing", unit="images") as bar,
    ):
        exchange.write_images(folder, sets, variants, _SEED.value, bar.advance)
    print(f"wrote {target}: {total:,} pictures and their list, {exchange.LIST}")
    print(
        f"describe each, in that order, and give the descriptors back with --descriptors={target}"
    )
    return 0


def _described(sets: Sequence["EvaluationSet"]) -> list["Network"]:
    """The networks of --descriptors."""
    from tfreid.evaluation import described_network, exchange, read_descriptors

    variants = exchange.measured_variants(sets, _VARIANTS.value)
    networks = []
    for given in _DESCRIPTORS.value:
        text, _, name = given.partition(",name=")
        place = Path(text)
        found = read_descriptors(place, sets, variants)
        networks.append(described_network(name or place.stem, found, sets))
    return networks


def _require_names(networks: Sequence["Network"]) -> None:
    names = [network.name for network in networks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two models are called {name}: give one a name, as PATH,name=other")


def _diagnosed(network: "Network", tested: "EvaluationSet") -> list[str]:
    """Warns of the classic mistakes, which a few images show."""
    from tfreid.evaluation import DescribedNetwork
    from tfreid.networks import diagnose

    if isinstance(network, DescribedNetwork):
        return []
    who, _ = tested.identities("gallery")
    chosen = np.unique(np.linspace(0, len(who) - 1, min(len(who), _LOOKED_AT)).astype(int))
    images = tested.images("gallery", "original", chosen, _LOOKED_AT_PX, _SEED.value)
    found = diagnose(network, images, who.person[chosen])
    for line in found:
        print(f"WARNING: {line}", file=sys.stderr)
    return found


def _audit(
    networks: Sequence["Network"],
    sets: Sequence["EvaluationSet"],
    measurements: Sequence["Measurement"],
) -> dict[str, list["AuditResult"]]:
    """Measures each model on each data set."""
    from tfreid import evaluation

    pairs = list(zip(sets, measurements, strict=True))
    total = sum(evaluation.images_to_see([n], *pair) for pair in pairs for n in networks)
    shown = command.progress(total, "auditing", unit="images") if total else None
    with shown or contextlib.nullcontext() as bar:
        return {
            pair[0].dataset: [evaluation.audit([n], *pair, bar) for n in networks] for pair in pairs
        }


def _report(
    out: Path, results: dict[str, list["AuditResult"]], warnings: dict[str, list[str]]
) -> int:
    """Prints and writes what was found; returns the exit code."""
    from tfreid import evaluation, report

    invocation = shlex.join(["python", "-m", "tfreid.audit", *sys.argv[1:]])
    for dataset, found in results.items():
        for result in found:
            report.print_table(
                f"{result.name}, {dataset}", evaluation.figure_rows(result.metrics())
            )
            print(f"percent; chance is {100 * result.chance_rank1:.1f} rank-1")
            report.print_intervals(result)
        for heading, text in report.counts_in_words(found[0].metrics()).items():
            print(f"{heading.lower()}: {text}")
        for sentence in report.sentences(found):
            print(sentence)
    document = evaluation.audit_document(results, invocation, _LIMIT.value, warnings)
    every = [result for found in results.values() for result in found]
    written = [out / "audit.json", out / "index.html", *_badges(out, results)]
    report.write_report(written[1], every, invocation, warnings=warnings)
    write_json(written[0], document)
    exceeded = _LIMIT.value is not None and _say_limit(every)
    print(f"wrote {', '.join(map(str, written))}")
    return int(exceeded)


def _badges(out: Path, results: dict[str, list["AuditResult"]]) -> list[Path]:
    """Writes a badge for each model, of the data set where it loses most."""
    from tfreid import report

    written = []
    by_model = list(zip(*results.values(), strict=True))
    for number, found in enumerate(by_model, start=1):
        known = [verdict for verdict in (result.verdict for result in found) if verdict]
        worst = max(known, key=lambda verdict: verdict.loss.value, default=None)
        path = out / ("badge.svg" if len(by_model) == 1 else f"badge-{number}.svg")
        write_text(path, report.badge(worst))
        written.append(path)
    return written


def _say_limit(results: Sequence["AuditResult"]) -> bool:
    """Compares each loss with the limit; returns whether one is larger."""

    verdicts = [(result, result.verdict) for result in results]
    for result, verdict in verdicts:
        print(f"{result.name}, {result.tested.dataset}: {verdict.against(_LIMIT.value)}")
    return any(verdict.exceeds(_LIMIT.value) for _, verdict in verdicts)


if __name__ == "__main__":
    command.run(main, reads=("data", "data_root", "masks_root", "backgrounds_root"))
