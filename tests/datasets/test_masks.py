import pytest
from hand_made import write_mask

from tfreid.datasets import rows_of
from tfreid.errors import MissingPathError


def test_mirrors_relative_paths_and_leaves_gaps(market, tmp_path):
    mask = write_mask(tmp_path / "masks/query/0011_c1s1_000006_00.png")
    rows = rows_of("market1501", market, masks_root=tmp_path / "masks")
    attached = {row.key: row.mask_path for row in rows if row.mask_path is not None}
    assert attached == {"market1501/query/0011_c1s1_000006_00": str(mask)}


def test_refuses_masks_of_other_images(market, tmp_path):
    write_mask(tmp_path / "masks/0011_c1s1_000006_00.png")
    with pytest.raises(
        MissingPathError, match=r"is .*masks/bounding_box_test/-1_c3s1_000011_01\.png"
    ):
        rows_of("market1501", market, masks_root=tmp_path / "masks")
    with pytest.raises(MissingPathError, match="no folder of masks"):
        rows_of("market1501", market, masks_root=tmp_path / "nowhere")
