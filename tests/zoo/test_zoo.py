"""The models that come along: found by name, packed, and as good as a trained model."""

import re
from pathlib import Path

import numpy as np
import pytest
from setuptools.dist import Distribution

from tests.commands import Command
from tests.drawn_people import drawn_files
from tfreid.gallery.describing import ImageDescriber
from tfreid.networks import is_ours, open_network
from tfreid.zoo import FOLDER, MODELS, STARTER, card_of, path_of

ROOT = Path(__file__).parents[2]
MOST_BYTES = 15e6


def files_of(model: str) -> list[Path]:
    return [path for path in (FOLDER / model).rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def starter() -> ImageDescriber:
    return ImageDescriber(open_network(STARTER))


def test_a_folder_of_the_name_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(STARTER).mkdir()
    assert path_of(STARTER) == FOLDER / STARTER
    assert is_ours(STARTER)
    assert path_of(f"./{STARTER}") is None
    assert not is_ours(f"./{STARTER}")


@pytest.mark.parametrize("model", MODELS)
def test_models_are_small_and_say_what_they_are(model):
    assert sum(path.stat().st_size for path in files_of(model)) <= MOST_BYTES
    card = card_of(model)
    for part in ("How it was trained", "What it reaches", "What it is not"):
        assert re.search(rf"^## {part}$", card, re.MULTILINE)


def test_all_files_of_the_models_are_packed(monkeypatch):
    monkeypatch.chdir(ROOT)
    package = Distribution()
    package.parse_config_files()
    build = package.get_command_obj("build_py")
    build.ensure_finalized()
    build.manifest_files = {}
    packed = {ROOT / file for file in build.find_data_files("tfreid.zoo", str(FOLDER))}
    assert {file for model in MODELS for file in files_of(model)} <= packed


def test_the_starter_tells_drawn_persons_apart(starter):
    files = [file for person in range(1, 21) for file in drawn_files(person, cameras=2)]
    found = starter.describe(files, [str(place) for place in range(len(files))])
    distance = 1 - found[::2] @ found[1::2].T
    assert np.mean(distance.argmin(axis=1) == np.arange(20)) >= 0.7  # 0.05 by chance


def test_no_line_is_drawn_from_drawn_persons(starter):
    assert starter.network.model.facts["open_set"]["data"]["synthetic"] is True
    assert starter.searches is None


def test_the_command_prints_the_cards():
    done = Command("tfreid.zoo").finish()
    assert done.returncode == 0, done.stderr
    for model in MODELS:
        assert f"--model={model}: {FOLDER / model}" in done.stdout
        assert card_of(model) in done.stdout
