import pytest

from tfreid.datasets import Row, SplitChoice
from tfreid.datasets.splits import assign_two_cameras, draw_persons
from tfreid.errors import DataError, UsageError

PERSONS = range(1, 41)


def drawn(**choice):
    return draw_persons(PERSONS, 20, SplitChoice(**choice), of=10)


def test_draws_the_asked_number_of_persons():
    split = drawn()
    assert (split.index, split.of, split.seed) == (0, 10, 0)
    assert len(set(split.test_persons)) == 20
    assert set(split.test_persons) < set(PERSONS)
    assert split.test_persons == tuple(sorted(split.test_persons))


def test_seed_and_index_fix_the_split():
    assert drawn() == drawn(seed=0, index=0)
    draws = [drawn(seed=seed, index=index) for seed in (0, 1, 10) for index in range(10)]
    assert len({split.test_persons for split in draws}) == len(draws)


def test_does_not_depend_on_the_order_of_the_persons():
    reverse = draw_persons([*reversed(PERSONS), 3, 3], 20, SplitChoice(), of=10)
    assert reverse == drawn()


def test_takes_persons_that_were_drawn_before():
    before = drawn(seed=5, index=3)
    again = drawn(seed=5, index=3, test_persons=before.test_persons)
    assert again == before
    assert drawn(test_persons=(2, 1)).test_persons == (1, 2)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        (SplitChoice(index=10), UsageError, "there is no split 10: expected 0 to 9"),
        (SplitChoice(test_persons=(1, 99)), UsageError, "tests person 99, who is not among the 40"),
    ],
)
def test_refuses_splits_that_there_are_not(choice, error, message):
    with pytest.raises(error, match=message):
        draw_persons(PERSONS, 20, choice, of=10)


def test_needs_enough_persons():
    with pytest.raises(DataError, match=r"50 test persons needs as many .* found 40"):
        draw_persons(PERSONS, 50, SplitChoice(), of=1)


def test_one_camera_asks_and_the_others_answer():
    rows = [
        Row(f"{person}{camera}.jpg", person, camera, "train", f"x/{person}{camera}")
        for person in (1, 2)
        for camera in (1, 2)
    ]
    splits = {row.key: row.split for row in assign_two_cameras(rows, [2], query_camera=2)}
    assert splits == {"x/11": "train", "x/12": "train", "x/21": "gallery", "x/22": "query"}
