"""What the help says of a recipe's fields."""

from dataclasses import dataclass

import pytest

from tfreid.cli.recipe_help import attributes, meanings
from tfreid.methods import METHODS
from tfreid.methods.fields import choice, leaves, one_of


@dataclass(frozen=True)
class Inner:
    """A part.

    Attributes:
      steps: how
        many: of them, `in` all.
      rate: how fast.

    More is said here: nothing of a field.
    """

    steps: int = 1
    rate: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is shared.

    Attributes:
      size: height.
      mode: of the base.
    """

    size: int = choice(3)
    mode: str = "a"


@dataclass(frozen=True)
class Recipe(Base):
    """The recipe.

    Attributes:
      mode: how it works.
      schedule: its length; and more.
    """

    mode: str = one_of(("a", "b"), "a")
    schedule: Inner = choice(Inner())
    plain: int = 1


def test_bases_and_parts_are_explained_with_values_and_choices():
    assert dict(zip(dict(leaves(Recipe())), meanings(Recipe()), strict=True)) == {
        "size": "height; the paper does not state it",
        "mode": "how it works; one of a, b",
        "schedule.steps": "its length: how many: of them, in all; the paper does not state it",
        "schedule.rate": "its length: how fast; the paper does not state it",
        "plain": "",
    }


def test_only_attributes_are_taken_for_such():
    assert attributes(Inner) == {"steps": "how many: of them, in all", "rate": "how fast"}


@pytest.mark.parametrize("name", METHODS)
def test_every_field_of_every_recipe_is_explained(name):
    recipe = METHODS[name].recipe()
    unexplained = [
        field
        for (field, _), meaning in zip(leaves(recipe), meanings(recipe), strict=True)
        if not meaning or meaning.endswith(":") or meaning.startswith(";")
    ]
    assert unexplained == []
