"""What the help says of a recipe's fields."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest

from tfreid.cli.recipe_help import attributes, meanings
from tfreid.methods import METHODS
from tfreid.methods.fields import choice, leaves, off, paper


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

    size: int = choice(3, "it fits")
    mode: str = "a"


@dataclass(frozen=True)
class Recipe(Base):
    """The recipe.

    Attributes:
      mode: how it works.
      schedule: its length; and more.
    """

    mode: str = paper("a", "Table 2", ("a", "b"))
    schedule: Inner = choice(Inner(), "as usual", rate="section 3")
    plain: int = 1
    extra: int = off(0)

    presets: ClassVar = {("mode", "b"): {"size": paper(9, "Table 4")}}


def test_bases_and_parts_are_explained_with_values_and_sources():
    assert dict(zip(dict(leaves(Recipe())), meanings(Recipe()), strict=True)) == {
        "size": "height; choice: it fits",
        "mode": "how it works; one of a, b; paper: Table 2",
        "schedule.steps": "its length: how many: of them, in all; choice: as usual",
        "schedule.rate": "its length: how fast; paper: section 3",
        "plain": "",
        "extra": "; choice: no paper has it",
    }


def test_values_that_are_not_the_papers_stand_beside_those_that_are():
    changed = Recipe(size=4, mode="b", schedule=Inner(rate=0.1))
    assert list(meanings(changed, published=Recipe(mode="b", size=9)))[:4] == [
        "height; paper: Table 4; at the paper's scale 9",
        "how it works; one of a, b; paper: Table 2",
        "its length: how many: of them, in all; choice: as usual",
        "its length: how fast; paper: section 3; at the paper's scale 0.5",
    ]


def test_only_attributes_are_taken_for_such():
    assert attributes(Inner) == {"steps": "how many: of them, in all", "rate": "how fast"}


@pytest.mark.parametrize("name", METHODS)
def test_every_field_of_every_recipe_is_explained(name):
    recipe = METHODS[name].recipe()
    unexplained = [
        field
        for (field, _), meaning in zip(leaves(recipe), meanings(recipe), strict=True)
        if meaning.startswith(";") or not re.search(r"; (paper|choice): .", meaning)
    ]
    assert unexplained == []
