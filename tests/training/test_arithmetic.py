"""Parts of a batch, float16 and operations that need not be deterministic, on a toy."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy
from tensorflow.python.eager import context
from tensorflow.python.framework import config

from tests.graphs import as_users_run
from tfreid import training
from tfreid.errors import DataError, TrainingError, UsageError
from tfreid.training import loss_scale
from tfreid.training.arithmetic import Arithmetic


class PlainToy(toy.Toy):
    """Without statistics of the batch: each image is computed for itself."""

    def __init__(self):
        super().__init__(dropout=0.0)
        self.norm = keras.layers.Dense(4)


def build(model=PlainToy, precision="float32"):
    keras.config.set_dtype_policy(precision)
    try:
        made = model()
        made(tf.zeros((1, toy.HEIGHT, toy.WIDTH, 3)))
    finally:
        keras.config.set_dtype_policy("float32")
    return made


def main_stage(steps=3, losses=None, **changes):
    stage = toy.stages(steps)[0]
    return dataclasses.replace(stage, losses=losses or stage.losses, **changes)


def run(out, stages, model=PlainToy, strategy=None, batches=toy.batches, log=1, **arithmetic):
    arithmetic = Arithmetic(**arithmetic)
    return training.train(
        lambda: build(model, arithmetic.precision),
        stages,
        batches,
        training.Run(out),
        strategy or training.make_strategy(),
        seed=0,
        options=training.WatchOptions(checkpoint_every_steps=1, log_every_steps=log),
        arithmetic=arithmetic,
    )


def scalars(out, tag):
    """Values of a scalar over the steps."""
    return [
        float(tf.make_ndarray(value.tensor))
        for file in sorted((out / "events").iterdir())
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
        if value.tag == tag
    ]


def assert_near(found, wanted, **tolerance):
    for one, other in zip(found.weights, wanted.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), **tolerance)


# ---- Parts of a batch.


@pytest.mark.parametrize("parts", [2, 8])
def test_parts_give_the_update_of_the_whole_batch(tmp_path, parts):
    whole = run(tmp_path / "whole", [main_stage()])
    split = run(tmp_path / "split", [main_stage()], accumulate_steps=parts)
    assert_near(split, whole, rtol=0, atol=1e-6)
    for tag in ("main/identity", "main/total", "main/gradient_norm"):
        losses = [scalars(tmp_path / name, tag) for name in ("whole", "split")]
        assert losses[1] == pytest.approx(losses[0], rel=1e-5)
        assert len(set(losses[0])) == 3


@pytest.mark.slow
def test_parts_on_two_devices_give_the_update_of_one(tmp_path, two_replicas):
    whole = run(tmp_path / "whole", [main_stage()])
    split = run(tmp_path / "split", [main_stage()], strategy=two_replicas, accumulate_steps=2)
    assert_near(split, whole, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_parts_with_batch_statistics_on_two_devices_are_those_of_one(tmp_path, two_replicas):
    """The statistics of a part of all devices: hence in an order in which parts are the same."""

    def batches(stage, start_step, part):
        order = [0, 1, 4, 5, 2, 3, 6, 7]
        return toy.batches(stage, start_step).map(
            lambda batch: {name: tf.gather(values, order) for name, values in batch.items()}
        )

    def model():
        return toy.Toy(0.0)

    one = run(tmp_path / "1", [main_stage()], model, accumulate_steps=2)
    two = run(tmp_path / "2", [main_stage()], model, two_replicas, batches, accumulate_steps=2)
    assert_near(two, one, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_a_run_in_parts_resumes_to_the_same_bits(tmp_path):
    whole = run(tmp_path / "whole", toy.stages(3), toy.Toy, accumulate_steps=4)

    def broken(stage, start_step, part):
        return toy.batches(stage, start_step).take(2)

    with pytest.raises(DataError, match="the batches end before step 3"):
        run(tmp_path / "parts", toy.stages(3), toy.Toy, batches=broken, accumulate_steps=4)
    resumed = run(tmp_path / "parts", toy.stages(3), toy.Toy, accumulate_steps=4)
    assert_near(resumed, whole, rtol=0, atol=0)


def awaited(nodes, name, found):
    """Which kernels' gradients a node waits for, by name."""
    if name not in found:
        found[name] = set()
        inputs = [text.lstrip("^").partition(":")[0] for text in nodes[name].input]
        found[name] = {each for each in inputs if nodes[each].op == "Conv2DBackpropFilter"}
        found[name] = found[name].union(*(awaited(nodes, each, found) for each in inputs))
    return found[name]


