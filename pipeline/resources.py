"""How much of a cluster the containers of a compiled pipeline ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfreid.errors import UsageError, require

_FORM = (
    "COMPONENT:cpu=8,memory_gb=32,gpus=1,gpu_type=NVIDIA_L4 (numbers above 0; what is left out "
    "is left to the cluster)"
)
_KINDS = {"cpu": float, "memory_gb": float, "gpus": int, "gpu_type": str}
_MOST = 1e6  # more is a slip of the keyboard, or infinite

GPU_OF_KUBERNETES = "nvidia.com/gpu"
"""What Kubernetes calls a GPU; Vertex wants the name of its model."""

Specs = Mapping[str, Mapping[str, Any]]


def parse_resources(asked: Sequence[str], on_vertex: bool) -> Specs:
    """Reads what components ask for.

    Args:
      asked: one text a component, such as `ReidTrainer:cpu=8,memory_gb=32,gpus=1`; a GB is 10^9
        bytes.
      on_vertex: whether the type of a GPU must be told.

    Returns:
      component -> fields of a ResourceSpec, as the specification of a pipeline writes them.

    Raises:
      UsageError: if a text has another form, or two are for one component.
    """
    specs = {}
    for text in asked:
        component, _, values = text.partition(":")
        require(component not in specs, f"--resources={text}: {component} was given before")
        specs[component] = _spec(text, values, on_vertex)
    return specs


def add_resources(specification: Mapping[str, Any], specs: Specs) -> None:
    """Writes into a PipelineSpec what its containers ask for.

    TFX's own way, `with_platform_config`, leaves out the components that read files.

    Args:
      specification: as a dict of its JSON, which is changed.
      specs: as `parse_resources` returns them.

    Raises:
      UsageError: if there is no container of a component.
    """
    executors = specification["deploymentSpec"]["executors"]
    containers = {
        name: executors[component["executorLabel"]]["container"]
        for name, component in specification["components"].items()
        if "container" in executors.get(component.get("executorLabel"), {})
    }
    known = ", ".join(sorted(containers))
    for component, spec in specs.items():
        require(
            component in containers,
            f"--resources={component}:…: no such component; there are {known}",
        )
        containers[component]["resources"] = dict(spec)


def _spec(text: str, values: str, on_vertex: bool) -> dict[str, Any]:
    pairs = [part.split("=") for part in values.split(",")]
    try:
        given = {name: _KINDS[name](value) for name, value in pairs}
    except (KeyError, ValueError):
        given = {}
    numbers = [value for value in given.values() if not isinstance(value, str)]
    alone = "gpu_type" in given and not (given["gpu_type"] and "gpus" in given)
    if not numbers or alone or len(given) < len(pairs) or not all(0 < n < _MOST for n in numbers):
        raise UsageError(f"--resources={text}: expected {_FORM}")
    fields = {"cpuLimit": given.get("cpu"), "memoryLimit": given.get("memory_gb")}
    if "gpus" in given:
        kind = given.get("gpu_type", "" if on_vertex else GPU_OF_KUBERNETES)
        require(
            kind, f"--resources={text}: Vertex asks which GPU: add gpu_type=, for example NVIDIA_L4"
        )
        fields["accelerator"] = {"type": kind, "count": str(given["gpus"])}
    return {name: value for name, value in fields.items() if value}
