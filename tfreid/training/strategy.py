"""Which devices train: all GPUs of this machine, several machines, or the CPU."""

import os
from collections.abc import Sequence

import tensorflow as tf

from tfreid.errors import UsageError


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


def _several_workers() -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"the environment variable TF_CONFIG does not describe a cluster: {error}. Expected "
            'JSON such as {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": '
            '{"type": "worker", "index": 0}}; unset it to train on this machine alone'
        ) from error
