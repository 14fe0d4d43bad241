"""The stage runner on a toy, in this process."""

import dataclasses
import errno

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy

from tfreid import files, training
from tfreid.errors import DataError, TrainingError, UsageError
from tfreid.inputs import InputSpec
from tfreid.training.trainable import freeze_all_but

OPTIONS = training.WatchOptions(checkpoint_every_steps=4, log_every_steps=2, pictures_every_steps=3)


def run(out, stages=None, batches=toy.batches, **arguments):
    return training.train(
        toy.build,
        toy.stages() if stages is None else stages,
        batches,
        training.Run(out),
        arguments.pop("strategy", None) or training.make_strategy(),
        seed=0,
        options=arguments.pop("options", OPTIONS),
        **arguments,
    )


def checkpoints(out):
    return sorted(int(path.stem[5:]) for path in (out / "checkpoints").glob("*.index"))


def test_resuming_within_a_stage_equals_an_uninterrupted_run(tmp_path):
    whole = run(tmp_path / "whole")
    main, second = toy.stages()
    starts = []
    counted = dataclasses.replace(
        second, start=lambda model: (starts.append(0), model.copy_first_to_second())
    )

    def broken(stage, start_step, part):
        batches = toy.batches(stage, start_step)
        return batches.take(3) if stage.name == "second" else batches

    with pytest.raises(DataError, match="stage 'second': the batches end before step 10"):
        run(tmp_path / "parts", (main, counted), broken)
    assert checkpoints(tmp_path / "parts") == [4, 6, 8]
    resumed = run(tmp_path / "parts", (main, counted))
    assert len(starts) == 1
    for wanted, found in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


def test_a_stage_changes_only_what_its_groups_name(tmp_path):
    one_stage = run(tmp_path / "one", toy.stages()[:1])
    two_stages = run(tmp_path / "two", toy.stages())
    for name in ("conv", "norm", "first"):
        frozen = zip(
            getattr(one_stage, name).weights, getattr(two_stages, name).weights, strict=True
        )
        for wanted, found in frozen:
            np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert not np.array_equal(two_stages.second.kernel.numpy(), two_stages.first.kernel.numpy())


def test_a_run_with_other_stages_is_refused(tmp_path):
    run(tmp_path, toy.stages()[:1])
    with pytest.raises(DataError, match="does not fit the recipe"):
        run(tmp_path, toy.stages())


def test_main_stage_trains_its_batch_statistics(tmp_path):
    model = run(tmp_path, toy.stages()[:1])
    assert np.abs(model.norm.moving_mean.numpy()).max() > 0


@pytest.mark.parametrize(("weight_decay", "clip_decayed"), [(0.0, False), (0.5, True)])
def test_clipping_limits_the_norm_over_all_groups(weight_decay, clip_decayed, tmp_path):
    stage, _ = toy.stages(steps=1, clip_norm=1e-3)
    plain = [
        dataclasses.replace(g, nesterov=False, weight_decay=weight_decay) for g in stage.groups
    ]
    keras.utils.set_random_seed(0)
    before = [weight.numpy() for weight in toy.build().weights]
    stage = dataclasses.replace(stage, groups=tuple(plain), clip_decayed=clip_decayed)
    model = run(tmp_path, (stage,))
    trained = {
        id(v) for layer in (model.conv, model.norm, model.first) for v in layer.trainable_weights
    }
    steps = [
        np.sum((weight.numpy() - old) ** 2)
        for weight, old in zip(model.weights, before, strict=True)
        if id(weight) in trained
    ]
    rate = 0.1
    assert np.sqrt(sum(steps)) == pytest.approx(rate * 1e-3, rel=1e-3)


def test_decay_that_is_clipped_points_where_decay_after_clipping_does(tmp_path):
    """A limit that is never reached leaves no difference between the two orders."""
    first, second = (
        run(tmp_path / str(early), [dataclasses.replace(stage, clip_decayed=early)])
        for early in (False, True)
        for stage in toy.stages(steps=2, clip_norm=1e6)[:1]
    )
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    def batches(stage, start_step, part):
        steps = tf.data.Dataset.range(start_step, stage.steps)

        def spoil(step, batch):
            spoilt = tf.where(step == 4, np.nan, batch["image"])
            return batch | {"image": spoilt}

        return tf.data.Dataset.zip((steps, toy.batches(stage, start_step))).map(spoil)

    with pytest.raises(TrainingError, match=r"stage 'main', step 5: identity is nan"):
        run(tmp_path, batches=batches, options=dataclasses.replace(OPTIONS, log_every_steps=50))
    assert checkpoints(tmp_path) == [4]


def test_evaluation_is_called_and_recorded(tmp_path):
    def evaluate(model, step):
        return {"rank1": step / 100}

    options = dataclasses.replace(OPTIONS, evaluate_every_steps=5)
    run(tmp_path, options=options, evaluate=evaluate)
    recorded = training.Run(tmp_path).metrics["evaluations"]
    assert recorded == {"5": {"rank1": 0.05}, "10": {"rank1": 0.1}, "12": {"rank1": 0.12}}


