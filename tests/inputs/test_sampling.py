import numpy as np
import pytest

from tfreid.inputs.sampling import CameraWindows, PersonSampler, RandomSampler, Windows


@pytest.mark.parametrize(("count", "size"), [(5, 3), (8, 3), (3, 8), (1, 4), (7, 7), (48, 32)])
def test_windows_show_every_item_equally_often(count, size):
    windows = Windows(count, size, (0,))
    shown = np.concatenate([windows[i] for i in range(count)])
    np.testing.assert_array_equal(np.bincount(shown, minlength=count), size)


@pytest.mark.parametrize(
    ("count", "size"), [(3, 3), (4, 3), (5, 3), (8, 3), (30, 16), (31, 16), (16, 15), (48, 20)]
)
def test_windows_hold_no_item_twice(count, size):
    windows = Windows(count, size, (0,))
    assert all(len(set(windows[i])) == size for i in range(200))


def test_windows_never_show_an_item_twice_more_than_another():
    for count in range(1, 12):
        for size in range(1, 12):
            windows = Windows(count, size, (0,))
            times = np.zeros(count, int)
            for index in range(20):
                own = np.bincount(windows[index], minlength=count)
                times += own
                assert np.ptp(own) <= 1
                assert np.ptp(times) <= 1


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


CAMERAS = np.random.default_rng(7).integers(0, 4, len(LABELS))


def evenest(counts, places):
    """Images from each camera: one more, again and again, from one that has shown fewest."""
    shown = np.zeros_like(counts)
    for _ in range(places):
        shown[np.argmin(np.where(shown < counts, shown, np.inf))] += 1
    return shown


def random_cameras(cases=150):
    rng = np.random.default_rng(0)
    for case in range(cases):
        images, cameras, size = rng.integers(1, [20, 7, 13])
        yield rng.integers(0, cameras, images), int(size), (case,)


def test_camera_windows_are_as_even_as_the_images_allow():
    for cameras, size, seed in random_cameras():
        windows = CameraWindows(cameras, size, seed)
        repeats, places = divmod(size, len(cameras))
        wanted = sorted(evenest(np.unique(cameras, return_counts=True)[1], places))
        for window in range(6):
            times = np.bincount(windows[window], minlength=len(cameras))
            assert times.sum() == size
            assert set(times) <= {repeats, repeats + 1}
            spread = np.bincount(cameras, weights=times - repeats)
            assert sorted(spread[np.unique(cameras)]) == wanted


def test_camera_windows_show_images_of_a_camera_equally_often():
    for cameras, size, seed in random_cameras(50):
        windows = CameraWindows(cameras, size, seed)
        times = np.zeros(len(cameras), int)
        for window in range(40):
            times += np.bincount(windows[window], minlength=len(cameras))
            for camera in set(cameras):
                assert np.ptp(times[cameras == camera]) <= 1


def test_cameras_with_images_to_spare_take_turns():
    cameras = np.repeat([0, 1, 2, 3], [1, 5, 9, 30])
    windows = CameraWindows(cameras, 6, (0,))  # 1 of the first camera, 1 or 2 of each other
    shown = np.zeros(4, int)
    for window in range(30):
        shown += np.bincount(cameras[windows[window]])
        assert shown[0] == window + 1
        assert np.ptp(shown[1:]) <= 1


def test_camera_windows_favour_nothing():
    cameras = np.array([2, 5, 5, 2, 7])
    shown = np.concatenate([CameraWindows(cameras, 2, (seed,))[1] for seed in range(3_000)])
    shares = np.bincount(shown, minlength=5) / 3_000
    np.testing.assert_allclose(shares, [1 / 3, 1 / 3, 1 / 3, 1 / 3, 2 / 3], atol=0.04)


@pytest.mark.parametrize("cameras", [None, CAMERAS], ids=["alike", "cameras"])
@pytest.mark.parametrize(("persons", "images"), [(3, 4), (4, 1), (1, 9), (8, 2), (13, 3)])
def test_batches_are_functions_of_the_step(persons, images, cameras):
    sampler = PersonSampler(LABELS, persons, images, 2, cameras)
    steps = [sampler(step).tolist() for step in range(20)]
    at_random = PersonSampler(LABELS, persons, images, 2, cameras)
    for step in np.random.default_rng(0).permutation(20):
        assert at_random(step).tolist() == steps[step]
    assert PersonSampler(LABELS, persons, images, 3, cameras)(0).tolist() != steps[0]


@pytest.mark.parametrize("persons", [1, 3, 4, 6, 8])
def test_spreading_shows_persons_equally_often(persons):
    sampler = PersonSampler(LABELS, persons, 4, 5, CAMERAS)
    shown = np.concatenate([sampler(step) for step in range(12)])
    visits = np.bincount(LABELS[shown]) / 4
    assert set(visits) == {12 * persons / 6}


def test_spreading_takes_each_visited_person_from_its_cameras():
    sampler = PersonSampler(LABELS, 3, 4, 5, CAMERAS)
    for step in range(30):
        for records in sampler(step).reshape(3, 4):
            (person,) = set(LABELS[records])
            own = set(CAMERAS[person == LABELS])
            assert len(set(CAMERAS[records])) == min(len(own), 4)
            assert len(set(records)) == min((person == LABELS).sum(), 4)


def test_one_camera_is_spread_over_itself():
    sampler = PersonSampler(LABELS, 6, 4, 5, np.zeros_like(LABELS))
    shown = np.bincount(np.concatenate([sampler(step) for step in range(36)]))
    for person, images in enumerate(np.bincount(LABELS)):
        assert set(shown[person == LABELS]) == {36 * 4 // images}
