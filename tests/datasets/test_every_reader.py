"""What holds for every data set that has a miniature."""

from pathlib import Path

import pytest

from tests.datasets.miniatures import MINIATURES
from tfreid.datasets import PROTOCOLS, parse_name, read_dataset, rows_of
from tfreid.datasets.check import file_problems
from tfreid.errors import MissingPathError

every_reader = pytest.mark.parametrize("name", MINIATURES)


@every_reader
def test_rows_are_sorted_and_their_files_open(name, tmp_path):
    reading = read_dataset(name, MINIATURES[name](tmp_path / "with a space"))
    keys = [row.key for row in reading.rows]
    assert keys == sorted(set(keys))
    assert all(key.startswith(f"{parse_name(name)[0].name}/") for key in keys)
    assert reading.protocol in PROTOCOLS
    assert set(reading.published) <= set(parse_name(name)[0].splits)
    assert not file_problems(reading.rows, None)


@every_reader
def test_is_found_in_the_parent_and_says_so(name, tmp_path, caplog):
    folder = MINIATURES[name](tmp_path)
    caplog.set_level("INFO", "tfreid")
    assert read_dataset(name, folder.parent) == read_dataset(name, folder)
    assert f"layout in {folder}" in caplog.text


@every_reader
def test_files_of_the_system_are_passed_over(name, tmp_path):
    folder = MINIATURES[name](tmp_path)
    expected = rows_of(name, folder)
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        for stray in ("Thumbs.db", ".DS_Store", "._1.jpg", "._1.png", "._1.bmp"):
            (place / stray).touch()
    assert rows_of(name, folder) == expected


@every_reader
def test_another_folder_is_answered_with_the_expected_tree(name, tmp_path):
    (tmp_path / "holidays").mkdir()
    with pytest.raises(MissingPathError) as error:
        rows_of(name, tmp_path)
    assert "expected:\n" in str(error.value)
    assert "found:\n  holidays/" in str(error.value)


@every_reader
def test_strange_files_among_the_images_are_counted(name, tmp_path):
    folder = MINIATURES[name](tmp_path)
    rows = rows_of(name, folder)
    places = {Path(row.image_path).parent for row in rows if row.image_part is None}
    for place in places:
        (place / "strange.gif").touch()
    found = read_dataset(name, folder).passed_over
    assert sum(count for kind, count in found.items() if "*.gif" in kind) == len(places)
