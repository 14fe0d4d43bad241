import subprocess
import sys

import numpy as np
import pytest

from tfreid.retrieval import cosine_blocks, cosine_distances, normalise
from tfreid.retrieval.distances import TILE_IMAGES, TILE_QUERIES

QUERIES, IMAGES = 2 * TILE_QUERIES + 11, TILE_IMAGES + 23


@pytest.fixture(scope="module")
def features():
    random = np.random.default_rng(0)
    return random.normal(size=(QUERIES, 17)), random.normal(size=(IMAGES, 17))


def reference(query, gallery):
    """In float64, pair by pair."""
    lengths = np.outer(np.linalg.norm(query, axis=1), np.linalg.norm(gallery, axis=1))
    return 1 - np.einsum("qd,gd->qg", query, gallery) / lengths


def test_cosine_distances_equal_the_definition(features):
    distances = cosine_distances(*features)
    assert (distances.dtype, distances.shape) == (np.float32, (QUERIES, IMAGES))
    np.testing.assert_allclose(distances, reference(*features), atol=1e-6)


@pytest.mark.parametrize("block_size", [1, TILE_QUERIES, TILE_QUERIES + 1, 10**6, None])
def test_blocks_are_the_rows_of_the_whole(features, block_size):
    blocks = list(cosine_blocks(*features, block_size=block_size))
    if block_size:
        tiles = -(-block_size // TILE_QUERIES)
        assert max(map(len, blocks)) == min(tiles * TILE_QUERIES, QUERIES)
    np.testing.assert_array_equal(np.concatenate(blocks), cosine_distances(*features))


def test_a_single_query_may_be_left_for_the_last_block(features):
    query, gallery = features[0][: TILE_QUERIES + 1], features[1]
    blocks = list(cosine_blocks(query, gallery, block_size=TILE_QUERIES))
    assert [len(block) for block in blocks] == [TILE_QUERIES, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), cosine_distances(query, gallery))


def test_either_side_may_be_empty():
    some, none = np.ones((3, 2)), np.ones((0, 2))
    assert cosine_distances(some, none).shape == (3, 0)
    assert cosine_distances(none, some).shape == (0, 3)


def test_default_block_follows_the_size_of_the_gallery(monkeypatch, features):
    monkeypatch.setattr("tfreid.retrieval.distances.BLOCK_BYTES", 4 * IMAGES * TILE_QUERIES)
    assert [len(block) for block in cosine_blocks(*features)] == [TILE_QUERIES] * 2 + [11]
    monkeypatch.setattr("tfreid.retrieval.distances.BLOCK_BYTES", 1)
    assert [len(block) for block in cosine_blocks(*features)] == [TILE_QUERIES] * 2 + [11]


