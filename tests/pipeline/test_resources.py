import pytest

from pipeline.resources import parse_resources
from tfreid.errors import UsageError


def test_what_is_left_out_is_left_to_the_cluster():
    asked = ["ReidTrainer:gpus=1,cpu=8", "Pusher:memory_gb=0.5"]
    assert parse_resources(asked, on_vertex=False) == {
        "ReidTrainer": {"cpuLimit": 8, "accelerator": {"type": "nvidia.com/gpu", "count": "1"}},
        "Pusher": {"memoryLimit": 0.5},
    }


def test_the_type_of_a_gpu_can_be_told():
    asked = ["ReidTrainer:gpus=2,gpu_type=amd.com/gpu"]
    accelerator = {"type": "amd.com/gpu", "count": "2"}
    for on_vertex in (False, True):
        assert parse_resources(asked, on_vertex)["ReidTrainer"] == {"accelerator": accelerator}


@pytest.mark.parametrize(
    "values",
    [
        *("", ":", ":cpu", ":cpu=", ":cpu=x", ":cpu=1=2", ":cpu=0", ":cpu=-1", ":cpu=nan"),
        *(":cpu=inf", ":gpus=0.5", ":memory=3", ":cpu=1,cpu=2", ":cpu=1,", ":gpu_type=NVIDIA_L4"),
        *(":cpu=1,gpu_type=NVIDIA_L4", ":gpus=1,gpu_type="),
    ],
)
def test_another_form_is_refused(values):
    with pytest.raises(UsageError, match=f"^--resources=ReidTrainer{values}: expected COMPONENT:"):
        parse_resources([f"ReidTrainer{values}"], on_vertex=False)


def test_a_component_asks_once():
    with pytest.raises(UsageError, match=r"^--resources=Pusher:cpu=2: Pusher was given before"):
        parse_resources(["Pusher:cpu=1", "Pusher:cpu=2"], on_vertex=False)


def test_vertex_must_know_which_gpu():
    with pytest.raises(UsageError, match="Vertex asks which GPU: add gpu_type=, for example"):
        parse_resources(["ReidTrainer:gpus=1"], on_vertex=True)
