import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.parser_miniatures import human_parsing
from tfreid.datasets import ParsingRow, Split, SplitChoice, read_dataset, rows_of
from tfreid.datasets.check import file_problems
from tfreid.errors import DataError, MissingPathError, UsageError


def val_keys(root, seed=None):
    rows = read_dataset("human_parsing", root, split=SplitChoice(seed)).rows
    return {row.key for row in rows if row.split == "val"}


def test_pairs_images_with_label_maps(tmp_path):
    folder = human_parsing(tmp_path)
    (folder / "JPEGImages" / "Thumbs.db").touch()
    reading = read_dataset("human_parsing", tmp_path)
    assert len(reading.rows) == 11
    assert reading.rows[0] == ParsingRow(
        str(folder / "JPEGImages/2500_1.jpg"),
        str(folder / "SegmentationClassAug/2500_1.png"),
        split=reading.rows[0].split,
        key="human_parsing/JPEGImages/2500_1",
    )
    assert reading.excluded == {}
    assert file_problems(reading.rows, 18) == []


def test_a_tenth_of_the_images_is_drawn_by_seed_and_key(tmp_path):
    folder = human_parsing(tmp_path)
    drawn = val_keys(folder)
    assert len(drawn) == 1
    assert val_keys(folder, seed=0) == drawn
    assert len(set.union(*(val_keys(folder, seed) for seed in range(12)))) > 4
    # What an earlier conversion wrote down draws the same images again.
    again = SplitChoice(seed=0, index=0, test_persons=())
    assert read_dataset("human_parsing", folder, split=again).split == Split(0, 1, 0, ())
    (folder / "JPEGImages/2500_9.jpg").rename(folder / "JPEGImages/2500_12.JPG")
    assert val_keys(folder) == drawn
    with pytest.raises(UsageError, match="no split 1: expected 0 to 0"):
        read_dataset("human_parsing", folder, split=SplitChoice(index=1))


def test_counts_images_without_a_label_map(tmp_path):
    folder = human_parsing(tmp_path)
    write_image(folder / "JPEGImages/2500_12.jpg")
    reading = read_dataset("human_parsing", folder)
    assert len(reading.rows) == 11
    assert reading.excluded == {"without a label map": 1}


def test_refuses_folders_that_do_not_belong_together(tmp_path):
    with pytest.raises(MissingPathError, match=r"SegmentationClassAug/2500_1\.png"):
        rows_of("human_parsing", tmp_path)
    folder = human_parsing(tmp_path)
    for image in (folder / "JPEGImages").iterdir():
        image.rename(image.with_name(f"other_{image.name}"))
    with pytest.raises(DataError, match=r"would be .*SegmentationClassAug/other_2500_1\.png"):
        rows_of("human_parsing", folder)
    for image in (folder / "JPEGImages").iterdir():
        image.unlink()
    with pytest.raises(DataError, match="no images in"):
        rows_of("human_parsing", folder)
