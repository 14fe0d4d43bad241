import numpy as np
import pytest

from tfreid.retrieval import cosine_blocks, cosine_distances


@pytest.fixture
def features():
    random = np.random.default_rng(0)
    return random.normal(size=(11, 16)), random.normal(size=(23, 16))


def reference(query, gallery):
    cosine = [
        [np.dot(q, g) / (np.linalg.norm(q) * np.linalg.norm(g)) for g in gallery] for q in query
    ]
    return 1 - np.array(cosine)


def test_cosine_distances_equal_the_definition(features):
    distances = cosine_distances(*features)
    assert distances.dtype == np.float32
    np.testing.assert_allclose(distances, reference(*features), atol=1e-6)


@pytest.mark.parametrize("block_size", [1, 4, 11, 100])
def test_blocks_are_the_rows_of_the_whole(features, block_size):
    blocks = list(cosine_blocks(*features, block_size=block_size))
    assert max(map(len, blocks)) == min(block_size, 11)
    np.testing.assert_allclose(np.concatenate(blocks), cosine_distances(*features), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_length_does_not_matter(features, scale):
    query, gallery = features
    scaled = cosine_distances(query * scale, gallery)
    np.testing.assert_allclose(scaled, reference(query, gallery), atol=1e-6)


def test_descriptor_of_zeros_is_at_distance_one():
    np.testing.assert_array_equal(cosine_distances(np.zeros((1, 3)), np.eye(3)), 1)
