"""Requests that TensorFlow Serving runs before a version is said to be available."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from tfreid.inputs import decode_image
from tfreid.serving.signatures import DEFAULT, EXPLAIN

FILE_NAME = "tf_serving_warmup_requests"
_MODEL_NAME = "reid"
_COARSE_PX = 8


def write_warmup(path: Path, sample: Sequence[bytes]) -> None:
    """Writes a TFRecord file of `PredictionLog` messages.

    The pictures are noise of the sample's sizes: a model that is handed on carries nobody's
    picture.

    Args:
      path: of the file.
      sample: encoded images like those to come.
    """
    stand_ins = [_stand_in(encoded, seed) for seed, encoded in enumerate(sample)]
    requests = [
        _request(DEFAULT, stand_ins[:1]),
        _request(DEFAULT, stand_ins),
        _request(EXPLAIN, stand_ins[:1]),
    ]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())


def _stand_in(encoded: bytes, seed: int) -> bytes:
    """Returns a JPEG file of smooth noise, of the size of another image."""
    size = decode_image(encoded).shape[:2]
    coarse = np.random.default_rng(seed).uniform(0, 255, (_COARSE_PX, _COARSE_PX, 3))
    pixels = tf.cast(tf.image.resize(coarse, size), tf.uint8)
    return tf.io.encode_jpeg(pixels).numpy()


def _request(signature: str, files: Sequence[bytes]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = _MODEL_NAME
    request.model_spec.signature_name = signature
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(files, tf.string))
    return request
