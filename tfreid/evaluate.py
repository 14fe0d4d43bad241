"""Measure a trained run: CMC, mAP and mINP on up to four variants of the test images.

Writes metrics.json and report/index.html into the folder of the run. Of a joint set each data set
is measured by itself. Several runs are measured as one, by their combined descriptors. A run of a
parsing network is scored by pixel instead, on the val split of parsing data; it has no report page.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tfreid import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
from absl import flags

from tfreid import report
from tfreid.datasets import PROTOCOLS
from tfreid.errors import UsageError
from tfreid.inputs import InputSpec
from tfreid.records import DatasetFolder
from tfreid.retrieval import AVERAGE_PRECISIONS, Reranking
from tfreid.training import RunFolder, read_losses
from tfreid.training.several import LoadedRun, load_runs, open_data, short_names

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
_VARIANTS = flags.DEFINE_list(
    "variants",
    None,
    "Of original, mean_background, random_background, background_only; all that the data allow "
    "unless given.",
)
_FLIP = flags.DEFINE_bool(
    "flip_averaging",
    None,
    "Average the descriptors of an image and of its mirror image; as the method does unless given.",
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


def main() -> None:
    """Evaluates the runs as the flags say."""
    if _RANKINGS.value:
        report.check_rankings_path(Path(_RANKINGS.value))
    if len(_RUN.value) > 1 and not _OUT.value:
        raise UsageError("several runs are measured as one: give a folder for the result (--out)")
    runs = load_runs([Path(path) for path in _RUN.value])
    first, stage = runs[0], runs[0].stage
    folder = open_data(runs, _DATA.value)
    names = " + ".join(f"{run.folder.path} ({run.method.name})" for run in runs)
    print(f"evaluating {names} on {folder.path}")
    out = RunFolder(Path(_OUT.value)) if _OUT.value else first.folder
    out.path.mkdir(parents=True, exist_ok=True)
    written = [out.path / "metrics.json"]
    if stage.data == "parsing":
        if _RERANK.value:
            raise UsageError("a parsing network gives no descriptors: there is nothing to re-rank")
        figures = _score_parser(first.model, folder, stage.inputs)
    else:
        results = _audit(runs, folder)
        figures = report.evaluation_metrics(results)
        written += _write(runs, results, out.path / "report" / "index.html")
    out.add_metrics(evaluation=figures)
    print(f"wrote {' and '.join(map(str, written))}")


def _audit(runs: Sequence[LoadedRun], folder: DatasetFolder) -> list[report.AuditResult]:
    available = report.available_variants(folder)
    if available == ("original",):
        print("the test images have no masks: only the original images can be measured")
    variants = tuple(_VARIANTS.value or available)
    sets = report.evaluation_sets(folder, _PROTOCOL.value)
    for tested in sets:
        protocol = tested.protocol
        print(f"{tested.dataset}: protocol {protocol.name} ({tested.reason}): {protocol.summary}")
    networks = [_network(run) for run in runs]
    measurement = _measurement(networks[0])
    if measurement.reranking:
        _require_memory(sets, networks, measurement.reranking)
    name = " + ".join(short_names(runs)) if len(runs) > 1 else runs[0].method.name
    results = []
    total = sum(report.images_to_see(tested, variants, len(networks)) for tested in sets)
    with command.progress(total, "evaluating", unit="images") as bar:
        for tested in sets:
            result = report.audit(
                networks[0].model,
                tested,
                measurement,
                name=name,
                variants=variants,
                combined=networks if len(networks) > 1 else (),
                list_length=max(report.LIST_LENGTH, _RANKINGS_LENGTH.value),
                advance=bar.advance,
                note=lambda text: bar.advance(0, text),
            )
            results.append(result)
    for result in results:
        _print(result, alone=len(results) == 1)
    return results


def _network(run: LoadedRun) -> report.Network:
    flip = run.method.flip_averaging if _FLIP.value is None else _FLIP.value
    return report.Network(str(run.folder.path), run.model, run.stage.inputs.image_size_px, flip)


def _measurement(network: report.Network) -> report.Measurement:
    reranking = Reranking(_K1.value, _K2.value, _LAMBDA.value) if _RERANK.value else None
    return report.Measurement(
        image_size_px=network.image_size_px,
        batch_size=_BATCH_SIZE.value,
        flip_averaging=network.flip_averaging,
        average_precision=_AVERAGE_PRECISION.value,
        seed=_SEED.value,
        reranking=reranking,
    )


def _require_memory(
    sets: Sequence[report.EvaluationSet],
    networks: Sequence[report.Network],
    parameters: Reranking,
) -> None:
    """Says what re-ranking takes, before anything is computed that a lack of it would waste."""
    size = sum(network.descriptor_size for network in networks)
    for tested in sets:
        mib = report.require_memory(tested, parameters, size) / 2**20
        print(f"{tested.dataset}: re-ranking takes about {mib:,.0f} MiB of memory")


def _write(
    runs: Sequence[LoadedRun], results: Sequence[report.AuditResult], page: Path
) -> list[Path]:
    """Writes the page and, if they are wanted, the rankings; returns the files."""
    invocation = shlex.join(["python", "-m", "tfreid.evaluate", *sys.argv[1:]])
    names = short_names(runs) if len(runs) > 1 else [runs[0].method.name]
    losses = {
        name: read_losses(run.folder, run.method.stages(run.recipe))
        for name, run in zip(names, runs, strict=True)
    }
    report.write_report(page, results, invocation, losses)
    if not _RANKINGS.value:
        return [page]
    return [page, *report.write_rankings(Path(_RANKINGS.value), results, _RANKINGS_LENGTH.value)]


def _print(result: report.AuditResult, alone: bool) -> None:
    metrics = result.metrics()
    title = result.name if alone else f"{result.name}, {result.tested.dataset}"
    report.print_table(title, report.figure_rows(metrics))
    print(f"percent; chance is {100 * result.chance_rank1:.1f} rank-1")
    for heading, text in report.describe_counts(metrics).items():
        print(f"{heading.lower()}: {text}")


def _score_parser(model: keras.Model, folder: DatasetFolder, inputs: InputSpec) -> dict:
    images = folder.info.splits["val"].records if "val" in folder.info.splits else None
    with command.progress(images, "evaluating", unit="images") as bar:
        scores = report.score_parser(
            model, folder, "val", inputs, batch_size=_BATCH_SIZE.value, advance=bar.advance
        )
    means = {name: scores[name] for name in ("precision", "recall", "f1", "iou")}
    report.print_table("class", {**scores["classes"], "mean": means})
    for name, found in (("", scores), ("background alone: ", scores["background_alone"])):
        overall, mean, iou = (100 * found[score] for score in ("accuracy", "recall", "iou"))
        print(f"{name}overall accuracy {overall:.1f}, mean accuracy {mean:.1f}, mean IoU {iou:.1f}")
    return scores | {"data": report.data_source(folder)}


if __name__ == "__main__":
    command.run(main)
