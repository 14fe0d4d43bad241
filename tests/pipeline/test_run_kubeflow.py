import json
import subprocess
import sys

import pytest

pytest.importorskip("tfx")
import yaml
from google.protobuf import json_format
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


RESOURCES = {
    "ReidTrainer": ("cpu=8,memory_gb=32.5,gpus=2,gpu_type=NVIDIA_L4", (8, 32.5, "NVIDIA_L4", 2)),
    "ImageExampleGen-reid": ("cpu=0.5", (0.5, 0, "", 0)),  # TFX itself forgets those of this one
}


@pytest.fixture(scope="module", params=["yaml", "json"])
def compiled(raw_data, tmp_path_factory, request):
    """The file that the command wrote, and the PipelineSpec in it."""
    out = tmp_path_factory.mktemp("compiled") / f"pipeline.{request.param}"
    result = run(
        "run_kubeflow",
        *("--method=dgd", *market(raw_data), "--root=gs://bucket/reid", "--image=registry/reid:1"),
        *("--accumulate_steps=2", "--nodeterministic"),
        *(f"--resources={name}:{text}" for name, (text, _) in RESOURCES.items()),
        f"--out={out}",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert f"wrote {out}" in result.stdout
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    text = out.read_text()
    is_yaml = request.param == "yaml"
    return out, yaml.safe_load(text) if is_yaml else json.loads(text)["pipelineSpec"]


def test_compiles_without_a_cluster(compiled):
    specification = compiled[1]
    tasks = specification["root"]["dag"]["tasks"]
    assert set(tasks) >= COMPONENTS
    assert set(tasks["ReidTrainer"]["dependentTasks"]) >= {"StopOnAnomalies-reid"}
    custom = tasks["ReidTrainer"]["inputs"]["parameters"]["custom_config"]["runtimeValue"]
    told = json.loads(custom["constant"])
    assert (told["accumulate_steps"], told["deterministic"]) == (2, False)
    executors = specification["deploymentSpec"]["executors"]
    images = {e["container"]["image"] for e in executors.values() if "container" in e}
    assert images == {"registry/reid:1"}


def test_kubeflows_own_messages_hold_all_that_is_written(compiled):
    """As its loader and its server read the file, strictly: an unknown field is an error."""
    from kfp.pipeline_spec import pipeline_spec_pb2

    out, specification = compiled
    if out.suffix == ".json":
        job = json_format.Parse(out.read_text(), pipeline_spec_pb2.PipelineJob())
        assert job.runtime_config.gcs_output_directory == "gs://bucket/reid/artifacts"
    read = json_format.ParseDict(specification, pipeline_spec_pb2.PipelineSpec())
    assert json_format.MessageToDict(read) == specification
    deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
    json_format.ParseDict(specification["deploymentSpec"], deployment)
    for name, task in read.root.dag.tasks.items():
        label = read.components[task.component_ref.name].executor_label
        executor = deployment.executors[label]
        found = executor.container.resources
        gpu = found.accelerator
        wanted = RESOURCES.get(name, ("", (0, 0, "", 0)))[1]
        assert (found.cpu_limit, found.memory_limit, gpu.type, gpu.count) == wanted
        assert set(task.dependent_tasks) <= set(read.root.dag.tasks)


def test_kubeflows_own_loader_takes_the_file(compiled):
    components = pytest.importorskip("kfp.components", reason="pip install kfp to run it")
    out, specification = compiled
    if out.suffix == ".yaml":
        loaded = components.load_component_from_file(str(out))
        assert loaded.component_spec.name == "tfreid-dgd"
        assert json_format.MessageToDict(loaded.pipeline_spec) == specification


def test_a_component_that_is_not_there_is_named(raw_data, tmp_path):
    flags = ("--method=dgd", *market(raw_data), f"--root={tmp_path}", "--image=i")
    out = tmp_path / "p.yaml"
    result = run("run_kubeflow", *flags, "--resources=Trainer:cpu=1", f"--out={out}")
    assert result.returncode == 2
    assert result.stderr.startswith(
        "error: --resources=Trainer:…: no such component; there are ExampleValidator-reid, Image"
    )
    assert "resolver" not in result.stderr
    assert not out.exists()


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
