"""The Dockerfile agrees with the project that it puts into an image."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

import tfreid
from pipeline.config import PipelineConfig

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()


def instructions() -> list[tuple[str, str]]:
    """Name and rest of each instruction, in one line, without comments."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [tuple(line.split(" ", 1)) for line in joined if line]


def all_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def sent() -> set[str]:
    """What .dockerignore lets through, of the clone's top."""
    hidden, *lines = (
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] != "#"
    )
    assert hidden == "*"
    return {line[1:] for line in lines if line.startswith("!")}


def test_it_builds_what_is_tested():
    arguments = dict(rest.partition("=")[::2] for rest in all_of("ARG") if "=" in rest)
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert arguments["PYTHON"] in re.findall(r'python: "([\d.]+)"', workflow)
    ci = (ROOT / ".ci" / "run").read_text()
    assert f"Python {arguments['PYTHON']}" in ci
    release = arguments["BASE"].rpartition("-")[2]  # Debian's
    assert f"\n  {release} " in ci


def test_it_takes_the_lock_as_it_is():
    syncs = [run for run in all_of("RUN") if "uv sync" in run]
    assert len(syncs) == 2
    extras = set(metadata.metadata("tfreid").get_all("Provides-Extra"))
    for sync in syncs:
        assert "--frozen" in sync
        assert "--all-extras" in sync
        assert set(re.findall(r"--no-extra (\S+)", sync)) == {"dev", "docs"} <= extras
    assert "--inexact" in syncs[1]  # else it would remove the CUDA libraries


def test_tensorflow_has_the_extra_for_gpus():
    (extra,) = set(re.findall(r"CUDA=(\S+) \.", TEXT))
    assert extra in metadata.metadata("tensorflow").get_all("Provides-Extra")
    assert f"tensorflow[{extra}]" in (ROOT / "BUILD.md").read_text()


def test_all_that_it_copies_is_sent():
    copied = {name for copy in all_of("COPY") if "--from" not in copy for name in copy.split()[:-1]}
    (packages,) = re.findall(r"^include = \[(.*)\]$", PROJECT, re.M)
    named = re.findall(r'^readme = "(.*)"$', PROJECT, re.M)
    needed = {name.rstrip("*") for name in json.loads(f"[{packages}]")} | copied | set(named)
    assert {"pyproject.toml", "uv.lock", "tfreid"} < needed
    assert needed <= sent()
    assert all((ROOT / name).exists() for name in sent())
    assert not sent() & {"data", "runs", "demo", "tests", ".venv", ".git"}


def test_nobody_is_root_and_the_command_is_found():
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", all_of("USER")[-1])
    (command,) = json.loads(all_of("ENTRYPOINT")[-1])
    assert command in {script.name for script in metadata.entry_points(group="console_scripts")}
    environment = " ".join(all_of("ENV"))
    (place,) = set(re.findall(r"UV_PROJECT_ENVIRONMENT=(\S+)", environment))
    assert f"PATH={place}/bin:" in environment
    assert f"/{place.split('/')[1]}" in all_of("COPY")[-1]


@pytest.mark.parametrize(
    "page", ["deploy/Dockerfile", "BUILD.md", "docs/pipeline.md", "docs/serving.md"]
)
def test_images_carry_the_version_of_the_release(page):
    tags = re.findall(r"tfreid:([\w.-]+)", (ROOT / page).read_text())
    assert {tag.removesuffix("-gpu") for tag in tags} == {tfreid.__version__}


def test_one_version_of_tensorflow_serving_is_named():
    named = set()
    for file in ("deploy/compose.yaml", "deploy/kubernetes.yaml", "docs/pipeline.md"):
        named |= set(re.findall(r"tensorflow/serving:[\w.-]+", (ROOT / file).read_text()))
    assert named == {PipelineConfig.serving_image}
