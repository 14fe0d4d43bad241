"""The flags that say which networks to take, and how those that are not ours take images."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from tfreid.errors import UsageError

if TYPE_CHECKING:
    from tfreid.nn.network import Network

_MODEL = flags.DEFINE_multi_string(
    "model",
    None,
    "Run, export, SavedModel, .onnx, .tflite, .keras, TorchScript, grpc://host:port/name, or "
    "starter; PATH,preset=torchreid says how images are given to one of several.",
)
_PRESET = flags.DEFINE_enum(
    "preset",
    None,
    [
        "0..255",
        "0..1",
        "torchreid",
        "fast-reid",
        "boxmot",
        "keras-caffe",
        "keras-tf",
        "keras-torch",
        "openvino",
    ],
    "How images are given to models that are not ours.",
)
_IMAGE_SIZE = flags.DEFINE_string(
    "image_size", None, "Height and width, such as 256x128, where a model does not say."
)
_LAYOUT = flags.DEFINE_enum("layout", None, ["nhwc", "nchw"], "As the model says unless given.")
_COLOURS = flags.DEFINE_enum("colours", None, ["rgb", "bgr"], "As the preset says unless given.")
_RANGE = flags.DEFINE_enum("range", None, ["255", "1"], "Of white, before mean and deviation.")
_MEAN = flags.DEFINE_string("mean", None, "Three numbers in that range, such as 0.5,0.5,0.5.")
_DEVIATION = flags.DEFINE_string("deviation", None, "Three numbers that pixels are divided by.")
_SIGNATURE = flags.DEFINE_string("signature", None, "Of a SavedModel or server with several.")
_OUTPUT = flags.DEFINE_string("output", None, "Of a model with several.")

_NAMES = {  # Flag -> argument of `open_network`.
    "preset": "presentation",
    "image_size": "image_size_px",
    "range": "scale",
    **{name: name for name in ("layout", "colours", "mean", "deviation", "signature", "output")},
    "name": "name",
}
_SETTING = re.compile(rf",(?=(?:{'|'.join(_NAMES)})=)")


def networks_from_flags(models: Sequence[str] | None = None, **options: Any) -> "list[Network]":
    """Opens the networks that `--model` names; none without it.

    The other flags are for all of them that are not ours.

    Args:
      models: what `--model` would name, with their settings, in place of it and the other flags.
      **options: of `open_network`, for all of them.

    Raises:
      UsageError, DataError, ServingError: as `open_network`.
    """
    common = _typed(_given() if models is None else {})
    models = (_MODEL.value or ()) if models is None else models
    asked = [(model, _typed(own)) for model, own in map(_split, models)]
    from tfreid.networks import is_ours, open_network  # Only here: it brings TensorFlow.

    unnamed = [model for model, own in asked if "name" not in own]
    short = iter(_names(unnamed))
    names = [own["name"] if "name" in own else next(short) for _, own in asked]
    all_ours = all(is_ours(model) for model, _ in asked)
    networks = []
    for (model, own), name in zip(asked, names, strict=True):
        wanted = own if is_ours(model) and not all_ours else common | own
        settings = {_NAMES[key]: value for key, value in wanted.items()}
        try:
            networks.append(open_network(model, **{"name": name, **settings, **options}))
        except UsageError as error:
            raise type(error)(_as_flags(str(error))) from error
    return networks


def model_with_settings() -> str | None:
    """Returns the one model that `--model` names, with what the flags say of it.

    Another process that gives it to `networks_from_flags` gets the same network, from any folder.

    Raises:
      UsageError: if several are named.
    """
    if not _MODEL.value:
        return None
    if len(_MODEL.value) > 1:
        raise UsageError("more than one --model: give the one that describes the images")
    from tfreid.networks import is_ours
    from tfreid.zoo import path_of

    model, own = _split(_MODEL.value[0])
    settings = own if is_ours(model) else _given() | own
    if os.path.exists(model) and not path_of(model):
        model = os.path.abspath(model)
    return ",".join([model, *(f"{name}={value}" for name, value in settings.items())])


def _given() -> dict[str, str]:
    """The flags that say how models take images, as far as they are given."""
    settings = (
        *(_PRESET, _IMAGE_SIZE, _LAYOUT, _COLOURS, _RANGE, _MEAN, _DEVIATION),
        *(_SIGNATURE, _OUTPUT),
    )
    return {flag.name: flag.value for flag in settings if flag.value is not None}


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Takes `PATH,preset=torchreid,mean=0,0,0` apart."""
    model, *settings = _SETTING.split(text)
    for setting in settings:
        if unknown := re.search(r",(\w+)=", setting):
            raise UsageError(
                f"--model={text}: {unknown[1]!r} is no setting of a model; there are "
                f"{', '.join(_NAMES)}"
            )
    return model, dict(setting.split("=", 1) for setting in settings)


def _names(models: list[str]) -> list[str]:
    """The last parts of paths, with as much before them as tells them apart."""
    parts = [re.split(r"/+", model.rstrip("/")) for model in models]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len({*names}) == len(names):
            return names
    return [f"{part[-1]} ({place})" for place, part in enumerate(parts, 1)]


def _typed(settings: Mapping[str, str]) -> dict[str, Any]:
    """Makes numbers of what flags hold as text."""
    values: dict[str, Any] = dict(settings)
    if "image_size" in values:
        size = re.fullmatch(r"\(?(\d+)[x,]\s*(\d+)\)?", values["image_size"])
        if not size:
            raise UsageError(
                f"--image_size={values['image_size']}: give height and width, such as 256x128"
            )
        values["image_size"] = (int(size[1]), int(size[2]))
    for name in ("mean", "deviation"):
        if name in values:
            try:
                values[name] = tuple(float(part) for part in values[name].split(","))
            except ValueError:
                raise UsageError(
                    f"--{name}={values[name]}: give three numbers, such as 0.5,0.5,0.5"
                ) from None
    if "range" in values:
        if values["range"] not in ("255", "1"):
            raise UsageError(f"--range={values['range']}: give 255 or 1")
        values["range"] = float(values["range"])
    return values


def _as_flags(text: str) -> str:
    """Writes the arguments of the library that are flags of other names as these flags."""
    text = re.sub(r"\bimage_size_px\b", "--image_size", text)
    return re.sub(r"\bpresentation\b|\bscale(?==)", lambda m: _FLAG[m[0]], text)


_FLAG = {"presentation": "--preset", "scale": "--range"}
