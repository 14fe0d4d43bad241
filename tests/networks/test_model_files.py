"""TFLite, SavedModel, Keras and TorchScript files: what is read, chosen and refused."""

import sys
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.networks.describing import descriptors
from tfreid.errors import DataError, UsageError
from tfreid.networks import open_network

SIZE = (8, 4)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3)).astype("float32")
MEANS = IMAGES.mean((1, 2))


def described(network, images=IMAGES):
    return descriptors(network, images)


# ---- TFLite


def write_tflite(path, batch=1, whole=False):
    """The mean of each channel, of pixels of 0 to 1; with whole numbers in and out if asked."""
    spec = tf.TensorSpec((batch, *SIZE, 3), tf.float32, name="images")
    function = tf.function(lambda images: tf.reduce_mean(images, (1, 2)), input_signature=[spec])
    module = tf.Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], module
    )
    if whole:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([i[None] / 255] for i in IMAGES)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return path


def test_a_tflite_file_says_its_size_and_batch(tmp_path):
    network = open_network(write_tflite(tmp_path / "m.tflite"))
    assert (network.image_size_px, network.fixed_batch) == (SIZE, 1)
    np.testing.assert_allclose(described(network), MEANS, rtol=1e-5)
    dynamic = open_network(write_tflite(tmp_path / "d.tflite", batch=None))
    assert dynamic.fixed_batch is None
    np.testing.assert_allclose(described(dynamic), MEANS, rtol=1e-5)
    np.testing.assert_allclose(described(dynamic, IMAGES[:2]), MEANS[:2], rtol=1e-5)


def test_threads_share_a_tflite_file(tmp_path):
    network = open_network(write_tflite(tmp_path / "m.tflite"))
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: described(network), range(40)):
            np.testing.assert_allclose(found, MEANS, rtol=1e-5)


def test_whole_numbers_of_tflite_stand_for_what_the_file_says(tmp_path):
    network = open_network(write_tflite(tmp_path / "m.tflite", whole=True), "0..1")
    np.testing.assert_allclose(described(network), MEANS / 255, atol=0.01)


