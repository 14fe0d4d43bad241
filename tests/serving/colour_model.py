"""A SavedModel that is made in a moment, whose answers can be told in advance."""

import io
import os
import struct
from pathlib import Path
from zlib import crc32

import grpc
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from tfreid.serving.server import LocalServer

SIZE = (4, 2)
Colour = tuple[int, int, int]


class MeanColour(tf.Module):
    """Its embedding is the image's mean RGB times the number of the version."""

    def __init__(self, version: int):
        super().__init__()
        self.version = tf.Variable(float(version))

    def embed(self, images):
        return {"embedding": self.version * tf.reduce_mean(images, [1, 2])}

    def serve(self, image_bytes):
        def decode(encoded):
            image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
            return tf.image.resize(image, SIZE)

        spec = tf.TensorSpec((*SIZE, 3), tf.float32)
        return self.embed(tf.map_fn(decode, image_bytes, fn_output_signature=spec))

    def explain(self, images):
        return self.embed(images) | {"activation": images[..., 0]}


def write_version(base: Path, version: int, *warmup: predict_pb2.PredictRequest) -> Path:
    """Writes `base/<version>`, which appears when it is complete."""
    module = MeanColour(version)
    text = tf.TensorSpec([None], tf.string, name="image_bytes")
    images = tf.TensorSpec([None, *SIZE, 3], tf.float32, name="images")
    signatures = {
        "serving_default": tf.function(module.serve).get_concrete_function(text),
        "embed_images": tf.function(module.embed).get_concrete_function(images),
        "explain": tf.function(module.explain).get_concrete_function(images),
    }
    partial = base / f".{version}.partial"
    tf.saved_model.save(module, str(partial), signatures)
    (partial / "assets.extra").mkdir()
    with tf.io.TFRecordWriter(str(partial / "assets.extra/tf_serving_warmup_requests")) as file:
        for request in warmup:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            file.write(log.SerializeToString())
    os.replace(partial, base / str(version))
    return base / str(version)


def channel_to(server: LocalServer) -> grpc.Channel:
    """Returns a channel that takes no proxy for a server on this machine."""
    options = [("grpc.enable_http_proxy", 0)]
    return grpc.insecure_channel(f"127.0.0.1:{server.port}", options=options)


def png(colour: Colour) -> bytes:
    """Returns an image file of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", SIZE[::-1], colour).save(buffer, "PNG")
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Returns the beginning of a PNG file of any size."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", crc32(chunk))


def predict_request(
    inputs: dict, signature: str = "", name: str = "reid", version: int | None = None
) -> predict_pb2.PredictRequest:
    """Returns a request with arrays, or lists of image files, by the names of the inputs."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def colours_request(*colours: Colour) -> predict_pb2.PredictRequest:
    """Returns a request for the embeddings of images of one colour each."""
    return predict_request({"image_bytes": [png(colour) for colour in colours]})


def outputs(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
    """Returns the arrays of a response."""
    return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
