"""Learning-rate schedules: callables from the step within a stage to the rate."""

from dataclasses import dataclass, replace

import tensorflow as tf

from tfreid.methods.fields import check_known, choice, off


@dataclass(frozen=True)
class StepDecay:
    """A rate that is multiplied by a factor at regular steps.

    Attributes:
      steps: number of updates of the stage.
      learning_rate: rate of the first updates.
      factor: multiplier at each decay.
      every_steps: updates between decays.
      decays: number of decays; the rate is constant after the last.
      subtract: whether each decay takes (1 - factor) of the first rate away instead.
      least_rate: the rate does not fall below it.
    """

    steps: int
    learning_rate: float
    factor: float
    every_steps: int
    decays: int
    subtract: bool = off(False)
    least_rate: float = off(0.0)

    def scaled(self, multiple: float) -> "StepDecay":
        """Returns the schedule with all rates multiplied."""
        return replace(
            self,
            learning_rate=multiple * self.learning_rate,
            least_rate=multiple * self.least_rate,
        )

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate, float32, at an int64 `step`."""
        decays = tf.minimum(tf.cast(step, tf.int64) // self.every_steps, self.decays)
        decays, factor = tf.cast(decays, tf.float32), tf.constant(self.factor, tf.float32)
        part = 1.0 - (1.0 - factor) * decays if self.subtract else tf.pow(factor, decays)
        return tf.maximum(self.learning_rate * part, self.least_rate)


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


@dataclass(frozen=True)
class PlateauDecay:
    """A rate that falls from plateau to plateau, all of the same length.

    Source: SPReID, section 5, "we decay the learning rate 10 times using exponential shift with the
    rate of 0.9". The paper does not state when; here after equal numbers of updates.

    Attributes:
      steps: number of updates of the stage.
      learning_rate: rate of the first plateau.
      rule: `exponential_shift`, which multiplies the rate by `factor` `decays` times, or
        `polynomial`, the authors' code: `decays` plateaus of `learning_rate * (1 - t) ** 0.9` with
        t the part of the stage before the plateau.
      factor: multiplier of `exponential_shift`.
      decays: as `rule` says.
    """

    steps: int
    learning_rate: float
    rule: str = choice(
        "exponential_shift",
        "the paper's words; its authors' code is `polynomial`",
        ("exponential_shift", "polynomial"),
    )
    factor: float = 0.9
    decays: int = 10

    def scaled(self, multiple: float) -> "PlateauDecay":
        """Returns the schedule with all rates multiplied."""
        return replace(self, learning_rate=multiple * self.learning_rate)

    def __post_init__(self):
        """Refuses unknown rules."""
        check_known(self)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate, float32, at an int64 `step`."""
        polynomial = self.rule == "polynomial"
        plateaus = self.decays if polynomial else self.decays + 1
        plateau = tf.cast(step, tf.int64) * plateaus // self.steps
        plateau = tf.cast(tf.minimum(plateau, plateaus - 1), tf.float32)
        if polynomial:
            return self.learning_rate * tf.pow(1 - plateau / plateaus, 0.9)
        return self.learning_rate * tf.pow(tf.constant(self.factor, tf.float32), plateau)
