"""What a stage's recent steps tell: mean losses, images a second, a loss that is not finite."""

import math
import time
from collections.abc import Mapping

import tensorflow as tf

from tfreid.errors import TrainingError


class Meter:
    """Collects the values of steps without waiting for them.

    A step's values stay on the device until `read`, so that the loop can run ahead of it. The
    loop reads before every log line and before every checkpoint: a loss that is not finite is
    found within `log_every_steps` steps, and never gets into a checkpoint.
    """

    def __init__(self, stage: str, batch_size: int, first_step: int):
        """Starts the clock.

        Args:
          stage: name of the stage, for messages.
          batch_size: images in one global batch.
          first_step: the run's step before the first update that is added.
        """
        self._stage = stage
        self._batch_size = batch_size
        self._step = first_step
        self._pending: list[Mapping[str, tf.Tensor]] = []
        self.restart()

    def add(self, values: Mapping[str, tf.Tensor]) -> None:
        """Takes the values of the next step.

        Args:
          values: name -> scalar.
        """
        self._pending.append(values)

    def check(self) -> None:
        """Fetches what was added and refuses values that are not finite.

        Raises:
          TrainingError: naming the stage, the first bad step, the loss and its value.
        """
        for values in tf.nest.map_structure(lambda value: float(value.numpy()), self._pending):
            self._step += 1
            self._count += 1
            if not all(math.isfinite(value) for value in values.values()):
                raise TrainingError(self._not_finite(values))
            for name, value in values.items():
                self._sums[name] = self._sums.get(name, 0.0) + value
        self._pending = []

    def read(self) -> dict[str, float]:
        """Returns the mean values and `"images_per_s"` since the last `read`.

        Raises:
          TrainingError: as `check`.
        """
        self.check()
        means = {name: total / max(self._count, 1) for name, total in self._sums.items()}
        seconds = time.perf_counter() - self._since
        means["images_per_s"] = self._count * self._batch_size / max(seconds, 1e-9)
        self.restart()
        return means

    def restart(self) -> None:
        """Begins a new window, for example after a break for an evaluation.

        Raises:
          TrainingError: as `check`.
        """
        self.check()
        self._since = time.perf_counter()
        self._count = 0
        self._sums = {}

    def _not_finite(self, values: Mapping[str, float]) -> str:
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        listed = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        return (
            f"stage {self._stage!r}, step {self._step}: {bad[0]} is {values[bad[0]]:g} "
            f"({listed}). Nothing was saved since; a lower learning rate or gradient clipping may "
            "help, and the same command tries again from the last checkpoint"
        )
