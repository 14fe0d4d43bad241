import numpy as np
import pytest

from tests.position_features import features
from tfreid.retrieval.reconstruction import (
    ReconstructionMatching,
    estimate,
    reconstruction_blocks,
)
from tfreid.retrieval.reconstruction import products as reconstruction_products
from tfreid.retrieval.reconstruction.beam import GalleryShard, gallery_shards, match_with_beam
from tfreid.retrieval.reconstruction.positions import PositionFeatures


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.setattr(reconstruction_products, "TILE_POSITIONS", 30)
    query, gallery = features([20, 3, 9], seed=1), features([9, 4, 20, 7, 1, 30, 6, 11], seed=2)
    query.save(tmp_path / "query")
    gallery.save(tmp_path / "gallery")
    return tmp_path


@pytest.mark.parametrize("mode", ["exact", "shortlist"])
def test_workers_find_the_same_distances(saved, mode):
    matching = ReconstructionMatching(mode, shortlist_size=3)
    paths = saved / "query", saved / "gallery"
    match_with_beam(*paths, matching, saved / "parts", shards=3)
    assert len(list((saved / "parts").iterdir())) == 3
    sets = [PositionFeatures.open(path) for path in paths]
    assert estimate(*sets, matching, folder=saved / "parts").pairs == 0
    found = np.concatenate(list(reconstruction_blocks(*sets, matching, folder=saved / "parts")))
    expected = np.concatenate(list(reconstruction_blocks(*sets, matching)))
    np.testing.assert_array_equal(found, expected)


def test_shards_are_whole_tiles(saved):
    gallery = PositionFeatures.open(saved / "gallery")
    assert gallery_shards(gallery, 2) == [GalleryShard(0, 5), GalleryShard(5, 8)]
    assert gallery_shards(gallery, 100) == [
        GalleryShard(0, 2),
        GalleryShard(2, 5),
        GalleryShard(5, 6),
        GalleryShard(6, 8),
    ]