@pytest.mark.parametrize("size", [1, 7, 64, 130])
@pytest.mark.parametrize("different", [1, 9, 900])
def test_the_same_descriptor_is_at_the_same_distance_wherever_it_is(size, different):
    random = np.random.default_rng(size)
    query, gallery = random.normal(size=(QUERIES, size)), random.normal(size=(different, size))
    which = random.integers(0, different, IMAGES)
    distances = cosine_distances(query, gallery[which])
    _, first, inverse = np.unique(which, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(distances, distances[:, first[inverse]])
    np.testing.assert_allclose(distances, reference(query, gallery[which]), atol=1e-6)


def test_descriptors_that_nearly_agree_are_told_apart():
    gallery = np.eye(TILE_IMAGES + 5, dtype=np.float32)  # same length, same largest value
    distances = cosine_distances(gallery[:70], gallery)
    np.testing.assert_array_equal(distances, 1 - gallery[:70])


def test_zero_has_no_sign():
    gallery = np.array([[0.0, 1.0], [0.3, 0.1], [-0.0, 1.0]])
    distances = cosine_distances(np.array([[0.2, 0.7]]), gallery)
    assert distances[0, 0] == distances[0, 2] != distances[0, 1]


_DIGEST = """
import hashlib, sys, numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from tfreid.retrieval import cosine_distances
threadpool_limits(int(sys.argv[1]), user_api="blas")
random = np.random.default_rng(1)
query, gallery = random.normal(size=(600, 300)), random.normal(size=(2100, 300))
distances = cosine_distances(query, gallery)
assert int(sys.argv[1]) in [pool["num_threads"] for pool in threadpool_info()]
print(hashlib.sha256(distances.tobytes()).hexdigest())
"""


def test_the_number_of_threads_does_not_matter():
    digests = set()
    for threads in "1", "2", "3":
        python = [sys.executable, "-c", _DIGEST, threads]
        done = subprocess.run(python, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize("scale", [1e-320, 1e-45, 1e-20, 1e20, 1e38, 1e300])
def test_length_does_not_matter(features, scale):
    query, gallery = (rows.copy()[:40] for rows in features)
    expected = cosine_distances(query, gallery)
    precision = 1e-6 if scale > 1e-300 else 1e-2
    np.testing.assert_allclose(cosine_distances(query * scale, gallery), expected, atol=precision)
    # One image among others of ordinary size.
    gallery[3] *= scale
    scaled = cosine_distances(query, gallery)
    np.testing.assert_allclose(scaled, expected, atol=precision)
    others = np.arange(40) != 3
    np.testing.assert_array_equal(scaled[:, others], expected[:, others])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_descriptors_may_have_other_types(features, dtype):
    query, gallery = (rows[:40].astype(dtype) for rows in features)
    expected = reference(query.astype(float), gallery.astype(float))
    np.testing.assert_allclose(cosine_distances(query, gallery), expected, atol=1e-6)
    columns = np.asfortranarray(gallery)
    np.testing.assert_array_equal(
        cosine_distances(query, columns), cosine_distances(query, gallery)
    )


def test_descriptor_of_zeros_is_at_distance_one():
    np.testing.assert_array_equal(cosine_distances(np.zeros((1, 3)), np.eye(3)), 1)
    np.testing.assert_array_equal(cosine_distances(np.eye(3), np.zeros((1, 3))), 1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_says_which_descriptor_is_not_finite(value):
    broken = np.ones((TILE_IMAGES + 9, 2))
    broken[TILE_IMAGES + 4, 1] = value
    for query, gallery in ((broken, np.ones((1, 2))), (np.ones((1, 2)), broken)):
        with pytest.raises(ValueError, match=f"descriptor {TILE_IMAGES + 4} .* not finite"):
            cosine_distances(query, gallery)


def test_normalise_gives_unit_length(features):
    rows = normalise(np.vstack([features[0] * 1e30, np.zeros((1, 17))]))
    np.testing.assert_allclose(np.linalg.norm(rows[:-1], axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(rows[-1], 0)


def resident_kib(path):
    """Memory of this process that is mapped from a file."""
    kib, wanted = 0, False
    with open("/proc/self/smaps", encoding="utf-8") as file:
        for line in file:
            name, _, rest = line.partition(" ")
            if "-" in name:
                wanted = rest.rstrip().endswith(str(path))
            elif name == "Rss:" and wanted:
                kib += int(rest.split()[0])
    return kib


@pytest.mark.parametrize("mode", ["r", "c"])
def test_a_gallery_on_disk_is_read_but_not_held(tmp_path, mode):
    gallery = np.random.default_rng(0).normal(size=(4 * TILE_IMAGES + 5, 256)).astype(np.float32)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode=mode)
    if mode == "c":
        mapped[0] += 1  # lives in memory alone
        gallery[0] += 1
    expected = cosine_distances(gallery[:5], gallery)
    distances = cosine_distances(mapped[:5], mapped)
    np.testing.assert_array_equal(distances, expected)
    if mode == "r":
        assert resident_kib(tmp_path / "gallery.npy") < gallery.nbytes / 1024 / 3
