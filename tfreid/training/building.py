"""Builds a method's model from its recipe and a data set's description."""

from typing import Any

import keras
import tensorflow as tf

from tfreid.errors import UsageError
from tfreid.methods.base import Method
from tfreid.records import RecordsInfo


def main_data(method: Method, recipe: Any) -> str:
    """Returns the kind of records that shapes the model: `"reid"` if any stage reads it."""
    kinds = {stage.data for stage in method.stages(recipe)}
    return "reid" if "reid" in kinds else "parsing"


def build_model(
    method: Method, recipe: Any, info: RecordsInfo, precision: str = "float32"
) -> keras.Model:
    """Returns a model whose variables exist.

    Args:
      method: the method.
      recipe: its settings.
      info: of the data set of kind `main_data(method, recipe)`.
      precision: one of `PRECISIONS` of `arithmetic.py`; variables are float32 in all.

    Raises:
      UsageError: if the model does not fit into memory.
    """
    kind = main_data(method, recipe)
    last = [stage for stage in method.stages(recipe) if stage.data == kind][-1]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = method.build(recipe, info)
        model(tf.zeros((1, *last.inputs.image_size_px, 3)))
    except (MemoryError, OverflowError, tf.errors.ResourceExhaustedError) as error:
        raise UsageError(
            f"the model of this recipe of {method.name} is too large for this machine: give it "
            "less width or smaller images"
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
    return model