def test_a_part_waits_for_the_gradients_of_the_part_before(tmp_path):
    """Else the activations of two parts would be alive; in the graph as users run it."""
    context.context().enable_graph_collection()
    with as_users_run():
        run(tmp_path, [main_stage(1)], accumulate_steps=4)
        collected = context.context().export_run_metadata()
    context.context().disable_graph_collection()
    waits = [
        sorted(len(awaited(nodes, name, {})) for name in nodes if nodes[name].op == "Conv2D")
        for each in collected.function_graphs
        for nodes in [{node.name: node for node in each.post_optimization_graph.node}]
    ]
    assert [0, 1, 2, 3] in waits


def test_dropout_draws_anew_in_each_part(tmp_path):
    seen = []

    def losses(outputs, batch):
        tf.py_function(lambda values: seen.append(values.numpy()), [outputs["first"]], [])
        return toy.cross_entropy("first")(outputs, batch)

    def batches(stage, start_step, part):
        return toy.batches(stage, start_step).map(
            lambda batch: {name: tf.repeat(v[:1], len(v), axis=0) for name, v in batch.items()}
        )

    run(tmp_path, [main_stage(1, losses)], toy.Toy, batches=batches, accumulate_steps=2)
    assert len(seen) == 2
    assert not np.array_equal(*seen)


def test_what_is_not_exact_in_parts_is_said(tmp_path, capsys):
    stage = main_stage(1)
    run(tmp_path / "1", [stage], accumulate_steps=2)
    assert "within each" not in capsys.readouterr().out
    run(tmp_path / "2", [stage], toy.Toy, accumulate_steps=2)
    said = "takes its statistics within each of the 2 parts of a batch, 4 images"
    assert f"stage main: batch normalisation {said}" in capsys.readouterr().out
    persons = dataclasses.replace(stage.inputs, images_per_person=2)
    run(tmp_path / "3", [dataclasses.replace(stage, inputs=persons)], accumulate_steps=2)
    assert "stage main: triplets are found within each" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("images_per_person", "parts", "text"),
    [
        (0, 3, "batch of 8 images of stage 'second' .* into 3 parts .* choose a multiple of 3"),
        (2, 8, "the 4 persons in a batch .* choose a multiple of 8 persons, with 2 images each"),
        (2, 4, "accumulate_steps=4 leaves one person in a part of a batch of stage 'second'"),
    ],
)
def test_parts_that_make_no_sense_are_refused_before_any_stage(
    tmp_path, images_per_person, parts, text
):
    first, second = toy.stages()
    inputs = dataclasses.replace(second.inputs, images_per_person=images_per_person)
    second = dataclasses.replace(second, inputs=inputs)
    first = dataclasses.replace(first, batch_size=24)
    with pytest.raises(UsageError, match=text):
        run(tmp_path, (first, second), accumulate_steps=parts)
    assert not (tmp_path / "checkpoints").exists()


def test_no_part_at_all_is_refused():
    with pytest.raises(UsageError, match="accumulate_steps=0: expected 1 or more"):
        Arithmetic(accumulate_steps=0)


# ---- Operations that need not be deterministic.


@pytest.mark.parametrize("deterministic", [True, False])
def test_determinism_is_left_out_when_told(tmp_path, deterministic):
    config.disable_op_determinism()
    run(tmp_path, [main_stage(1)], deterministic=deterministic)
    assert config.is_op_determinism_enabled() is deterministic


# ---- float16.


def by_the_rules(good_steps):
    """The factor in front of each step, and after the last."""
    factor, count, factors = 2.0**15, 0, [2.0**15]
    for good in good_steps:
        factor, count = (factor, count + 1) if good else (max(factor / 2, 1.0), 0)
        if count == 3:
            factor, count = factor * 2, 0
        factors.append(factor)
    return factors


