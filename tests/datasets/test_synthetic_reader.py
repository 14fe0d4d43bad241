import pytest
from hand_made import MARKET_FILES, write_mask

from tfreid.datasets import rows_of
from tfreid.errors import MissingPathError


@pytest.fixture
def generated(market, tmp_path):
    """A hand-made copy of what the generator writes."""
    out = tmp_path / "synthetic"
    out.mkdir()
    market.rename(out / "market1501")
    for name in MARKET_FILES:
        write_mask(out / "masks" / name.replace(".jpg", ".png"))
    (out / "synthetic.json").write_text("{}")
    return out


def test_attaches_the_masks(generated):
    rows = rows_of("synthetic", generated)
    assert len(rows) == len(MARKET_FILES)
    for row in rows:
        relative = row.key.removeprefix("synthetic/")
        assert row.image_path == str(generated / "market1501" / f"{relative}.jpg")
        assert row.mask_path == str(generated / "masks" / f"{relative}.png")


def test_is_readable_as_market1501_too(generated):
    assert len(rows_of("market1501", generated)) == len(MARKET_FILES)


def test_refuses_other_folders(market):
    with pytest.raises(MissingPathError, match=r"tfreid\.synthesize"):
        rows_of("synthetic", market)
