"""Learning-rate schedules: callables from the step within a stage to the rate."""

from dataclasses import dataclass

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
