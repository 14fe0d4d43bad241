"""What happens between two steps: log, save, picture, evaluate, stop."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from tfreid.methods.base import Stage
from tfreid.progress import Progress, duration
from tfreid.training.checkpoints import Checkpoints
from tfreid.training.interruption import StoppedBySignal, StopRequest
from tfreid.training.meter import Meter
from tfreid.training.patience import is_exhausted, score
from tfreid.training.run import Run
from tfreid.training.strategy import is_chief
from tfreid.training.summaries import Summaries

Evaluate = Callable[[keras.Model, int], Mapping[str, float]]
"""Model and step -> named metrics."""

_STEPS_TO_ESTIMATE = 3
_LONG_S = 12 * 3600


@dataclass(frozen=True)
class WatchOptions:
    """How a run is watched, saved and, by `stop_when_no_better`, ended early.

    Nothing here changes a step.

    Attributes:
      checkpoint_every_steps: steps between checkpoints; each stage also ends with one.
      keep_checkpoints: how many of the latest checkpoints to keep.
      log_every_steps: steps between TensorBoard scalars, and between checks that all losses are
        finite.
      pictures_every_steps: steps between TensorBoard pictures.
      evaluate_every_steps: steps between evaluations; 0 for none.
      stop_when_no_better: end the training when so many evaluations of the last stage in a row were
        no better than the best before them (`tfreid.training.patience`); 0 trains to the end.
    """

    checkpoint_every_steps: int = 500
    keep_checkpoints: int = 3
    log_every_steps: int = 50
    pictures_every_steps: int = 500
    evaluate_every_steps: int = 0
    stop_when_no_better: int = 0


class Watch:
    """Watches a run; a context in which SIGTERM and Ctrl-C stop it after the present step."""

    def __init__(
        self,
        run: Run,
        options: WatchOptions,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        checkpoints: Checkpoints,
        evaluate: Evaluate | None,
        test_images: tf.Tensor | None,
        total_steps: int,
    ):
        """Stores what a watched run consists of.

        Args:
          run: its folder.
          options: how often to do what.
          strategy: where it trains.
          model: what it trains.
          checkpoints: what saves it.
          evaluate: returns metrics of the model.
          test_images: what to write the model's maps of, float32 `[n, height, width, 3]` in
            [0, 255], besides those of training batches.
          total_steps: updates of all stages.
        """
        self._run = run
        self._options = options
        self._strategy = strategy
        self._model = model
        self._checkpoints = checkpoints
        self._evaluate = evaluate
        self._test_images = test_images
        self._total_steps = total_steps
        self._chief = is_chief()
        self._scores: list[float] = []
        self.ends_early = False
        self._count = tf.function(
            lambda vote: strategy.reduce("SUM", strategy.run(tf.identity, (vote,)), axis=None)
        )

    def __enter__(self) -> "Watch":
        """Takes over the signals and opens the events file."""
        self._exit = contextlib.ExitStack()
        self._stop = self._exit.enter_context(StopRequest())
        self._summaries = Summaries(self._run.events if self._chief else None)
        self._exit.callback(self._summaries.close)
        if self._test_images is not None:
            self._summaries.test_images(self._test_images)
        return self

    def __exit__(self, *error: object) -> None:
        """Gives the signals back and closes the events file."""
        self._exit.close()

    @contextlib.contextmanager
    def stage(
        self, stage: Stage, first: int, done: int, rates: Mapping[str, Callable[[], tf.Tensor]]
    ) -> Iterator[None]:
        """Context of a stage's steps.

        Args:
          stage: the stage.
          first: the run's step at which it begins.
          done: the run's step now.
          rates: group -> its learning rate now.
        """
        self._stage, self._first, self._rates, self._done = stage, first, rates, done
        self._scores = self._earlier_scores(done)
        self._meter = Meter(stage.name, stage.batch_size, done)
        each, label = (stage.batch_size, "images"), f"stage {stage.name}"
        with Progress(stage.steps, label, done=done - first, each=each) as self._bar:
            yield

    def after_step(
        self, number: int, values: Mapping[str, tf.Tensor], batch: Mapping[str, tf.Tensor]
    ) -> None:
        """Does what is due after a step.

        Args:
          number: the run's step: updates done.
          values: the losses of the step.
          batch: the (distributed) batch of the step.

        Raises:
          TrainingError: if a loss was not finite or a checkpoint cannot be written.
          StoppedBySignal: if a signal came; a checkpoint is saved.
        """
        options = self._options
        self._meter.add(values)
        stop = self._stop_agreed(number)
        last = number == self._first + self._stage.steps or stop
        note = self._log(number) if last or number % options.log_every_steps == 0 else None
        self._bar.advance(note=note)
        if last or number % options.checkpoint_every_steps == 0:
            self._meter.check()
            self._checkpoints.save()
        if number == self._done + 1:  # It holds what is done only once: it counts for no rate.
            self._meter.restart()
        if (number - self._first - 1) % options.pictures_every_steps == 0:
            self._picture(number, batch)
        if self._evaluation_is_due(number):
            self._add_evaluation(number)
            self._end_if_no_better(number)
        if number == self._done + _STEPS_TO_ESTIMATE:
            self._warn_of_slowness(number)
        if stop:
            raise StoppedBySignal(number, self._stop.signal_number or signal.SIGTERM)

    def _log(self, number: int) -> str:
        means = self._meter.read()
        scalars = {f"{self._stage.name}/{name}": value for name, value in means.items()}
        for group, rate in self._rates.items():
            scalars[f"{self._stage.name}/learning_rate/{group}"] = float(rate().numpy())
        self._summaries.scalars(scalars, number)
        return f"loss {means['total']:.4g}"

    def _picture(self, number: int, batch: Mapping[str, tf.Tensor]) -> None:
        local = {
            name: self._strategy.experimental_local_results(value)[0]
            for name, value in batch.items()
        }
        self._summaries.pictures(self._stage.name, self._model, local, number)
        if self._test_images is not None:
            self._summaries.test_maps(self._model, self._test_images, number)
        self._meter.restart()

    def _evaluation_is_due(self, number: int) -> bool:
        every = self._options.evaluate_every_steps
        if self._evaluate is None or not every:
            return False
        return number % every == 0 or number == self._total_steps

    def _add_evaluation(self, number: int) -> None:
        metrics = {
            name: float(value) for name, value in self._evaluate(self._model, number).items()
        }
        self._scores += [found for found in [score(metrics)] if found is not None]
        if self._chief:
            self._summaries.scalars({f"evaluation/{n}": v for n, v in metrics.items()}, number)
            earlier = self._run.metrics.get("evaluations", {})
            self._run.add_metrics(evaluations=earlier | {str(number): metrics})
        self._meter.restart()

    def _earlier_scores(self, done: int) -> list[float]:
        """The scores of this stage's evaluations before a run was continued."""
        recorded = self._run.metrics.get("evaluations", {})
        steps = sorted(step for step in map(int, recorded) if self._first < step <= done)
        found = (score(recorded[str(step)]) for step in steps)
        return [value for value in found if value is not None]

    def _end_if_no_better(self, number: int) -> None:
        patience, is_last = self._options.stop_when_no_better, self._is_last_stage()
        if not is_last or number == self._total_steps or not is_exhausted(self._scores, patience):
            return
        self._meter.check()
        self._checkpoints.save()
        if self._chief:
            self._run.add_metrics(stopped_early={"step": number, "best": max(self._scores)})
        self.ends_early = True
        self._bar.say(f"stopped early at step {number}: no better in {patience} evaluations")

    def _is_last_stage(self) -> bool:
        return self._first + self._stage.steps == self._total_steps

    def _warn_of_slowness(self, number: int) -> None:
        """Says how long it will take where that is long and a GPU would help."""
        seconds = self._bar.seconds_left(self._total_steps - number)
        if seconds > _LONG_S and not tf.config.list_physical_devices("GPU"):
            self._bar.say(
                f"expected time on this CPU: about {duration(seconds)} for {self._total_steps:,} "
                "steps; such recipes are made for GPUs"
            )

    def _stop_agreed(self, number: int) -> bool:
        """Whether to stop now: several workers must do so at the same step."""
        noted = self._stop.signal_number is not None
        if not isinstance(self._strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return noted
        if number % self._options.log_every_steps:
            return False
        return float(self._count(tf.constant(float(noted))).numpy()) > 0
