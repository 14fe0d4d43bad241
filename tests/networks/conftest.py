"""One tiny model in every format that is read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tfreid.training import Run

SIZE_PX = (32, 16)


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Five pictures, float32 `[5, 32, 16, 3]` in [0, 255]."""
    shapes = np.random.default_rng(0).integers(0, 256, (5, 8, 4, 3))
    return shapes.repeat(4, axis=1).repeat(4, axis=2).astype("float32")


@pytest.fixture(scope="module")
def embed(dgd_run):
    """The run's descriptors as a `tf.function` of images of any number."""
    import tensorflow as tf

    model = Run(dgd_run).model
    spec = tf.TensorSpec((None, *SIZE_PX, 3), tf.float32, name="images")
    function = tf.function(model.embed, input_signature=[spec])
    function.model = model  # A graph does not keep its variables alive.
    return function


@pytest.fixture(scope="module")
def onnx_file(embed, tmp_path_factory) -> Path:
    """The model as ONNX."""
    import tf2onnx

    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    tf2onnx.convert.from_function(embed, embed.input_signature, opset=13, output_path=str(path))
    return path


@pytest.fixture(scope="module")
def saved_model(embed, tmp_path_factory) -> Path:
    """The model as a SavedModel that is none of ours."""
    import tensorflow as tf

    path = tmp_path_factory.mktemp("saved") / "model"
    holder = tf.Module()
    holder.model, holder.embed = embed.model, embed
    tf.saved_model.save(holder, str(path), signatures=embed)
    return path


@pytest.fixture(scope="module")
def tflite_file(embed, tmp_path_factory) -> Path:
    """The model as TFLite, in float32, one image at a time."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    # The converter does not find the variables of Keras 3.
    constant = convert_variables_to_constants_v2(embed.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([constant])
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="module")
def served(dgd_run) -> Iterator[str]:
    """The address of the run's export on a server."""
    from tfreid.serving.server import LocalServer

    with LocalServer(dgd_run / "export") as server:
        yield f"grpc://127.0.0.1:{server.port}/reid"
