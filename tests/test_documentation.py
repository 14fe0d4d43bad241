"""The documentation is complete, its docstrings fit their code, and the code that it shows runs."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import griffe
import pytest
import yaml

from tests.commands import Command
from tfreid.reproduction import TABLES, results_page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("tfrecords_schema", "tfreid", "pipeline")
WITHOUT_API = {"cli"}  # what commands share; they explain themselves with --help


class _Loader(yaml.SafeLoader):
    """Reads the site's configuration, in which a setting is a function by name."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def pages(nav: list | dict | str) -> Iterator[str]:
    """The pages that a part of the navigation lists."""
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from pages(part)


@pytest.fixture(scope="module")
def listed() -> list[str]:
    text = (ROOT / "properdocs.yml").read_text(encoding="utf-8")
    return list(pages(yaml.load(text, _Loader)["nav"]))


def test_the_navigation_lists_every_page_once(listed: list[str]):
    files = [*DOCS.rglob("*.md"), *(path.with_suffix(".md") for path in DOCS.glob("*.ipynb"))]
    there = [path.relative_to(DOCS).as_posix() for path in files]
    assert sorted(page for page in listed if not page.startswith("project/")) == sorted(there)


def test_every_package_has_a_page_of_its_api():
    parts = {path.parent.name for path in (ROOT / "tfreid").glob("*/__init__.py")}
    shown = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md")}
    for name in (parts - WITHOUT_API) | set(PACKAGES):
        module = name if name in PACKAGES else f"tfreid.{name}"
        assert f"::: {module}\n" in shown.get(name, ""), (
            f"docs/api/{name}.md does not show {module}"
        )


def test_the_tests_that_a_page_names_exist():
    text = (DOCS / "faults.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


def test_the_results_page_shows_the_tables_that_are_kept_beside_it():
    command = "python -m tfreid.reproduce --page=docs/results.md --out=docs/results"
    assert (DOCS / "results.md").read_text() == results_page(TABLES, DOCS / "results", command)


def documented(owner: griffe.Object) -> Iterator[griffe.Object]:
    """A module or class and all that it holds."""
    yield owner
    for member in owner.members.values():
        if not member.is_alias:
            yield from documented(member)


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_describe_the_arguments_that_there_are(package: str, caplog):
    with caplog.at_level(logging.WARNING, logger="griffe"):
        for one in documented(griffe.load(package, search_paths=[ROOT])):
            if one.docstring:
                one.docstring.parse("google", warn_missing_types=False)
    assert [record.getMessage() for record in caplog.records] == []


# Text of a page -> what makes minutes seconds.
SMALLER = {
    "steps=2_000": "steps=2",
    'scale="demo"': 'recipe={"width": 0.05, "batch_size": 8, "schedule.steps": 2}',
}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["loss", "method"])
def test_the_code_of_a_page_runs(page: str, reid_folder, tmp_path):
    text = (DOCS / f"howto/{page}.md").read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    for long, short in SMALLER.items():
        code = code.replace(long, short)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/people").symlink_to(reid_folder.path)
    output_of(code, tmp_path)
    assert list((tmp_path / "runs").iterdir())


def output_of(code: str, folder: Path) -> str:
    """Runs code as a script in a folder; returns what it printed."""
    (folder / "code.py").write_text(code, encoding="utf-8")
    done = Command("tests.script", folder / "code.py", folder).finish()
    assert done.returncode == 0, done.stderr
    return done.stdout


# Of what the tutorial has made.
CHECKS = """
import numpy

assert (run.is_finished, run.recipe.width, run.recipe.schedule.steps) == (True, 0.05, 2)
assert {*results[0].outcomes} == {
    "original", "mean_background", "random_background", "background_only"
}
served, size = tfreid.ServedModel("run/export/1"), run.recipe.image_size_px
picture = numpy.zeros((1, *size, 3), numpy.float32)
expected = run.model.embed(picture).numpy()
expected /= numpy.linalg.norm(expected)
numpy.testing.assert_allclose(served.embed(picture), expected, atol=1e-4)
"""

# Text of the tutorial -> what makes minutes seconds.
SMALLER_TUTORIAL = {
    "persons=20": "persons=3",
    "backgrounds=20": "backgrounds=3",
    '{"schedule.steps": 300}': str(
        {"schedule.steps": 2, "width": 0.05, "batch_size": 8, "image_size_px": (32, 16)}
    ),
}


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path):
    cells = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for long, short in SMALLER_TUTORIAL.items():
        assert long in code
        code = code.replace(long, short)
    assert re.search(r"^distance \d\.\d{3}$", output_of(code + CHECKS, tmp_path), re.MULTILINE)
    assert "Does it look at the person?" in (tmp_path / "report/index.html").read_text()
