"""A network that somebody else made, as its format's reader found it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, ServingError, UsageError
from tfreid.networks.hosting import hosted, in_batches
from tfreid.networks.presentation import Presentation
from tfreid.nn.network import Network
from tfreid.runtimes import first_line

Shape = Sequence[int | None]


@dataclass(frozen=True)
class ForeignModel:
    """What a reader found.

    Attributes:
      label: names it in messages: its path or its address.
      run: images as the model takes them, in its own dtype -> what its output gives.
      facts: format, file, digest and what was chosen of it, for JSON.
      input_shape: of a batch of images; None where the model does not say.
      dtype: of the images.
      quantisation: scale and zero point of whole numbers that stand for others (TFLite).
      graph: `run` for tensors, where TensorFlow itself computes.
      other_outputs: name -> shape, as far as it is known, of what may be chosen instead.
      told: fields of `Presentation` that the file says.
      usual_layout: of its format, where the shape of the input does not say.
    """

    label: str
    run: Callable[[np.ndarray], np.ndarray]
    facts: Mapping[str, Any]
    input_shape: Shape | None = None
    dtype: str = "float32"
    quantisation: tuple[float, int] | None = None
    graph: Callable[[tf.Tensor], tf.Tensor] | None = None
    other_outputs: Mapping[str, Shape | None] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    usual_layout: str | None = None


@dataclass(frozen=True, kw_only=True)
class ForeignNetwork(Network):
    """A network whose model is not one of ours: it describes and cannot explain.

    Attributes:
      presentation: how images are given to the model.
      compute: images as the model takes them -> descriptors, float32 `[n, d]`.
      facts: format, file and SHA-256, and what was chosen of it.
      is_hosted: whether Python calls the model, and not TensorFlow itself.
      fixed_batch: images that the model takes at a time, if it takes no other number.
    """

    presentation: Presentation
    compute: Callable[[tf.Tensor], tf.Tensor]
    facts: Mapping[str, Any]
    is_hosted: bool = False
    fixed_batch: int | None = None

    @property
    def in_graph(self) -> bool:
        """Not where Python calls the model, as a graph would wait for it."""
        return not self.is_hosted

    def presented(self, presentation: Presentation) -> "ForeignNetwork":
        """Returns the same model, given images in another way; size and layout stay."""
        fixed = {"image_size_px": self.image_size_px, "layout": self.presentation.layout}
        return dataclasses.replace(self, presentation=dataclasses.replace(presentation, **fixed))

    def to_json(self) -> dict[str, Any]:
        """Returns what it is, for JSON: also its file, digest and presentation."""
        return super().to_json() | {**self.facts, "presentation": self.presentation.to_json()}

    def _embed(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": self.compute(self.presentation.present(images))}


def network_of(
    model: ForeignModel, name: str, presentation: Presentation | None, said: Mapping[str, Any]
) -> ForeignNetwork:
    """Makes a network of a model, after a look at what it gives for two grey images.

    Args:
      model: from a format's reader.
      name: of the network.
      presentation: how images are given to it; what the file says, or else pixels of 0 to 255,
        unless given. The model's own size and layout go before those of a presentation.
      said: fields of `Presentation` that are to be otherwise; they must not contradict the model.

    Raises:
      UsageError: if what is said contradicts the model, is missing, or its output is no descriptor.
      DataError: if the model cannot run.
    """
    presentation = settled(model, presentation, said)
    whole = np.issubdtype(model.dtype, np.integer) and not model.quantisation
    if whole and not presentation.same_pixels_as(Presentation(colours=presentation.colours)):
        raise UsageError(
            f"{model.label} takes whole numbers ({model.dtype}), and so pixels of 0 to 255 without "
            f"mean and deviation: found {presentation.words()}"
        )
    batch = model.input_shape[0] if model.input_shape else None
    grey = tf.fill((2, *presentation.image_size_px, 3), 128.0)
    grey = _as_numbers(presentation.present(grey), model.dtype, model.quantisation).numpy()
    size, batch = _tried(model, grey, batch)
    is_hosted = model.graph is None or bool(batch)
    run = model.graph
    if is_hosted:
        run = hosted(in_batches(model.run, batch) if batch else model.run, model.label, size)

    def compute(images: tf.Tensor) -> tf.Tensor:
        values = run(_as_numbers(images, model.dtype, model.quantisation))
        return tf.reshape(tf.cast(values, tf.float32), (-1, size))

    return ForeignNetwork(
        name,
        None,
        presentation.image_size_px,
        presentation=presentation,
        compute=compute,
        facts={**model.facts, "descriptor_size": size},
        is_hosted=is_hosted,
        fixed_batch=batch,
    )


def settled(
    model: ForeignModel, presentation: Presentation | None, said: Mapping[str, Any]
) -> Presentation:
    """Returns how images are given, with size and layout; raises as `network_of`."""
    known = _of_shape(model)
    for field_name, value in known.items():
        if said.get(field_name) not in (None, value):
            raise UsageError(
                f"{model.label} takes {field_name}={_shown(value)}, found "
                f"{field_name}={_shown(said[field_name])}: leave it out"
            )
    base = presentation or Presentation(**model.told)
    result = dataclasses.replace(base, **{**said, **known})
    if result.image_size_px is None:
        raise UsageError(
            f"{model.label} does not say the size of its images: give height and width "
            "(image_size_px), such as 256x128"
        )
    if result.layout is None and model.usual_layout is None:
        raise UsageError(
            f"{model.label} takes {shown_shape(model.input_shape or ())} and does not say which "
            "axis is colour: give the layout (layout), nchw as PyTorch has it or nhwc as TensorFlow"
        )
    return dataclasses.replace(result, layout=result.layout or model.usual_layout)


def _of_shape(model: ForeignModel) -> dict[str, Any]:
    """What the shape of the input says: layout, and size if it is fixed."""
    shape = model.input_shape
    if shape is None:
        return {}
    if len(shape) != 4:
        raise UsageError(f"{model.label} takes {shown_shape(shape)} and no batches of images")
    first, last = shape[1] == 3, shape[3] == 3
    if first == last:
        if not first and None not in (shape[1], shape[3]):
            raise UsageError(
                f"{model.label} takes {shown_shape(shape)}: no axis holds three colours"
            )
        return {}
    size = tuple(shape[2:] if first else shape[1:3])
    return {"layout": "nchw" if first else "nhwc"} | (
        {} if None in size else {"image_size_px": size}
    )


def _tried(model: ForeignModel, grey: np.ndarray, batch: int | None) -> tuple[int, int | None]:
    """Returns the size of descriptors and how many images go at a time, if that is fixed."""
    if batch is None:
        try:
            return descriptor_size(model, model.run(grey), len(grey)), None
        except UsageError:
            raise
        except Exception:  # Says any number, and may take one only; then it fails in its own way.
            batch = 1
    try:
        return descriptor_size(model, in_batches(model.run, batch)(grey), len(grey)), batch
    except (UsageError, DataError, ServingError):
        raise
    except Exception as error:
        raise DataError(f"{model.label} cannot run: {first_line(error)}") from error


def descriptor_size(model: ForeignModel, found: np.ndarray, count: int) -> int:
    """Returns d of an output `[count, d]`; axes of one element after it do not count.

    Raises:
      UsageError: if the output is something else.
      ValueError: if it is of another number of images.
    """
    shape = np.shape(found)
    wide = [length for length in shape[1:] if length != 1] or [1]
    if len(shape) >= 2 and len(wide) == 1:
        if shape[0] != count:
            raise ValueError(f"{count} images gave an output of {shape}")
        return wide[0]
    kind = "a feature map" if len(shape) == 4 else f"of {len(shape)} axes"
    others = "; ".join(
        f"{name} {shown_shape(other) if other else ''}".strip()
        for name, other in model.other_outputs.items()
    )
    raise UsageError(
        f"{model.label} gives {shown_shape(shape)} for {count} images, which is {kind} and not one "
        "descriptor an image: "
        + (f"choose another output: {others}" if others else "export it with pooling at its end")
    )


def _as_numbers(images: tf.Tensor, dtype: str, quantisation: tuple[float, int] | None) -> tf.Tensor:
    """Returns images in the dtype that a model takes."""
    if not np.issubdtype(dtype, np.integer):
        return tf.cast(images, dtype)
    if quantisation:
        scale, zero_point = quantisation
        images = images / scale + zero_point
    return tf.saturate_cast(tf.round(images), dtype)


def shown_shape(shape: Shape) -> str:
    """Returns a shape as messages write it."""
    return "[" + ", ".join("?" if length is None else str(length) for length in shape) + "]"


def _shown(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
