"""Train a method; the same command again continues an interrupted run.

Without --data it draws the embedded synthetic data set and trains at demo scale. Every field of
the method's recipe is a flag, for example --recipe.batch_size=64; --method=pgp --helpfull explains
those of PGP.
SIGTERM and Ctrl-C save a checkpoint first; the exit code is then 143 or 130.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
import keras
import tensorflow as tf
from absl import flags

from tfreid import evaluation, training
from tfreid.cli.recipe_flags import define_recipe_flags
from tfreid.errors import TrainingError
from tfreid.files import read_json, require_writable
from tfreid.methods import METHODS, Method, Stage
from tfreid.records import Records
from tfreid.serving import export_run
from tfreid.serving.export import EXTRA, FACTS
from tfreid.serving.recommendation import in_words

_DEFAULTS = training.WatchOptions()
_EMBEDDED = "data/synthetic"

_METHOD = flags.DEFINE_enum("method", None, list(METHODS), "What to train.", required=True)
_DATA = flags.DEFINE_string("data", None, "Converted re-identification data (tfreid.convert).")
_PARSING_DATA = flags.DEFINE_string("parsing_data", None, "Converted human-parsing data.")
_OUT = flags.DEFINE_string("out", None, "Folder of the run; runs/METHOD unless given.")
_INIT_FROM = flags.DEFINE_string("init_from", None, "Folder of a run whose weights are the start.")
_SCALE = flags.DEFINE_enum(
    "scale", None, ["paper", "demo"], "Recipe to start from: paper, or demo without data."
)
_SEED = flags.DEFINE_integer("seed", 0, "Of weights, batches and dropout.", 0)
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", training.PRECISIONS, "Of the computation; weights stay float32."
)
_ACCUMULATE = flags.DEFINE_integer(
    "accumulate_steps", 1, "Parts of a batch, computed in turn to save memory.", 1
)
_DETERMINISTIC = flags.DEFINE_bool(
    "deterministic", True, "Same bits in every run; without, a GPU may be faster."
)
_CHECKPOINT = flags.DEFINE_integer(
    "checkpoint_every_steps", _DEFAULTS.checkpoint_every_steps, "Steps between checkpoints.", 1
)
_LOG = flags.DEFINE_integer(
    "log_every_steps", _DEFAULTS.log_every_steps, "Steps between TensorBoard scalars.", 1
)
_EVALUATE = flags.DEFINE_integer(
    "evaluate_every_steps", 0, "Steps between measurements on the test images; 0 for none.", 0
)
_STOP = flags.DEFINE_integer(
    "stop_when_no_better",
    0,
    "End when so many evaluations in a row were no better than the best; 0 trains to the end.",
    0,
)
_PICTURES = flags.DEFINE_integer(
    "pictures_every_steps", _DEFAULTS.pictures_every_steps, "Steps between pictures.", 1
)
_EXPORT = flags.DEFINE_bool("export", True, "End with a SavedModel.")

_RECIPE = define_recipe_flags(
    sys.argv, ("data", "parsing_data"), lambda given: not any(given.values())
)


def main() -> int:
    """Trains as the flags say."""
    method = METHODS[_METHOD.value]
    run = training.Run(_OUT.value or f"runs/{method.name}", method)
    require_writable(run.path)
    was_finished = run.is_finished
    recipe, data = _RECIPE(), _data()
    print(f"training {method.name} into {run.path}")
    _announce_scale(method, recipe)
    try:
        run = training.fit(
            method,
            recipe,
            data,
            run.path,
            seed=_SEED.value,
            precision=_PRECISION.value,
            accumulate_steps=_ACCUMULATE.value,
            deterministic=_DETERMINISTIC.value,
            options=_options(),
            evaluate=_evaluation(method, method.stages(recipe)[-1], data),
            init_from=_INIT_FROM.value,
            export=lambda run: _export(run, data),
        )
    except training.StoppedBySignal as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    except TrainingError as error:
        if not os.environ.get("TF_CONFIG"):
            raise
        # TensorFlow would wait for ever, as it ends, for a first worker that is gone.
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(1)
    if was_finished:
        print(f"{run.path} is finished: nothing to do")
    elif training.is_chief():
        print(f"wrote {', '.join(str(path) for path in run.files())}")
    return 0


def _announce_scale(method: Method, recipe: Any) -> None:
    """Says so before a training that was made for GPUs starts without one."""
    steps = sum(stage.steps for stage in method.stages(recipe))
    at_paper_scale = _SCALE.value == "paper" or (_SCALE.value is None and _is_data_given())
    if at_paper_scale and not tf.config.list_physical_devices("GPU"):
        print(
            f"paper scale, {steps:,} steps, and no GPU here: the expected time follows after "
            "the first steps; --scale=demo trains for minutes"
        )


def _is_data_given() -> bool:
    return bool(_DATA.value or _PARSING_DATA.value)


def _export(run: training.Run, data: Mapping[str, Records]) -> None:
    if _EXPORT.value and hasattr(run.model, "embed"):
        print("exporting a SavedModel, with the distances that the test images recommend")
        path = export_run(run, data=data[run.stage.data])
        print("\n".join(in_words(read_json(path / EXTRA / FACTS))))


def _options() -> training.WatchOptions:
    return training.WatchOptions(
        checkpoint_every_steps=_CHECKPOINT.value,
        log_every_steps=_LOG.value,
        pictures_every_steps=_PICTURES.value,
        evaluate_every_steps=_EVALUATE.value,
        stop_when_no_better=_STOP.value,
    )


def _evaluation(
    method: Method, stage: Stage, data: Mapping[str, Records]
) -> training.Evaluate | None:
    """Measures what the last stage is for: retrieval, or pixels of a parsing network."""
    if not _EVALUATE.value or stage.data not in data:
        return None
    records = data[stage.data]
    if stage.data == "parsing":
        if "val" not in records.info.splits:  # Persons to tell apart, with masks.
            return None
        return lambda model, step: _numbers(
            evaluation.score_parser(
                model, records, "val", stage.inputs, batch_size=stage.batch_size
            )
        )
    available = evaluation.available_variants(records)
    variants = tuple(name for name in ("original", "random_background") if name in available)
    measurement = evaluation.Measurement(variants)
    sets = evaluation.evaluation_sets(records)
    size_px, flip = stage.inputs.image_size_px, method.flip_averaging

    def evaluate(model: keras.Model, step: int) -> dict[str, float]:
        networks = [evaluation.Network(f"step {step}", model, size_px, flip)]
        figures = {}
        for tested in sets:
            result = evaluation.audit(networks, tested, measurement)
            prefix = f"{tested.dataset}/" if len(sets) > 1 else ""
            # Matching by reconstruction would take longer than the steps in between.
            prefix += "pooled/" if result.pooled else ""
            for variant, outcome in result.outcomes.items():
                scores = outcome.retrieval.metrics()
                figures |= {f"{prefix}{variant}/{name}": value for name, value in scores.items()}
        return figures

    return evaluate


def _numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if isinstance(value, float)}


def _data() -> dict[str, Records]:
    """The records given; without any, the embedded synthetic data set."""
    paths = {"reid": _DATA.value, "parsing": _PARSING_DATA.value}
    if not any(paths.values()):
        print(f"no --data: using the embedded synthetic data set in {_EMBEDDED}")
        paths = dict(zip(paths, _ensure_embedded(), strict=True))
    return {kind: Records(path) for kind, path in paths.items() if path}


def _ensure_embedded() -> tuple[Path, Path]:
    from tfreid.cli import embedded  # Only here: it brings the conversion, which is slow to import.

    return embedded.ensure(_EMBEDDED)


_NEEDS = {
    "stop_when_no_better": "evaluate_every_steps",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS, reads=("data", "parsing_data"))
