import multiprocessing
import pickle
import re

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.commands import run_command
from tests.datasets import cuhk03_miniatures as miniature
from tests.datasets.hand_made import write_image
from tfreid.datasets import DATASETS, SplitChoice, has_several_splits, read_dataset, rows_of
from tfreid.datasets.check import count_splits, differences_of, file_problems, protocol_problems
from tfreid.datasets.cuhk03_mat import MatImage
from tfreid.errors import DataError, MissingPathError, UsageError


@pytest.fixture
def release(tmp_path):
    return miniature.release(tmp_path / "my data")


@pytest.fixture
def extracted(tmp_path):
    return miniature.extracted(tmp_path / "my data")


def splits_of(rows):
    return {row.key.rpartition("/")[2]: row.split for row in rows}


def config_of(release, boxes="detected"):
    return release.parent / f"cuhk03_new_protocol_config_{boxes}.mat"


def change_config(release, **changes):
    values = {k: v for k, v in loadmat(config_of(release)).items() if not k.startswith("__")}
    savemat(config_of(release), values | changes)


def test_reads_the_new_protocol_by_its_lists(release):
    reading = read_dataset("cuhk03", release)
    rows = {row.key: row for row in reading.rows}
    assert len(rows) == len(list(miniature.names("detected")))
    row = rows["cuhk03/detected/2_002_2_07"]
    assert (row.person_id, row.camera_id, row.split) == (2002, 2, "gallery")
    assert row.image_path == str(release / "cuhk-03.mat")
    assert row.image_part == MatImage("detected", pair=2, person=2, view=7)
    splits = splits_of(reading.rows)
    assert [splits[f"1_002_1_0{view}"] for view in (1, 2, 4)] == ["query", "gallery", "gallery"]
    assert {splits[f"5_001_1_0{view}"] for view in (1, 2)} == {"train"}
    assert (reading.protocol, reading.split, reading.excluded) == ("market", None, {})


@pytest.mark.parametrize("boxes", ["detected", "labeled"])
def test_names_of_the_new_protocol_are_cells_of_the_mat_file(release, boxes):
    """`1_003_2_07`: pair 1, person 3, camera 2, and the seventh of ten views, all from 1.

    Views 1 to 5 are of camera 1, so the third field says nothing that the fourth does not.
    """
    rows = rows_of(f"cuhk03:{boxes}", release)
    assert rows
    for row in rows:
        pair, person, camera, view = map(int, row.key.rpartition("/")[2].split("_"))
        assert (row.camera_id, row.person_id) == (camera, 1000 * pair + person)
        expected = miniature.pixels(boxes, pair, person, view)
        image = row.image_part.pixels(row.image_path)
        np.testing.assert_array_equal(image, expected)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous


def test_boxes_share_persons_and_nothing_else(release):
    detected, labeled = (rows_of(f"cuhk03:{boxes}", release) for boxes in ("detected", "labeled"))
    assert {row.person_id for row in detected} == {row.person_id for row in labeled}
    missed = set(splits_of(labeled)) - set(splits_of(detected))
    assert missed == {"1_002_2_08"}
    assert not {row.key for row in detected} & {row.key for row in labeled}


def test_classic_tests_the_published_persons_between_the_cameras(release):
    reading = read_dataset("cuhk03:classic", release)
    assert reading.protocol == "cuhk03_classic"
    assert (reading.split.index, reading.split.of, reading.split.seed) == (0, 20, None)
    assert reading.split.test_persons == (1001, 2002)
    for row in reading.rows:
        tested = row.person_id in (1001, 2002)
        assert row.split == (("query", "gallery")[row.camera_id - 1] if tested else "train")
    second = read_dataset("cuhk03:classic", release, split=SplitChoice(index=1))
    assert second.split.test_persons == (1003, 5001)
    again = SplitChoice(index=1, test_persons=(5001, 1003))
    assert read_dataset("cuhk03:classic", release, split=again) == second


def test_a_person_without_second_camera_has_queries_without_match(release):
    reading = read_dataset("cuhk03:classic", release, split=SplitChoice(index=1))
    (unmatched,) = (
        problem.names
        for problem in protocol_problems(reading.rows)
        if problem.title.startswith("queries without any valid match")
    )
    assert unmatched == ("cuhk03/detected/5_001_1_01", "cuhk03/detected/5_001_1_02")


@pytest.mark.parametrize(
    ("name", "choice", "message"),
    [
        ("cuhk03:classic", SplitChoice(index=20), "no split 20: expected 0 to 19"),
        ("cuhk03:classic", SplitChoice(seed=1), "20 splits are published, not drawn"),
        ("cuhk03:classic", SplitChoice(test_persons=(1001, 7001)), "tests person 7001, who is not"),
        ("cuhk03", SplitChoice(index=1), "cuhk03 has one split with new: do not"),
        ("cuhk03:labeled,new", SplitChoice(index=0), "has one split with new"),
    ],
)
def test_refuses_splits_that_there_are_not(release, name, choice, message):
    with pytest.raises(UsageError, match=message):
        read_dataset(name, release, split=choice)
    assert has_several_splits(name) == ("classic" in name)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("cuhk03", ["train images: expected 7,365, found 20", "query persons: expected 700, fou"]),
        ("cuhk03:labeled", ["train images: expected 7,368", "gallery images: expected 5,328, f"]),
        ("cuhk03:classic", ["train persons: expected 1,367", "all images: expected 14,097, fo"]),
        ("cuhk03:classic,labeled", ["query persons: expected 100", "all images: expected 14,096"]),
    ],
)
def test_compares_with_the_published_counts(release, name, lines):
    reading = read_dataset(name, release)
    found = "\n".join(differences_of(DATASETS["cuhk03"], reading))
    for line in lines:
        assert line in found
    assert "junk" not in found
    assert "cameras" not in found


