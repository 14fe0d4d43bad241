import pytest

from tfreid.datasets import Row, Split, SplitChoice
from tfreid.datasets.splits import assign_two_cameras, draw_persons, published_split
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


def test_chooses_among_published_splits():
    test_sets = [(1, 2), (3, 40)]
    assert published_split(PERSONS, test_sets, SplitChoice()) == Split(0, 2, None, (1, 2))
    second = Split(1, 2, None, (3, 40))
    assert published_split(PERSONS, test_sets, SplitChoice(index=1)) == second
    again = SplitChoice(index=1, test_persons=(40, 3))
    assert published_split(PERSONS, test_sets, again) == second
    with pytest.raises(UsageError, match="2 splits are published, not drawn"):
        published_split(PERSONS, test_sets, SplitChoice(seed=0))
    with pytest.raises(UsageError, match="no split 2: expected 0 to 1"):
        published_split(PERSONS, test_sets, SplitChoice(index=2))
    with pytest.raises(UsageError, match="tests person 41"):
        published_split(PERSONS, test_sets, SplitChoice(test_persons=(1, 41)))


def test_one_camera_asks_and_the_others_answer():
    rows = [
        Row(f"{person}{camera}.jpg", person, camera, "train", f"x/{person}{camera}")
        for person in (1, 2)
        for camera in (1, 2)
    ]
    splits = {row.key: row.split for row in assign_two_cameras(rows, [2], query_camera=2)}
    assert splits == {"x/11": "train", "x/12": "train", "x/21": "gallery", "x/22": "query"}
