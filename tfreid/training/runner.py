"""The training loop: runs the stages of any method, and continues a run where it stopped."""

import zlib
from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.inputs import data_errors
from tfreid.methods.base import Stage
from tfreid.training.arithmetic import DEFAULT, Arithmetic
from tfreid.training.checkpoints import Checkpoints
from tfreid.training.loss_scale import LossScale, make_loss_scale
from tfreid.training.memory import keep_freed_memory
from tfreid.training.optimizers import CoupledOptimizer
from tfreid.training.run import Run
from tfreid.training.strategy import is_chief, lost_workers
from tfreid.training.trainable import freeze_all_but
from tfreid.training.transfer import (
    Origin,
    keep_loaded,
    loaded_parts,
    refuse_untrained,
)
from tfreid.training.update import learning_rate_of, make_optimizers, make_update
from tfreid.training.watch import Evaluate, Watch, WatchOptions

Batches = Callable[[Stage, int, tuple[int, int]], tf.data.Dataset]
"""Stage, step within it, `(i, n)` -> from that step on, part i of n of its global batches."""

_SAME_EVERYWHERE = tf.VariableAggregation.ONLY_FIRST_REPLICA


def train(
    build: Callable[[], keras.Model],
    stages: Sequence[Stage],
    batches: Batches,
    run: Run,
    strategy: tf.distribute.Strategy,
    seed: int,
    options: WatchOptions,
    evaluate: Evaluate | None = None,
    test_images: tf.Tensor | None = None,
    origin: Origin | None = None,
    arithmetic: Arithmetic = DEFAULT,
) -> keras.Model:
    """Runs stages on given batches: `fit` without the data and the claim on the folder.

    Args:
      build: makes the model, with its variables.
      stages: in the order in which they run.
      batches: the batches of each stage.
      run: folder for checkpoints, events and metrics.
      strategy: where to train.
      seed: of weights, dropout and what a stage's `start` draws.
      options: how the run is watched and saved.
      evaluate: as for `fit`.
      test_images: float32 `[n, height, width, 3]` in [0, 255], of which TensorBoard gets the
        model's maps; None for no such pictures.
      origin: the run whose weights are the start.
      arithmetic: how updates are computed; `build` makes a model of that precision.

    Returns:
      The trained model.

    Raises:
      UsageError, DataError, TrainingError, StoppedBySignal: as for `fit`.
    """
    # ---- Reproducibility: seeds, and operations that give the same bits in every run.
    keras.utils.set_random_seed(seed)
    if arithmetic.deterministic:
        tf.config.experimental.enable_op_determinism()
    keep_freed_memory()

    # ---- What a checkpoint holds: made in the strategy's scope and before the restore, the
    #      optimizers of all stages included, because their momentum is restored too.
    firsts = [sum(stage.steps for stage in stages[:i]) for i in range(len(stages))]
    with strategy.scope():
        model, step, optimizers = saved_parts(build, stages, firsts)
        loss_scale = make_loss_scale(arithmetic)

    # ---- Resume: (1) weights, momentum and step; (2) by the step, the stage; (3) in the stage,
    #      its trainable layers and a fresh tf.function; (4) its batches from that step on.
    keep = options.keep_checkpoints
    checkpoints = Checkpoints(
        run.checkpoints, model, step, optimizers, keep, is_chief(), loss_scale
    )
    done = _restored(run, checkpoints)
    for stage, first in zip(stages, firsts, strict=True):
        if done < first + stage.steps:
            _check_batch_size(stage, strategy.num_replicas_in_sync, arithmetic.accumulate_steps)

    # ---- Weights of another run, before the first step; no stage's `start` replaces them.
    loaded = _loaded(model, stages, origin, run, strategy, done)
    stages = [keep_loaded(stage, loaded) for stage in stages]

    if done == run.metrics.get("stopped_early", {}).get("step"):
        return model

    # ---- Stages, each to its end.
    total_steps = firsts[-1] + stages[-1].steps
    watch = Watch(run, options, strategy, model, checkpoints, evaluate, test_images, total_steps)
    with watch, lost_workers():
        for stage, first in zip(stages, firsts, strict=True):
            if done < first + stage.steps and not watch.ends_early:
                _run_stage(
                    strategy,
                    model,
                    stage,
                    batches,
                    optimizers[stage.name],
                    step,
                    first,
                    seed,
                    watch,
                    arithmetic,
                    loss_scale,
                )
                done = first + stage.steps
    return model


def saved_parts(
    build: Callable[[], keras.Model], stages: Sequence[Stage], firsts: Sequence[int]
) -> tuple[keras.Model, tf.Variable, dict[str, dict[str, CoupledOptimizer]]]:
    """Makes the model, the run's step, and the optimizers of each stage by group."""
    model = build()
    step = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=_SAME_EVERYWHERE)
    optimizers = {
        stage.name: make_optimizers(stage, freeze_all_but(model, stage), step, first)
        for stage, first in zip(stages, firsts, strict=True)
    }
    return model, step, optimizers


