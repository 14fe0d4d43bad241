"""What files say, read without importing them."""

import ast

import pytest

from tfreid.cli import source


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "command.py"
    path.write_text(
        "from tfreid import typed\n"
        "from tfreid.cli.typed_parser import KINDS as NAMES\n"
        "from tfreid.files import CHECKSUM\n"
        "MORE: dict = {'a': len('x'), 'b': 2}\n"
        "VALUES = [*list(MORE), CHECKSUM, ('c', 1), typed._SHOWN_CHARACTERS]\n"
        "COMPUTED = len(VALUES)\n"
        "class Command: pass\n"
        "class Options:\n"
        "    steps: int = 5\n"
        "    seed: int\n"
        "OPTIONS = Options()\n"
        "CHANGED = Options(6)\n"
        "NAMED = {one.name: one for one in (Options('x'), Options('y'))}\n"
    )
    return path


def value(path, text):
    return source.value(ast.parse(text, mode="eval").body, path)


def test_names_stand_for_literals_also_of_other_files(path):
    assert value(path, "VALUES") == ["a", "b", "checksum", ["c", 1], 60]
    assert value(path, "tuple(MORE)") == ["a", "b"]
    assert value(path, "list(NAMED)") == ["x", "y"]


def test_an_object_has_the_defaults_of_its_class(path):
    assert value(path, "OPTIONS.steps") == 5


@pytest.mark.parametrize(
    "text",
    [
        *("COMPUTED", "UNKNOWN", "Command", "NAMES", "typed", "MORE.b"),
        *("OPTIONS.seed", "OPTIONS.other", "CHANGED.steps"),
    ],
)
def test_what_is_computed_is_not_known(path, text):
    with pytest.raises((LookupError, ValueError)):
        value(path, text)


def test_files_of_modules_are_found_without_importing_their_package():
    assert source.file_of("tfreid.methods").name == "__init__.py"
    assert source.file_of("tfreid.cli.source").name == "source.py"
    with pytest.raises(LookupError):
        source.file_of("tfreid.cli.nothing")
    with pytest.raises(LookupError):
        source.file_of("nothing_of_that_name.x")
