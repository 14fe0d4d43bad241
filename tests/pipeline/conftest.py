"""Artifacts as the components before would have made them."""

import pytest


@pytest.fixture
def model(dgd_run, tmp_path):
    """The Trainer's output: an exported model of one training step."""
    from tfx.types import standard_artifacts

    artifact = standard_artifacts.Model()
    artifact.id = 7
    artifact.uri = str(tmp_path / "model")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "Format-Serving").symlink_to(dgd_run / "export" / "1")
    return artifact


@pytest.fixture
def examples(reid_folder):
    """ExampleGen's output."""
    from tfx.types import standard_artifacts

    artifact = standard_artifacts.Examples()
    artifact.uri = str(reid_folder.path)
    return artifact


@pytest.fixture
def store(monkeypatch, request):
    """The address of an empty folder on an object store."""
    from object_store import ObjectStore
    from tfx.dsl.io.filesystem_registry import DEFAULT_FILESYSTEM_REGISTRY as registry

    known = registry._preferred_filesystem_by_scheme | {"ram://": ObjectStore}
    monkeypatch.setattr(registry, "_preferred_filesystem_by_scheme", known)
    monkeypatch.setattr(ObjectStore, "written", [])
    return f"ram://{request.node.name}/root"