def test_tensorboard_gets_losses_rates_and_pictures(tmp_path):
    run(tmp_path)
    tags = set()
    for file in (tmp_path / "events").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            tags |= {value.tag for value in event.summary.value}
    assert tags >= {
        "main/identity",
        "main/total",
        "main/gradient_norm",
        "main/images_per_s",
        "main/learning_rate/backbone",
        "main/learning_rate/head",
        "main/images",
        "main/explain/gate",
        "second/learning_rate/second",
    }


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (tf.errors.ResourceExhaustedError(None, None, "disk full"), "disk full"),
    ],
)
def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path, monkeypatch, error, text):
    save = tf.train.CheckpointManager.save

    def save_or_fail(self, checkpoint_number):
        if checkpoint_number == 8:
            raise error
        return save(self, checkpoint_number=checkpoint_number)

    monkeypatch.setattr(tf.train.CheckpointManager, "save", save_or_fail)
    with pytest.raises(TrainingError, match=text) as caught:
        run(tmp_path)
    assert "the checkpoint of step 6 stands" in str(caught.value)
    monkeypatch.undo()
    run(tmp_path)
    assert checkpoints(tmp_path) == [6, 8, 12]


def test_without_a_checkpoint_the_run_begins_anew(tmp_path, monkeypatch):
    def fail(self, checkpoint_number):
        text = "{{function_node __wrapped__SaveV2_device_/job}} a/ckpt-4; no room [Op:SaveV2]"
        raise tf.errors.UnknownError(None, None, text)

    monkeypatch.setattr(tf.train.CheckpointManager, "save", fail)
    text = r"checkpoints: a/ckpt-4; no room\. Make room there.* the same command begins anew$"
    with pytest.raises(TrainingError, match=text):
        run(tmp_path)


def test_what_a_kill_while_saving_leaves_is_ignored(tmp_path):
    whole = run(tmp_path / "whole")
    out = tmp_path / "killed"
    with pytest.raises(DataError, match="end before step 8"):
        run(
            out,
            batches=lambda stage, step, part: toy.batches(stage, step).take(
                6 if stage.name == "main" else 1
            ),
        )
    (out / "checkpoints/ckpt-8_temp").mkdir()
    (out / "checkpoints/ckpt-8_temp/part-00000-of-00001.data-00000-of-00001").write_bytes(b"x")
    (out / "checkpoints/ckpt-8.index").write_bytes(b"half")
    resumed = run(out)
    assert not list((out / "checkpoints").glob("*_temp"))
    for wanted, found in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


def test_each_stage_freezes_what_an_earlier_one_trained():
    model = toy.build()
    main, second = toy.stages()
    for _ in range(2):
        freeze_all_but(model, main)
        assert model.norm.trainable
        assert not model.second.trainable
        freeze_all_but(model, second)
        assert not model.norm.trainable
        assert model.second.trainable


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        ([lambda model: []], "group '0' of stage 'main' has no trainable variables"),
        (
            [lambda model: [model.conv, model.first], lambda model: [model.first]],
            "groups '0' and '1' of stage 'main' both train",
        ),
        ([], "no group"),
    ],
)
def test_groups_that_are_empty_or_overlap_are_refused(groups, text):
    stage, _ = toy.stages()
    group = stage.groups[0]
    groups = [dataclasses.replace(group, name=str(i), layers=g) for i, g in enumerate(groups)]
    with pytest.raises(TrainingError, match=text):
        freeze_all_but(toy.build(), dataclasses.replace(stage, groups=tuple(groups)))


def test_a_variable_without_a_gradient_is_refused(tmp_path):
    stage, _ = toy.stages()
    wrong = dataclasses.replace(stage, losses=toy.cross_entropy("second"))
    with pytest.raises(TrainingError, match=r"2 variables .* no influence on its losses"):
        run(tmp_path, (wrong,))


def test_a_loss_without_a_value_an_image_is_refused(tmp_path):
    stage, _ = toy.stages()
    mean = dataclasses.replace(
        stage, losses=lambda outputs, batch: {"mean": tf.reduce_mean(outputs["first"])}
    )
    with pytest.raises(TrainingError, match=r"loss 'mean' of stage 'main' has shape \(\)"):
        run(tmp_path, (mean,))


@pytest.mark.parametrize(
    ("images_per_person", "text"),
    [
        (0, "the batch of 9 images of stage 'main' .* among 2 devices: choose a multiple of 2"),
        (3, "the 3 persons in a batch of stage 'main' .* choose a multiple of 2 persons, with 3"),
    ],
)
def test_a_batch_that_devices_cannot_share_is_refused(
    tmp_path, two_replicas, images_per_person, text
):
    inputs = InputSpec((toy.HEIGHT, toy.WIDTH), images_per_person=images_per_person)
    stage = dataclasses.replace(toy.stages(batch_size=9)[0], inputs=inputs)
    with pytest.raises(UsageError, match=text):
        run(tmp_path, (stage,), strategy=two_replicas)


def test_a_disk_without_room_for_checkpoints_is_named_before_the_first_step(tmp_path, full_disk):
    def batches(stage, start_step, part):
        raise AssertionError("the training has begun")

    text = rf"the checkpoints and an export take about .* in {tmp_path}/checkpoints, and .* free"
    with pytest.raises(UsageError, match=text):
        run(tmp_path, batches=batches)


def test_checkpoints_that_are_there_count_as_room(tmp_path, monkeypatch):
    run(tmp_path)
    there = sum(path.stat().st_size for path in (tmp_path / "checkpoints").glob("ckpt-*"))
    assert there
    needed = []
    monkeypatch.setattr(files, "require_space", lambda folder, size, *_: needed.append(size))
    run(tmp_path)
    run(tmp_path.with_name("another"))
    assert needed[0] == needed[1] - there
