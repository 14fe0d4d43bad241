"""What recipes share: augmentation, optimizers, and how their JSON stays as it was."""

from dataclasses import replace

import pytest

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
from tfreid.methods.recipe import from_json, to_json

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
    assert from_json(DgdRecipe, {"momentum": 0.5}) == DgdRecipe(momentum=0.5)
    assert to_json(DgdRecipe(nesterov=True, clip_norm=1.0))["clip_norm"] == 1.0


def test_sgd_reaches_every_group_and_the_stage():
    changed = {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01, "clip_norm": 3.0}
    for method in (METHODS[name] for name in ("dgd", "fanet", "pgp", "spreid")):
        last = method.stages(replace(method.recipe(), **changed))[-1]
        assert last.clip_norm == 3.0
        for group in last.groups:
            assert (group.momentum, group.nesterov, group.weight_decay) == (0.8, True, 0.01)
            assert group.optimizer == "sgd"
    assert stage(semantic()).groups[0].nesterov


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
