import pytest
from hand_made import write_image, write_mask

from tfreid.datasets import read_dataset, rows_of
from tfreid.errors import DataError, MissingPathError

HEADER = "path,person_id,camera_id,split"


@pytest.fixture
def manifest(tmp_path):
    for name in "abc":
        write_image(tmp_path / "crops" / f"{name}.jpg")
    write_mask(tmp_path / "masks/a.png")

    def write(*lines, header=HEADER):
        path = tmp_path / "people.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    return write


def test_reads_paths_relative_to_the_manifest(manifest, tmp_path):
    path = manifest(
        "crops/b.jpg,ann,yard,query,",
        '"crops/a.jpg",bob,door,train,masks/a.png',
        header=f"\ufeff{HEADER},mask_path",
    )
    rows = rows_of("csv", path)
    assert [row.key for row in rows] == ["csv/crops/a", "csv/crops/b"]
    assert [(row.person_id, row.camera_id) for row in rows] == [(2, 1), (1, 2)]
    assert [row.mask_path for row in rows] == [str(tmp_path / "masks/a.png"), None]
    assert rows == rows_of("csv", tmp_path)


def test_keeps_integer_ids_and_takes_no_cameras(manifest):
    rows = rows_of("csv", manifest("crops/a.jpg,0007,,gallery", "crops/b.jpg,15,,query"))
    assert [(row.person_id, row.camera_id) for row in rows] == [(7, 0), (15, 0)]


def test_person_0_is_a_person(manifest):
    rows = rows_of("csv", manifest("crops/a.jpg,0000,,gallery", "crops/b.jpg,15,,query"))
    assert [row.person_id for row in rows] == [1, 16]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["crops/z.jpg,1,1,train"], "line 2, column path: no file .*z.jpg"),
        (["crops/a.jpg,,1,train"], "line 2, column person_id: empty"),
        (["crops/a.jpg,1,1,train", "crops/b.jpg,1,,train"], "line 3, column camera_id: empty"),
        (["crops/a.jpg,1,1,test"], "line 2, column split: 'test'; expected train, query, gallery"),
        (["crops/a.jpg,1,1,train", "crops/a.jpg,1,1,query"], "line 3, .* listed in line 2 already"),
        (["crops/a.jpg,1,1"], "line 2: expected 4 columns .* found 3"),
        (["crops/a.jpg,1,1,train,x"], "line 2: expected 4 columns .* found 5"),
        (["crops/a.jpg,1,1,train", "", "crops/b.jpg,01,1,train"], "01 and 1 are the same number"),
        ([], "lists no images"),
        ([f"{'x' * 300}.jpg,1,1,train"], "line 2, column path: no file"),
        (["crops/a.jpg,-1,1,train", "crops/b.jpg,2,1,train"], "person -1: it marks junk"),
    ],
)
def test_names_line_and_column_of_an_error(manifest, lines, message):
    with pytest.raises(DataError, match=message):
        rows_of("csv", manifest(*lines))


def test_names_all_errors_up_to_a_limit(manifest):
    with pytest.raises(DataError) as error:
        rows_of("csv", manifest(*[f"crops/{i}.jpg,1,1,train" for i in range(100, 112)]))
    assert "line 11, column path" in str(error.value)
    assert "line 12" not in str(error.value)
    assert "... and 2 more" in str(error.value)


@pytest.mark.parametrize(
    "header", ["path,person_id,split", f"{HEADER},mask", f"{HEADER},split", ""]
)
def test_refuses_other_columns(manifest, header):
    with pytest.raises(DataError, match="line 1: expected the columns path,person_id"):
        rows_of("csv", manifest(header=header))


def test_refuses_a_missing_mask(manifest):
    path = manifest("crops/a.jpg,1,1,train,masks/b.png", header=f"{HEADER},mask_path")
    with pytest.raises(DataError, match=r"line 2, column mask_path: no file .*b\.png"):
        rows_of("csv", path)


def test_refuses_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(HEADER.encode() + b"\ncrops/\xff.jpg,1,1,train\n")
    with pytest.raises(DataError, match="can't decode byte"):
        rows_of("csv", path)


def test_refuses_a_folder_without_a_single_manifest(tmp_path):
    with pytest.raises(MissingPathError, match="no single manifest"):
        rows_of("csv", tmp_path)


def test_counts_what_lies_beside_the_images_and_is_not_named(manifest, tmp_path):
    write_mask(tmp_path / "masks/b.png")
    write_image(tmp_path / "elsewhere/d.jpg")
    path = manifest(
        "crops/a.jpg,ann,,query,masks/a.png",
        "../outside.jpg,ann,,gallery,",
        header=f"{HEADER},mask_path",
    )
    write_image(tmp_path.parent / "outside.jpg")
    (tmp_path.parent / "notes.txt").touch()
    for root in (path, tmp_path):
        assert read_dataset("csv", root).passed_over == {
            "*.jpg in crops/": 2,
            "*.png in masks/": 1,
            f"*.txt in {tmp_path.parent}/": 1,
        }
