"""What recipes share: augmentation, optimizers, and how their JSON stays as it was."""

from dataclasses import replace

import keras
import pytest

from tests.methods.harness import info
from tfreid.errors import UsageError
from tfreid.inputs import (
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
)
from tfreid.methods import METHODS
from tfreid.methods.dgd.recipe import DgdRecipe
from tfreid.methods.parsing.recipe import ParsingRecipe, semantic, stage
from tfreid.methods.recipe import as_begun, from_json, to_json

OFF = {
    "crop_padding_px": 4,
    "brightness_jitter": 0.2,
    "contrast_jitter": 0.15,
    "saturation_jitter": 0.1,
    "erasing_probability": 0.5,
}


def test_recipes_list_their_augmentation_in_the_order_in_which_it_happens():
    recipe = DgdRecipe(random_background_probability=0.25, **OFF)
    assert recipe.inputs() == InputSpec(
        (144, 56),
        augmentation=(
            RandomBackground(0.25),
            Mirror(0.5),
            PaddedCrop(1.0, 4),
            ColourJitter(1.0, 0.2, 0.15, 0.1),
            RandomErasing(0.5),
        ),
    )


@pytest.mark.parametrize("name", METHODS)
def test_papers_without_an_operation_do_not_get_it(name):
    for found in METHODS[name].stages(METHODS[name].recipe()):
        assert {type(o) for o in found.inputs.augmentation} <= {RandomBackground, Mirror}


@pytest.mark.parametrize("name", METHODS)
def test_every_stage_follows_the_recipe_of_its_images(name):
    changed = replace(METHODS[name].demo(), **OFF)
    found = METHODS[name].stages(changed)[-1].inputs.operations
    assert [type(operation) for operation in found] == [PaddedCrop, ColourJitter, RandomErasing]


def test_a_jitter_of_one_kind_is_enough():
    assert ColourJitter(1.0, saturation=0.3) in DgdRecipe(saturation_jitter=0.3).inputs().operations


@pytest.mark.parametrize("name", METHODS)
def test_what_is_off_stays_out_of_json_and_comes_back(name):
    method = METHODS[name]
    assert not OFF.keys() & to_json(method.recipe()).keys()
    changed = replace(method.demo(), **OFF)
    assert OFF.items() <= to_json(changed).items()
    assert from_json(method.recipe, to_json(changed)) == changed


def test_json_without_the_fields_that_were_added_later_is_read():
    assert "nesterov" not in to_json(DgdRecipe())
    assert to_json(ParsingRecipe())["nesterov"] is False
    then = {"sgd_form": "pytorch", "decay_all": True}
    assert from_json(DgdRecipe, {"momentum": 0.5}) == DgdRecipe(momentum=0.5, **then)
    assert then.items() <= to_json(DgdRecipe(**then)).items()
    assert to_json(DgdRecipe(nesterov=True, clip_norm=1.0))["clip_norm"] == 1.0


def test_a_run_goes_on_with_what_its_recipe_meant():
    pgp = METHODS["pgp"]
    there = to_json(pgp.recipe()) | {"parsing": to_json(ParsingRecipe())}
    for holder in (there, there["parsing"]):
        del holder["sgd_form"]
    recipe, former = as_begun(pgp.recipe(), there)
    assert former == {"sgd_form": "pytorch", "parsing.sgd_form": "pytorch"}
    assert recipe == from_json(pgp.recipe, there) != pgp.recipe()


def test_what_a_run_says_or_a_command_asks_for_is_no_matter_of_its_age():
    today = replace(DgdRecipe(), bn_momentum=0.9)
    assert as_begun(today, to_json(today)) == (today, {})
    recipe, former = as_begun(today, {})
    assert (recipe.bn_momentum, recipe.sgd_form) == (0.9, "pytorch")
    assert former == {"sgd_form": "pytorch", "decay_all": True}


def test_phase_2_of_a_run_that_had_one_rate_keeps_it():
    method = METHODS["spreid"]
    phase_2 = method.base_recipe("paper", {"phase": 2})
    there = to_json(phase_2)
    del there["classifier_rate"]
    assert as_begun(phase_2, there)[0].classifier_rate == 1.0


def test_sgd_reaches_every_group_and_the_stage():
    changed = {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01, "clip_norm": 3.0}
    changed |= {"sgd_form": "pytorch", "decay_all": False, "clip_decayed": True}
    for method in (METHODS[name] for name in ("dgd", "fanet", "pgp", "spreid")):
        last = method.stages(replace(method.recipe(), **changed))[-1]
        assert (last.clip_norm, last.clip_decayed) == (3.0, True)
        for group in last.groups:
            assert (group.sgd_form, group.decay_all) == ("pytorch", False)
            assert (group.momentum, group.nesterov, group.weight_decay) == (0.8, True, 0.01)
            assert group.optimizer == "sgd"
    assert stage(semantic()).groups[0].nesterov


def test_each_paper_has_the_sgd_of_its_authors_framework():
    forms = {
        name: {group.sgd_form for found in method.stages(method.recipe()) for group in found.groups}
        for name, method in METHODS.items()
    }
    caffe = {name: {"caffe"} for name in ("dgd", "parsing", "pgp", "spreid")}
    assert forms == caffe | {"fanet": {"pytorch"}, "fpr": {"pytorch"}}
    assert {group.sgd_form for group in stage(semantic()).groups} == {"caffe"}


@pytest.mark.parametrize("name", METHODS)
def test_batch_normalisation_has_the_recipes_settings_and_else_its_own(name):
    method, tiny = METHODS[name], {"dgd": "width", "parsing": "width", "pgp": "width"}
    small = {tiny.get(name, "backbone_width"): 0.02}

    def settings(**changes):
        model = method.build(replace(method.demo(), **small, **changes), info())
        kind = keras.layers.BatchNormalization
        layers = [layer for layer in model._flatten_layers() if isinstance(layer, kind)]
        return {(layer.momentum, layer.epsilon) for layer in layers}

    own = settings()
    assert own <= {(0.99, 1e-3), (0.99, 1.001e-5)}
    found = settings(bn_momentum=0.9, bn_epsilon=1e-5)
    # A parser within has its own.
    assert found - own == {(0.9, 1e-5)}
    assert (found == {(0.9, 1e-5)}) == (name not in ("pgp", "spreid"))


def test_persons_make_a_batch():
    recipe = replace(METHODS["fanet"].recipe(), persons_per_batch=3, images_per_person=4)
    (network,) = METHODS["fanet"].stages(recipe)
    assert (network.batch_size, network.inputs.images_per_person) == (12, 4)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"flip_probability": 1.5}, r"^flip_probability must lie in \[0, 1\], not 1.5"),
        ({"erasing_probability": -0.1}, "^erasing_probability must lie in"),
        ({"contrast_jitter": 2.0}, "^contrast_jitter must lie in"),
        ({"crop_padding_px": -1}, "^crop_padding_px=-1: at least 0"),
        ({"variant": "blurred"}, "variant='blurred' is not known: use one of original, mean_back"),
    ],
)
def test_impossible_values_are_refused_by_the_name_of_the_field(changes, text):
    with pytest.raises(UsageError, match=text):
        DgdRecipe(**changes)