def test_check_says_which_split(release):
    done = run_command(
        "datasets", "--check=cuhk03:classic", f"--data_root={release}", "--split_index=3"
    )
    assert done.returncode == 0, done.stderr
    assert re.search("\nsplit 3 of 20, [0-9]+ test persons, published\n", done.stdout)
    assert "protocol cuhk03_classic: one gallery image a person" in done.stdout


def test_images_that_no_list_names_are_left_out(release):
    fewer = loadmat(config_of(release))["gallery_idx"][:, 1:]
    change_config(release, gallery_idx=fewer)
    reading = read_dataset("cuhk03", release)
    assert reading.excluded == {"which the new protocol does not name": 1}


def test_lists_may_lie_beside_the_mat_file(release):
    expected = rows_of("cuhk03", release)
    config_of(release).rename(release / config_of(release).name)
    assert rows_of("cuhk03", release.parent) == expected


def test_only_the_new_protocol_needs_the_lists(release):
    config_of(release).unlink()
    assert rows_of("cuhk03:classic", release)
    with pytest.raises(MissingPathError, match=r"no cuhk03_new.*_detected\.mat in .*3:classic"):
        rows_of("cuhk03", release)


def test_refuses_the_lists_of_other_boxes(release):
    config_of(release).unlink()
    config_of(release, "labeled").rename(config_of(release))
    with pytest.raises(DataError, match=r"names 1_002_2_08 \(1 such.* among the detected"):
        rows_of("cuhk03", release)


@pytest.mark.parametrize(
    "changes", [{"query_idx": [[0]]}, {"query_idx": [[99]]}, {"filelist": [[1.0]]}]
)
def test_refuses_lists_that_make_no_sense(release, changes):
    change_config(release, **changes)
    with pytest.raises(
        DataError, match=r"config_detected\.mat: expected a MATLAB file with train_idx"
    ):
        rows_of("cuhk03", release)


def test_refuses_damaged_files(release):
    config_of(release).write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(DataError, match=r"_detected\.mat: expected a MATLAB file with train_idx"):
        rows_of("cuhk03", release)
    whole = (release / "cuhk-03.mat").read_bytes()
    for part in (b"", b"<html>not found</html>", whole[: len(whole) // 2]):
        (release / "cuhk-03.mat").write_bytes(part)
        for name in ("cuhk03", "cuhk03:labeled,classic"):
            with pytest.raises(DataError, match=r"cuhk-03\.mat: expected the MATLAB 7\.3 file"):
                rows_of(name, release)


@pytest.mark.parametrize("missing", ["detected", "testsets"])
def test_refuses_another_hdf5_file(release, missing):
    with h5py.File(release / "cuhk-03.mat", "a") as file:
        del file[missing]
    with pytest.raises(DataError, match=rf"cuhk-03\.mat: expected .* {missing}, found otherwise"):
        rows_of("cuhk03:classic", release)


@pytest.mark.parametrize("image", [(1, 1, 3), (1, 9, 1), (6, 1, 1)])
def test_an_image_that_is_not_there_is_named(release, image):
    part = MatImage("detected", *image)
    with pytest.raises(ValueError, match=f"detected image {part.name}"):
        part.pixels(str(release / "cuhk-03.mat"))


def test_files_that_are_gone_are_reported(release):
    rows = rows_of("cuhk03:classic", release)[:2]
    (release / "cuhk-03.mat").unlink()
    (problem,) = file_problems(rows, None)
    assert problem.names == (f"{release / 'cuhk-03.mat'}: no such file",) * 2


def test_parts_are_small_and_work_in_other_processes(release):
    row = rows_of("cuhk03", release)[0]
    here = row.image_part.pixels(row.image_path)
    assert len(pickle.dumps(row.image_part)) < 200
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(row.image_part.pixels, (row.image_path,))
    np.testing.assert_array_equal(there, here)


def test_reads_extracted_images(extracted, caplog):
    caplog.set_level("INFO", "tfreid")
    reading = read_dataset("cuhk03", extracted)
    assert f"recognised the extracted CUHK03 layout in {extracted}" in caplog.text
    assert {row.key: (row.person_id, row.camera_id, row.split) for row in reading.rows} == {
        "cuhk03/detected/bounding_box_train/0001_c1_301": (1, 1, "train"),
        "cuhk03/detected/bounding_box_train/0001_c2_302": (1, 2, "train"),
        "cuhk03/detected/query/0004_c1_303": (4, 1, "query"),
        "cuhk03/detected/bounding_box_test/0004_c1_304": (4, 1, "gallery"),
        "cuhk03/detected/bounding_box_test/0004_c2_305": (4, 2, "gallery"),
    }
    assert count_splits(DATASETS["cuhk03"], reading.rows)["query"].images == 1
    assert reading.published["query"].images == 1400


def test_extracted_images_serve_the_new_protocol_only(extracted):
    with pytest.raises(MissingPathError, match=r"cuhk-03\.mat"):
        rows_of("cuhk03:classic", extracted.parent)
    with pytest.raises(MissingPathError) as error:
        rows_of("cuhk03:labeled", extracted.parent)
    assert "labeled/query/0001_c1_301.png" in str(error.value)
    assert "cuhk-03.mat" in str(error.value)


@pytest.mark.parametrize("name", ["0004_c3_1.png", "-1_c1_1.png", "portrait.png"])
def test_refuses_a_foreign_file_name(extracted, name):
    write_image(extracted / "detected/query" / name)
    with pytest.raises(DataError, match=rf"{name}: .*0001_c1_301\.png"):
        rows_of("cuhk03", extracted)
