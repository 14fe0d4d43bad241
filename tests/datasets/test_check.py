import os
import re
import subprocess
import sys

import pytest
from hand_made import SIZE, write_image, write_mask

from tfreid.datasets import SplitCounts, dataset_named, read_dataset, rows_of
from tfreid.datasets.check import (
    NO_QUERY,
    count_splits,
    differences,
    file_problems,
    protocol_problems,
)
from tfreid.datasets.layout import printable
from tfreid.datasets.market1501 import PUBLISHED

MARKET = dataset_named("market1501")


def named(problems):
    """The names that go with each problem, by the first words of its title."""
    return {" ".join(problem.title.split()[:3]): set(problem.names) for problem in problems}


def test_names_are_shown_on_one_line_that_moves_no_cursor():
    assert printable("gr\u00fcn 1.jpg") == "gr\u00fcn 1.jpg"
    assert printable("a\nb\x1b[31m.jpg") == "a\\nb\\x1b[31m.jpg"


def test_counts_splits(market):
    assert count_splits(MARKET, rows_of("market1501", market)) == {
        "train": SplitCounts(images=5, persons=3, cameras=3, junk=0, distractors=0),
        "query": SplitCounts(images=2, persons=2, cameras=1, junk=0, distractors=0),
        "gallery": SplitCounts(images=4, persons=2, cameras=3, junk=1, distractors=1),
    }


def test_compares_with_the_published_counts(market):
    assert differences(PUBLISHED, PUBLISHED) == []
    lines = differences(PUBLISHED, count_splits(MARKET, rows_of("market1501", market)))
    assert "train images: expected 12,936, found 5" in lines
    assert "gallery junk: expected 3,819, found 1" in lines
    assert not any(line.startswith("train junk") for line in lines)
    assert "query persons: expected 750, found 0" in differences(PUBLISHED, {})


def test_names_the_problems_of_the_protocol(market):
    write_image(market / "bounding_box_test/0001_c1s1_000020_01.jpg")
    write_image(market / "bounding_box_train/0000_c1s1_000021_01.jpg")
    problems = protocol_problems(rows_of("market1501", market))
    people = {p.title: [name.partition(", as in ")[0] for name in p.names] for p in problems}
    assert people == {
        "queries without any valid match (a gallery image with the same person and another "
        "camera)": ["market1501/query/0012_c1s1_000007_00"],
        "persons with one image": ["person 3 in train", "person 1 in test"],
        "persons with one camera": [
            "person 2 in train",
            "person 3 in train",
            "person 1 in test",
            "person 12 in test",
        ],
        "person IDs shared by train and test": ["person 1"],
        "training images of person -1 (junk) or 0 (distractor), which have no label": [
            "market1501/bounding_box_train/0000_c1s1_000021_01"
        ],
    }
    assert "as in market1501/bounding_box_train/0003_c3s1_000005_01" in problems[1].names[0]


def test_persons_are_called_by_their_names(image_tree):
    root = image_tree("train/anna/1.jpg", "query/b/1.jpg", "gallery/b/2.jpg", "gallery/anna/2.jpg")
    reading = read_dataset("folder", root)
    problems = named(protocol_problems(reading.rows, reading.person_names))
    alone = {name.partition(",")[0] for name in problems["persons with one"]}
    assert alone == {"person anna in train", "person anna in test"}
    assert {name.partition(",")[0] for name in problems["person IDs shared"]} == {"person anna"}


def test_without_cameras_any_image_of_the_person_matches(image_tree):
    root = image_tree("query/a/1.jpg", "query/b/1.jpg", "gallery/a/2.jpg")
    problems = named(protocol_problems(rows_of("folder", root)))
    assert problems["queries without any"] == {"folder/query/b/1"}
    assert not any("single camera" in title for title in problems)


