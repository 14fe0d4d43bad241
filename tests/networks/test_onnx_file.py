"""ONNX files: what is read from them, and how faulty ones are named."""

import json
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.networks.describing import descriptors
from tests.networks.small_onnx import flat, mean_colours, write
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.networks import open_network

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 4, 3)).astype("float32")


def described(network, images=IMAGES):
    return descriptors(network, images)


def test_shape_layout_and_batch_are_read_from_the_file(tmp_path):
    network = open_network(mean_colours(tmp_path / "model.onnx"))
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)
    assert network.image_size_px == (8, 4)
    assert network.output_shapes == {"embedding": (3,)}
    assert network.fixed_batch is None
    said = json.loads(json.dumps(network.to_json()))
    assert (said["format"], said["file"], len(said["sha256"])) == ("onnx", "model.onnx", 64)
    assert said["presentation"]["layout"] == "nchw"
    last = mean_colours(tmp_path / "last.onnx", shape=("n", 8, 4, 3))
    assert open_network(last).presentation.layout == "nhwc"


@pytest.mark.parametrize("batch", [1, 2])
def test_a_fixed_batch_is_filled_and_all_images_are_described(tmp_path, batch):
    network = open_network(mean_colours(tmp_path / "model.onnx", shape=(batch, 3, 8, 4)))
    assert network.fixed_batch == batch
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)


def test_a_batch_that_is_fixed_inside_only_is_found(tmp_path):
    """Its input takes any number; a constant shape in the middle does not."""
    shape = helper.make_tensor("s", TensorProto.INT64, [2], [1, 96])
    nodes = [
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    network = open_network(write(tmp_path / "model.onnx", nodes))
    assert network.fixed_batch == 1
    np.testing.assert_array_equal(described(network), np.moveaxis(IMAGES, 3, 1).reshape(5, 96))


def test_whole_numbers_are_given_as_such(tmp_path):
    cast = helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)
    nodes = [cast, helper.make_node("GlobalAveragePool", ["f"], ["y"])]
    file = write(tmp_path / "model.onnx", nodes, kind=TensorProto.UINT8)
    darker = np.maximum(IMAGES - 0.4, 0)
    np.testing.assert_allclose(described(open_network(file), darker), IMAGES.mean((1, 2)), 1e-5)
    with pytest.raises(UsageError, match=r"takes whole numbers \(uint8\).*found RGB, 0 to 1"):
        open_network(file, "torchreid")


def test_what_openvino_says_in_a_file_is_used_unless_a_presentation_is_given(tmp_path):
    said = {
        "model_info mean_values": "123.675 116.28 103.53",
        "model_info scale_values": "58.395 57.12 57.375",
        "model_info reverse_input_channels": "True",
    }
    file = mean_colours(tmp_path / "model.onnx", metadata=said)
    presentation = open_network(file).presentation
    assert presentation.mean == (123.675, 116.28, 103.53)
    assert presentation.deviation == (58.395, 57.12, 57.375)
    assert presentation.colours == "rgb"
    assert not open_network(file, "0..255").presentation.normalises
    said["model_info mean_values"] = "123,675 116,28 103,53"
    odd = mean_colours(tmp_path / "odd.onnx", metadata=said)
    assert not open_network(odd, "0..255").presentation.normalises


def test_a_size_that_the_file_leaves_open_must_be_given(tmp_path):
    file = mean_colours(tmp_path / "model.onnx", shape=("n", 3, "h", "w"))
    with pytest.raises(UsageError, match=r"does not say the size.*\(image_size_px\)"):
        open_network(file)
    assert open_network(file, image_size_px=(6, 4)).image_size_px == (6, 4)
    assert open_network(file, "torchreid").image_size_px == (256, 128)


def test_what_contradicts_the_file_is_refused_and_a_preset_gives_way(tmp_path):
    file = mean_colours(tmp_path / "model.onnx")
    with pytest.raises(UsageError, match="takes image_size_px=8x4, found image_size_px=9x4"):
        open_network(file, image_size_px=(9, 4))
    with pytest.raises(UsageError, match="takes layout=nchw, found layout=nhwc"):
        open_network(file, layout="nhwc")
    assert open_network(file, "torchreid").image_size_px == (8, 4)


