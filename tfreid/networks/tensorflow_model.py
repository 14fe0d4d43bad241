"""SavedModels and Keras files that others wrote."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.networks.foreign import ForeignModel, Shape
from tfreid.networks.model_file import choose, facts_of, only_input
from tfreid.runtimes import first_line, kind_of, not_a

DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def read_saved_model(
    path: Path, *, signature: str | None = None, output: str | None = None
) -> ForeignModel:
    """Opens a SavedModel.

    Args:
      path: its folder.
      signature: to call; the only one, or TensorFlow's default one, unless given.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if it is not clear what to take.
      DataError: if TensorFlow cannot load it.
    """
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:
        raise DataError(f"{path} cannot be loaded by TensorFlow: {first_line(error)}") from None
    if not loaded.signatures:
        raise UsageError(f"{path} has no signatures: save it with one that takes images")
    name = choose_signature(str(path), loaded.signatures, signature)
    function = loaded.signatures[name]
    inputs = function.structured_input_signature[1]
    given = only_input(str(path), {name: dims(spec.shape) for name, spec in inputs.items()})
    outputs = {name: dims(spec.shape) for name, spec in function.structured_outputs.items()}
    taken = choose("output", str(path), outputs, output)
    dtype = image_dtype(str(path), inputs[given].dtype, loaded.signatures)

    def graph(images: tf.Tensor) -> tf.Tensor:
        return loaded and function(**{given: images})[taken]  # What is not named is forgotten.

    return ForeignModel(
        label=str(path),
        run=lambda images: graph(tf.constant(images)).numpy(),
        facts=facts_of("saved_model", path, signature=name, output=taken),
        input_shape=dims(inputs[given].shape),
        dtype=dtype,
        graph=graph,
        other_outputs={name: shape for name, shape in outputs.items() if name != taken},
    )


def choose_signature(label: str, signatures: Mapping[str, Any], wanted: str | None) -> str:
    """Returns the signature to call: the one that is wanted, the only one, or the default one."""
    if wanted is None and DEFAULT in signatures:
        return DEFAULT
    return choose("signature", label, dict.fromkeys(signatures), wanted)


def image_dtype(label: str, dtype: tf.DType, signatures: Iterable[str]) -> str:
    """Returns the dtype of a model's images.

    Args:
      label: of the model.
      dtype: of its input.
      signatures: that it has.

    Raises:
      UsageError: if it takes none.
    """
    if not (dtype.is_floating or dtype.is_integer):
        raise UsageError(
            f"{label} takes {dtype.name} and no arrays of pixels: choose another signature "
            f"(signature), of {', '.join(signatures)}"
        )
    return dtype.name


def dims(shape: tf.TensorShape) -> Shape | None:
    """Returns a shape as a tuple with None for what is open."""
    return None if shape.rank is None else tuple(shape.as_list())


def read_keras(path: Path, *, output: str | None = None) -> ForeignModel:
    """Opens a `.keras` file; nothing in it is run but layers that Keras has.

    Args:
      path: the file.
      output: name of the output to take; see `choose`.

    Raises:
      UsageError: if it is not clear what to take.
      DataError: if Keras cannot load it.
    """
    if not (kind_of(path) or "").startswith("a ZIP"):
        raise not_a("a Keras model", path, "its first bytes are others")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise _explained(path, error) from None
    shape, outputs = _described(model)
    taken = choose("output", str(path), outputs, output) if outputs else output

    def graph(images: tf.Tensor) -> tf.Tensor:
        found = model(images, training=False)
        if isinstance(found, Mapping):
            return found[choose("output", str(path), dict.fromkeys(found), taken)]
        if isinstance(found, (list, tuple)):
            return found[list(outputs).index(taken)]
        return found

    return ForeignModel(
        label=str(path),
        run=lambda images: graph(tf.constant(images)).numpy(),
        facts=facts_of("keras", path, output=taken),
        input_shape=shape,
        graph=graph,
        other_outputs={name: dims for name, dims in outputs.items() if name != taken},
        usual_layout="nhwc",
    )


def _explained(path: Path, error: Exception) -> DataError:
    own = re.search(r"Could not locate (?:class|function) '([^']+)'", str(error))
    if own:
        return DataError(
            f"{path} needs {own[1]}, which Keras does not have: export the model where that is "
            "defined, as a SavedModel (model.export) or to ONNX"
        )
    return DataError(f"{path} cannot be loaded by Keras: {first_line(error)}")


def _described(model: keras.Model) -> tuple[Shape | None, dict[str, Shape]]:
    """Returns the shape of a model's images and its outputs; nothing of a subclassed model."""
    try:
        inputs, outputs = model.inputs, model.outputs
    except AttributeError:
        return None, {}
    if not inputs:
        return None, {}
    named = {tensor.name: tuple(tensor.shape) for tensor in inputs}
    only_input(str(model.name), named)
    names = getattr(model, "output_names", None) or [tensor.name for tensor in outputs]
    shapes = (tuple(tensor.shape) for tensor in outputs)
    return tuple(inputs[0].shape), dict(zip(names, shapes, strict=True))
