"""Recipes to JSON and back, and as flags."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
from absl import flags

from tfreid.cli.recipe_flags import define_flags
from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.recipe import FormerField, from_json, to_json


@dataclass(frozen=True)
class Inner:
    steps: int = 5
    rate: float = 0.5

    former_fields: ClassVar = {"hundreds": FormerField(int, lambda n: {"steps": 100 * n})}


@dataclass(frozen=True)
class Recipe:
    size_px: tuple[int, int] = (8, 4)
    regions: tuple[str, ...] = ("head",)
    batch_size: int = 2
    head: str = "paper"
    augment: bool = False
    clip_norm: float | None = None
    inner: Inner = Inner()

    former_fields: ClassVar = {
        "large": FormerField(bool, lambda large: {"batch_size": 64 if large else 1, "head": "big"})
    }


def parse(*arguments):
    values = flags.FlagValues()
    recipe = define_flags(Recipe(), values)
    values(["train", *arguments])
    return recipe()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("scale", ["recipe", "demo"])
def test_every_recipe_survives_json(name, scale):
    recipe = getattr(METHODS[name], scale)()
    text = json.dumps(to_json(recipe))
    assert from_json(METHODS[name].recipe, json.loads(text)) == recipe


def test_flags_override_fields_of_every_type():
    recipe = parse(
        "--recipe.size_px=(16,8)",
        "--recipe.regions=head",
        "--recipe.regions=legs",
        "--recipe.batch_size=7",
        "--recipe.head=skip",
        "--recipe.augment=true",
        "--recipe.clip_norm=2",
        "--recipe.inner.rate=1",
    )
    assert recipe == Recipe((16, 8), ("head", "legs"), 7, "skip", True, 2.0, Inner(5, 1.0))


def test_without_flags_the_default_holds():
    assert parse() == Recipe()


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--recipe.batch_size=x", "expected an int, found 'x'"),
        ("--recipe.batch_size=1.5", "expected an int, found '1.5'"),
        ("--recipe.inner.rate=x", "expected a float, found 'x'"),
        ("--recipe.augment=maybe", "expected true or false, found 'maybe'"),
        ("--recipe.clip_norm=x", "expected a float, found 'x'"),
    ],
)
def test_flags_of_a_wrong_type_name_the_right_one(argument, text):
    with pytest.raises(flags.IllegalFlagValueError, match=text):
        parse(argument)


@pytest.mark.parametrize("argument", ["--recipe.size_px=3", "--recipe.size_px=(a,b)"])
def test_tuples_are_checked_too(argument):
    with pytest.raises(UsageError, match=r"recipe.size_px: expected tuple\[int, int\]"):
        parse(argument)


def test_unknown_flags_are_unknown():
    with pytest.raises(flags.UnrecognizedFlagError):
        parse("--recipe.batchsize=3")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"batchsize": 3}, r"recipe has no field 'batchsize'; did you mean batch_size\?"),
        ({"lr": 3}, r"recipe has no field 'lr'; there are size_px, .*, inner.steps, inner.rate"),
        ({"iterations": 3}, r"recipe has no field 'iterations'; did you mean inner.steps\?"),
        ({"inner": {"stepz": 3}}, r"recipe.inner has no field 'stepz'; did you mean steps\?"),
        ({"batch_size": "3"}, "recipe.batch_size: expected int, found '3'"),
        ({"batch_size": True}, "recipe.batch_size: expected int, found True"),
        ({"inner": 3}, "recipe.inner: expected Inner, found 3"),
        ({"regions": ["head", 1]}, "recipe.regions: expected str, found 1"),
    ],
)
def test_json_that_does_not_fit_is_refused(values, text):
    with pytest.raises(UsageError, match=text):
        from_json(Recipe, values)


# ---- Former fields.


def test_files_that_name_former_fields_stay_valid():
    recipe = from_json(Recipe, {"large": True, "inner": {"hundreds": 3}})
    assert recipe == Recipe(batch_size=64, head="big", inner=Inner(steps=300))
    assert "large" not in to_json(recipe)


def test_flags_that_name_former_fields_stay_valid():
    recipe = parse("--recipe.large=false", "--recipe.inner.hundreds=3", "--recipe.inner.rate=1")
    assert recipe == Recipe(batch_size=1, head="big", inner=Inner(300, 1.0))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"large": True, "head": "big"},
            r"recipe.large is the former name of recipe.head, and both are given: leave "
            r"recipe.large out",
        ),
        ({"inner": {"hundreds": 1, "steps": 100}}, "recipe.inner.hundreds is the former name of"),
        ({"large": 1}, "recipe.large: expected bool, found 1"),
    ],
)
def test_former_fields_do_not_contradict_those_of_today(values, text):
    with pytest.raises(UsageError, match=text):
        from_json(Recipe, values)


@pytest.mark.parametrize("arguments", [("large=true", "head=paper"), ("head=big", "large=true")])
def test_flags_of_one_meaning_are_not_given_twice(arguments):
    with pytest.raises(UsageError, match=r"recipe\.large is the former name of recipe\.head"):
        parse(*(f"--recipe.{argument}" for argument in arguments))


@pytest.mark.parametrize("name", ["fanet", "fpr"])
def test_the_depth_of_a_resnet_is_a_backbone(name):
    method, values = METHODS[name], flags.FlagValues()
    assert from_json(method.recipe, {"backbone_depth": 26}).backbone == "resnet26"
    recipe = define_flags(method.demo(), values)
    values(["train", "--recipe.backbone_depth=101"])
    assert recipe().backbone == "resnet101"
    with pytest.raises(UsageError, match="backbone='resnet18' is not known: use one of resnet14, "):
        from_json(method.recipe, {"backbone_depth": 18})


def test_a_missing_field_without_default_is_named():
    with pytest.raises(UsageError, match=r"recipe.schedule lacks learning_rate, factor"):
        from_json(METHODS["dgd"].recipe, {"schedule": {"steps": 3}})


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("width", [1e9, 0.0, -1.0]),
        ("backbone_width", [1e9, 0.0, -1.0]),
        ("batch_size", [0, -4, 10**9]),
        ("image_size_px", [[0, 16], [32, 10**6]]),
        ("descriptor_size", [0, 10**9]),
    ],
)
def test_absurd_values_are_refused(name, field, values):
    recipe = to_json(METHODS[name].recipe())
    for value in values if field in recipe else ():
        with pytest.raises(UsageError, match=f"{field}|image"):
            from_json(METHODS[name].recipe, recipe | {field: value})
