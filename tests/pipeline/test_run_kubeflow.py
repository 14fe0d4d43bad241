import json
import subprocess
import sys

import pytest

pytest.importorskip("tfx")
import yaml
from runs import market, run

COMPONENTS = {
    "ImageExampleGen-reid",
    "RecordSchema-reid",
    "StatisticsGen-reid",
    "ExampleValidator-reid",
    "StopOnAnomalies-reid",
    "ReidTrainer",
    "RetrievalEvaluator",
    "InfraCheck",
    "Pusher",
}


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_compiles_without_a_cluster(raw_data, tmp_path, ending):
    out = tmp_path / f"pipeline.{ending}"
    result = run(
        "run_kubeflow",
        *("--method=dgd", *market(raw_data), "--root=gs://bucket/reid", "--image=registry/reid:1"),
        f"--out={out}",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert f"wrote {out}" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    text = out.read_text()
    specification = yaml.safe_load(text) if ending == "yaml" else json.loads(text)["pipelineSpec"]
    tasks = specification["root"]["dag"]["tasks"]
    assert set(tasks) >= COMPONENTS
    assert set(tasks["ReidTrainer"]["dependentTasks"]) >= {"StopOnAnomalies-reid"}
    executors = specification["deploymentSpec"]["executors"]
    images = {e["container"]["image"] for e in executors.values() if "container" in e}
    assert images == {"registry/reid:1"}


@pytest.mark.slow
def test_a_process_of_its_own_loads_tfx_without_a_word(raw_data, tmp_path):
    flags = (*market(raw_data), f"--root={tmp_path}", "--image=i", f"--out={tmp_path / 'p.yaml'}")
    command = [sys.executable, "-m", "pipeline.run_kubeflow", "--method=dgd", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_ending_decides_the_format(raw_data, tmp_path):
    result = run(
        "run_kubeflow",
        *("--method=dgd", *market(raw_data), f"--root={tmp_path}", "--image=i", "--out=p.txt"),
    )
    assert result.returncode == 2
    assert result.stderr == "error: --out=p.txt: expected a name that ends in .yaml or .json\n"
