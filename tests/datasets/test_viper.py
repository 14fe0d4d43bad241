import pytest

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import viper as write_viper
from tfreid.datasets import DATASETS, SplitChoice, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences_of
from tfreid.errors import DataError, UsageError


@pytest.fixture
def viper(tmp_path):
    return write_viper(tmp_path)


def test_numbers_persons_from_1_and_tells_cameras_by_folders(viper):
    rows = {row.key: row for row in rows_of("viper", viper)}
    assert len(rows) == 13
    row = rows["viper/cam_a/000_45"]
    assert (row.person_id, row.camera_id) == (1, 1)
    assert row.image_path == str(viper / "cam_a/000_45.bmp")
    row = rows["viper/cam_b/005_90"]
    assert (row.person_id, row.camera_id) == (6, 2)
    assert row.image_path.endswith("005_90.BMP")
    assert all(row.is_person for row in rows.values())


def test_half_of_the_persons_of_both_cameras_is_tested(viper):
    reading = read_dataset("viper", viper)
    assert reading.protocol == "random_half"
    assert (reading.split.index, reading.split.of, reading.split.seed) == (0, 10, 0)
    tested = set(reading.split.test_persons)
    assert len(tested) == 3
    assert 874 not in tested
    for row in reading.rows:
        asked = "query" if row.camera_id == 1 else "gallery"
        assert row.split == (asked if row.person_id in tested else "train")


def test_ten_splits_differ_and_a_given_one_is_taken(viper):
    splits = [read_dataset("viper", viper, split=SplitChoice(0, i)).split for i in range(10)]
    assert len({split.test_persons for split in splits}) > 1
    given = SplitChoice(0, 3, splits[3].test_persons)
    assert read_dataset("viper", viper, split=given).split == splits[3]
    with pytest.raises(UsageError, match="no split 10: expected 0 to 9"):
        rows_of("viper", viper, split=SplitChoice(index=10))


def test_the_published_counts(tmp_path):
    for camera in ("cam_a", "cam_b"):
        (tmp_path / camera).mkdir()
        for person in range(632):
            (tmp_path / camera / f"{person:03d}_0.bmp").touch()
    reading = read_dataset("viper", tmp_path)
    assert differences_of(DATASETS["viper"], reading) == []
    (tmp_path / "cam_b/631_0.bmp").unlink()
    lines = differences_of(DATASETS["viper"], read_dataset("viper:all", tmp_path))
    assert "train images: expected 1,264, found 1,263" in lines


def test_all_images_may_train(viper):
    reading = read_dataset("viper:all", viper)
    assert reading.split is None
    counts = count_splits(DATASETS["viper"], reading.rows)
    assert list(counts) == ["train"]
    assert (counts["train"].images, counts["train"].persons) == (13, 7)
    with pytest.raises(UsageError, match="viper:all trains on every image"):
        rows_of("viper:all", viper, split=SplitChoice(1))


def test_refuses_a_foreign_file_name(viper):
    write_image(viper / "cam_a/portrait.bmp")
    with pytest.raises(DataError, match=r"portrait\.bmp: .*VIPeR.*000_45\.bmp"):
        rows_of("viper", viper)


def test_refuses_an_empty_folder_and_too_few_persons(viper):
    for image in (viper / "cam_a").iterdir():
        image.unlink()
    with pytest.raises(DataError, match=r"no images in .*cam_a"):
        rows_of("viper", viper)
    write_image(viper / "cam_a/000_45.bmp")
    with pytest.raises(DataError, match=r"two persons or more whom both cameras saw, found 1"):
        rows_of("viper", viper)
