import numpy as np
import pytest

from tfreid.errors import UsageError
from tfreid.retrieval import Identities, calibrate, cosine_blocks, cosine_distances


def reference(distances, query, gallery, far):
    """Tries every impostor distance as the threshold; float64, pair by pair."""
    impostors, genuine = [], []
    for row in range(len(query)):
        for column in range(len(gallery)):
            person, other = query.person[row], gallery.person[column]
            if -1 in (person, other) or person == other == 0:
                continue
            if person != other:
                impostors.append(float(distances[row, column]))
            elif query.camera[row] != gallery.camera[column]:
                genuine.append(float(distances[row, column]))
    allowed = [t for t in impostors if sum(d <= t for d in impostors) / len(impostors) <= far]
    distance = max(allowed)
    accepted = [sum(d <= distance for d in pairs) for pairs in (impostors, genuine)]
    return distance, accepted[0] / len(impostors), accepted[1] / len(genuine), len(impostors)


def people(seed, queries=14, gallery=31):
    """Identities with junk (-1) and distractors (0) among queries and gallery."""
    random = np.random.default_rng(seed)
    return tuple(
        Identities(random.integers(-1, 5, n), random.integers(1, 4, n)) for n in (queries, gallery)
    )


@pytest.mark.parametrize("far", [0.005, 0.01, 0.1, 0.29, 0.5, 0.99])
@pytest.mark.parametrize("levels", [3000, 40])
def test_threshold_is_the_largest_with_that_false_accept_rate(far, levels):
    query, gallery = people(int(100 * far))
    random = np.random.default_rng(levels)
    # Few levels make ties, also across the place where the rate is reached.
    distances = random.integers(0, levels, (len(query), len(gallery))).astype("float32") / levels
    blocks = [distances[start : start + 4] for start in range(0, len(query), 4)]
    try:
        expected = reference(distances, query, gallery, far)
    except ValueError:
        with pytest.raises(UsageError, match="no threshold has that false-accept rate"):
            calibrate(blocks, query, gallery, far)
        return
    found = calibrate(blocks, query, gallery, far)
    measured = (found.distance, found.false_accept_rate, found.genuine_accept_rate)
    assert (*measured, found.impostor_pairs) == expected
    assert (found.far, found.false_accept_rate <= far) == (far, True)


def test_blocks_of_descriptors_give_what_the_whole_matrix_gives():
    query, gallery = people(3)
    random = np.random.default_rng(4)
    features = random.normal(size=(len(query), 8)), random.normal(size=(len(gallery), 8))
    found = calibrate(cosine_blocks(*features, block_size=3), query, gallery, 0.05)
    expected = reference(cosine_distances(*features), query, gallery, 0.05)
    assert found.distance == pytest.approx(expected[0], abs=1e-6)
    assert found.false_accept_rate == expected[1]


def test_junk_and_pairs_that_nobody_knows_change_nothing():
    query = Identities(np.array([1, 0]), np.array([1, 1]))
    gallery = Identities(np.array([2, 2, 3]), np.array([2, 1, 2]))
    distances = np.array([[0.3, 0.4, 0.5], [0.6, 0.7, 0.8]])
    plain = calibrate([distances], query, gallery, 0.5)
    assert (plain.distance, plain.impostor_pairs, plain.genuine_pairs) == (0.5, 6, 0)
    assert plain.genuine_accept_rate is None
    # A junk image, and one of the first query's person by the same camera.
    more = Identities(np.append(gallery.person, [-1, 1]), np.append(gallery.camera, [2, 1]))
    nearer = np.append(distances, [[0.0, 0.1], [0.0, 0.9]], axis=1)
    assert calibrate([nearer], query, more, 0.5).impostor_pairs == 7
    junk_query = Identities(np.append(query.person, -1), np.append(query.camera, 1))
    assert calibrate([np.vstack([distances, np.zeros(3)])], junk_query, gallery, 0.5) == plain


def test_too_few_pairs_are_counted():
    query, gallery = people(0)
    with pytest.raises(UsageError, match=r"0\.0001 needs at least 10,000 pairs .* have \d+"):
        calibrate([np.zeros((len(query), len(gallery)))], query, gallery, 0.0001)


def test_descriptors_that_are_all_the_same_have_no_threshold():
    query, gallery = people(0)
    with pytest.raises(UsageError, match=r"more than 0\.5 of .* at the smallest distance, 0:"):
        calibrate([np.zeros((len(query), len(gallery)))], query, gallery, 0.5)


@pytest.mark.parametrize("far", [0, 1, -0.1])
def test_rates_without_meaning_are_refused(far):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        calibrate([], *people(0), far)


def test_blocks_must_cover_the_queries():
    query, gallery = people(0)
    with pytest.raises(ValueError, match="cover 2 queries; expected 14"):
        calibrate([np.zeros((2, len(gallery)))], query, gallery, 0.5)
