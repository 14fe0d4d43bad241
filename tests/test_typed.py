"""What plain values may stand for, and how a wrong one is named."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tfreid.typed import typed


@dataclass(frozen=True)
class Inner:
    rate: float
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    count: int
    pair: tuple[int, float]
    inner: Inner | None = None
    labels: dict[str, dict[int, int]] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    free: Any = None


def test_plain_values_become_what_they_stand_for():
    values = {
        "count": 3,
        "pair": [1, 2],
        "inner": {"rate": 1, "names": ["a"]},
        "labels": {"viper": {"-1": 0, "12": 1}},
        "ids": [2, 2],
        "free": [{}],
    }
    made = typed(Outer, values)
    assert made == Outer(3, (1, 2.0), Inner(1.0, ("a",)), {"viper": {-1: 0, 12: 1}}, {2}, [{}])
    assert isinstance(made.pair[1], float)
    assert typed(Outer, {"count": 0, "pair": [0, 0.5], "inner": None}) == Outer(0, (0, 0.5))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"count": "3"}, "count: expected int, found '3'"),
        ({"count": 3.0}, "count: expected int, found 3.0"),
        ({"count": True}, "count: expected int, found True"),
        ({"count": None}, "count: expected int, found None"),
        ({"pair": [1]}, r"pair: expected tuple\[int, float\], found \(1,\)"),
        ({"pair": [1, "x"]}, "pair: expected float, found 'x'"),
        ({"pair": [1, float("nan")]}, "pair: expected float, found nan"),
        ({"pair": [1, float("inf")]}, "pair: expected float, found inf"),
        ({"pair": [1, 10**400]}, "pair: expected float, found 1000"),
        ({"inner": []}, r"inner: expected .*Inner.*, found \[\]"),
        ({"inner": {}}, "inner has no field rate"),
        ({"inner": {"rate": 1.0, "name": "a"}}, "inner has an unknown field 'name'"),
        ({"inner": {"rate": 1.0, "names": "ab"}}, r"inner\.names: expected tuple.*, found 'ab'"),
        ({"labels": {"viper": {"one": 1}}}, r"a key of labels\.viper: expected int, found 'one'"),
        ({"labels": {"viper": {"01": 1}}}, "expected int, found '01'"),
        ({"labels": {"viper": {"1": "1"}}}, r"labels\.viper\.1: expected int, found '1'"),
        ({"labels": {"viper": []}}, r"labels\.viper: expected dict\[int, int\], found \[\]"),
        ({"ids": {}}, r"ids: expected set\[int\], found {}"),
        ({"count": "x" * 999}, "found '" + "x" * 59 + "…$"),
    ],
)
def test_what_does_not_fit_is_named(changes, text):
    with pytest.raises(ValueError, match=text):
        typed(Outer, {"count": 3, "pair": [1, 2.0]} | changes)


@pytest.mark.parametrize("value", [3, None, [], "x"])
def test_the_whole_may_be_something_else(value):
    with pytest.raises(ValueError, match=r"^expected Outer, found "):
        typed(Outer, value)
