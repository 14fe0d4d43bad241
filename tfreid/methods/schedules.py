"""Learning-rate schedules: callables from the step within a stage to the rate."""

from dataclasses import dataclass, replace

import tensorflow as tf


@dataclass(frozen=True)
class StepDecay:
    """A rate that is multiplied by a factor at regular steps.

    Attributes:
      steps: number of updates of the stage.
      learning_rate: rate of the first updates.
      factor: multiplier at each decay.
      every_steps: updates between decays.
      decays: number of decays; the rate is constant after the last.
    """

    steps: int
    learning_rate: float
    factor: float
    every_steps: int
    decays: int

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate, float32, at an int64 `step`."""
        decays = tf.minimum(tf.cast(step, tf.int64) // self.every_steps, self.decays)
        factor = tf.constant(self.factor, tf.float32)
        return self.learning_rate * tf.pow(factor, tf.cast(decays, tf.float32))


@dataclass(frozen=True)
class WarmupDecay:
    """A rate that rises linearly step by step, stays, and is multiplied by a factor at epochs.

    Attributes:
      epochs: length of the stage.
      steps_per_epoch: updates of an epoch.
      first_rate: rate of the first update.
      learning_rate: rate after the warm-up.
      warmup_epochs: length of the rise.
      factor: multiplier at each decay.
      decay_epochs: epochs that begin with a decay.
    """

    epochs: int
    steps_per_epoch: int
    first_rate: float
    learning_rate: float
    warmup_epochs: int
    factor: float
    decay_epochs: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Number of updates of the stage."""
        return self.epochs * self.steps_per_epoch

    def scaled(self, multiple: float) -> "WarmupDecay":
        """Returns the schedule with all rates multiplied."""
        return replace(
            self,
            first_rate=multiple * self.first_rate,
            learning_rate=multiple * self.learning_rate,
        )

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate, float32, at an int64 `step`."""
        warmup_steps = max(1, self.warmup_epochs * self.steps_per_epoch)
        risen = tf.minimum(tf.cast(step, tf.float32) / warmup_steps, 1.0)
        decay_steps = tf.constant(self.decay_epochs, tf.int64) * self.steps_per_epoch
        decays = tf.reduce_sum(tf.cast(tf.cast(step, tf.int64) >= decay_steps, tf.float32))
        rate = self.first_rate + (self.learning_rate - self.first_rate) * risen
        return rate * tf.pow(tf.constant(self.factor, tf.float32), decays)
