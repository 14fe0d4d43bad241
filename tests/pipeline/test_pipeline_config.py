import contextlib
import dataclasses
from pathlib import Path

import pytest

from pipeline.config import PipelineConfig, require_splits, trained_recipe
from tests.methods.harness import info
from tfreid.datasets import Reading, Row
from tfreid.errors import UsageError
from tfreid.evaluation import Network
from tfreid.methods import METHODS
from tfreid.methods.fpr.model import DISTANCES
from tfreid.records import ImageSet
from tfreid.serving.export import check_networks

DATA = ImageSet("market1501", Path("/data/market"))
LIP = ImageSet("lip", Path("/data/lip"))


def config(method, **given):
    return PipelineConfig("/out", method, METHODS[method].demo(), DATA, **given)


def test_a_parsing_network_alone_cannot_be_served():
    with pytest.raises(UsageError, match="parsing gives no descriptor"):
        config("parsing", parsing_data=LIP)


def test_a_method_with_a_parsing_network_needs_its_data():
    with pytest.raises(UsageError, match="--parsing_data_root"):
        config("pgp")


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="float32, mixed_bfloat16"):
        config("dgd", precision="float16")


@pytest.mark.parametrize("far", [0, 1])
def test_a_rate_at_which_nothing_is_decided_is_refused(far):
    with pytest.raises(UsageError, match=f"false-accept rate must lie between 0 and 1, not {far}"):
        config("dgd", far=far)


@pytest.mark.parametrize("distance", DISTANCES)
def test_what_cannot_be_exported_is_refused(distance):
    """As the export does, which asks the model."""
    recipe = dataclasses.replace(METHODS["fpr"].demo(), distance=distance)
    model = METHODS["fpr"].build(recipe, info())
    network = Network("fpr", model, recipe.image_size_px, flip_averaging=True)
    refused = pytest.raises(UsageError, match="position features, which are not averaged")
    with refused if distance != "pooled" else contextlib.nullcontext():
        check_networks([network])
    with refused if distance != "pooled" else contextlib.nullcontext():
        PipelineConfig("/out", "fpr", recipe, DATA, flip_averaging=True)
    PipelineConfig("/out", "fpr", recipe, DATA, flip_averaging=False)


def test_images_are_to_train_and_to_test():
    rows = [Row(f"{split}.jpg", 1, 0, split, split) for split in ("train", "query", "gallery")]
    require_splits(ImageSet("own", given=Reading(rows)))
    for some, missing in ((rows[:1], "query and no gallery"), (rows[1:], "train")):
        with pytest.raises(UsageError, match=f"has no {missing} images: a pipeline trains"):
            require_splits(ImageSet("own", given=Reading(some)))


def test_only_the_data_that_the_method_reads_are_converted():
    assert list(config("pgp", parsing_data=LIP).datasets) == ["reid", "parsing"]
    assert list(config("dgd", parsing_data=LIP).datasets) == ["reid"]


def test_the_recipe_survives_the_way_to_the_trainer():
    recipe = dataclasses.replace(METHODS["dgd"].demo(), width=0.3)
    told = PipelineConfig("/out", "dgd", recipe, DATA).training()
    assert trained_recipe(told) == recipe


def test_a_data_set_of_the_wrong_kind_is_refused():
    with pytest.raises(UsageError, match="market1501 is no parsing data set"):
        config("pgp", parsing_data=DATA)


def test_choices_of_a_data_set_are_checked():
    with pytest.raises(UsageError, match="market1501 has no choice 'labeled'"):
        PipelineConfig(
            "/out", "dgd", METHODS["dgd"].demo(), ImageSet("market1501:labeled", Path("/data"))
        )


def test_both_kinds_of_records_get_the_backgrounds():
    found = config("pgp", parsing_data=LIP, backgrounds_root="/scenes")
    assert {found.conversion(kind)["backgrounds_root"] for kind in found.datasets} == {"/scenes"}


def test_the_parser_is_for_images_without_masks_alone():
    asked = config("pgp", parsing_data=LIP, parser="mediapipe_pose")
    parsers = [asked.conversion(kind)["parser"] for kind in ("reid", "parsing")]
    assert parsers == ["mediapipe_pose", ""]
