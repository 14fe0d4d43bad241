"""Where a training and its export end up; what they are is tested elsewhere."""

from types import SimpleNamespace

import pytest

pytest.importorskip("tfx")
from object_store import files

from pipeline import trainer
from pipeline.config import PipelineConfig
from tfreid.methods import METHODS
from tfreid.records import ImageSet


@pytest.fixture(params=["disk", "store"])
def place(request, tmp_path):
    """An artifact's folder that is there already, as TFX makes it, on a disk or a store."""
    if request.param == "store":
        return request.getfixturevalue("store")
    (tmp_path / "artifacts" / "run").mkdir(parents=True)
    return str(tmp_path / "artifacts")


@pytest.mark.parametrize("had_ended", [False, True])
def test_the_run_and_its_export_are_handed_over(
    place, had_ended, reid_folder, tmp_path, monkeypatch
):
    """Also of a run that had ended, exported and all, when its component was killed."""

    def fit(method, recipe, folders, path, *, export, **options):
        assert folders["reid"].info.fingerprint == reid_folder.info.fingerprint
        assert options == {"seed": 0, **arithmetic}
        run = SimpleNamespace(path=path)
        path.mkdir(parents=True)
        (path / "recipe.json").touch()
        if not had_ended:
            export(run)
        return run

    def export_run(run, path, data, rates, flip_averaging):
        assert rates.far == 0.001
        assert run.path.is_dir()
        assert data.info.fingerprint == reid_folder.info.fingerprint
        path.mkdir(exist_ok=True)
        (path / "saved_model.pb").touch()

    arithmetic = {"precision": "mixed_bfloat16", "accumulate_steps": 2, "deterministic": False}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(trainer.training, "fit", fit)
    monkeypatch.setattr(trainer, "export_run", export_run)
    config = PipelineConfig(
        place, "dgd", METHODS["dgd"].demo(), ImageSet("market1501"), **arithmetic
    )
    fn_args = SimpleNamespace(
        custom_config=config.training() | {"folders": {"reid": str(reid_folder.path)}},
        serving_model_dir=f"{place}/model/Format-Serving",
        model_run_dir=f"{place}/run",
    )
    (tmp_path / "artifacts" / "model").mkdir(parents=True, exist_ok=True)
    trainer.run_fn(fn_args)
    assert files(fn_args.serving_model_dir) == ["saved_model.pb"]
    assert files(fn_args.model_run_dir) == ["recipe.json"]
    assert not any((tmp_path / "cache" / "tfreid" / "runs").glob("*"))
