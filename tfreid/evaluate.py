"""Measure a trained run: CMC, mAP and mINP on up to four variants of the test images.

Writes metrics.json and report/index.html into the folder of the run. Of a joint set each data set
is measured by itself. Several runs are measured as one, by their combined descriptors. A run that
gives position features (FPR) is matched by reconstruction; --matching says how. A run of a parsing
network is scored by pixel instead, on the val split of parsing data; it has no report page.
"""

import dataclasses
import itertools
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
from absl import flags

from tfreid import evaluation, report
from tfreid.datasets import PROTOCOLS
from tfreid.errors import UsageError
from tfreid.files import require_writable
from tfreid.inputs import InputSpec
from tfreid.records import Records
from tfreid.retrieval import AVERAGE_PRECISIONS, Reranking
from tfreid.retrieval.reconstruction import MODES, ReconstructionMatching
from tfreid.training import Run, open_data, open_runs, read_losses, read_weights, short_names
from tfreid.training.transfer import Origin

_POOLED = "pooled"

_RUN = flags.DEFINE_multi_string(
    "run",
    None,
    "Folder of the run (tfreid.train); several are combined, the first one's maps are shown.",
    required=True,
)
_DATA = flags.DEFINE_string(
    "data", None, "Converted data (tfreid.convert); what the run was trained on unless given."
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder to write to instead of the run's; several runs need one."
)
_WEIGHTS = flags.DEFINE_list(
    "run_weights", None, "Of several runs, in the mean of their cosines: 1,1,2; equal unless given."
)
_VARIANTS = flags.DEFINE_list(
    "variants",
    None,
    "Of original, mean_background, random_background, background_only; all that the data allow "
    "unless given.",
)
_FLIP = flags.DEFINE_bool(
    "flip_averaging", None, "Average with mirror images; as the method does unless given."
)
_PROTOCOL = flags.DEFINE_enum(
    "protocol", None, list(PROTOCOLS), "How to compare; the data set's own unless given."
)
_AVERAGE_PRECISION = flags.DEFINE_enum(
    "average_precision", "mean", AVERAGE_PRECISIONS, "trapezoid is the Market-1501 toolbox's."
)
_RERANK = flags.DEFINE_bool(
    "rerank", False, "Also re-rank (k-reciprocal encoding); reported beside the plain figures."
)
_K1 = flags.DEFINE_integer("rerank_k1", 20, "Nearest images that make a neighbourhood.", 1)
_K2 = flags.DEFINE_integer("rerank_k2", 6, "Neighbourhoods that are averaged.", 1)
_LAMBDA = flags.DEFINE_float(
    "rerank_lambda", 0.3, "Share of the plain distance in the re-ranked one.", 0, 1
)
_MATCHING = flags.DEFINE_enum(
    "matching", None, [*MODES, _POOLED], "Of a run with position features; exact unless given."
)
_SHORTLIST = flags.DEFINE_integer(
    "shortlist_size", 100, "Images a query that shortlist and blend reconstruct.", 1
)
_BLEND = flags.DEFINE_float(
    "blend_weight", 0.5, "Share of the pooled descriptor's distance in blend.", 0, 1
)
_BUDGET = flags.DEFINE_float(
    "memory_budget_gib", 2.0, "Memory that the matching may take; changes no figure.", 0
)
_STORAGE = flags.DEFINE_enum(
    "position_storage", "float32", ["float32", "float16"], "Of position features, on the disk."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch; changes no figure.", 1)
_SEED = flags.DEFINE_integer(
    "seed", 0, "Of the random backgrounds and of what a protocol draws.", 0
)
_RANKINGS = flags.DEFINE_string(
    "save_rankings", None, "File for the nearest gallery images of each query, .csv or .json."
)
_RANKINGS_LENGTH = flags.DEFINE_integer(
    "rankings_length", 10, "Images a query in that file.", lower_bound=1
)

_OF_DESCRIPTORS = (_WEIGHTS, _VARIANTS, _FLIP, _PROTOCOL, _AVERAGE_PRECISION, _RERANK)
_OF_DESCRIPTORS += (_MATCHING, _BUDGET, _STORAGE, _SEED, _RANKINGS)


def main() -> None:
    """Evaluates the runs as the flags say."""
    if _RANKINGS.value:
        report.check_rankings_path(Path(_RANKINGS.value))
    out = Run(_OUT.value or _RUN.value[0])
    rankings = [Path(_RANKINGS.value).parent] if _RANKINGS.value else []
    for place in (out.path, out.path / "report", *rankings):
        require_writable(place)
    weights = read_weights(_WEIGHTS.value, len(_RUN.value))
    runs = open_runs([Path(path) for path in _RUN.value])
    first, stage = runs[0], runs[0].stage
    records = open_data(runs, _DATA.value)
    names = " + ".join(f"{run.path} ({run.method.name})" for run in runs)
    print(f"evaluating {names} on {records.path}")
    out = out if _OUT.value else first
    out.path.mkdir(parents=True, exist_ok=True)
    written, stores = [out.path / "metrics.json"], []
    if stage.data == "parsing":
        for flag in (flag for flag in _OF_DESCRIPTORS if flag.present):
            raise UsageError(f"--{flag.name}: a parsing network gives no descriptors; leave it out")
        figures = _score_parser(first.model, records, stage.inputs)
    else:
        results, stores = _audit(runs, weights, records, out.path / "matching")
        figures = evaluation.evaluation_metrics(results)
        written += _write(runs, results, out.path / "report" / "index.html")
    out.add_metrics(evaluation=figures)
    for store in stores:
        store.remove()
    print(f"wrote {' and '.join(map(str, written))}")


def _audit(
    runs: Sequence[Run], weights: Sequence[float], records: Records, working: Path
) -> tuple[list[evaluation.AuditResult], list[evaluation.PositionStore]]:
    """Measures each data set; returns the results and what is to be removed after them."""
    if (available := evaluation.available_variants(records)) == ("original",):
        print("the test images have no masks: only the original images can be measured")
    sets = evaluation.evaluation_sets(records, _PROTOCOL.value)
    for tested in sets:
        protocol = tested.protocol
        print(f"{tested.dataset}: protocol {protocol.name} ({tested.reason}): {protocol.summary}")
    networks = _networks(runs, weights)
    measurement = _measurement(networks, tuple(_VARIANTS.value or available))
    asked = [tuple(_VARIANTS.value or evaluation.variants_of(tested)) for tested in sets]
    measurements = [dataclasses.replace(measurement, variants=variants) for variants in asked]
    stores = _stores(runs[0], networks[0], sets, measurement, working)
    if measurement.reranking:
        _require_memory(sets, networks, measurement.reranking)
    measured = list(zip(sets, measurements, strict=True))
    total = sum(evaluation.images_to_see(networks, *pair) for pair in measured)
    with command.progress(total, "evaluating", unit="images") as bar:
        results = [
            evaluation.audit(networks, *pair, bar, store=store)
            for pair, store in itertools.zip_longest(measured, stores)
        ]
    for result in results:
        _print(result, alone=len(results) == 1)
    return results, stores


def _networks(runs: Sequence[Run], weights: Sequence[float]) -> list[evaluation.Network]:
    changes = {} if _FLIP.value is None else {"flip_averaging": _FLIP.value}
    named = zip(_names(runs), runs, weights, strict=True)
    return [dataclasses.replace(r.network, name=n, weight=w, **changes) for n, r, w in named]


def _names(runs: Sequence[Run]) -> list[str]:
    return short_names(runs) if len(runs) > 1 else [runs[0].method.name]


def _measurement(
    networks: Sequence[evaluation.Network], variants: tuple[str, ...]
) -> evaluation.Measurement:
    reranking = Reranking(_K1.value, _K2.value, _LAMBDA.value) if _RERANK.value else None
    return evaluation.Measurement(
        variants=variants,
        batch_size=_BATCH_SIZE.value,
        average_precision=_AVERAGE_PRECISION.value,
        seed=_SEED.value,
        reranking=reranking,
        matching=_matching(networks),
        list_length=max(evaluation.LIST_LENGTH, _RANKINGS_LENGTH.value),
        position_storage=_STORAGE.value,
    )


def _matching(networks: Sequence[evaluation.Network]) -> ReconstructionMatching | None:
    """How to match by reconstruction; None where descriptors are compared."""
    asked, first = _MATCHING.value, networks[0]
    if not any(network.has_positions for network in networks):
        for flag in (_MATCHING, _BUDGET, _STORAGE):
            if flag.present:
                given = f"--{flag.name}={flag.value}"
                raise UsageError(f"{given} is for runs that give position features (FPR)")
        return None
    if len(networks) > 1:
        if asked not in (None, _POOLED):
            raise UsageError(
                f"--matching={asked}: combined runs are compared by their descriptors, of a run "
                "with position features by the pooled one; leave the flag out"
            )
        print("combined by descriptors: of runs with position features, the pooled ones")
        return None
    if asked == _POOLED:
        return None
    mode = asked or MODES[0]
    if first.flip_averaging:
        raise UsageError(
            f"--matching={mode} compares position features, which are not averaged with those of "
            "the mirror image: leave --flip_averaging out, or use --matching=pooled"
        )
    return ReconstructionMatching(
        mode, first.model.beta, _SHORTLIST.value, _BLEND.value, _BUDGET.value
    )


def _stores(
    run: Run,
    network: evaluation.Network,
    sets: Sequence[evaluation.EvaluationSet],
    measurement: evaluation.Measurement,
    working: Path,
) -> list[evaluation.PositionStore]:
    """Where the position features of each data set go, if they do; says what they take."""
    if not measurement.matching:
        return []
    count, size = network.output_shapes["positions"]
    weights = Origin.find(run.path, run).digest
    stores, needed = evaluation.open_stores(working, weights, sets, measurement, network)
    print(
        f"matching: {measurement.matching.mode}, of {count} positions with {size:,} values an "
        f"image; until the end they take {needed / 2**30:,.2f} GiB in {working}"
    )
    return stores


def _require_memory(
    sets: Sequence[evaluation.EvaluationSet],
    networks: Sequence[evaluation.Network],
    parameters: Reranking,
) -> None:
    """Says what re-ranking takes, before anything is computed that a lack of it would waste."""
    size = sum(network.descriptor_size for network in networks)
    for tested in sets:
        mib = evaluation.require_memory(tested, parameters, size) / 2**20
        print(f"{tested.dataset}: re-ranking takes about {mib:,.0f} MiB of memory")


def _write(
    runs: Sequence[Run], results: Sequence[evaluation.AuditResult], page: Path
) -> list[Path]:
    """Writes the page and, if they are wanted, the rankings; returns the files."""
    invocation = shlex.join(["python", "-m", "tfreid.evaluate", *sys.argv[1:]])
    losses = {name: read_losses(run) for name, run in zip(_names(runs), runs, strict=True)}
    report.write_report(page, results, invocation, losses)
    if not _RANKINGS.value:
        return [page]
    return [page, *report.write_rankings(Path(_RANKINGS.value), results, _RANKINGS_LENGTH.value)]


def _print(result: evaluation.AuditResult, alone: bool) -> None:
    metrics = result.metrics()
    title = result.name if alone else f"{result.name}, {result.tested.dataset}"
    report.print_table(title, evaluation.figure_rows(metrics))
    print(f"percent; chance is {100 * result.chance_rank1:.1f} rank-1")
    report.print_intervals(result)
    for sentence in report.sentences([result]):
        print(sentence)
    for heading, text in report.counts_in_words(metrics).items():
        print(f"{heading.lower()}: {text}")


def _score_parser(model: keras.Model, folder: Records, inputs: InputSpec) -> dict:
    images = folder.info.splits["val"].records if "val" in folder.info.splits else None
    with command.progress(images, "evaluating", unit="images") as bar:
        scores = evaluation.score_parser(
            model, folder, "val", inputs, batch_size=_BATCH_SIZE.value, advance=bar.advance
        )
    means = {name: scores[name] for name in ("precision", "recall", "f1", "iou")}
    report.print_table("class", {**scores["classes"], "mean": means})
    for name, found in (("", scores), ("background alone: ", scores["background_alone"])):
        overall, mean, iou = (100 * found[score] for score in ("accuracy", "recall", "iou"))
        print(f"{name}overall accuracy {overall:.1f}, mean accuracy {mean:.1f}, mean IoU {iou:.1f}")
    return scores | {"data": evaluation.data_source(folder)}


_NEEDS = {
    "several run": "out",
    "rerank_k1": "rerank",
    "rerank_k2": "rerank",
    "rerank_lambda": "rerank",
    "shortlist_size": "matching=shortlist or matching=blend",
    "blend_weight": "matching=blend",
    "rankings_length": "save_rankings",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS, reads=("run", "data"))
