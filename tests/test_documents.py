"""The documents point at files that are there and at commands that exist."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    files = [document.parent / target for target in targets if "://" not in target]
    assert [str(file) for file in files if not file.exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_import_what_there_is(document: Path):
    examples = re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S)
    for node in (node for example in examples for node in ast.walk(ast.parse(example))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("tfreid", "pipeline"):
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                place = f"{node.module}.{name}"
                assert hasattr(module, name) or importlib.util.find_spec(place), place


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_exist(document: Path):
    names = set(re.findall(r"python -m (tfreid[.\w]*)", document.read_text()))
    paths = [ROOT.joinpath(*name.split(".")) for name in names]
    missing = [path for path in paths if not path.with_suffix(".py").exists()]
    assert [str(path) for path in missing if not (path / "__main__.py").exists()] == []
