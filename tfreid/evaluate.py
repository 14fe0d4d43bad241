"""Measure a trained run: CMC, mAP and mINP on up to four variants of the test images.

Writes metrics.json and report/index.html into the folder of the run. Of a joint set each data set
is measured by itself. A run of a parsing network is scored by pixel instead, on the val split of
parsing data; it has no report page.
"""

import shlex
import sys
from pathlib import Path

from tfreid import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
from absl import flags

from tfreid import report
from tfreid.datasets import PROTOCOLS
from tfreid.inputs import InputSpec
from tfreid.methods import Method
from tfreid.records import DatasetFolder
from tfreid.retrieval import AVERAGE_PRECISIONS
from tfreid.training import RunFolder, load_run, read_losses

_RUN = flags.DEFINE_string("run", None, "Folder of the run (tfreid.train).", required=True)
_DATA = flags.DEFINE_string(
    "data", None, "Converted data (tfreid.convert); what the run was trained on unless given."
)
_OUT = flags.DEFINE_string("out", None, "Folder to write to instead of the run's.")
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
    """Evaluates the run as the flags say."""
    if _RANKINGS.value:
        report.check_rankings_path(Path(_RANKINGS.value))
    run = RunFolder(Path(_RUN.value))
    out = RunFolder(Path(_OUT.value)) if _OUT.value else run
    method, recipe, _, model = load_run(run.path)
    stages = method.stages(recipe)
    stage = stages[-1]
    folder = run.open_data(stage.data, _DATA.value)
    print(f"evaluating {run.path} ({method.name}) on {folder.path}")
    out.path.mkdir(parents=True, exist_ok=True)
    written = [out.path / "metrics.json"]
    if stage.data == "parsing":
        figures = _score_parser(model, folder, stage.inputs)
    else:
        results = _audit(method, model, folder, stage.inputs)
        figures = report.evaluation_metrics(results)
        written.append(out.path / "report" / "index.html")
        invocation = shlex.join(["python", "-m", "tfreid.evaluate", *sys.argv[1:]])
        losses = {method.name: read_losses(run, stages)}
        report.write_report(written[-1], results, invocation, losses)
        if _RANKINGS.value:
            path, length = Path(_RANKINGS.value), _RANKINGS_LENGTH.value
            written += report.write_rankings(path, results, length)
    out.add_metrics(evaluation=figures)
    print(f"wrote {' and '.join(map(str, written))}")


def _audit(
    method: Method, model: keras.Model, folder: DatasetFolder, inputs: InputSpec
) -> list[report.AuditResult]:
    measurement = report.Measurement(
        image_size_px=inputs.image_size_px,
        batch_size=_BATCH_SIZE.value,
        flip_averaging=method.flip_averaging if _FLIP.value is None else _FLIP.value,
        average_precision=_AVERAGE_PRECISION.value,
        seed=_SEED.value,
    )
    available = report.available_variants(folder)
    if available == ("original",):
        print("the test images have no masks: only the original images can be measured")
    variants = tuple(_VARIANTS.value or available)
    sets = report.evaluation_sets(folder, _PROTOCOL.value)
    for tested in sets:
        protocol = tested.protocol
        print(f"{tested.dataset}: protocol {protocol.name} ({tested.reason}): {protocol.summary}")
    results = []
    total = sum(report.images_to_see(tested, variants) for tested in sets)
    with command.progress(total, "evaluating", unit="images") as bar:
        for tested in sets:
            result = report.audit(
                model,
                tested,
                measurement,
                name=method.name,
                variants=variants,
                list_length=max(report.LIST_LENGTH, _RANKINGS_LENGTH.value),
                advance=bar.advance,
            )
            results.append(result)
    for result in results:
        _print(result, alone=len(results) == 1)
    return results


def _print(result: report.AuditResult, alone: bool) -> None:
    metrics = result.metrics()
    title = result.name if alone else f"{result.name}, {result.tested.dataset}"
    report.print_table(title, {variant: metrics[variant] for variant in result.outcomes})
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
