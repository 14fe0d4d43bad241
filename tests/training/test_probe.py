"""What a stage takes on this machine, measured on a toy."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import toy

from tfreid.inputs import InputSpec
from tfreid.methods import METHODS, Method
from tfreid.training import probe


@dataclasses.dataclass(frozen=True)
class ToyRecipe:
    """Nothing to choose."""


def of_toy(monkeypatch, forward=None):
    """Probes the toy, whose first stage may be called otherwise."""
    first, second = toy.stages(batch_size=toy.BATCH_SIZE)
    first = dataclasses.replace(first, forward=forward or first.forward)
    monkeypatch.setattr(probe, "_PERSONS", toy.PERSONS)
    method = Method("toy", ToyRecipe, ToyRecipe, lambda *_: toy.build(), lambda _: (first, second))
    monkeypatch.setitem(METHODS, "toy", method)
    return probe.run(probe.Probe("toy", "demo", steps=1))


def test_a_stage_repeats_and_is_measured(monkeypatch):
    main, second = of_toy(monkeypatch)
    assert (main.stage, second.stage) == ("main", "second")
    assert main.losses.keys() == {"identity", "total", "gradient_norm"}
    assert main.images == toy.BATCH_SIZE
    assert main.repeats
    assert second.repeats
    assert main.seconds > 0
    assert main.peak_bytes is None or main.peak_bytes != 0
    assert main.refused == second.refused == ()


def test_what_does_not_repeat_is_seen(monkeypatch):
    def forward(model, batch, training):
        outputs = model(batch["image"], training=training)
        noise = tf.random.uniform((1,), seed=1)  # of a state that no snapshot holds
        return outputs | {"first": outputs["first"] * noise}

    main, second = of_toy(monkeypatch, forward)
    assert not main.repeats
    assert second.repeats


def test_what_a_gpu_refuses_is_named(monkeypatch):
    def forward(model, batch, training):
        images = tf.image.adjust_contrast(batch["image"], 0.5)
        return model(images, training=training)

    assert of_toy(monkeypatch, forward)[0].refused == ("AdjustContrastv2",)


@pytest.mark.parametrize(("images_per_person", "labels"), [(0, 6), (3, 2)])
def test_a_batch_of_noise_has_what_a_stage_reads(images_per_person, labels):
    spec = InputSpec((4, 2), mask_vocabulary="regions4", images_per_person=images_per_person)
    stage = dataclasses.replace(toy.stages()[0], inputs=spec, batch_size=6)
    batch = probe.noise_batch(stage)
    assert batch["image"].shape == (6, 4, 2, 3)
    assert len(np.unique(batch["label"])) == labels
    assert set(np.unique(batch["mask"])) <= {0, 1, 2, 3}
