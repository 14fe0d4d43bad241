"""Networks of files, with what lies beside them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.masks.networks import png, write_lite
from tfreid.errors import DataError, MissingPathError
from tfreid.masks import mask_maker
from tfreid.records.images import UnsureError

SHAPE = (1, 16, 8, 3)


def picture(colour=(0, 0, 255), size_px=(32, 16)):
    """Red, the right half of another colour."""
    pixels = np.zeros((*size_px, 3), np.uint8)
    pixels[..., 0] = 255
    pixels[:, size_px[1] // 2 :] = colour
    return png(pixels)


def described(path, **values):
    path.with_name(f"{path.name}.json").write_text(json.dumps(values))
    return path


@pytest.fixture
def lite(tmp_path):
    def write(function, shape=SHAPE, **values):
        return described(write_lite(tmp_path / "net.tflite", function, shape), **values)

    return write


def onnx_file(path, shape, channels_first=True):
    """A network that gives its input back, as scores of three classes."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    kind = onnx.TensorProto.FLOAT
    sides = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in ("in", "out")]
    node = onnx.helper.make_node("Identity", ["in"], ["out"])
    graph = onnx.helper.make_graph([node], "same", sides[:1], sides[1:])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_the_largest_score_is_the_class_of_the_vocabulary(lite):
    maker = mask_maker(lite(lambda x: x, vocabulary="binary", classes=[0, 0, 1]))
    (mask,) = maker([picture()])
    assert (mask.dtype, mask.shape) == (np.uint8, (32, 16))
    assert (mask[:, :7] == 0).all()
    assert (mask[:, 9:] == 1).all()
    assert maker.vocabulary == "binary"
    assert {*maker.facts} == {"network", "sha256", "vocabulary"}


def test_colours_come_as_the_network_wants_them(lite):
    """Blue becomes the first of BGR, and is scaled by mean and deviation."""
    seen = {"mean": [5.0, 5.0, 55.0], "deviation": [10.0, 10.0, 100.0], "colours": "bgr"}
    path = lite(lambda x: x[..., :1], vocabulary="binary", threshold=1.99, **seen)
    (mask,) = mask_maker(path)([picture(colour=(0, 0, 255))])  # (255 - 55) / 100
    assert (mask[:, 12:] == 1).all()
    assert isinstance(mask_maker(path)([picture(colour=(255, 255, 250))])[0], UnsureError)


def test_a_network_without_person_is_not_confident(lite):
    maker = mask_maker(lite(lambda x: x, vocabulary="binary", classes=[0, 0, 1]))
    (found,) = maker([picture(colour=(255, 0, 0))])
    assert isinstance(found, UnsureError)
    assert str(found) == "the person is 0.0% of the image"


@pytest.mark.parametrize("shape", [[1, 3, 16, 8], ["batch", 3, "height", "width"], [1, 16, 8, 3]])
def test_onnx_in_both_layouts(tmp_path, shape):
    values = {"vocabulary": "regions4", "classes": [0, 0, 3]}
    if "height" in shape:
        values["size_px"] = [16, 8]
    path = described(onnx_file(tmp_path / "net.onnx", shape), **values)
    (mask,) = mask_maker(path)([picture()])
    assert (mask[:, 9:] == 3).all()
    assert (mask[:, :7] == 0).all()


def test_without_a_description_it_says_which_file_is_wanted(tmp_path):
    path = write_lite(tmp_path / "net.tflite", lambda x: x, SHAPE)
    with pytest.raises(MissingPathError, match=r"net\.tflite\.json, and there is no such"):
        mask_maker(path)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"vocabulary": "people"}, "vocabulary: expected one of lip20"),
        ({"vocabulary": "binary", "colors": "rgb"}, "unknown field 'colors'"),
        ({"vocabulary": "binary", "colours": "gbr"}, "colours: expected one of rgb, bgr"),
        ({"vocabulary": "binary", "classes": [0, 1, 2]}, "classes: expected numbers from 0 to 1"),
        ({"vocabulary": "binary", "deviation": [1, 0, 1]}, "values above 0"),
        ({"vocabulary": "regions4"}, r"is \[1, 16, 8, 3\]: expected .* with 4 classes"),
        (
            {"vocabulary": "binary", "classes": [0, 1, 1], "size_px": [8, 8]},
            r"size_px is \[8, 8\], the input \[1, 16, 8, 3\]",
        ),
        ({"vocabulary": "binary", "output": "mask"}, "output: expected one of"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(tmp_path_factory, values, text):
    folder = tmp_path_factory.getbasetemp() / "same_network"
    folder.mkdir(exist_ok=True)
    path = folder / "net.tflite"
    if not path.exists():
        write_lite(path, lambda x: x, SHAPE)
    with pytest.raises(DataError, match=text):
        mask_maker(described(path, **values))


def test_outputs_and_inputs_that_need_words_are_named(lite, tmp_path):
    two = lite(lambda x: (x, tf.reduce_sum(x)), vocabulary="binary", classes=[0, 0, 1])
    with pytest.raises(DataError, match=r"output: expected one of \S+, \S+$"):
        mask_maker(two)
    path = described(onnx_file(tmp_path / "a.onnx", [1, 3, "h", "w"]), vocabulary="binary")
    with pytest.raises(DataError, match=r"the input is \[1, 3, \?, \?\]: give size_px"):
        mask_maker(path)
    path = described(onnx_file(tmp_path / "b.onnx", [1, 4, 8, 8]), vocabulary="binary")
    with pytest.raises(DataError, match="expected one image of three colours"):
        mask_maker(path)


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_files_of_another_kind_are_one_line(tmp_path, kind):
    path = described(tmp_path / f"net.{kind}", vocabulary="binary")
    with pytest.raises(MissingPathError, match=f"no network at .*net.{kind}"):
        mask_maker(path)
    path.write_text("no network")
    with pytest.raises(DataError, match=rf"net.{kind} is not an? \w+ model") as caught:
        mask_maker(path)
    assert "\n" not in str(caught.value)


def test_what_is_neither_name_nor_path_is_told_what_there_is():
    with pytest.raises(MissingPathError, match="parser=mediapipe: expected one of mediapipe_pose"):
        mask_maker("mediapipe")
