"""When a difference over seeds has the direction of the paper's, and when that cannot be told."""

from decimal import Decimal

import pytest

from tfreid.reproduction.direction import UNKNOWN, OverSeeds, paired, published, verdict

UP, DOWN = Decimal("1.5"), Decimal("-0.2")


def test_the_interval_is_students():
    """0.1, 0.2, 0.3: mean 0.2, standard deviation 0.1; t(0.975, 2 degrees) is 4.302653."""
    spread = OverSeeds([0.1, 0.2, 0.3])
    assert spread.mean == pytest.approx(0.2)
    assert spread.half_width == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-6)
    assert spread.sign == 0
    assert OverSeeds([0.3, 0.31, 0.32]).sign == 1
    assert OverSeeds([-0.3, -0.31, -0.32]).sign == -1


@pytest.mark.parametrize(
    ("said", "ours", "expected"),
    [
        ([UP], [0.3, 0.31, 0.32], "agrees"),
        ([UP, UP], [0.3, 0.31, 0.32], "agrees"),
        ([DOWN], [0.3, 0.31, 0.32], "does not agree"),
        ([-1], [-0.3, -0.31, -0.32], "agrees"),
        ([UP], [0.1, 0.2, 0.3], UNKNOWN),
        ([UP], [0.3, 0.31], f"{UNKNOWN}: 2 of 3 seeds"),
        ([UP, DOWN], [0.3, 0.31, 0.32], f"{UNKNOWN}: the paper's data sets differ"),
        ([UP, Decimal(0)], [0.3, 0.31, 0.32], f"{UNKNOWN}: the paper's data sets differ"),
        ([Decimal("0.0")], [0.3, 0.31, 0.32], f"{UNKNOWN}: the paper's figures do not differ"),
        ([], [0.3, 0.31, 0.32], f"{UNKNOWN}: the paper has no figures to compare"),
        ([UP], None, f"{UNKNOWN}: not run"),
        ([UP], [0.2, 0.2, 0.2], "agrees"),
        ([UP], [0.0, 0.0, 0.0], UNKNOWN),
    ],
)
def test_verdicts(said, ours, expected):
    assert verdict(said, ours and OverSeeds(ours)) == expected


def test_differences_are_those_of_seeds_that_both_have():
    found = paired({"0": 0.5, "1": 0.7, "2": 0.1}, {"1": 0.6, "0": 0.1, "3": 0.9})
    assert found.values == pytest.approx([0.4, 0.1])
    assert paired({"0": 0.5}, {"1": 0.5}) is None


def test_published_differences_keep_their_digits():
    found = published({"a": ("76.56", "73.06"), "b": ("90.8", "88.87")})
    assert {data: str(value) for data, value in found.items()} == {"a": "3.50", "b": "1.93"}