def test_an_ambiguous_layout_must_be_given(tmp_path):
    file = mean_colours(tmp_path / "model.onnx", shape=("n", "a", "b", "c"))
    with pytest.raises(UsageError, match=r"\[\?, \?, \?, \?\].*which axis is colour.*\(layout\)"):
        open_network(file, image_size_px=(8, 4))
    network = open_network(file, image_size_px=(8, 4), layout="nchw")
    np.testing.assert_allclose(described(network), IMAGES.mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (("n", 1, 8, 4), r"\[\?, 1, 8, 4\]: no axis holds three colours"),
        (("n", 96), r"takes \[\?, 96\] and no batches of images"),
    ],
)
def test_a_model_of_something_else_than_colour_images_is_named(tmp_path, shape, text):
    file = write(tmp_path / "m.onnx", [helper.make_node("Abs", ["x"], ["y"])], shape=shape)
    with pytest.raises(UsageError, match=text):
        open_network(file)


def test_one_of_several_outputs_must_be_chosen(tmp_path):
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Neg", ["flat"], ["scores"]),
    ]
    file = write(tmp_path / "m.onnx", nodes, outputs=("flat", "scores"))
    with pytest.raises(UsageError, match=r"several outputs.*\(output\).*flat \[\?, 96\]; scores"):
        open_network(file)
    assert described(open_network(file, output="scores")).max() <= 0
    with pytest.raises(UsageError, match=r"no output 'features'.*flat"):
        open_network(file, output="features")


def test_the_only_output_that_is_a_descriptor_is_taken(tmp_path):
    nodes = [
        helper.make_node("Abs", ["x"], ["map"]),
        helper.make_node("Flatten", ["x"], ["flat"]),
    ]
    file = write(tmp_path / "m.onnx", nodes, outputs=("map", "flat"))
    assert open_network(file).facts["output"] == "flat"
    with pytest.raises(UsageError, match=r"gives \[2, 3, 8, 4\].*feature map.*flat \[\?, 96\]"):
        open_network(file, output="map")


def test_a_feature_map_alone_is_named(tmp_path):
    file = write(tmp_path / "m.onnx", [helper.make_node("Abs", ["x"], ["y"])])
    with pytest.raises(UsageError, match=r"a feature map and not one descriptor.*with pooling"):
        open_network(file)


def test_several_inputs_are_named(tmp_path):
    nodes = [helper.make_node("Add", ["x", "z"], ["y"])]
    file = write(tmp_path / "m.onnx", nodes, inputs=("x", "z"))
    with pytest.raises(UsageError, match=r"takes 2 inputs \(x \[\?, 3, 8, 4\]; z "):
        open_network(file)


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        (b"", "it is an empty file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "it is a PNG image"),
        (b"<!DOCTYPE html><html>404</html>", "failed download"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"PK\x03\x04" + bytes(99), "as .keras and TorchScript files are"),
        (b"abc" * 99, "damaged or something else"),
    ],
)
def test_a_file_of_another_type_is_named(tmp_path, contents, text):
    file = tmp_path / "model.onnx"
    file.write_bytes(contents)
    with pytest.raises(DataError, match=f"model.onnx is not an ONNX model: .*{text}"):
        open_network(file)


def test_a_missing_operator_is_named(tmp_path):
    own = helper.make_node("Foo", ["x"], ["y"], domain="com.acme")
    with pytest.raises(DataError, match=r"needs the operator com\.acme:Foo, which ONNX Runtime"):
        open_network(write(tmp_path / "own.onnx", [own]))
    newer = helper.make_node("NoSuchOp", ["x"], ["y"])
    with pytest.raises(DataError, match="needs the operator NoSuchOp"):
        open_network(write(tmp_path / "newer.onnx", [newer]))


def test_missing_external_weights_are_named_once(tmp_path, capfd):
    outside = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    file = flat(tmp_path / "m.onnx", **outside)
    assert described(open_network(file)).shape == (5, 5)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(DataError, match=r"keeps its weights in another file.*\(weights.bin\)"):
        open_network(file)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("field", "text"), [("ir", "IR version"), ("opset", "[Oo]pset")])
def test_a_newer_file_than_the_runtime_knows_is_named_on_one_line(tmp_path, field, text):
    model = onnx.load(mean_colours(tmp_path / "m.onnx"))
    if field == "ir":
        model.ir_version = 99
    else:
        model.opset_import[0].version = 99
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(DataError, match=f"{text}.*a newer onnxruntime may open it") as caught:
        open_network(tmp_path / "m.onnx")
    assert "\n" not in str(caught.value)
    assert ".cc" not in str(caught.value)


def test_a_missing_file_and_a_missing_runtime_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(MissingPathError, match=r"no.onnx does not exist: give a run"):
        open_network(tmp_path / "no.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'tfreid\[onnx\]'"):
        open_network(mean_colours(tmp_path / "m.onnx"))
