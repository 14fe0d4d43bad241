"""One update of a stage, under any number of replicas."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import keras
import tensorflow as tf

from tfreid.errors import TrainingError
from tfreid.methods.base import Group, Stage
from tfreid.training.arithmetic import DEFAULT, Arithmetic
from tfreid.training.determinism import sums_in_order
from tfreid.training.loss_scale import LossScale
from tfreid.training.optimizers import CoupledOptimizer, make_optimizer, weight_decay_of

Values = dict[str, tf.Tensor]
"""The losses of one step by name, the objective `"total"` and the `"gradient_norm"`, scalars."""

Differentiated = tuple[Values, list[tf.Tensor]]
"""Losses, and the gradients of the objective by all groups' variables in a row."""


def make_optimizers(
    stage: Stage, variables: Sequence[Sequence[keras.Variable]], step: tf.Variable, first_step: int
) -> dict[str, CoupledOptimizer]:
    """Makes the optimizers of a stage; call it in the strategy's scope and before any restore.

    Args:
      stage: the stage.
      variables: what each group of the stage trains.
      step: the run's step, which drives the schedules of all groups.
      first_step: the run's step at which the stage begins.

    Returns:
      Name of the group -> its optimizer, built.
    """
    optimizers = {}
    for group, members in zip(stage.groups, variables, strict=True):
        learning_rate = learning_rate_of(group, step, first_step)
        if stage.clip_decayed:  # The update has decayed the gradient by then.
            group = replace(group, weight_decay=0.0)
        optimizer = make_optimizer(group, learning_rate, f"{stage.name}_{group.name}")
        optimizer.build(members)
        optimizers[group.name] = optimizer
    return optimizers


def learning_rate_of(group: Group, step: tf.Variable, first_step: int) -> Callable[[], tf.Tensor]:
    """Returns a function without arguments that gives the group's rate at the run's step."""
    return lambda: group.schedule(step.read_value() - first_step)