@pytest.mark.parametrize(
    ("paths", "lacks"),
    [(("a/1.jpg", "b/1.jpg"), True), (("train/a/1.jpg", "train/b/1.jpg"), False)],
)
def test_says_where_nothing_asks(image_tree, paths, lacks):
    problems = protocol_problems(rows_of("folder", image_tree(*paths)))
    assert (NO_QUERY in [problem.title for problem in problems]) == lacks


def test_names_data_of_a_single_camera(image_tree):
    root = image_tree("query/a/door/1.jpg", "gallery/a/door/2.jpg")
    titles = [problem.title for problem in protocol_problems(rows_of("folder", root))]
    assert "a single camera: evaluate with --protocol=no_camera" in titles


def test_names_images_without_a_mask(market, tmp_path):
    write_mask(tmp_path / "masks/query/0011_c1s1_000006_00.png")
    rows = rows_of("market1501", market, masks_root=tmp_path / "masks")
    assert len(named(protocol_problems(rows))["images without a"]) == len(rows) - 1


def damage(path, how):
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "text":
        path.write_text("this is not an image")
    elif how == "zero-byte":
        path.write_bytes(b"")
    else:
        path.unlink()
        if how == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("nowhere" if how == "dangling" else path.name)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("truncated", "truncated"),
        ("text", "not an image"),
        ("zero-byte", r"an empty file \(0 bytes\)"),
        ("dangling", "no such file"),
        ("circular", "no such file"),
        ("pipe", "no regular file"),
    ],
)
def test_names_unreadable_images_and_why(market, how, reason):
    path = market / "query/0011_c1s1_000006_00.jpg"
    damage(path, how)
    (problem,) = file_problems(rows_of("market1501", market), None)
    assert problem.is_error
    (name,) = problem.names
    assert name.startswith(f"{path}: ")
    assert re.search(reason, name)


@pytest.mark.parametrize(
    ("highest", "size", "reason"),
    [(20, SIZE, "expected classes 0 to 19, found 20"), (19, (8, 8), "found 8x8")],
)
def test_names_wrong_masks(lip, highest, size, reason):
    path = lip / "TrainVal_parsing_annotations/val_segmentations/100_2.png"
    assert file_problems(rows_of("lip", lip), 20) == []
    write_mask(path, highest, size)
    (problem,) = file_problems(rows_of("lip", lip), 20)
    (name,) = problem.names
    assert name.startswith(f"{path}: ")
    assert reason in name


def test_names_masks_that_are_missing_or_pictures(lip):
    folder = lip / "TrainVal_parsing_annotations"
    write_image(folder / "val_segmentations/100_2.png")
    (folder / "train_segmentations/77_1.png").unlink()
    (problem,) = file_problems(rows_of("lip", lip), 20)
    assert [name.partition(": ")[2] for name in problem.names] == [
        "no such file",
        "expected one channel of class indices, found the mode RGB",
    ]


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "tfreid.datasets", *map(str, flags)], capture_output=True, text=True
    )


def test_command_warns_and_succeeds(market):
    done = run("--check=market1501", f"--data_root={market}")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"recognised the Market-1501 layout in {market}\n")
    assert "WARNING: these are not the published counts of market1501" in done.stdout
    assert "WARNING: queries without any valid match (a gallery image with" in done.stdout
    assert "0012_c1s1_000007_00" in done.stdout


def test_command_fails_on_damage_and_on_no_data(market):
    (market / "query/0011_c1s1_000006_00.jpg").write_bytes(b"")
    done = run("--check=market1501", f"--data_root={market}")
    assert done.returncode == 1
    assert "ERROR: unreadable files: 1" in done.stdout
    for image in (market / "query").glob("*.jpg"):
        image.unlink()
    done = run("--check=market1501", f"--data_root={market}")
    assert done.returncode == 1
    assert "\nerror: no images in" in done.stderr


def test_command_lists_what_is_known():
    done = run()
    assert done.returncode == 0, done.stderr
    assert "market1501: Market-1501" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("flags", [["--check=market"], ["--check=lip"], ["--data_root=/"]])
def test_command_explains_misuse(flags):
    done = run(*flags)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
