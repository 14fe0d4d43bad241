import pytest

from tfreid.datasets import rows_of
from tfreid.errors import DataError, MissingPathError, UsageError


def test_pairs_images_with_label_maps(lip):
    rows = rows_of("lip", lip)
    assert [row.key for row in rows] == [
        "lip/train_images/77_1",
        "lip/train_images/78_1",
        "lip/val_images/100_2",
    ]
    assert [row.split for row in rows] == ["train", "train", "val"]
    assert rows[2].image_path == str(lip / "TrainVal_images/val_images/100_2.jpg")
    assert rows[2].mask_path == str(
        lip / "TrainVal_parsing_annotations/val_segmentations/100_2.png"
    )


def test_finds_the_folder_in_its_parent_and_the_lists_beside_the_images(lip):
    expected = rows_of("lip", lip)
    (lip / "train_id.txt").rename(lip / "TrainVal_images/train_id.txt")
    assert rows_of("lip", lip.parent) == expected


def test_refuses_missing_and_empty_lists(lip):
    (lip / "val_id.txt").write_text("")
    with pytest.raises(DataError, match=r"val_id\.txt names no images"):
        rows_of("lip", lip)
    (lip / "val_id.txt").unlink()
    with pytest.raises(MissingPathError, match=r"no val_id\.txt in"):
        rows_of("lip", lip)


def test_lists_are_utf8_with_a_byte_order_mark_or_without(lip):
    expected = rows_of("lip", lip)
    path = lip / "train_id.txt"
    names = path.read_text()
    path.write_text(names, encoding="utf-8-sig")
    assert rows_of("lip", lip) == expected
    path.write_text(names, encoding="utf-16")  # As PowerShell writes it.
    with pytest.raises(DataError, match=r"train_id\.txt is not UTF-8 text .*: save it as UTF-8"):
        rows_of("lip", lip)


def test_refuses_another_folder_of_masks(lip):
    with pytest.raises(UsageError, match="its own masks"):
        rows_of("lip", lip, masks_root=lip)