def make_update(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    stage: Stage,
    variables: Sequence[Sequence[keras.Variable]],
    optimizers: Mapping[str, CoupledOptimizer],
    step: tf.Variable,
    seed: int,
    arithmetic: Arithmetic = DEFAULT,
    loss_scale: LossScale | None = None,
) -> Callable[[Mapping[str, tf.Tensor]], Values]:
    """Traces a fresh update function for the layers that are trainable now.

    The objective is the weighted sum of the losses' means over the global batch, and clipping
    looks at the gradient of the global batch over all groups, so that the update does not depend
    on the number of replicas. Dropout draws from (seed, layer, step, replica, part): it has no
    state that a resumed run could lose.

    Args:
      strategy: that the model and the optimizers were made in.
      model: a built model whose trainable layers are those of the stage.
      stage: the stage.
      variables: what each group of the stage trains.
      optimizers: name of the group -> its optimizer.
      step: the run's step; each update adds one.
      seed: seed of the stage.
      arithmetic: how it is computed.
      loss_scale: the factor of float16's losses, of the same scope.

    Returns:
      A function from a (distributed) batch to its losses, before the update.
    """
    states = _seed_states(model)
    replicas, parts = strategy.num_replicas_in_sync, arithmetic.accumulate_steps

    def differentiate(batch: Mapping[str, tf.Tensor], part: tf.Tensor) -> Differentiated:
        _seed(states, seed, step, replicas, part, parts)
        batch = _part(batch, part, parts, stage.batch_size // replicas)
        return _losses_and_gradients(model, stage, variables, batch, loss_scale)

    def complete(gradients: list[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
        if replicas > 1:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        if loss_scale is not None:
            gradients = [gradient / loss_scale.value for gradient in gradients]
        if stage.clip_decayed:
            gradients = _decayed(stage, variables, gradients)
        return gradients, tf.linalg.global_norm(gradients)

    def apply(gradients: list[tf.Tensor], norm: tf.Tensor) -> None:
        if stage.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, stage.clip_norm, use_norm=norm)
        if replicas > 1:  # Keras sums over the replicas once more.
            gradients = [gradient / replicas for gradient in gradients]
        remaining = iter(gradients)
        for group, members in zip(stage.groups, variables, strict=True):
            optimizers[group.name].apply([next(remaining) for _ in members], members)

    @tf.function(autograph=False)
    def update(batch: Mapping[str, tf.Tensor]) -> Values:
        with sums_in_order(step) if arithmetic.deterministic else contextlib.nullcontext():
            losses, gradients = _accumulated(strategy, differentiate, batch, parts)
            gradients, norms = strategy.run(complete, args=(gradients,))
            norm = strategy.reduce("MEAN", norms, axis=None)
            apply_all = functools.partial(strategy.run, apply, args=(gradients, norms))
            if loss_scale is None:
                apply_all()
                of_norm = {"gradient_norm": norm}
            else:
                of_norm = _apply_unless_hidden(loss_scale, norm, apply_all)
        step.assign_add(1)
        values = {name: strategy.reduce("SUM", loss, axis=None) for name, loss in losses.items()}
        return values | of_norm

    return update


def _accumulated(
    strategy: tf.distribute.Strategy,
    differentiate: Callable[[Mapping[str, tf.Tensor], tf.Tensor], Differentiated],
    batch: Mapping[str, tf.Tensor],
    parts: int,
) -> Differentiated:
    """Sums over the parts of a batch, each of which waits for the one before."""
    if parts == 1:
        return strategy.run(differentiate, args=(batch, tf.constant(0, tf.int64)))

    @tf.function(autograph=False)  # Traced once for all parts.
    def of_part(part: tf.Tensor) -> Differentiated:
        return strategy.run(differentiate, args=(batch, part))

    def sum_of(*several: Differentiated) -> Differentiated:
        # An operation of its own even for one: to wait for a call is not to wait for its results.
        return tf.nest.map_structure(lambda *each: functools.reduce(tf.add, each, 0.0), *several)

    sums = ()
    for part in range(parts):
        with tf.control_dependencies(tf.nest.flatten(sums, expand_composites=True)):
            more = of_part(tf.constant(part, tf.int64))
        sums = strategy.run(sum_of, args=(*([sums] if sums else []), more))
    return sums


def _part(
    batch: Mapping[str, tf.Tensor], part: tf.Tensor, parts: int, images: int
) -> Mapping[str, tf.Tensor]:
    """A contiguous part of a replica's images."""
    if parts == 1:
        return batch
    size = images // parts
    return {
        name: tf.ensure_shape(values[part * size : (part + 1) * size], (size, *values.shape[1:]))
        for name, values in batch.items()
    }


def _apply_unless_hidden(
    loss_scale: LossScale, norm: tf.Tensor, apply: Callable[[], object]
) -> Values:
    """Skips the update where the gradients overflow; the norm that is reported is then 0."""

    def applied() -> tf.Tensor:
        apply()
        return norm

    used = loss_scale.value.read_value()
    hidden = loss_scale.hides(norm)
    norm = tf.cond(hidden, lambda: tf.zeros_like(norm), applied)
    loss_scale.adapt(tf.logical_not(hidden))
    return {"gradient_norm": norm, "loss_scale": used, "skipped": tf.cast(hidden, tf.float32)}


def _losses_and_gradients(
    model: keras.Model,
    stage: Stage,
    variables: Sequence[Sequence[keras.Variable]],
    batch: Mapping[str, tf.Tensor],
    loss_scale: LossScale | None,
) -> Differentiated:
    """A replica's share of the losses, and of the gradients of all groups' variables in a row."""
    flat = [variable.value for members in variables for variable in members]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(flat)
        outputs = _as_float32(stage.forward(model, batch, True))
        losses = {
            name: _average(stage, name, values)
            for name, values in stage.losses(outputs, batch).items()
        }
        losses["total"] = tf.reduce_sum(  # in order, which `tf.add_n` is not
            [stage.loss_weights.get(name, 1.0) * loss for name, loss in losses.items()]
        )
        objective = losses["total"]
        if loss_scale is not None:
            objective *= loss_scale.value
    gradients = tape.gradient(objective, flat)
    _check_gradients(stage, variables, gradients)
    return losses, gradients


def _decayed(
    stage: Stage, variables: Sequence[Sequence[keras.Variable]], gradients: Sequence[tf.Tensor]
) -> list[tf.Tensor]:
    flat = [
        (weight_decay_of(group.weight_decay, group.decay_all, variable), variable)
        for group, members in zip(stage.groups, variables, strict=True)
        for variable in members
    ]
    return [g + decay * v.value for g, (decay, v) in zip(gradients, flat, strict=True)]


def _seed_states(model: keras.Model) -> list[keras.Variable]:
    weights = {id(weight) for weight in model.weights}
    return [
        variable
        for variable in model.variables
        if id(variable) not in weights and variable.name == "seed_generator_state"
    ]


def _seed(
    states: Sequence[keras.Variable],
    seed: int,
    step: tf.Variable,
    replicas: int,
    part: tf.Tensor,
    parts: int,
) -> None:
    replica = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64)
    draw = (step.read_value() * replicas + replica) * parts + part
    for index, state in enumerate(states):
        folded = tf.random.experimental.stateless_fold_in([seed, index], draw)
        state.assign(tf.bitcast(folded, state.dtype))


def _as_float32(outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {
        name: tf.cast(output, tf.float32) if output.dtype.is_floating else output
        for name, output in outputs.items()
    }


def _average(stage: Stage, name: str, values: tf.Tensor) -> tf.Tensor:
    if values.shape.rank != 1:
        raise TrainingError(
            f"loss {name!r} of stage {stage.name!r} has shape {values.shape}; expected [batch], "
            "one value an image"
        )
    return tf.nn.compute_average_loss(values, global_batch_size=stage.batch_size)


def _check_gradients(
    stage: Stage, variables: Sequence[Sequence[keras.Variable]], gradients: Sequence
) -> None:
    flat = [variable for members in variables for variable in members]
    lost = [v.path for v, gradient in zip(flat, gradients, strict=True) if gradient is None]
    if lost:
        raise TrainingError(
            f"{len(lost)} variables of stage {stage.name!r} have no influence on its losses and "
            f"would never change: {', '.join(lost[:5])}{', …' if len(lost) > 5 else ''}"
        )
