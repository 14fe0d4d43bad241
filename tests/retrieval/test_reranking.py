import numpy as np
import pytest

from tfreid.retrieval.distances import normalise
from tfreid.retrieval.reranking import CosineDistances, Reranking, rerank


def plain(distances, queries, k1, k2, original_weight):
    """The method as published, on a full matrix in float64; rows and sets one at a time."""
    distances = distances / distances.max(axis=1, keepdims=True)
    order = np.argsort(distances, axis=1, kind="stable")
    encoding = np.zeros_like(distances)

    def reciprocal(image, k):
        return {j for j in order[image, : k + 1] if image in order[j, : k + 1]}

    for image in range(len(distances)):
        members = reciprocal(image, k1)
        expanded = set(members)
        for member in members:
            candidates = reciprocal(member, round(k1 / 2))
            if len(candidates & members) > 2 / 3 * len(candidates):
                expanded |= candidates
        chosen = sorted(expanded)
        weights = np.exp(-distances[image, chosen])
        encoding[image, chosen] = weights / weights.sum()
    encoding = np.stack([encoding[order[image, :k2]].mean(axis=0) for image in range(len(order))])
    final = np.empty((queries, len(distances) - queries))
    for query in range(queries):
        for column, image in enumerate(range(queries, len(distances))):
            shared = np.minimum(encoding[query], encoding[image]).sum()
            total = np.maximum(encoding[query], encoding[image]).sum()
            original = distances[query, image]
            final[query, column] = (1 - original_weight) * (1 - shared / total)
            final[query, column] += original_weight * original
    return final


def problem(seed, queries=20, gallery=80, persons=12):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((persons, 24))
    person = rng.integers(0, persons, queries + gallery)
    features = centres[person] + 0.8 * rng.standard_normal((queries + gallery, 24))
    return features[:queries].astype(np.float32), features[queries:].astype(np.float32)


class Matrix:
    """Distances that are known in full, handed out in blocks."""

    def __init__(self, matrix, block_size):
        self.matrix, self.block_size = matrix, block_size

    def blocks(self):
        for start in range(0, len(self.matrix), self.block_size):
            yield self.matrix[start : start + self.block_size]

    def pairs(self, rows, columns):
        return self.matrix[rows, columns]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "parameters",
    [
        Reranking(),
        Reranking(6, 3, 0.3),
        Reranking(5, 1, 0.0),
        Reranking(200, 4, 0.5),
        Reranking(3, 12, 0.3),  # More encodings are averaged than a neighbourhood has images.
        Reranking(3, 500, 0.3),
    ],
)
def test_equals_the_published_method(seed, parameters):
    query, gallery = problem(seed)
    features = normalise(np.concatenate([query, gallery])).astype(np.float64)
    matrix = 1 - features @ features.T
    expected = plain(matrix, len(query), parameters.k1, parameters.k2, parameters.original_weight)
    for block_size in (7, 100):
        blocks = rerank(Matrix(matrix, block_size), len(query), parameters)
        np.testing.assert_allclose(np.concatenate(list(blocks)), expected, atol=1e-12)


def test_takes_descriptors():
    query, gallery = problem(0)
    features = normalise(np.concatenate([query, gallery])).astype(np.float64)
    expected = plain(1 - features @ features.T, len(query), 20, 6, 0.3)
    blocks = rerank(CosineDistances(query, gallery), len(query))
    np.testing.assert_allclose(np.concatenate(list(blocks)), expected, atol=1e-5)


def test_the_share_of_the_original_distance_may_be_all():
    query, gallery = problem(1)
    distances = CosineDistances(query, gallery)
    (block,) = distances.blocks()
    (final,) = rerank(distances, len(query), Reranking(original_weight=1.0))
    original = block[: len(query)]
    expected = original[:, len(query) :] / original.max(axis=1, keepdims=True)
    np.testing.assert_allclose(final, expected, rtol=1e-6)


def test_identical_images_stay_alike():
    query, gallery = problem(0)
    query[0] = gallery[3]
    gallery[5:45] = gallery[3]
    (final,) = rerank(CosineDistances(query, gallery), len(query), Reranking(10, 1, 0.3))
    assert np.isfinite(final).all()
    alike = np.isin(np.arange(len(gallery)), [3, *range(5, 45)])
    assert final[0, alike].max() < final[0, ~alike].min()


@pytest.mark.parametrize("seed", range(3))
def test_of_images_at_the_same_distance_the_first_are_neighbours(seed):
    """As the stable sort of the published method has it, whatever the blocks."""
    query, gallery = problem(seed)
    features = normalise(np.concatenate([query, gallery])).astype(np.float64)
    matrix = np.round(2 * (1 - features @ features.T)) / 2 + 0.5  # Few values, so many ties.
    np.fill_diagonal(matrix, 0)
    expected = plain(matrix, len(query), 5, 3, 0.3)
    for block_size in (7, 100):
        blocks = rerank(Matrix(matrix, block_size), len(query), Reranking(5, 3, 0.3))
        np.testing.assert_allclose(np.concatenate(list(blocks)), expected, atol=1e-12)


def test_an_image_is_its_own_neighbour_among_many_that_are_identical():
    matrix = np.ones((12, 12))
    matrix[:9, :9] = 0
    (final,) = rerank(Matrix(matrix, 12), 6, Reranking(k1=2, k2=1, original_weight=0))
    assert np.isfinite(final).all()
    np.testing.assert_array_equal(final[:, 3:], 1)  # shares nothing with what is far


@pytest.mark.parametrize("wrong", [{"k1": 0}, {"k2": 0}, {"original_weight": 1.5}])
def test_refuses_parameters_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match="expected k1 and k2 from 1"):
        Reranking(**wrong)


def test_holds_what_it_says():
    """Neither the estimate nor what is held grows with the square of the images."""
    small, large = (Reranking().memory_bytes(images, 0) for images in (1_000, 10_000))
    assert large == 10 * small


def test_equal_descriptors_are_at_finite_distances():
    """What rounding leaves of their distances may be negative, and differs between products."""
    features = np.tile(np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32), (9, 1))
    features *= np.linspace(1, 2, 9, dtype=np.float32)[:, None]
    found = np.concatenate(list(rerank(CosineDistances(features[:3], features[3:]), 3)))
    assert np.isfinite(found).all()
    noisy = Noisy(np.full((9, 9), -2e-7, np.float32))
    assert np.isfinite(np.concatenate(list(rerank(noisy, 3)))).all()


class Noisy:
    """Distances whose blocks are zeros, and whose pairs are not."""

    def __init__(self, values):
        self._values = values

    def blocks(self):
        yield np.zeros_like(self._values)

    def pairs(self, rows, columns):
        return self._values[rows, columns]
