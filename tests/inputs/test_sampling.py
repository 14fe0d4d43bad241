import numpy as np
import pytest

from tfreid.inputs.sampling import PersonSampler, RandomSampler, Windows


@pytest.mark.parametrize(("count", "size"), [(5, 3), (8, 3), (3, 8), (1, 4), (7, 7), (48, 32)])
def test_windows_show_every_item_equally_often(count, size):
    windows = Windows(count, size, (0,))
    shown = np.concatenate([windows[i] for i in range(count)])
    np.testing.assert_array_equal(np.bincount(shown, minlength=count), size)


@pytest.mark.parametrize(("count", "size"), [(5, 3), (8, 3), (31, 16), (48, 20)])
def test_windows_hold_no_item_twice(count, size):
    windows = Windows(count, size, (0,))
    assert all(len(set(windows[i])) == size for i in range(200))


def test_windows_cover_all_items_before_any_comes_again():
    windows = Windows(10, 5, (3,))
    assert sorted(np.concatenate([windows[0], windows[1]])) == list(range(10))


def test_windows_do_not_depend_on_what_was_asked_before():
    asked_in_order = Windows(11, 4, (1, 2))
    sequence = [asked_in_order[i].tolist() for i in range(30)]
    asked_at_random = Windows(11, 4, (1, 2))
    for i in np.random.default_rng(0).permutation(30):
        assert asked_at_random[i].tolist() == sequence[i]
    assert [Windows(11, 4, (1, 3))[i].tolist() for i in range(30)] != sequence


def test_windows_favour_no_order():
    first = [Windows(6, 4, (seed,))[3][0] for seed in range(3_000)]
    np.testing.assert_allclose(np.bincount(first, minlength=6) / 500, 1.0, atol=0.2)


def test_random_batches_wrap_around_a_small_split():
    sampler = RandomSampler(3, 8, seed=0)
    shown = np.concatenate([sampler(step) for step in range(3)])
    np.testing.assert_array_equal(np.bincount(shown), 8)


LABELS = np.array([0] * 6 + [1] * 1 + [2] * 4 + [3] * 9 + [4] * 2 + [5] * 4)[::-1].copy()


def test_person_batches_hold_whole_persons_side_by_side():
    sampler = PersonSampler(LABELS, 3, 4, seed=5)
    for step in range(50):
        persons = LABELS[sampler(step)].reshape(3, 4)
        assert (persons == persons[:, :1]).all()
        assert len(set(persons[:, 0])) == 3


def test_person_batches_show_persons_and_their_images_equally_often():
    sampler = PersonSampler(LABELS, 3, 4, seed=5)
    visits = 36  # a multiple of every person's number of images
    shown = np.concatenate([sampler(step) for step in range(visits * 6 // 3)])
    times = np.bincount(shown, minlength=len(LABELS))
    for person, images in enumerate(np.bincount(LABELS)):
        assert set(times[person == LABELS]) == {visits * 4 // images}


def test_person_with_few_images_shows_each_before_any_again():
    sampler = PersonSampler(LABELS, 6, 4, seed=5)
    for step in range(20):
        batch = sampler(step)
        images = {person: batch[LABELS[batch] == person] for person in range(6)}
        assert len(set(images[1])) == 1
        assert sorted(np.bincount(images[4])[np.unique(images[4])]) == [2, 2]
        assert len(set(images[3])) == 4


def test_person_batches_resume():
    whole = PersonSampler(LABELS, 4, 3, seed=1)
    steps = [whole(step).tolist() for step in range(20)]
    resumed = PersonSampler(LABELS, 4, 3, seed=1)
    assert [resumed(step).tolist() for step in range(13, 20)] == steps[13:]
