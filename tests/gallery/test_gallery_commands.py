"""`python -m tfreid.gallery`, from a folder of pictures to an answer."""

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.commands import Command
from tests.gallery.colourful import png
from tests.networks.small_onnx import mean_colours
from tfreid.errors import MissingPathError, UsageError


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for person, name in enumerate(("anna", "ben", "cleo")):
        for camera in ("door", "yard"):
            place = root / "people" / name / camera
            place.mkdir(parents=True)
            for n in range(2):
                (place / f"{n}.png").write_bytes(png(person, n + 10 * len(camera)))
        (root / f"{name}.png").write_bytes(png(person, 99))
    mean_colours(root / "model.onnx")
    return root


@pytest.fixture
def call(folder, pictures, monkeypatch):
    monkeypatch.chdir(pictures)

    def run(verb: str, *arguments: str, status: int = 0) -> CompletedProcess:
        done = Command("tfreid.gallery", verb, *arguments, f"--gallery={folder}").finish()
        assert done.returncode == status, done.stderr
        return done

    return run


def test_from_a_folder_of_pictures_to_an_answer_and_back(call, pictures):
    call("create", "--model=model.onnx", "--preset=0..1", "--keep_images")
    enrolled = call("enrol", "--folder=people").stdout
    assert enrolled.startswith("12 images of 3 persons enrolled\n")
    again = call("enrol", "--folder=people").stdout
    assert again.startswith("0 images of 3 persons enrolled; 12 were stored before\n")
    listed = call("search", "ben.png", "--top=4", "--camera=yard").stdout.splitlines()
    assert listed[0].startswith("ben.png: ")
    assert {tuple(line.split()[2:]) for line in listed[1:3]} == {
        ("ben", "yard", "ben/yard/0.png"),
        ("ben", "yard", "ben/yard/1.png"),
    }
    shown = call("show").stdout
    assert "12 images of 3 persons" in shown
    assert f"model: {pictures}/model.onnx,preset=0..1\n" in shown
    told = json.loads(call("show", "--person=ben").stdout)
    assert {image["camera"] for image in told["images"]} == {"door", "yard"}
    assert call("forget", "--person=ben").stdout == "4 images forgotten\n"
    assert "ben" not in call("search", "ben.png", "--top=99").stdout.partition("\n")[2]
    assert "'ben' is not stored" in call("forget", "--person=ben", status=2).stderr
    assert (
        "8 images described anew"
        in call("rebuild", "--model=model.onnx", "--preset=torchreid").stdout
    )
    assert "preset=torchreid" in call("show").stdout


def test_a_list_says_who_where_and_when(call, pictures, tmp_path):
    call("create", "--model=model.onnx", "--preset=0..1")
    manifest = tmp_path / "list.csv"
    lines = [f"{pictures}/anna.png,Anna B,door,2026-01-31T12:00+01:00", f"{pictures}/ben.png,Ben,,"]
    manifest.write_text("path,person,camera,time\n" + "\n".join(lines) + "\n")
    call("enrol", f"--list={manifest}")
    told = json.loads(call("show", "--person=Anna B").stdout)["images"][0]
    assert (told["camera"], told["taken_at"]) == ("door", "2026-01-31 11:00:00+00")
    found = call("search", "anna.png", "--since=2026-01-31T00:00+00:00").stdout
    assert "Anna B" in found
    assert "Ben" not in found


