import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfreid.errors import DataError, UsageError
from tfreid.serving import export

SIZE = (8, 4)


class Toy(keras.Model):
    """Its descriptor is a linear map of the pixels."""

    def __init__(self):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(3)

    def call(self, images):
        return {"descriptor": self.embed(images)}

    def embed(self, images):
        return self.dense(self.flatten(images))

    def explain(self, images):
        return {"activation": tf.reduce_mean(images, axis=-1) / 255}


class Unrepeatable(Toy):
    """Gives other descriptors each time."""

    def embed(self, images):
        return super().embed(images) + tf.random.normal((3,), stddev=1000.0)


def encoded(size, kind, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def sample():
    return [encoded((16, 8), "JPEG"), encoded((9, 7), "PNG", 1), encoded((8, 4), "BMP", 2)]


def built(kind=Toy):
    model = kind()
    model(np.zeros((1, *SIZE, 3), "float32"))
    return model


def test_signatures_give_unit_descriptors_of_files_of_any_size(tmp_path, sample):
    model = built()
    path = export(model, SIZE, tmp_path, sample)
    loaded = tf.saved_model.load(str(path))
    served = loaded.signatures["serving_default"](image_bytes=tf.constant(sample))["embedding"]
    assert served.shape == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, rtol=1e-5)
    bitmap = np.asarray(Image.open(io.BytesIO(sample[2])), "float32")[None]
    direct = loaded.signatures["embed_images"](images=tf.constant(bitmap))["embedding"]
    np.testing.assert_allclose(served[2], direct[0], atol=1e-6)
    expected = model.embed(bitmap)[0]
    np.testing.assert_allclose(direct[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_versions_count_upwards(tmp_path, sample):
    model = built()
    assert [export(model, SIZE, tmp_path, sample).name for _ in range(2)] == ["1", "2"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "2"]


def test_a_model_that_computes_something_else_is_not_written(tmp_path, sample):
    with pytest.raises(DataError, match="differs from the trained model.s by"):
        export(built(Unrepeatable), SIZE, tmp_path, sample)
    assert not list(tmp_path.glob("[0-9]*"))


def test_a_model_without_descriptor_is_refused(tmp_path, sample):
    with pytest.raises(UsageError, match="gives no descriptor"):
        export(keras.Sequential([keras.layers.Dense(1)]), SIZE, tmp_path, sample)
