import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

pytest.importorskip("tfx")
from tfx.types import standard_artifacts

from pipeline.baseline import LatestOtherPushedModel

EVENT = metadata_store_pb2.Event


class World:
    """ML Metadata in memory, and a folder of pushed versions."""

    def __init__(self, folder):
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = ml_metadata.MetadataStore(config)
        self.folder = folder
        self.models, self.pushes = [], []
        self.pusher = self.store.put_execution_type(metadata_store_pb2.ExecutionType(name="Pusher"))

    def model(self):
        self.models.append(self._stored(standard_artifacts.Model()))
        return self.models[-1].id

    def push(self, model, version):
        """Pushes a model as TFX's Pusher does; without a version it refuses to."""
        push = standard_artifacts.PushedModel()
        push.set_int_custom_property("pushed", int(version is not None))
        if version is not None:
            (self.folder / str(version)).mkdir()
            push.set_string_custom_property("pushed_destination", str(self.folder / str(version)))
            push.set_string_custom_property("pushed_version", str(version))
        self.pushes.append(self._stored(push))
        blessing = self._stored(standard_artifacts.ModelBlessing())
        (model,) = (known for known in self.models if known.id == model)
        used = [
            (blessing, self._event(EVENT.INPUT, "model_blessing")),
            (model, self._event(EVENT.INPUT, "model")),
            (push, self._event(EVENT.OUTPUT, "pushed_model")),
        ]
        execution = metadata_store_pb2.Execution(type_id=self.pusher)
        pairs = [(artifact.mlmd_artifact, event) for artifact, event in used]
        self.store.put_execution(execution, pairs, [])

    def baseline(self, candidate):
        (chosen,) = [model for model in self.models if model.id == candidate]
        found = LatestOtherPushedModel().resolve_artifacts(
            self.store,
            {"model": self.models, "pushed_model": self.pushes, "candidate": [chosen]},
        )
        assert len(found["model"]) == len(found["pushed_model"])
        assert found["candidate"] == [chosen]
        return [model.id for model in found["model"]]

    def _stored(self, artifact):
        kind = artifact.artifact_type
        kind.id = self.store.put_artifact_type(kind, can_add_fields=True)
        artifact.set_mlmd_artifact_type(kind)
        artifact.id = self.store.put_artifacts([artifact.mlmd_artifact])[0]
        return artifact

    def _event(self, kind, key):
        path = EVENT.Path(steps=[EVENT.Path.Step(key=key), EVENT.Path.Step(index=0)])
        return EVENT(type=kind, path=path)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_first_model_has_none_to_be_compared_with(world):
    assert world.baseline(world.model()) == []


def test_the_model_pushed_last_is_found_not_the_one_made_last(world):
    first, second, refused, candidate = (world.model() for _ in range(4))
    world.push(second, 100)
    world.push(refused, None)
    world.push(first, 101)
    assert world.baseline(candidate) == [first]


def test_the_candidate_is_compared_with_what_was_served_before_it(world):
    first, second = world.model(), world.model()
    world.push(first, 100)
    world.push(second, 101)
    assert world.baseline(second) == [first]
    assert world.baseline(first) == [second]


def test_versions_are_numbers(world):
    first, second = world.model(), world.model()
    world.push(second, 10)
    world.push(first, 9)
    assert world.baseline(world.model()) == [second]


def test_a_version_that_was_removed_is_not_served(world):
    first, second, candidate = (world.model() for _ in range(3))
    world.push(first, 100)
    world.push(second, 101)
    (world.folder / "101").rmdir()
    assert world.baseline(candidate) == [first]
    (world.folder / "100").rmdir()
    assert world.baseline(candidate) == []


def test_an_old_version_that_was_cleared_away_changes_no_comparison(world):
    first, second = world.model(), world.model()
    world.push(first, 100)
    world.push(second, 101)
    (world.folder / "100").rmdir()
    assert world.baseline(second) == [first]
