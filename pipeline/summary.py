"""What a run says at its end: the figures, what was decided and why, and where to read on."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from tfx.dsl.io import fileio
from tfx.utils import path_utils

from pipeline.history import NodeRun
from pipeline.storage import readable
from tfreid.files import read_json

_NAMES = {"rank1": "rank-1", "mAP": "mAP"}
_UNIQUE = "fingerprint.pb"  # TensorFlow draws a number for each model that it saves.
_BLESSINGS = {"ModelBlessing": "blessed", "InfraBlessing": "servable"}


def summary(nodes: Sequence[NodeRun], destination: str) -> str:
    """Returns the lines that end a run.

    Args:
      nodes: what each component did.
      destination: folder of the pushed versions.
    """
    cached = sum(node.state == "CACHED" for node in nodes)
    made = {kind: node for node in nodes for kind in node.outputs}
    evaluation = made["ModelEvaluation"].uris["ModelEvaluation"]
    with readable(f"{evaluation}/metrics.json") as metrics:
        measured = _measured(read_json(metrics))
    lines = [f"{cached} of {len(nodes)} components were answered from earlier runs", *measured]
    refused = []
    for kind, word in _BLESSINGS.items():
        blessing = made[kind].outputs[kind]
        answer = word if blessing["blessed"] else f"not {word}"
        refused += [] if blessing["blessed"] else [answer]
        message = blessing.get("blessing_message")  # TFX's InfraValidator has none.
        lines.append(f"{answer}: {message}" if message else answer)
    if refused:
        (model, *_) = (node.uris["Model"] for node in nodes if "Model" in node.uris)
        lines.append(f"not pushed, as it is {' and '.join(refused)}: {_stays(destination, model)}")
    else:
        lines.append(_pushed(made["PushedModel"], destination))
    return "\n".join([*lines, f"report: {evaluation}/report/index.html"])


def _measured(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    models = {"candidate": "the model", "baseline": "the served model, on the same images"}
    return [
        f"{models[key]}: "
        + ", ".join(
            f"{name} {100 * found['original'][key_of]:.1f}%"
            for key_of, name in _NAMES.items()
            if key_of in found["original"]
        )
        for key, found in metrics.items()
    ]


def _stays(destination: str, model: str) -> str:
    """Says what is served on, and whether it is the refused model, which an earlier run pushed."""
    kept = f"{destination} stays as it is"
    refused = f"{path_utils.serving_model_path(model)}/{_UNIQUE}"
    for version in sorted(_versions(destination))[-1:]:
        served = f"{destination}/{version}/{_UNIQUE}"
        if fileio.exists(served) and _bytes(served) == _bytes(refused):
            return f"{kept}, with this model as version {version}"
    return kept


def _bytes(file: str) -> bytes:
    with fileio.open(file, "rb") as opened:
        return opened.read()


def _versions(destination: str) -> list[int]:
    found = fileio.listdir(destination) if fileio.exists(destination) else []
    return [int(name) for name in (name.rstrip("/") for name in found) if name.isdecimal()]


def _pushed(pusher: NodeRun, destination: str) -> str:
    """Says where the version is, and whether it is the one that a server takes: the highest."""
    pushed = str(pusher.outputs["PushedModel"]["pushed_destination"])
    if pusher.state != "CACHED":
        return f"pushed to {pushed}"
    if not fileio.exists(pushed):
        return (
            f"pushed earlier: {pushed}, which is not there any more; the same command with "
            "--nocache makes and pushes it again"
        )
    served = max(_versions(destination))
    if served == int(PurePath(pushed).name):
        return f"pushed earlier: {pushed}"
    return (
        f"pushed earlier: {pushed}, but a server takes the highest version, {served}: remove what "
        "is higher to serve this model"
    )
