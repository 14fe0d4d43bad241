"""What a path may be, and what is said of those that are nothing."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tests.networks.describing import descriptors
from tests.networks.small_onnx import flat, mean_colours
from tests.serving.colour_model import write_version
from tests.toy_models import SIZE_PX, PersonModel
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.evaluation import Network
from tfreid.methods import METHODS
from tfreid.networks import is_ours, open_network

IMAGES = np.random.default_rng(0).integers(0, 256, (3, *SIZE_PX, 3)).astype("float32")


@pytest.fixture
def toy():
    return Network("toy", PersonModel(), SIZE_PX)


def test_a_network_stays_what_it_is_under_another_name(toy):
    network = open_network(toy, name="mine", flip_averaging=True)
    assert (network.name, network.flip_averaging, network.model) == ("mine", True, toy.model)
    assert network.can_explain
    with pytest.raises(UsageError, match="toy knows how images are given to it: leave presentat"):
        open_network(toy, "torchreid")


def test_of_several_versions_the_newest_is_opened(tmp_path):
    for version in (9, 10):
        write_version(tmp_path, version)
    network = open_network(tmp_path, signature="embed_images")
    images = np.ones((2, 4, 2, 3), "float32")
    np.testing.assert_allclose(network.outputs(images)["embedding"], 10 * np.ones((2, 3)))
    assert not is_ours(tmp_path)


def test_runs_and_exports_are_ours(tmp_path):
    assert not is_ours(tmp_path / "missing")
    version = write_version(tmp_path, 1)
    (version / "assets.extra" / "serving.json").write_text("{}")
    assert is_ours(version)
    assert is_ours(tmp_path)
    with pytest.raises(DataError, match=r"is damaged, or not a model that python"):
        open_network(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text("{}")
    assert is_ours(tmp_path / "run")
    with pytest.raises(DataError, match="is not the recipe of a run"):
        open_network(tmp_path / "run")


def test_a_run_that_gives_no_descriptors_is_named(tmp_path, monkeypatch):
    (tmp_path / "recipe.json").write_text("{}")
    run = SimpleNamespace(stage=METHODS["parsing"].stages(METHODS["parsing"].demo())[-1])
    run.method = METHODS["parsing"]
    monkeypatch.setattr("tfreid.networks.opening.Run", lambda path: run)
    with pytest.raises(UsageError, match=r"parsing network \(method=parsing\), which gives no"):
        open_network(tmp_path)


def test_the_home_folder_may_be_written_short(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    mean_colours(tmp_path / "m.onnx")
    assert open_network("~/m.onnx").name == "m.onnx"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.pth", "save it with torch.jit.trace as .pt"),
        ("m.h5", "save .keras"),
        ("m.xml", "OpenVINO's format is not read here"),
        ("m.engine", "TensorRT's files fit one GPU"),
        ("m.txt", r"give a run \(tfreid\.train\), an export"),
        ("model", r"give a run \(tfreid\.train\), an export"),
    ],
)
def test_a_file_of_no_known_format_says_what_to_do(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"abc")
    with pytest.raises(UsageError, match=f"{name} is of no format that is read here: .*{text}"):
        open_network(tmp_path / name)


def test_what_is_not_there_or_empty_or_has_no_signatures_is_named(tmp_path):
    with pytest.raises(MissingPathError, match=r"missing does not exist: give a run"):
        open_network(tmp_path / "missing")
    with pytest.raises(UsageError, match="holds no model: give a run"):
        open_network(tmp_path)
    with pytest.raises(UsageError, match=r"m\.onnx has no signatures \(signature\)"):
        open_network(mean_colours(tmp_path / "m.onnx"), signature="one")
    with pytest.raises(UsageError, match=r"preset='torch' is not known: use one of 0\.\.255, "):
        open_network(mean_colours(tmp_path / "m.onnx"), "torch")


def test_the_digest_of_a_folder_is_that_of_its_files_and_their_names(tmp_path):
    first = open_network(write_version(tmp_path, 1), signature="embed_images").facts["sha256"]
    shutil.copytree(tmp_path / "1", tmp_path / "copy")
    copy = open_network(tmp_path / "copy", signature="embed_images")
    assert copy.facts["sha256"] == first
    (tmp_path / "copy" / "assets.extra" / "more").write_text("")
    copy = open_network(tmp_path / "copy", signature="embed_images")
    assert copy.facts["sha256"] != first


def test_a_foreign_network_gives_the_mean_of_mirror_images(tmp_path):
    images = IMAGES[:, :8, :4]
    file = flat(tmp_path / "m.onnx")
    plain, flipped = open_network(file), open_network(file, flip_averaging=True)
    both = [plain.outputs(part)["embedding"] for part in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(
        descriptors(flipped, images), np.mean(both, axis=0), rtol=1e-4, atol=1e-4
    )
