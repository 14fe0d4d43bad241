"""The flags of networks, in a command that only shows what they open."""

import json

import pytest
from absl import flags
from absl.testing import flagsaver

from tests.networks.small_onnx import mean_colours
from tfreid.cli import network_flags
from tfreid.errors import MissingPathError, UsageError
from tfreid.networks import PRESETS


@pytest.fixture(autouse=True, scope="module")
def parsed():
    """The flags have their defaults, as they have in a command."""
    flags.FLAGS.mark_as_parsed()  # Parsing would ask for what other commands require.


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a").mkdir()
    return mean_colours(tmp_path / "a" / "model.onnx")


def opened(*models, **values):
    with flagsaver.flagsaver(model=list(map(str, models)), **values):
        return network_flags.networks_from_flags()


def test_the_presets_are_those_of_the_library():
    assert flags.FLAGS["preset"].parser.enum_values == list(PRESETS)
    assert flags.FLAGS["layout"].parser.enum_values == ["nhwc", "nchw"]


def test_without_models_there_are_no_networks():
    with flagsaver.flagsaver(model=None):
        assert network_flags.networks_from_flags() == []


def test_flags_are_for_all_models_and_settings_after_a_path_for_one(file):
    first, second = opened(
        f"{file},preset=keras-caffe,mean=1,2,3,name=mine", file, colours="bgr", range="1"
    )
    assert (first.name, second.name) == ("mine", "model.onnx")
    assert first.presentation.mean == (1, 2, 3)
    assert (first.presentation.colours, first.presentation.scale) == ("bgr", 1.0)
    assert (second.presentation.mean, second.presentation.scale) == ((0, 0, 0), 1.0)
    json.dumps([first.to_json(), second.to_json()])


def test_names_are_as_long_as_it_takes(file, tmp_path):
    (tmp_path / "b").mkdir()
    other = mean_colours(tmp_path / "b" / "model.onnx")
    assert [network.name for network in opened(file, other)] == ["a/model.onnx", "b/model.onnx"]
    assert [network.name for network in opened(file)] == ["model.onnx"]
    twice = opened(file, f"{file},colours=bgr")
    assert [network.name for network in twice] == ["model.onnx (1)", "model.onnx (2)"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"image_size": "9"}, "--image_size=9: give height and width, such as 256x128"),
        ({"image_size": "9x4"}, "takes --image_size=8x4, found --image_size=9x4"),
        ({"mean": "1,2"}, "three numbers"),
        ({"mean": "1,b,2"}, "--mean=1,b,2: give three numbers"),
        ({"deviation": "1,0,1"}, "pixels are divided by it"),
        ({"signature": "x"}, "has no signatures"),
    ],
)
def test_mistakes_are_named_as_flags(file, values, text):
    with pytest.raises(UsageError, match=text):
        opened(file, **values)


def test_mistakes_in_the_settings_of_one_model_are_named(file):
    with pytest.raises(UsageError, match="--range=2: give 255 or 1"):
        opened(f"{file},range=2")
    with pytest.raises(UsageError, match="preset='torch' is not known"):
        opened(f"{file},preset=torch")
    with pytest.raises(UsageError, match="'foo' is no setting of a model; there are preset, "):
        opened(f"{file},preset=torchreid,foo=1")
    with pytest.raises(MissingPathError, match="does not exist"):
        opened(f"{file}.missing")


def test_what_is_said_of_all_is_not_said_of_ours_unless_all_are(file, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("tfreid.networks.is_ours", lambda model: model == "run")
    monkeypatch.setattr("tfreid.networks.open_network", lambda m, **given: calls.append((m, given)))
    opened("run", file, preset="torchreid")
    assert calls == [
        ("run", {"name": "run"}),
        (str(file), {"name": "model.onnx", "presentation": "torchreid"}),
    ]
    opened("run", preset="torchreid")
    assert calls[-1][1]["presentation"] == "torchreid"
