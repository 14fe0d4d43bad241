import numpy as np
import pytest

from tfreid.errors import MissingPathError
from tfreid.retrieval.reconstruction.positions import PositionFeatures, position_writer


def images(counts, size=3, dtype=np.float32, seed=0):
    random = np.random.default_rng(seed)
    total = sum(counts)
    weights = np.concatenate([np.full(count, 1 / count, np.float32) for count in counts])
    return PositionFeatures(
        random.standard_normal((total, size)).astype(dtype),
        weights,
        np.concatenate([[0], np.cumsum(counts)]),
        random.standard_normal((len(counts), 2)).astype(np.float32),
    )


def assert_equal(one, other):
    for name in ("positions", "weights", "starts", "pooled"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.positions.dtype == other.positions.dtype


def test_from_arrays_flattens_the_positions():
    random = np.random.default_rng(0)
    positions, weights = random.random((4, 5, 3)), random.random((4, 5))
    features = PositionFeatures.from_arrays(positions, weights, random.random((4, 2)))
    assert (len(features), features.positions.dtype) == (4, np.float32)
    rows = slice(*features.starts[2:4])
    np.testing.assert_array_equal(features.positions[rows], positions[2].astype(np.float32))
    np.testing.assert_array_equal(features.weights[rows], weights[2].astype(np.float32))


@pytest.mark.parametrize(
    "chosen", [slice(1, 3), slice(4, None), slice(None, None, 2), np.array([3, 0, 0]), []]
)
def test_some_images_may_be_taken(chosen):
    features = images([2, 1, 4, 3, 2])
    indices = np.arange(5)[np.asarray(chosen, int) if isinstance(chosen, list) else chosen]
    taken = features[chosen if isinstance(chosen, slice) else np.asarray(chosen, int)]
    assert len(taken) == len(indices)
    for place, image in enumerate(indices):
        here, there = slice(*taken.starts[place : place + 2]), slice(*features.starts[image:][:2])
        np.testing.assert_array_equal(taken.positions[here], features.positions[there])
        np.testing.assert_array_equal(taken.weights[here], features.weights[there])
    np.testing.assert_array_equal(taken.pooled, features.pooled[indices])


def test_images_that_follow_each_other_are_not_copied():
    features = images([2, 1, 4])
    assert np.shares_memory(features[1:].positions, features.positions)
    assert np.shares_memory(features[np.array([1, 2])].positions, features.positions)


def test_joined_parts_are_the_whole():
    features = images([2, 1, 4, 3])
    assert_equal(PositionFeatures.joined([features[:1], features[1:1], features[1:]]), features)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_saved_is_mapped(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr("tfreid.retrieval.reconstruction.positions._SLAB_ROWS", 3)
    features = images([2, 1, 4, 3], dtype=dtype)
    features.save(tmp_path / "gallery")
    opened = PositionFeatures.open(tmp_path / "gallery")
    assert_equal(opened, features)
    assert isinstance(opened.positions, np.memmap)
    assert isinstance(opened[1:3].positions, np.memmap)
    opened.save(tmp_path / "copy")
    assert_equal(PositionFeatures.open(tmp_path / "copy"), features)


def test_a_writer_takes_batches_of_any_size_and_rounds_to_float16(tmp_path):
    batches = [images([3] * 20, seed=0), images([7, 1], seed=1)]
    with position_writer(tmp_path / "gallery", np.float16) as writer:
        for batch in batches:
            writer.append(batch)
    opened, expected = PositionFeatures.open(tmp_path / "gallery"), PositionFeatures.joined(batches)
    np.testing.assert_array_equal(opened.positions, expected.positions.astype(np.float16))
    np.testing.assert_array_equal(opened.starts, expected.starts)


def test_what_was_not_finished_is_not_there(tmp_path):
    def write():
        with position_writer(tmp_path / "gallery") as writer:
            writer.append(images([2, 1]))
            writer.append(images([1], size=4))

    with pytest.raises(ValueError, match=r"shape \(4,\); expected \(3,\) as before"):
        write()
    with pytest.raises(MissingPathError, match="no position features in"):
        PositionFeatures.open(tmp_path / "gallery")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"positions": np.ones((3, 2))}, "expected float32 or float16"),
        ({"weights": np.ones(2, np.float32)}, r"expected \[3\] and"),
        ({"starts": np.array([0, 3, 3])}, "at least one an image"),
        ({"starts": np.array([0, 1, 2])}, "from 0 to 3"),
    ],
)
def test_refuses_parts_that_do_not_belong_together(wrong, text):
    parts = {
        "positions": np.ones((3, 2), np.float32),
        "weights": np.ones(3, np.float32),
        "starts": np.array([0, 1, 3]),
        "pooled": np.ones((2, 4), np.float32),
    }
    with pytest.raises(ValueError, match=text):
        PositionFeatures(**{**parts, **wrong})
