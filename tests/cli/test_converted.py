"""Records that a command made before are used again only if they are of the same."""

import os

import pytest

from tfreid.cli import converted
from tfreid.cli.converted import ensure_converted
from tfreid.errors import UsageError


@pytest.fixture
def made(monkeypatch, tmp_path):
    """The flags of conversions, of which each makes a folder."""
    calls = []

    def run_command(name, arguments, passes_on):
        calls.append(arguments)
        (tmp_path / "out" / "records").mkdir(parents=True)

    monkeypatch.setattr(converted, "run_command", run_command)
    return calls


@pytest.fixture
def people(tmp_path):
    root, other = tmp_path / "people", tmp_path / "elsewhere"
    for place in (root / "anna", other):
        place.mkdir(parents=True)
        (place / "1.jpg").write_bytes(b"1")
    (root / "ben").symlink_to(other)
    (root / "anna" / "2.jpg").symlink_to(other / "1.jpg")
    (root / "anna" / "circle").symlink_to(root)
    (root / "anna" / "lost").symlink_to(tmp_path / "nowhere")
    return root


def test_the_same_files_are_converted_once(made, people, tmp_path):
    for _ in range(2):
        ensure_converted(tmp_path / "out", ["--a"], [people])
    assert made == [["--a", f"--out={tmp_path / 'out' / 'records'}"]]


@pytest.mark.parametrize("changed", ["elsewhere/1.jpg", "elsewhere/new.jpg", "list.csv"])
def test_changes_behind_links_and_of_files_are_noticed(made, people, tmp_path, changed):
    (tmp_path / "list.csv").write_text("path,person")
    paths = [people, tmp_path / "list.csv"]
    ensure_converted(tmp_path / "out", [], paths)
    (tmp_path / changed).write_bytes(b"another")
    with pytest.raises(UsageError, match="was converted of other files"):
        ensure_converted(tmp_path / "out", [], paths)


def test_what_another_command_converted_meanwhile_is_not_taken_for_ones_own(
    people, tmp_path, monkeypatch
):
    """The second is refused while the first converts; then it is asked for again."""
    out = tmp_path / "out"

    def first_is_at_work(*_, **__):
        raise SystemExit(1)

    monkeypatch.setattr(converted, "run_command", first_is_at_work)
    with pytest.raises(SystemExit):
        ensure_converted(out, ["--second"], [people])
    os.makedirs(out / "records")
    with pytest.raises(UsageError, match="with other flags"):
        ensure_converted(out, ["--second"], [people])