def test_images_by_name(call, tmp_path):
    call("create", "--model=model.onnx")
    call("enrol", "anna.png", "--person=anna", "--camera=door")
    assert "1 images of 1 persons enrolled" in call("enrol", "ben.png", "--person=ben").stdout
    (tmp_path / "copy.png").write_bytes(Path("anna.png").read_bytes())
    refused = call("enrol", f"{tmp_path}/copy.png", "--person=ben", status=2).stderr
    assert "copy.png of ben is the same picture as anna.png of anna: a picture is" in refused
    (tmp_path / "people" / "nobody").mkdir(parents=True)
    (tmp_path / "people" / "nobody" / "1.png").write_bytes(png(1))
    for arguments in (["anna.png", "--person=nobody"], [f"--folder={tmp_path}/people"]):
        refused = call("enrol", *arguments, status=2).stderr
        assert ".png: a person called 'nobody' could not be told from an answer" in refused
    damaged = tmp_path / "1.png"
    damaged.write_bytes(png(1)[:60])
    for arguments in (["search", damaged], ["enrol", damaged, "--person=anna"]):
        assert "1.png: damaged" in call(*arguments, status=2).stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["create", "--model=a", "--model=b"], "more than one --model"),
        (["create", "--model=nowhere.onnx"], "nowhere.onnx does not exist"),
        (["create", "--model=model.onnx", "--fpir=0"], "--fpir=0"),
        (["create", "--model=model.onnx", "--expire_days=0"], "--expire_days=0"),
        (["create", "--model=model.onnx", "--database=here"], "expected postgresql://"),
        (["enrol", "--folder=people"], "holds no gallery: make one"),
        (["show", "--database=postgresql://x/y"], "--gallery and --database are two places"),
        (["enrol"], "give one of --folder, --list, and images by name"),
        (["enrol", "a.png"], "--person must be given"),
        (["enrol", "--folder=people", "--camera=x"], "--camera needs --person"),
        (["enrol", "--folder=people", "--person=x"], "--person is of images given by name"),
        (["search"], "there is no picture to search with"),
        (["search", "nowhere.png"], "nowhere.png: No such file"),
        (["search", "anna.png", "--since=yesterday"], "'yesterday' is no time"),
        (["enrol", "--list=people"], "people: Is a directory"),
        (["enrol", "--list=anna.png"], "anna.png: 'utf-8' codec can't decode"),
        (["enrol", "--folder=people/anna/door"], "expected a folder of persons"),
        (["enrol", "--folder=."], ". has images outside the folders of persons"),
        (["serve", "--token_file=anna.png"], "--token_file=anna.png: this is no text file"),
        (["forget"], "give one of --person, --image and --older_than_days"),
        (["show", "--persn=x"], "did you mean --person"),
        (["find"], "python -m tfreid.gallery has no command 'find'"),
    ],
)
def test_misuse_is_said_in_one_line(call, arguments, text):
    error = call(*arguments, status=2).stderr
    assert text in error
    assert "Traceback" not in error


def test_wrong_pictures_leave_the_others_their_answers(call, pictures):
    call("create", "--model=model.onnx")
    call("enrol", "--folder=people")
    for name in ("cut.png", "text.jpg"):
        (pictures / name).write_bytes(b"no picture")
    searched = call("search", "cut.png", "anna.png", "text.jpg", status=2)
    assert "anna.png: cannot be told" in searched.stdout
    assert "2 of the images cannot be described: cut.png: " in searched.stderr
    assert "text.jpg: " in searched.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found nothing"),
        ("path,who\n", "expected the columns path,person"),
        ("path,person,person\n", "line 1: expected the columns .*, found path,person,person"),
        ("path,person\nx.png,anna\n", r"line 2: .*x\.png: No such file"),
        ("path,person\n,anna\n", "line 2, column path: empty"),
        ("path,person\na\n", "line 2: not as many columns"),
        ("path,person,time\nanna.png,anna,noon\n", "line 2: 'noon' is no time"),
    ],
)
def test_a_wrong_list_is_refused_by_line(text, said, tmp_path):
    from tfreid.gallery.sources import images_of_list

    (tmp_path / "anna.png").write_bytes(png(1))
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        images_of_list(tmp_path / "list.csv")


def test_folders_without_persons_are_refused(tmp_path):
    from tfreid.gallery.sources import images_of_folder

    with pytest.raises(UsageError, match="expected a folder of persons"):
        images_of_folder(tmp_path / "nowhere")
    (tmp_path / "anna").mkdir()
    formats = "JPEG, PNG or BMP"
    with pytest.raises(UsageError, match=f"no images in .*anna: expected {formats} files; remove"):
        images_of_folder(tmp_path)
    (tmp_path / "anna" / "1.png").write_bytes(png(1))
    (tmp_path / "anna" / "door").mkdir()
    for name in ("anna/1.png", "anna/door/2.png", "anna/door/3.heic", "4.heic"):
        (tmp_path / name).write_bytes(png(1))
    with pytest.raises(UsageError, match=r"not enrolled \(3\), such as .*/4.heic"):
        images_of_folder(tmp_path)
    (tmp_path / "loose.png").write_bytes(png(1))
    with pytest.raises(UsageError, match="outside the folders of persons, such as loose"):
        images_of_folder(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    from tfreid.gallery.sources import read_files

    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(MissingPathError, match=r"pipe.png is no file"):
        read_files([tmp_path / "pipe.png"])
