import shutil

import numpy as np
import pytest

from tests import graphs
from tests.dask_cluster import WORKERS, workers_that_loaded
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.evaluation import (
    DescribedNetwork,
    Measurement,
    Network,
    audit,
    evaluation_sets,
)
from tfreid.evaluation.descriptors import describe_split, embedder
from tfreid.inputs import InputSpec
from tfreid.records import Records
from tfreid.serving import ServedModel, embedding
from tfreid.serving.embedding import SPLITS

BATCH_SIZE, SEED = 8, 3


@pytest.fixture(autouse=True, scope="module")
def graphs_of_workers():
    """Rewrites graphs here as other processes do, so that they round alike."""
    with graphs.as_users_run():
        yield


@pytest.fixture(scope="module")
def model_path(dgd_run):
    return dgd_run / "export" / "1"


def describe(model_path, folder, variants, **options):
    return embedding.describe_with_beam(
        model_path, folder.path, variants, batch_size=BATCH_SIZE, seed=SEED, **options
    )


@pytest.fixture
def short_stretches(monkeypatch):
    monkeypatch.setattr(embedding, "_STRETCH_IMAGES", 2 * BATCH_SIZE)


VARIANTS = ("original", "random_background")


@pytest.fixture(scope="module")
def described_here(model_path, reid_folder):
    """The descriptors of each variant and split, computed in this process."""
    model = ServedModel(model_path)
    embed = embedder(Network("", model, model.image_size_px), BATCH_SIZE)
    specs = {v: InputSpec(image_size_px=model.image_size_px, variant=v) for v in VARIANTS}
    return {
        (variant, split): describe_split(embed, reid_folder, split, specs[variant], SEED)
        for variant in VARIANTS
        for split in SPLITS
    }


def assert_equal(described, expected):
    np.testing.assert_array_equal(described.features, expected.features)
    np.testing.assert_array_equal(described.identities.person, expected.identities.person)
    np.testing.assert_array_equal(described.identities.camera, expected.identities.camera)
    np.testing.assert_array_equal(described.keys, expected.keys)


def test_descriptors_are_those_of_one_process(
    model_path, reid_folder, described_here, short_stretches, tmp_path
):
    seen = []
    found = describe(model_path, reid_folder, VARIANTS, results=tmp_path, advance=seen.append)
    assert list(found) == list(described_here)
    assert not any(tmp_path.iterdir())
    assert sorted(seen) == 2 * [26 - 16] + 2 * [12] + 2 * [16]
    for key, described in found.items():
        assert_equal(described, described_here[key])


def test_images_without_masks_are_left_out_of_variants(
    model_path, partly_masked_folder, monkeypatch
):
    (tested,) = evaluation_sets(partly_masked_folder)
    model = ServedModel(model_path)
    results = []
    for variants, size in ((("original", "mean_background"), 8), (("mean_background",), 1)):
        monkeypatch.setattr(embedding, "_STRETCH_IMAGES", size)
        # Of stretches of one image some have nothing to describe.
        found = embedding.describe_with_beam(
            model_path, partly_masked_folder.path, variants, batch_size=size, seed=SEED
        )
        network = DescribedNetwork("dgd", model, model.image_size_px, descriptors=found)
        measurement = Measurement(variants, batch_size=BATCH_SIZE, seed=SEED)
        results.append(audit([network], tested, measurement).metrics())
    own = audit(
        [Network("dgd", model, model.image_size_px)],
        tested,
        Measurement(("original", "mean_background"), batch_size=BATCH_SIZE, seed=SEED),
    ).metrics()
    for part in ("original", "original_with_masks", "mean_background"):
        assert results[0][part] == own[part]
    assert results[1]["mean_background"] == own["mean_background"]


@pytest.mark.slow
def test_dask_workers_give_the_same_descriptors(
    model_path, reid_folder, described_here, short_stretches, tmp_path, dask_args
):
    options = {"beam_args": dask_args, "results": tmp_path}
    found = describe(model_path, reid_folder, VARIANTS, **options)
    assert found.keys() == described_here.keys()
    for key, described in found.items():
        assert_equal(described, described_here[key])
    assert workers_that_loaded("tfreid.serving.embedding") == WORKERS


def test_a_process_loads_the_model_once(model_path, reid_folder, short_stretches, monkeypatch):
    loaded = []

    class Counting(ServedModel):
        def __init__(self, path):
            loaded.append(path)
            super().__init__(path)

    monkeypatch.setattr(embedding, "ServedModel", Counting)
    describe(model_path, reid_folder, ("original",))
    assert loaded == [str(model_path)]


def test_damaged_record_is_named(model_path, reid_folder, tmp_path):
    folder = Records(shutil.copytree(reid_folder.path, tmp_path / "reid"))
    shard = folder.shards("gallery")[1]
    data = bytearray(shard.read_bytes())
    data[-20] ^= 1
    shard.write_bytes(data)
    with pytest.raises(DataError, match=shard.name):
        describe(model_path, folder, ("original",))


def test_missing_model_is_named(reid_folder, tmp_path):
    with pytest.raises(MissingPathError, match="holds no exported model"):
        describe(tmp_path / "1", reid_folder, ("original",))


def test_data_without_queries_are_refused(model_path, parsing_folder):
    with pytest.raises(UsageError, match="no split 'query'"):
        describe(model_path, parsing_folder, ("original",))
