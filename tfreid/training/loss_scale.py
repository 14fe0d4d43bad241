"""The factor of a loss by which float16 holds its gradients."""

import tensorflow as tf

from tfreid.training.arithmetic import Arithmetic

_FIRST, _LEAST, _STEPS_TO_DOUBLE = 2.0**15, 1.0, 2000


class LossScale:
    """A power of two that doubles after 2,000 good steps and halves where a gradient overflows.

    Source: Micikevicius et al., "Mixed Precision Training", 2018, section 3.2.

    Attributes:
      value: the factor, float32 scalar.
      good_steps: steps since it changed, int64 scalar.
    """

    def __init__(self) -> None:
        """Makes the variables; call it in the strategy's scope."""
        same = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self.value = tf.Variable(_FIRST, **same)
        self.good_steps = tf.Variable(0, dtype=tf.int64, **same)

    @property
    def state(self) -> list[tf.Variable]:
        """What a checkpoint holds of it."""
        return [self.value, self.good_steps]

    def hides(self, norm: tf.Tensor) -> tf.Tensor:
        """Returns whether the step is skipped: its gradients overflow, a smaller factor may help.

        Args:
          norm: of the gradients, scalar.
        """
        return tf.logical_and(tf.logical_not(tf.math.is_finite(norm)), self.value > _LEAST)

    def adapt(self, good: tf.Tensor) -> None:
        """Changes the factor after a step.

        Args:
          good: whether the step was not skipped, bool scalar.
        """
        steps = tf.where(good, self.good_steps + 1, 0)
        doubles = steps >= _STEPS_TO_DOUBLE
        factor = tf.where(good, tf.where(doubles, 2.0, 1.0), 0.5)
        self.value.assign(tf.maximum(self.value * factor, _LEAST))
        self.good_steps.assign(tf.where(doubles, tf.zeros_like(steps), steps))


def make_loss_scale(arithmetic: Arithmetic) -> LossScale | None:
    """Returns what float16 needs, None in other precisions; call it in the strategy's scope."""
    return LossScale() if arithmetic.precision == "mixed_float16" else None