def test_a_tflite_file_that_is_none_or_damaged_is_named(tmp_path):
    file = tmp_path / "m.tflite"
    file.write_bytes(b"\x89HDF" + bytes(99))
    with pytest.raises(DataError, match=r"is not a TFLite model: it is an HDF5 file"):
        open_network(file)
    whole = write_tflite(file).read_bytes()
    for damaged in (b"abcdTFL3" + bytes(99), whole[: len(whole) // 2], whole[:-20]):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"m\.tflite is a damaged TFLite model"):
            open_network(file)


def test_without_an_interpreter_it_says_what_to_install(tmp_path, monkeypatch):
    file = write_tflite(tmp_path / "m.tflite")
    monkeypatch.setattr(tf, "lite", types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(UsageError, match="pip install ai-edge-litert"):
        open_network(file)


# ---- SavedModel


class Means(tf.Module):
    """Means, the pixels, and what takes text; of any batch or of one."""

    def save(self, path, **signatures):
        tf.saved_model.save(self, str(path), signatures or None)
        return path

    def of(self, function, shape=(None, *SIZE, 3), dtype=tf.float32):
        spec = tf.TensorSpec(shape, dtype, name="images")
        return tf.function(function).get_concrete_function(spec)

    def means(self, images):
        return {"features": tf.reduce_mean(tf.cast(images, tf.float32), (1, 2))}

    def both(self, images):
        return {"features": -tf.reduce_mean(images, (1, 2)), "map": images}


def test_the_only_signature_and_the_only_descriptor_of_a_saved_model_are_taken(tmp_path):
    made = Means()
    network = open_network(made.save(tmp_path / "m", embed=made.of(made.both)))
    np.testing.assert_allclose(described(network), -MEANS, rtol=1e-5)
    facts = network.to_json()
    assert (facts["format"], facts["signature"], facts["output"]) == (
        "saved_model",
        "embed",
        "features",
    )
    assert facts["sha256"] == open_network(tmp_path / "m").to_json()["sha256"]


def test_one_of_several_signatures_is_chosen_or_the_default_one_taken(tmp_path):
    made = Means()
    several = {"one": made.of(made.means), "two": made.of(made.both)}
    made.save(tmp_path / "m", **several)
    with pytest.raises(UsageError, match=r"several signatures.*\(signature\), of one; two"):
        open_network(tmp_path / "m")
    chosen = open_network(tmp_path / "m", signature="two")
    np.testing.assert_allclose(described(chosen), -MEANS, rtol=1e-5)
    with pytest.raises(UsageError, match=r"no signature 'three' \(signature\): it has one; two"):
        open_network(tmp_path / "m", signature="three")
    with pytest.raises(UsageError, match=r"\[2, 8, 4, 3\].*feature map.*features \[\?, 3\]"):
        open_network(tmp_path / "m", signature="two", output="map")
    made.save(tmp_path / "d", other=several["two"], serving_default=several["one"])
    assert open_network(tmp_path / "d").facts["signature"] == "serving_default"


def test_a_saved_model_of_one_image_or_of_whole_numbers_works(tmp_path):
    made = Means()
    made.save(tmp_path / "m", embed=made.of(made.means, (1, *SIZE, 3), tf.uint8))
    network = open_network(tmp_path / "m")
    assert network.fixed_batch == 1
    np.testing.assert_allclose(described(network, np.maximum(IMAGES - 0.4, 0)), MEANS, rtol=1e-5)


def test_a_saved_model_that_takes_files_or_nothing_is_named(tmp_path):
    made = Means()
    text = made.of(lambda images: tf.zeros((2, 3)), [None], tf.string)
    with pytest.raises(UsageError, match=r"takes string and no arrays of pixels.*\(signature\)"):
        open_network(made.save(tmp_path / "m", embed=text))
    with pytest.raises(UsageError, match="has no signatures"):
        open_network(made.save(tmp_path / "n"))
    (tmp_path / "n" / "saved_model.pb").write_bytes(b"abc")
    with pytest.raises(DataError, match="cannot be loaded by TensorFlow: ") as caught:
        open_network(tmp_path / "n")
    assert "\n" not in str(caught.value)


# ---- Keras


def two_outputs():
    images = keras.Input((*SIZE, 3))
    means = keras.layers.GlobalAveragePooling2D(name="means")(images)
    return keras.Model(images, [means, keras.layers.Softmax(name="scores")(means)])


def test_a_keras_file_says_its_size_and_has_outputs_of_names(tmp_path):
    two_outputs().save(tmp_path / "m.keras")
    with pytest.raises(UsageError, match=r"several outputs.*means \[\?, 3\]; scores \[\?, 3\]"):
        open_network(tmp_path / "m.keras")
    network = open_network(tmp_path / "m.keras", output="scores")
    np.testing.assert_allclose(described(network).sum(axis=1), 1, rtol=1e-5)
    network = open_network(tmp_path / "m.keras", output="means")
    np.testing.assert_allclose(described(network), MEANS, rtol=1e-5)
    assert network.image_size_px == SIZE


def test_a_keras_file_that_would_run_code_or_needs_somebody_elses_layer_is_refused(tmp_path):
    images = keras.Input((*SIZE, 3))
    model = keras.Model(images, keras.layers.Lambda(lambda x: x[:, 0, 0])(images))
    model.save(tmp_path / "m.keras")
    with pytest.raises(DataError, match=r"m\.keras cannot be loaded by Keras: .*ambda"):
        open_network(tmp_path / "m.keras")

    class Own(keras.layers.Layer):
        def call(self, images):
            return images[:, 0, 0]

    keras.Model(images, Own()(images)).save(tmp_path / "own.keras")
    with pytest.raises(DataError, match=r"own\.keras needs Own, which Keras does not") as caught:
        open_network(tmp_path / "own.keras")
    assert "\n" not in str(caught.value)


def test_a_keras_file_that_is_none_is_named(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"\x89HDF" + bytes(99))
    with pytest.raises(DataError, match=r"is not a Keras model: it is an HDF5 file, as \.h5"):
        open_network(tmp_path / "m.keras")


# ---- TorchScript, with a stand-in for PyTorch


class Tensor:
    """As much of PyTorch's tensor as is used."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


class NoGrad:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


class Module:
    def __init__(self, give):
        self.give = give

    def eval(self):
        return self

    def __call__(self, images):
        assert images.values.shape[1] == 3
        return self.give(Tensor(images.values.mean((2, 3))))


@pytest.fixture
def torch(monkeypatch):
    """A stand-in whose `load` gives what the test says."""
    stand_in = types.ModuleType("torch")
    stand_in.no_grad, stand_in.from_numpy = NoGrad, Tensor
    stand_in.jit = types.SimpleNamespace(load=lambda path, map_location: Module(lambda x: x))
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    return stand_in


@pytest.fixture
def script(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/code", "")
    return tmp_path / "m.pt"


def test_a_torchscript_file_takes_images_as_pytorch_has_them(torch, script):
    with pytest.raises(UsageError, match=r"does not say the size.*\(image_size_px\)"):
        open_network(script)
    network = open_network(script, image_size_px=SIZE)
    np.testing.assert_allclose(described(network), MEANS, rtol=1e-5)
    assert network.presentation.layout == "nchw"
    assert open_network(script, "torchreid").image_size_px == (256, 128)


def test_one_of_the_outputs_of_torchscript_is_chosen(torch, script):
    torch.jit.load = lambda path, map_location: Module(lambda x: (x, Tensor(-x.values)))
    with pytest.raises(UsageError, match=r"output_0 \[2, 3\]; output_1 \[2, 3\]: say which"):
        open_network(script, image_size_px=SIZE)
    network = open_network(script, image_size_px=SIZE, output="output_1")
    np.testing.assert_allclose(described(network), -MEANS, rtol=1e-5)


def test_weights_without_a_model_and_a_missing_pytorch_are_named(torch, script, monkeypatch):
    def load(path, map_location):
        raise RuntimeError("PytorchStreamReader failed locating file constants.pkl: not found")

    torch.jit.load = load
    with pytest.raises(DataError, match=r"holds weights and no model: trace it"):
        open_network(script, image_size_px=SIZE)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match="pip install torch, or export the model to ONNX"):
        open_network(script, image_size_px=SIZE)
    script.write_bytes(b"\x80\x02" + bytes(99))
    with pytest.raises(DataError, match="it is a pickle, as PyTorch's older weights are"):
        open_network(script, image_size_px=SIZE)
