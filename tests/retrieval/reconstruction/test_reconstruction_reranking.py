import numpy as np
import pytest

from tests.position_features import by_equations, features
from tests.retrieval.test_reranking import Matrix
from tfreid.retrieval.reconstruction import ReconstructionMatching, reconstruction_blocks
from tfreid.retrieval.reconstruction.positions import PositionFeatures
from tfreid.retrieval.reconstruction.reranking import ReconstructionDistances
from tfreid.retrieval.reranking import Reranking, rerank

PARAMETERS = Reranking(4, 2, 0.3)


@pytest.fixture(scope="module")
def sets():
    return features([3, 9, 5], seed=1), features([4, 8, 2, 7, 6, 3, 5], seed=2)


def test_equal_the_equations_among_all_images(sets):
    matrix = by_equations(PositionFeatures.joined(sets), PositionFeatures.joined(sets))
    distances = ReconstructionDistances(*sets)
    for _ in range(2):
        np.testing.assert_allclose(np.concatenate(list(distances.blocks())), matrix, atol=1e-5)
    rows, columns = np.array([9, 0, 4, 4]), np.array([0, 9, 4, 2])
    found = distances.pairs(rows, columns)
    np.testing.assert_allclose(found, matrix[rows, columns], atol=1e-5)
    reranked = np.concatenate(list(rerank(distances, 3, PARAMETERS)))
    expected = np.concatenate(list(rerank(Matrix(matrix, 4), 3, PARAMETERS)))
    np.testing.assert_allclose(reranked, expected, atol=1e-4)


@pytest.mark.parametrize("mode", ["exact", "shortlist"])
def test_mapped_features_are_matched_in_a_folder(sets, tmp_path, mode):
    mapped = []
    for name, images in zip(("query", "gallery"), sets, strict=True):
        images.save(tmp_path / name)
        mapped.append(PositionFeatures.open(tmp_path / name))
    matching = ReconstructionMatching(mode, shortlist_size=3)
    both = PositionFeatures.joined(sets)
    expected = np.concatenate(list(reconstruction_blocks(both, both, matching)))
    for announced in ([1], []):
        fractions = []
        folder = tmp_path / "parts"
        distances = ReconstructionDistances(
            *mapped, matching, folder=folder, announce=fractions.append
        )
        np.testing.assert_array_equal(np.concatenate(list(distances.blocks())), expected)
        assert fractions[-1:] == announced  # the second time all is finished
