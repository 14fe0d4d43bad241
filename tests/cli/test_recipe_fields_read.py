"""What is read off the files of recipes, beside the recipes themselves."""

import dataclasses
import typing

import pytest

from tfreid.cli import recipe_fields
from tfreid.methods import METHODS
from tfreid.methods.recipe import former_fields

PLAIN = (int, float, bool)


def fields(recipe_type, path=""):
    """Name, dotted where nested, and plain type of every field, former ones too."""
    hints = typing.get_type_hints(recipe_type)
    for field in dataclasses.fields(recipe_type):
        options = (hints[field.name], *typing.get_args(hints[field.name]))
        nested = [option for option in options if dataclasses.is_dataclass(option)]
        if nested:
            yield from fields(nested[0], f"{path}{field.name}.")
        else:
            kind = hints[field.name]
            yield path + field.name, kind if kind in PLAIN else None
    yield from ((path + name, None) for name in former_fields(recipe_type))


@pytest.mark.parametrize("name", METHODS)
def test_the_fields_are_those_of_the_recipe_in_their_order(name):
    assert list(recipe_fields.of_method(name).items()) == list(fields(METHODS[name].recipe))


@pytest.mark.parametrize("name", ["pgpp", None])
def test_other_methods_have_none(name):
    with pytest.raises(LookupError):
        recipe_fields.of_method(name)
