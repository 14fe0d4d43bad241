"""A tiny method with all that the runner must handle: two stages, freezing, copying, dropout."""

import keras
import tensorflow as tf

from tfreid.inputs import InputSpec
from tfreid.methods.base import Group, Stage
from tfreid.methods.triplet import (
    batch_hard_triplet,
    euclidean_distances,
    gather_replicas,
    self_mask,
)

HEIGHT, WIDTH, PERSONS, BATCH_SIZE = 8, 4, 5, 8


class Toy(keras.Model):
    def __init__(self, dropout=0.5):
        super().__init__(name="toy")
        self.conv = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)
        self.norm = keras.layers.BatchNormalization(synchronized=True)
        self.dropout = keras.layers.Dropout(dropout)
        self.first = keras.layers.Dense(PERSONS)
        self.second = keras.layers.Dense(PERSONS)

    def call(self, images, training=False):
        maps = tf.nn.relu(self.norm(self.conv(images / 255.0), training=training))
        pooled = self.dropout(tf.reduce_mean(maps, axis=(1, 2)), training=training)
        return {"first": self.first(pooled), "second": self.second(pooled)}

    def embed(self, images):
        return self(images)["first"]

    def explain(self, images):
        return {"gate": tf.nn.sigmoid(tf.reduce_mean(self.conv(images / 255.0), axis=-1))}

    def copy_first_to_second(self):
        self.second.set_weights(self.first.get_weights())


def build(dropout=0.5):
    model = Toy(dropout)
    model(tf.zeros((1, HEIGHT, WIDTH, 3)))
    return model


def rate(step):
    return 0.1 / (1.0 + tf.cast(step, tf.float32))


def cross_entropy(head):
    def losses(outputs, batch):
        values = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["label"], outputs[head])
        return {"identity": values}

    return losses


def cross_entropy_and_triplet(outputs, batch):
    """The second head's losses, one of them over the global batch."""
    queries, labels = outputs["second"], batch["label"]
    keys = gather_replicas(queries)
    distances = euclidean_distances(queries, keys)
    is_self = self_mask(queries, keys)
    hard = batch_hard_triplet(distances, labels, gather_replicas(labels), is_self, margin=0.3)
    return cross_entropy("second")(outputs, batch) | {"triplet": hard}


def stages(steps=6, clip_norm=0.5, batch_size=BATCH_SIZE):
    """The backbone with the first head, then the second head alone, from the first's weights."""
    common = {
        "data": "reid",
        "inputs": InputSpec(image_size_px=(HEIGHT, WIDTH)),
        "batch_size": batch_size,
        "steps": steps,
        "forward": lambda model, batch, training: model(batch["image"], training=training),
        "clip_norm": clip_norm,
    }
    backbone = Group("backbone", lambda model: [model.conv, model.norm], rate, weight_decay=1e-3)
    head = Group("head", lambda model: [model.first], rate, nesterov=True)
    second = Group("second", lambda model: [model.second], rate, optimizer="adam")
    return (
        Stage(name="main", groups=(backbone, head), losses=cross_entropy("first"), **common),
        Stage(
            name="second",
            groups=(second,),
            losses=cross_entropy_and_triplet,
            start=lambda model: model.copy_first_to_second(),
            **common,
        ),
    )


def batches(stage, start_step, part=(0, 1)):
    """Batches, or a part of each, that are a function of the stage and the step."""
    index, size = part[0], stage.batch_size // part[1]
    purpose = sum(stage.name.encode())

    def batch(step):
        seed = tf.stack([tf.cast(step, tf.int32), purpose])
        shape = (stage.batch_size, HEIGHT, WIDTH, 3)
        whole = {
            "image": tf.random.stateless_uniform(shape, seed, maxval=255.0),
            "label": tf.random.stateless_uniform(shape[:1], seed, 0, PERSONS, tf.int32),
        }
        return {name: value[index * size :][:size] for name, value in whole.items()}

    return tf.data.Dataset.range(start_step, stage.steps).map(batch)
