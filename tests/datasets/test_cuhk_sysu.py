import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.datasets.hand_made import write_image
from tests.datasets.training_miniatures import cuhk_sysu as write_cuhk_sysu
from tests.datasets.training_miniatures import person_mat
from tfreid.datasets import NO_CAMERA_ID, read_dataset, rows_of
from tfreid.datasets.parts import Box
from tfreid.errors import DataError, MissingPathError


@pytest.fixture
def sysu(tmp_path):
    return write_cuhk_sysu(tmp_path)


def test_reads_the_boxes_of_person_mat(sysu):
    reading = read_dataset("cuhk_sysu", sysu)
    assert reading.protocol == "no_camera"
    assert reading.excluded == {}
    rows = {row.key: row for row in reading.rows}
    assert list(rows) == [
        "cuhk_sysu/p11934_s4_1",
        "cuhk_sysu/p11934_s4_2",
        "cuhk_sysu/p1_s3_1",
        "cuhk_sysu/p1_s4_2",
        "cuhk_sysu/p2_s3_1",
    ]
    row = rows["cuhk_sysu/p1_s4_2"]
    assert (row.person_id, row.camera_id, row.split) == (1, NO_CAMERA_ID, "train")
    assert row.image_path == str(sysu / "Image/SSM/s4.jpg")
    assert row.image_part == Box(left=30, top=2, width=8, height=30)
    scene = np.asarray(Image.open(row.image_path))
    np.testing.assert_array_equal(row.image_part.pixels(row.image_path), scene[2:32, 30:38])


def test_a_person_of_one_scene_is_read_as_any(sysu):
    person_mat(sysu / "annotation/Person.mat", {"p7": [("s3.jpg", (1, 2, 3, 4))]})
    (row,) = rows_of("cuhk_sysu", sysu)
    assert (row.person_id, row.image_part) == (7, Box(1, 2, 3, 4))


def test_scenes_and_strange_files_that_nobody_is_marked_in_are_counted(sysu):
    write_image(sysu / "Image/SSM/s9.jpg")
    (sysu / "Image/SSM/notes.txt").touch()
    reading = read_dataset("cuhk_sysu", sysu)
    assert reading.excluded == {"scenes in which nobody is marked": 1}
    assert reading.passed_over == {"*.txt in Image/": 1}


def test_reads_cropped_images(tmp_path):
    crops = tmp_path / "CUHK-SYSU/cropped_images"
    for name in ("p1_s3_1.jpg", "p1_s4_2.jpg", "p11934_s4_1.JPG"):
        write_image(crops / name)
    rows = rows_of("cuhk_sysu", tmp_path)
    assert [(row.key, row.person_id, row.image_part) for row in rows] == [
        ("cuhk_sysu/cropped_images/p11934_s4_1", 11934, None),
        ("cuhk_sysu/cropped_images/p1_s3_1", 1, None),
        ("cuhk_sysu/cropped_images/p1_s4_2", 1, None),
    ]
    write_image(crops / "s4_p1.jpg")
    with pytest.raises(DataError, match=r"s4_p1\.jpg: .*p11422_s16929_1\.jpg"):
        rows_of("cuhk_sysu", tmp_path)


def damage(path, kind):
    if kind == "text":
        path.write_text("no MATLAB file")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif kind == "other variable":
        savemat(path, {"Img": np.zeros(3)})
    elif kind == "box of three":
        person_mat(path, {"p7": [("s3.jpg", (1, 2, 3))]})
    elif kind == "foreign name":
        person_mat(path, {"anna": [("s3.jpg", (1, 2, 3, 4))]})


@pytest.mark.parametrize("kind", ["text", "cut", "other variable", "box of three", "foreign name"])
def test_refuses_a_damaged_annotation(sysu, kind):
    damage(sysu / "annotation/Person.mat", kind)
    with pytest.raises(DataError, match=r"Person\.mat: expected a MATLAB file with the struct"):
        rows_of("cuhk_sysu", sysu)


def test_refuses_an_annotation_of_nobody(sysu):
    person_mat(sysu / "annotation/Person.mat", {})
    with pytest.raises(DataError, match="marks no persons"):
        rows_of("cuhk_sysu", sysu)


def test_shows_both_layouts_where_there_is_none(tmp_path):
    with pytest.raises(MissingPathError) as error:
        rows_of("cuhk_sysu", tmp_path)
    assert "annotation/Person.mat" in str(error.value)
    assert "cropped_images/p11422_s16929_1.jpg" in str(error.value)
