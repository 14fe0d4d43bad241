"""Exports of runs, with a linear model in place of the method's."""

import dataclasses

import numpy as np
import pytest
from linear_model import LinearModel

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.files import read_json
from tfreid.inputs import InputSpec, evaluation_batches
from tfreid.methods import METHODS
from tfreid.retrieval import cosine_distances
from tfreid.serving import ServedModel, export_run, release
from tfreid.serving.recommendation import Rates, in_words
from tfreid.training import Run
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.description import run_description

SIZE = (32, 16)


@pytest.fixture(scope="module")
def model():
    return LinearModel(SIZE)


@pytest.fixture(scope="module")
def run(reid_folder, model, tmp_path_factory):
    """A run of dgd with inputs of 32x16 px, with a linear model and without a checkpoint."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return made_run("dgd", {"reid": reid_folder}, path, model)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The version, and the numbers of images that its export said it had described."""
    seen, path = [], tmp_path_factory.mktemp("exported") / "exact"
    assert (
        export_run(
            run, path=path, rates=Rates(far=0.1, fpir=0.3), batch_size=5, advance=seen.append
        )
        == path
    )
    return path, seen


@pytest.fixture(scope="module")
def served(exported):
    return ServedModel(exported[0])


def made_run(name, data, path, model=None):
    recipe = dataclasses.replace(METHODS[name].demo(), image_size_px=SIZE)
    run = Run(path)
    with run.claim(run_description(name, recipe, 0, Arithmetic(), data)):
        run.write_infos(data)
    run.model = model
    return run


def test_the_threshold_is_that_of_the_test_images(served, reid_folder):
    threshold = served.facts["threshold"]
    parts, persons = [], []
    for split in ("query", "gallery"):
        (batch,) = evaluation_batches(reid_folder, split, InputSpec(image_size_px=SIZE), 100, 0)
        parts.append(served.embed(batch["image"]).numpy())
        persons.append(batch["person_id"].numpy())
    distances = cosine_distances(*parts)
    impostors = (persons[0][:, None] != persons[1]) & (persons[1] != -1)
    below, above = (
        np.mean(distances[impostors] <= threshold["distance"] + noise) for noise in (-1e-5, 1e-5)
    )
    assert below < threshold["false_accept_rate"] <= above
    assert threshold["false_accept_rate"] <= 0.1 == threshold["far"]
    assert threshold["impostor_pairs"] == impostors.sum()
    assert 0 <= threshold["genuine_accept_rate"] <= 1
    assert threshold["data"]["fingerprint"] == reid_folder.info.fingerprint


def test_an_export_carries_the_run(run, reid_folder, exported, served):
    path, seen = exported
    assert sum(seen) == 12 + 26
    assert read_json(path / "assets.extra" / "recipe.json") == run.description
    facts = served.facts
    assert (facts["method"], facts["image_size_px"]) == ("dgd", [*SIZE])
    info = reid_folder.info
    expected = {"name": info.name, "fingerprint": info.fingerprint, "synthetic": True}
    assert facts["data"] == expected
    assert {"tfreid", "tensorflow", "keras"} <= facts["versions"].keys()


def test_flip_averaging_moves_the_threshold_too(run, served, tmp_path):
    flipping = ServedModel(
        export_run(run, base=tmp_path, rates=Rates(far=0.1), flip_averaging=True)
    )
    assert flipping.facts["flip_averaging"]
    distances = [one.facts["threshold"]["distance"] for one in (served, flipping)]
    assert distances[0] != distances[1]


def test_too_few_pairs_give_a_reason_instead_of_a_threshold(run, tmp_path):
    facts = ServedModel(export_run(run, base=tmp_path)).facts
    assert facts["threshold"] is None
    assert "false-accept rate of 0.001 needs at least 1,000 pairs" in facts["reason"]
    assert facts["open_set_reason"].endswith("a higher rate: python -m tfreid.export --fpir=…")


def test_data_without_test_images_give_a_reason(reid_folder, model, tmp_path):
    class TrainingOnly(type(reid_folder)):
        """The data set without its test splits."""

        def __init__(self, path):
            super().__init__(path)
            splits = {"train": self.info.splits["train"]}
            self.info = dataclasses.replace(self.info, splits=splits)

    data = TrainingOnly(reid_folder.path)
    run = made_run("dgd", {"reid": data}, tmp_path / "run", model)
    facts = ServedModel(export_run(run, base=tmp_path / "out", data=data)).facts
    assert facts["threshold"] is None
    assert facts["reason"] == "no threshold: market1501 has no query and no gallery split"


def test_images_that_no_server_takes_are_not_what_an_export_is_checked_with(
    reid_folder, monkeypatch
):
    files = release._encoded_images(reid_folder)
    assert len(files) == 8
    large, limited = min(files, key=len), release.faults_of

    def faults_of(found):
        return limited(found) | {found.index(large): "20000x20000 pixels"}

    monkeypatch.setattr(release, "faults_of", faults_of)
    assert release._encoded_images(reid_folder) == [file for file in files if file != large]
    monkeypatch.setattr(release, "faults_of", lambda found: dict.fromkeys(range(8), "too large"))
    with pytest.raises(DataError, match=r"no server would take the images of .* is too large"):
        release._encoded_images(reid_folder)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("name", ["far", "fpir"])
def test_rates_without_meaning_are_refused(name, rate):
    with pytest.raises(UsageError, match="must lie between 0 and 1"):
        Rates(**{name: rate})


def test_the_line_is_that_of_the_searches_that_are_kept(served):
    line, searches = served.facts["open_set"], served.searches
    assert line["persons"] == searches.persons
    assert line["fpir"] == 0.3
    expected = searches.line(0.3, searches.persons)
    assert line["distance"] == expected.distance
    assert line["tpir"] == searches.found(expected.distance).value
    assert f"no image within {expected.distance:.4f}" in in_words(served.facts)[1]


def test_damaged_searches_are_named(served):
    path = served.path / "assets.extra" / "searches.json"
    before = path.read_text()
    try:
        path.write_text('{"nearest": [[0.1], [0.2]], "whose": [[1]]}')
        with pytest.raises(DataError, match=r"searches\.json is damaged"):
            _ = served.searches
    finally:
        path.write_text(before)


def test_a_folder_without_run_is_refused(tmp_path):
    with pytest.raises(MissingPathError, match="holds no run"):
        export_run(tmp_path)


def test_a_disk_without_room_is_named_before_images_are_described(
    run, tmp_path, full_disk, monkeypatch
):
    monkeypatch.setattr(release, "recommend", None)
    with pytest.raises(UsageError, match=r"the exported weights take about .* in .*/1, and"):
        export_run(run, base=tmp_path)
    assert not list(tmp_path.iterdir())
