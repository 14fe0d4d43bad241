"""Checkpoints of a run, from which it continues exactly."""

import functools
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfreid import files
from tfreid.errors import DataError, TrainingError
from tfreid.training.loss_scale import LossScale
from tfreid.training.optimizers import CoupledOptimizer
from tfreid.training.saved_steps import list_up_to, newest_checkpoint, remove_half_written

_DISK_ERRORS = (OSError, tf.errors.OpError)


class Checkpoints:
    """Saves and restores the weights, the momentum of every stage and the run's step.

    A checkpoint counts if each value in it has its checksum: a run that is killed while saving, or
    whose newest checkpoint is damaged, continues from the one before.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        step: tf.Variable,
        optimizers: Mapping[str, Mapping[str, CoupledOptimizer]],
        keep: int,
        chief: bool = True,
        loss_scale: LossScale | None = None,
    ):
        """Names what is saved; all of it must have been made in the strategy's scope.

        Args:
          folder: where the checkpoints lie.
          model: a built model.
          step: the run's step.
          optimizers: stage -> group -> built optimizer, for all stages of the run.
          keep: how many of the latest checkpoints to keep.
          chief: whether this process writes `folder`; other workers must save too, because
            saving needs them, but what they write is thrown away.
          loss_scale: of a run in float16.
        """
        self._folder = folder
        self._step = step
        self._model = model
        momentum = {
            stage: {group: _values(optimizer.state) for group, optimizer in groups.items()}
            for stage, groups in optimizers.items()
        }
        weights = _values(model.weights)
        self._weight_bytes = _bytes(weights)
        self._bytes = self._weight_bytes + _bytes(tf.nest.flatten(momentum))
        scaling = {} if loss_scale is None else {"loss_scale": loss_scale.state}
        self._checkpoint = tf.train.Checkpoint(
            weights=weights, momentum=momentum, step=step, **scaling
        )
        self._chief, self._keep = chief, keep
        self._target = folder if chief else Path(tempfile.mkdtemp(prefix="tfreid-worker-"))
        self.saved_step: int | None = None

    def restore(self) -> int:
        """Restores the newest whole checkpoint, if there has ever been one.

        The chief makes TensorFlow's list of checkpoints anew, up to that one, and removes what is
        half written: the list decides what is removed later, and TensorFlow complains of others.

        Returns:
          The run's step: the number of updates done.

        Raises:
          DataError: if none is whole, or it does not fit the model.
        """
        path = newest_checkpoint(self._folder)
        if path is not None:
            _restore(self._checkpoint, self._model, path)
            self.saved_step = int(self._step.numpy())
        if self._chief and path is not None:
            remove_half_written(self._folder)
            list_up_to(self._folder, self.saved_step)
        return int(self._step.numpy())

    def require_space(self) -> None:
        """Finds out whether the disk has room for the checkpoints, and an export after them.

        The next one is written before the oldest is removed; those that are there count as room.

        Raises:
          UsageError: if not.
        """
        needed = (self._keep + 1) * self._bytes + self._weight_bytes
        files.require_space(
            self._folder,
            needed - files.bytes_of(self._folder.glob("ckpt-*")),
            "the checkpoints and an export",
            "give another folder (out)",
        )

    @functools.cached_property
    def _manager(self) -> tf.train.CheckpointManager:
        """Made after the list of checkpoints was mended, as it reads that."""
        return tf.train.CheckpointManager(self._checkpoint, self._target, max_to_keep=self._keep)

    def save(self) -> None:
        """Saves a checkpoint of the present step, unless there is one.

        Raises:
          TrainingError: if it cannot be written, for example because the disk is full.
        """
        step = int(self._step.numpy())
        if step == self.saved_step:
            return
        try:
            self._manager.save(checkpoint_number=step)
        except _DISK_ERRORS as error:
            raise TrainingError(self._cannot_save(step, error)) from error
        self.saved_step = step

    def _cannot_save(self, step: int, error: Exception) -> str:
        stands = (
            "there is no earlier checkpoint, so that the same command begins anew"
            if self.saved_step is None
            else f"the checkpoint of step {self.saved_step} stands, and the same command continues "
            "from it"
        )
        reason = re.sub(r"^\{\{.*?\}\} *|\s*\[Op:\w+\]$", "", str(error))
        return (
            f"the checkpoint of step {step} cannot be written to {self._folder}: {reason}. Make "
            f"room there, if room is what it lacks; {stands}"
        )


def restore_model(folder: Path, model: keras.Model) -> int:
    """Restores the weights of the newest whole checkpoint into a built model.

    Args:
      folder: where the checkpoints lie.
      model: a built model.

    Returns:
      The step of the checkpoint.

    Raises:
      DataError: if there is no checkpoint, none is whole or it does not fit the model.
    """
    path = newest_checkpoint(folder)
    if path is None:
        raise DataError(f"{folder} holds no checkpoint: the run saved nothing yet; train it first")
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(weights=_values(model.weights), step=step)
    _restore(checkpoint, model, path)
    return int(step.numpy())


def _values(variables: Sequence[keras.Variable]) -> list[tf.Variable]:
    """The variables in an order that the model's structure fixes.

    Keras hides layers that it keeps in lists from TensorFlow's tracking, and numbers the names of
    layers through a process, so neither objects nor names identify a weight; its place does.
    """
    return [variable.value for variable in variables]


def _bytes(variables: Sequence[tf.Variable]) -> int:
    return sum(variable.shape.num_elements() * variable.dtype.size for variable in variables)


def _restore(checkpoint: tf.train.Checkpoint, model: keras.Model, path: str) -> None:
    """Restores a checkpoint that has all that is asked for, and exactly the model's weights."""
    try:
        _refuse_other_model(model, path)
        status = checkpoint.restore(path)
        status.assert_existing_objects_matched()
        status.expect_partial()
    except AssertionError as error:
        raise DataError(f"the checkpoint {path} does not fit the recipe: {error}") from error
    except (tf.errors.OpError, IndexError) as error:  # The reader has both for a short file.
        raise DataError(f"the checkpoint {path} cannot be read: {error}") from error


def _refuse_other_model(model: keras.Model, path: str) -> None:
    shapes = {
        int(key.split("/")[1]): tuple(shape)
        for key, shape in tf.train.load_checkpoint(path).get_variable_to_shape_map().items()
        if key.startswith("weights/")
    }
    wrong = [
        f"{weight.path}: expected {tuple(weight.shape)}, found {shapes.get(number, 'nothing')}"
        for number, weight in enumerate(model.weights)
        if shapes.get(number) != tuple(weight.shape)
    ]
    if wrong or len(shapes) != len(model.weights):
        listed = "".join(f"\n  {line}" for line in wrong[:10])
        raise DataError(
            f"the checkpoint {path} has {len(shapes)} weights and the recipe's model "
            f"{len(model.weights)}, of which {len(wrong)} do not match:{listed}"
        )