def _restored(run: Run, checkpoints: Checkpoints) -> int:
    """Restores the newest checkpoint, if the run can go on from there; returns the steps done."""
    done = checkpoints.restore()
    if not done and (run.is_finished or "stopped_early" in run.metrics):
        raise DataError(
            f"{run.path} is finished, its metrics.json says, and it has no checkpoint: put its "
            "checkpoints back, or move the folder away to train anew"
        )
    if is_chief() and not run.is_finished:
        checkpoints.require_space()
    return done


def _loaded(
    model: keras.Model,
    stages: Sequence[Stage],
    origin: Origin | None,
    run: Run,
    strategy: tf.distribute.Strategy,
    done: int,
) -> list[str]:
    """Loads what comes from another run, unless that was done; returns the names of the parts."""
    if done:
        return loaded_parts(run.init_from().get("parts", {}))
    outcomes = {}
    if origin:
        with strategy.scope():
            outcomes = origin.load(model)
        if is_chief():
            print(origin.report(outcomes))
            run.write_init_from(origin.to_json() | {"parts": outcomes})
    refuse_untrained(model, stages, loaded_parts(outcomes))
    return loaded_parts(outcomes)


def _run_stage(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    stage: Stage,
    batches: Batches,
    optimizers: Mapping[str, CoupledOptimizer],
    step: tf.Variable,
    first: int,
    seed: int,
    watch: Watch,
    arithmetic: Arithmetic,
    loss_scale: LossScale | None,
) -> None:
    # ---- Layers: what the groups name is trained, all else is frozen.
    done, last = int(step.numpy()), first + stage.steps
    seed = stage_seed(seed, stage)
    variables = freeze_all_but(model, stage)

    # ---- Start, once: a run that is resumed within the stage has its effect in the checkpoint.
    if done == first and stage.start is not None:
        keras.utils.set_random_seed(seed)
        with strategy.scope():
            stage.start(model)

    # ---- Update: a fresh tf.function, as an old one would train what was trainable before.
    update = make_update(
        strategy, model, stage, variables, optimizers, step, seed, arithmetic, loss_scale
    )
    _tell_of_parts(model, stage, arithmetic.accumulate_steps)

    # ---- Batches: a function of the step, so that there is no state to restore.
    iterator = iter(_distributed(strategy, batches, stage, done - first))

    # ---- Steps.
    rates = {group.name: learning_rate_of(group, step, first) for group in stage.groups}
    with watch.stage(stage, first, done, rates):
        for number in range(done + 1, last + 1):
            with data_errors():
                batch = next(iterator, None)
            if batch is None:
                raise DataError(f"stage {stage.name!r}: the batches end before step {number}")
            watch.after_step(number, update(batch), batch)
            if watch.ends_early:
                break


def _distributed(
    strategy: tf.distribute.Strategy, batches: Batches, stage: Stage, start_step: int
) -> tf.data.Dataset:
    """Each replica's contiguous part of the global batches; a worker makes only its own."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return strategy.experimental_distribute_dataset(batches(stage, start_step, (0, 1)))

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        part = context.input_pipeline_id, context.num_input_pipelines
        size = context.get_per_replica_batch_size(stage.batch_size)
        return batches(stage, start_step, part).rebatch(size)

    return strategy.distribute_datasets_from_function(of_worker)


def stage_seed(seed: int, stage: Stage) -> int:
    """Returns the seed of a stage's batches, dropout and start."""
    return zlib.crc32(f"{seed}/{stage.name}".encode()) >> 1


def _tell_of_parts(model: keras.Model, stage: Stage, parts: int) -> None:
    """Says where an update of parts is not that of the whole batch."""
    if parts == 1 or not is_chief():
        return
    found = model._flatten_layers()
    normalises = any(isinstance(x, keras.layers.BatchNormalization) and x.trainable for x in found)
    within = ["batch normalisation takes its statistics"] * normalises
    within += ["triplets are found"] * bool(stage.inputs.images_per_person)
    if within:
        print(
            f"stage {stage.name}: {' and '.join(within)} within each of the {parts} parts of a "
            f"batch, {stage.batch_size // parts} images",
            flush=True,
        )


def _check_batch_size(stage: Stage, devices: int, parts: int) -> None:
    """Refuses a batch that devices cannot share, or cannot split into parts of whole persons."""
    images, shares = stage.inputs.images_per_person, devices * parts
    among, other = f"among {devices} devices", ""
    if parts > 1:
        other = ", or fewer parts"
        among = f"into {parts} parts (accumulate_steps) on each of {devices} devices"
    if images and stage.batch_size // images % shares:
        raise UsageError(
            f"the {stage.batch_size // images} persons in a batch of stage {stage.name!r} cannot "
            f"be divided {among}: choose a multiple of {shares} persons, with {images} images each"
            f"{other}"
        )
    if stage.batch_size % shares:
        raise UsageError(
            f"the batch of {stage.batch_size} images of stage {stage.name!r} cannot be divided "
            f"{among}: choose a multiple of {shares} images{other}"
        )
    if images and parts > 1 and stage.batch_size // images == parts:
        raise UsageError(
            f"accumulate_steps={parts} leaves one person in a part of a batch of stage "
            f"{stage.name!r}, and no others to tell apart from: choose fewer parts"
        )
