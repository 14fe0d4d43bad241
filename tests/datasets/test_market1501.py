import pytest
from hand_made import MARKET_FILES, write_image

from tfreid.datasets import read_dataset, rows_of
from tfreid.errors import DataError, MissingPathError


def test_reads_the_fields_of_the_file_names(market):
    rows = {row.key: row for row in rows_of("market1501", market)}
    assert len(rows) == len(MARKET_FILES)
    row = rows["market1501/bounding_box_train/0001_c2s1_000002_01"]
    assert (row.person_id, row.camera_id, row.split) == (1, 2, "train")
    assert row.image_path == str(market / "bounding_box_train/0001_c2s1_000002_01.jpg")
    assert row.mask_path is None


def test_keeps_junk_and_distractors_in_the_gallery(market):
    rows = rows_of("market1501", market)
    others = {row.person_id: row.split for row in rows if not row.is_person}
    assert others == {-1: "gallery", 0: "gallery"}


def test_sorts_by_key(market):
    keys = [row.key for row in rows_of("market1501", market)]
    assert keys == sorted(keys)


def test_finds_the_folder_in_its_parent_and_says_so(market, caplog):
    caplog.set_level("INFO", "tfreid")
    assert rows_of("market1501", market.parent) == rows_of("market1501", market)
    assert f"recognised the Market-1501 layout in {market}" in caplog.text


def test_draws_the_expected_tree_where_nothing_is_found(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(MissingPathError) as error:
        rows_of("market1501", tmp_path)
    assert "bounding_box_train/0002_c1s1_000451_03.jpg" in str(error.value)
    assert "found:\n  pictures/" in str(error.value)


def test_refuses_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(MissingPathError, match="no such path"):
        rows_of("market1501", tmp_path / "nowhere")


def test_refuses_an_empty_split(market):
    for image in (market / "query").glob("*.jpg"):
        image.unlink()
    with pytest.raises(DataError, match=r"no images in .*query"):
        rows_of("market1501", market)


@pytest.mark.parametrize(
    "name",
    ["portrait.jpg", "0001_c1s1_000001.jpg", "-2_c1s1_000001_01.jpg", "0001_c0s1_000001_01.jpg"],
)
def test_refuses_a_foreign_file_name(market, name):
    write_image(market / "query" / name)
    with pytest.raises(DataError, match=rf"{name}: .*0002_c1s1_000451_03\.jpg"):
        rows_of("market1501", market)


def test_reads_other_formats_and_counts_the_rest(market):
    write_image(market / "query/0012_c3s1_000030_00.png")
    write_image(market / "query/0012_c3s1_000031_00.jpeg")
    write_image(market / "query/0012_c3s1_000032_00.gif")
    reading = read_dataset("market1501", market)
    assert sum(row.split == "query" for row in reading.rows) == 4
    assert reading.passed_over == {"*.gif in query/": 1}
