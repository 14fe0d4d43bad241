import numpy as np
import pytest

from tests.retrieval.by_definition import protocol_with, random_problem, ranking
from tfreid.datasets.protocols import PROTOCOLS
from tfreid.retrieval import NO_IMAGE, Identities, evaluate


@pytest.mark.parametrize("levels", [None, 4, 1], ids=["distinct", "ties", "all_tie"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("camera_pairs", [True, False])
def test_equals_the_definition(levels, camera_filter, camera_pairs):
    for seed, length in ((0, 1), (1, 7), (2, 60), (3, 200)):
        distances, query, gallery = random_problem(seed, levels)
        lists = evaluate(
            [distances],
            query,
            gallery,
            protocol=protocol_with(camera_filter),
            list_length=length,
            camera_pairs=camera_pairs,
        ).lists
        assert lists.indices.shape == lists.distances.shape == lists.correct.shape == (40, length)
        for row, asked in enumerate(zip(query.person, query.camera, strict=True)):
            ranked = ranking(distances[row], *asked, gallery, camera_filter)[:length]
            images, matches = map(list, zip(*ranked, strict=True))
            listed = lists.indices[row] != NO_IMAGE
            assert lists.indices[row][listed].tolist() == images
            assert lists.correct[row].tolist() == matches + [False] * (length - len(matches))
            np.testing.assert_array_equal(lists.distances[row][listed], distances[row][images])
            assert np.isnan(lists.distances[row][~listed]).all()


def test_lists_show_the_whole_gallery_also_where_scores_draw():
    distances, query, gallery = random_problem(4)
    options = {"list_length": 20}
    drawn = evaluate([distances], query, gallery, protocol=PROTOCOLS["random_half"], **options)
    whole = evaluate([distances], query, gallery, **options)
    np.testing.assert_array_equal(drawn.lists.indices, whole.lists.indices)


def test_distances_may_be_infinite():
    gallery = Identities(np.array([2, 1, 3]), np.array([2, 2, 2]))
    one = Identities(np.array([1]), np.array([1]))
    lists = evaluate([np.array([[np.inf, 0.5, np.inf]])], one, gallery, list_length=2).lists
    assert lists.indices.tolist() == [[1, 0]]


def test_there_are_none_unless_asked_for():
    distances, query, gallery = random_problem(0)
    assert evaluate([distances], query, gallery).lists is None
