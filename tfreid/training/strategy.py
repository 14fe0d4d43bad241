"""Which devices train: all GPUs of this machine, several machines, or the CPU."""

import contextlib
import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence

import tensorflow as tf

from tfreid.errors import TrainingError, UsageError


def make_strategy(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """Returns the strategy that fits what is there.

    With `TF_CONFIG` set, one of several workers; with GPUs, a mirror of the model on each of
    them; else the default strategy, which adds nothing to a step on the CPU.

    Args:
      devices: devices to mirror the model on, such as `["CPU:0", "CPU:1"]`; None to choose.

    Raises:
      UsageError: if `TF_CONFIG` cannot be understood.
    """
    if devices is not None:
        return tf.distribute.MirroredStrategy(devices)
    if os.environ.get("TF_CONFIG"):
        return _several_workers()
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return tf.distribute.MirroredStrategy() if gpus else tf.distribute.get_strategy()


def is_chief() -> bool:
    """Returns whether this process writes the run folder: the only one, or the first worker."""
    if not os.environ.get("TF_CONFIG"):
        return True
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if "chief" in resolver.cluster_spec().jobs:
        return resolver.task_type == "chief"
    return resolver.task_id == 0


def wait_for_all_workers(strategy: tf.distribute.Strategy) -> None:
    """Returns when every worker has called it; at once in a process that trains alone.

    A worker that leaves earlier makes TensorFlow report errors in the others.
    """
    if _has_workers(strategy):
        _sum_over_workers(strategy, 1)


def require_same_run(strategy: tf.distribute.Strategy, identity: str) -> None:
    """Returns when every worker has called it with the same text; at once in a lone process.

    Args:
      strategy: of the training.
      identity: what a run is, as a text.

    Raises:
      UsageError: if workers were given different runs.
    """
    if _has_workers(strategy):
        own = zlib.crc32(identity.encode())
        if _sum_over_workers(strategy, own) != own * strategy.num_replicas_in_sync:
            raise UsageError(
                "the workers of TF_CONFIG were not given the same run: start all of them with the "
                "same method, recipe, seed, precision and data"
            )


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def _sum_over_workers(strategy: tf.distribute.Strategy, value: int) -> int:
    own = tf.constant(value, tf.int64)
    add = tf.function(lambda: strategy.reduce("SUM", strategy.run(tf.identity, (own,)), axis=None))
    with lost_workers():
        return int(add().numpy())


@contextlib.contextmanager
def lost_workers() -> Iterator[None]:
    """Says in a line that another worker is gone, which TensorFlow reports from within a step.

    Raises:
      TrainingError: where another worker ended or cannot be reached.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        found = re.search(r"/task:(\d+)", error.message.partition("Error reported from")[2])
        which = f"worker {found[1]} of TF_CONFIG" if found else "another worker of TF_CONFIG"
        raise TrainingError(
            f"{which} ended or cannot be reached: see what it printed last, and start all workers "
            "again with the same command; they continue from the last checkpoint"
        ) from None


def _several_workers() -> tf.distribute.Strategy:
    fault = _fault_of(os.environ["TF_CONFIG"])
    if fault is None:
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, TypeError) as error:
            fault = str(error)
    raise UsageError(
        f"the environment variable TF_CONFIG does not describe a cluster: {fault}. Expected "
        'JSON such as {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": '
        '{"type": "worker", "index": 0}}; unset it to train on this machine alone'
    )


def _fault_of(text: str) -> str | None:
    try:
        config = json.loads(text)
    except ValueError:
        return "it is no JSON"
    try:
        kind, index = config["task"]["type"], int(config["task"]["index"])
        count = len(config["cluster"][kind])
    except (KeyError, TypeError, ValueError):
        return "it does not say which task of which cluster this process is"
    if not 0 <= index < count:
        return f"this task's index is {index}, and those of its {kind}s are 0 to {count - 1}"
    return None
