"""The Kubernetes manifest says what Kubernetes can read, and the same as the compose file."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config import PipelineConfig
from tfreid.serving import ReidClient

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
MODEL = inspect.signature(ReidClient).parameters["model"].default
KINDS = {
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
    "Deployment": "V1Deployment",
    "Service": "V1Service",
    "NetworkPolicy": "V1NetworkPolicy",
}
SCALARS = {"str": str, "int": int, "bool": bool}


@pytest.fixture(scope="module")
def parts() -> dict[str, dict]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {document["kind"]: document for document in documents}


@pytest.fixture(scope="module")
def pod(parts) -> dict:
    return parts["Deployment"]["spec"]["template"]


@pytest.fixture(scope="module")
def container(pod) -> dict:
    (container,) = pod["spec"]["containers"]
    return container


def built(value: Any, kind: str, place: str) -> Any:
    """The value as Kubernetes' own Python client has it; it refuses fields that are missing."""
    from kubernetes import client

    if kind.startswith("list["):
        return [built(one, kind[5:-1], f"{place}[{n}]") for n, one in enumerate(value)]
    model = getattr(client, kind, None)
    if model is None:
        assert isinstance(value, SCALARS.get(kind, object)), f"{place}: {value!r} is no {kind}"
        return value
    names = {written: name for name, written in model.attribute_map.items()}
    unknown = set(value) - set(names)
    assert not unknown, f"{place}: {unknown}"
    types = model.openapi_types
    fields = {
        names[written]: built(part, types[names[written]], f"{place}.{written}")
        for written, part in value.items()
    }
    return model(**fields)


def test_kubernetes_knows_every_field(parts):
    pytest.importorskip("kubernetes")
    assert list(parts) == list(KINDS)
    for kind, part in parts.items():
        built(part, KINDS[kind], kind)


def test_an_unknown_or_missing_field_would_be_found(parts):
    pytest.importorskip("kubernetes")
    with pytest.raises(AssertionError, match="clusterIp"):
        built({"spec": {"clusterIp": "None"}}, "V1Service", "Service")
    with pytest.raises(ValueError, match="selector"):
        built({"spec": {"template": {}}}, "V1Deployment", "Deployment")


def test_it_serves_as_the_compose_file_and_the_infra_check_do(container):
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["serving"]
    default = inspect.signature(PipelineConfig).parameters["serving_image"].default
    assert container["image"] == service["image"] == default
    assert container["args"] == service["command"]
    targets = {mount["target"] for mount in service["volumes"]}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == targets
    published = {int(port.rpartition(":")[2]) for port in service["ports"]}
    assert {port["containerPort"] for port in container["ports"]} == published


def test_the_configuration_is_that_of_the_folder(pod, container):
    kustomization = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["kubernetes.yaml"]
    (configuration,) = kustomization["configMapGenerator"]
    named = {Path(flag).name for flag in container["args"] if "/config/" in flag}
    assert set(configuration["files"]) == named
    assert all((DEPLOY / file).is_file() for file in named)
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["config"]["configMap"]["name"] == configuration["name"]


def test_the_parts_find_each_other(parts, pod, container):
    labels = pod["metadata"]["labels"]
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Service"]["spec"]["selector"] == labels
    assert parts["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claim = parts["PersistentVolumeClaim"]["metadata"]["name"]
    assert volumes["models"]["persistentVolumeClaim"]["claimName"] == claim
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for port in parts["Service"]["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]


def test_no_request_comes_before_a_version_is_loaded(container):
    paths = {
        probe: container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {
        "startupProbe": f"/v1/models/{MODEL}/metadata",
        "readinessProbe": f"/v1/models/{MODEL}/metadata",
        "livenessProbe": f"/v1/models/{MODEL}",
    }
    assert {container[probe]["httpGet"]["port"] for probe in paths} == {"rest"}


def test_as_many_processors_as_batches_at_a_time(container):
    threads = re.search(
        r"num_batch_threads \{ value: (\d+) \}", (DEPLOY / "batching.config").read_text()
    )
    assert container["resources"]["requests"]["cpu"] == threads[1]
    assert "memory" in container["resources"]["limits"]


def test_the_pod_is_closed(parts, pod, container):
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["runAsUser"] > 0
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert "type" not in parts["Service"]["spec"]  # of the cluster alone
    (rule,) = parts["NetworkPolicy"]["spec"]["ingress"]
    (label,) = rule["from"][0]["podSelector"]["matchLabels"].items()
    assert '{}: "{}"'.format(*label) in (ROOT / "docs" / "serving.md").read_text()