def test_the_factor_follows_the_rules(monkeypatch):
    monkeypatch.setattr(loss_scale, "_STEPS_TO_DOUBLE", 3)
    random = np.random.default_rng(0)
    good_steps = [*(random.random(60) < 0.8), *[False] * 30, *[True] * 4]
    scale, factors = loss_scale.LossScale(), [2.0**15]
    adapt = tf.function(scale.adapt)
    for good in good_steps:
        adapt(tf.constant(good))
        factors.append(float(scale.value.numpy()))
    assert factors == by_the_rules(good_steps)
    assert min(factors) == 1.0


def overflowing(bad_steps, weight=1.0):
    """Batches with a weight by which the gradients of some steps overflow float16."""

    def batches(stage, start_step, part):
        steps = tf.data.Dataset.range(start_step, stage.steps)

        def weigh(step, batch):
            factor = tf.where(tf.reduce_any(step == bad_steps), 1e5, weight)
            return batch | {"weight": tf.fill(tf.shape(batch["label"]), factor)}

        return tf.data.Dataset.zip((steps, toy.batches(stage, start_step, part))).map(weigh)

    def losses(outputs, batch):
        values = toy.cross_entropy("first")(outputs, batch)["identity"]
        return {"identity": batch["weight"] * values}

    return batches, losses


@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_step_whose_gradients_overflow_is_skipped(tmp_path, two_replicas, devices, parts):
    batches, losses = overflowing([1, 2])
    strategy = two_replicas if devices == 2 else None
    model = run(
        tmp_path,
        [main_stage(4, losses)],
        strategy=strategy,
        batches=batches,
        precision="mixed_float16",
        accumulate_steps=parts,
    )
    assert scalars(tmp_path, "main/skipped") == [0, 1, 1, 0]
    assert scalars(tmp_path, "main/loss_scale") == [2.0**15, 2.0**15, 2.0**14, 2.0**13]
    norms = scalars(tmp_path, "main/gradient_norm")
    assert [norm > 0 for norm in norms] == [True, False, False, True]
    first, second, third = (
        tf.train.load_checkpoint(tmp_path / f"checkpoints/ckpt-{step}") for step in (2, 3, 4)
    )
    names = [n for n in first.get_variable_to_shape_map() if n.startswith(("weights", "momentum"))]
    values = [[each.get_tensor(name) for name in names] for each in (first, second, third)]
    assert all(map(np.array_equal, values[0], values[1]))
    assert not all(map(np.array_equal, values[1], values[2]))
    assert model.conv.compute_dtype == "float16"


def test_float16_follows_float32(tmp_path):
    half, plain = (
        run(tmp_path / name, [main_stage(6)], precision=name)
        for name in ("mixed_float16", "float32")
    )
    assert_near(half, plain, rtol=0, atol=2e-3)


def test_float16_resumes_to_the_same_bits(tmp_path):
    batches, losses = overflowing([1])
    stage = main_stage(5, losses)
    settings = {"precision": "mixed_float16"}
    whole = run(tmp_path / "whole", [stage], batches=batches, **settings)
    with pytest.raises(DataError, match="end before step 4"):
        run(tmp_path / "2", [stage], batches=lambda *which: batches(*which).take(3), **settings)
    resumed = run(tmp_path / "2", [stage], batches=batches, **settings)
    assert_near(resumed, whole, rtol=0, atol=0)
    for name in ("whole", "2"):
        assert scalars(tmp_path / name, "main/loss_scale") == [2.0**15] * 2 + [2.0**14] * 3


def test_a_loss_that_is_not_finite_still_stops_the_run(tmp_path):
    batches, losses = overflowing([], weight=np.inf)
    with pytest.raises(TrainingError, match="step 1: identity is inf"):
        run(tmp_path, [main_stage(2, losses)], batches=batches, precision="mixed_float16")


def test_gradients_that_no_factor_helps_stop_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(loss_scale, "_FIRST", 4.0)
    batches, losses = overflowing(range(9))

    def overflow(outputs, batch):
        values = losses(outputs, batch)["identity"]
        return {"identity": 1e5 * values}

    with pytest.raises(TrainingError, match="step 3: gradient_norm is"):
        run(tmp_path, [main_stage(9, overflow)], batches=batches, precision="mixed_float16")
