"""What a method is: a recipe, a model and the stages that train it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from tfreid.inputs import InputSpec
from tfreid.methods.recipe import from_json, to_json, without_former_fields
from tfreid.records import RecordsInfo

Schedule = Callable[[tf.Tensor], tf.Tensor]
"""Step within the stage (int64 scalar) -> learning rate (float32 scalar)."""

SGD_FORMS = ("pytorch", "caffe")
"""Whether SGD's momentum buffer sums gradients (PyTorch) or steps (Caffe, Chainer)."""


@dataclass(frozen=True)
class Group:
    """Layers that are updated by one optimizer with one learning-rate schedule.

    The update is that of Caffe, Chainer and PyTorch: weight decay is added to the gradient. Whether
    the learning rate stands inside of SGD's momentum buffer or outside, `sgd_form` says.

    Attributes:
      name: unique within the stage.
      layers: of the model, which the group updates.
      schedule: of the learning rate.
      momentum: of SGD; of Adam's mean of the gradient (beta1).
      nesterov: of SGD, whether the update looks ahead along the momentum.
      weight_decay: multiple of the weight that is added to its gradient.
      optimizer: `sgd` or `adam`.
      sgd_form: of SGD, one of `SGD_FORMS`.
      decay_all: whether biases and the scale and offset of batch normalisation are decayed, too.
    """

    name: str
    layers: Callable[[keras.Model], Sequence[keras.layers.Layer]]
    schedule: Schedule
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    optimizer: str = "sgd"
    sgd_form: str = "pytorch"
    decay_all: bool = True


def call_model(
    model: keras.Model, batch: Mapping[str, tf.Tensor], training: bool
) -> dict[str, tf.Tensor]:
    """Calls a model with the images of a batch."""
    return model(batch["image"], training=training)


@dataclass(frozen=True)
class Stage:
    """One stage of training: what it trains, from what, on which batches, with which loss.

    Every layer that no group names is frozen: it keeps its weights, and its batch normalisation
    runs in inference mode.

    Attributes:
      name: unique within the method, for example `"main"`.
      data: `"reid"` or `"parsing"`, the kind of records that the stage reads.
      inputs: how records become batches.
      batch_size: images in one global batch.
      steps: number of updates.
      groups: disjoint sets of layers to update.
      losses: `(outputs, batch) -> {name: [batch] float32}`.
      forward: `(model, batch, training) -> outputs`, a dict of named tensors.
      loss_weights: name of a loss -> its weight in the objective; 1 where it is not named.
      start: called once with the model before the stage's first step, to copy weights.
      clip_norm: limit of the global gradient norm over all groups, or None.
      clip_decayed: whether that gradient has its weight decay already.
      continues: whether the stage only makes sense after the training of another run, whose
        weights it starts from.
    """

    name: str
    data: str
    inputs: InputSpec
    batch_size: int
    steps: int
    groups: tuple[Group, ...]
    losses: Callable[[Mapping[str, tf.Tensor], Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]
    forward: Callable[[keras.Model, Mapping[str, tf.Tensor], bool], dict[str, tf.Tensor]] = (
        call_model
    )
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    start: Callable[[keras.Model], None] | None = None
    clip_norm: float | None = None
    clip_decayed: bool = False
    continues: bool = False


@dataclass(frozen=True)
class Method:
    """A published method.

    A model that `build` returns is a subclassed `keras.Model` that takes float32 images
    `[batch, height, width, 3]` in [0, 255] (it normalises them itself). Calling it returns a
    dict of named heads. Re-identification models also have `embed(images)` and `explain(images) ->
    {name: [batch, h, w] float32 in [0, 1]}`, the maps that show where the model looks.

    What `embed` returns, float32, is the descriptor `[batch, d]` or, of models whose images are
    matched by reconstruction, a dict: `embedding` `[batch, d]`, a descriptor of the whole image;
    `positions` `[batch, N, d]`, features of length 1; and `foreground` `[batch, N]`, their weights,
    whose sum is 1. N depends on the size of the images.

    Attributes:
      name: as in `--method`.
      recipe: a frozen dataclass type whose defaults are the paper's settings, and choices where the
        paper states none.
      demo: returns the same recipe scaled to minutes on two CPU cores.
      build: `(recipe, info) -> model`, not yet built.
      stages: `(recipe) -> stages`, in the order in which they run.
      flip_averaging: whether the method describes an image by the mean of the descriptors of the
        image and of its mirror image.
      inference: `(model) -> model`, the part that describes and explains images without what only
        training needs; it shares the weights.
      presets: pairs of a field and its value as on a command line -> the settings that go with
        them where all of these fields have that value, and their demo; the last that applies
        counts. Other fields then change these instead of `recipe` and `demo`.
    """

    name: str
    recipe: type
    demo: Callable[[], Any]
    build: Callable[[Any, RecordsInfo], keras.Model]
    stages: Callable[[Any], tuple[Stage, ...]]
    flip_averaging: bool = False
    inference: Callable[[keras.Model], keras.Model] = lambda model: model
    presets: Mapping[tuple[tuple[str, str], ...], tuple[Callable[[], Any], Callable[[], Any]]] = (
        field(default_factory=dict)
    )

    @property
    def choosing(self) -> set[str]:
        """The fields whose values choose a preset."""
        return {name for pairs in self.presets for name, _ in pairs}

    def base_recipe(self, scale: str, given: Mapping[str, Any]) -> Any:
        """Returns the recipe that given fields change.

        Args:
          scale: `"paper"` or `"demo"`.
          given: field, dotted where nested, to value; those that choose no preset do not matter.
        """
        paper, demo = self.recipe, self.demo
        for pairs, preset in self.presets.items():
            if all(str(given.get(name)) == value for name, value in pairs):
                paper, demo = preset
        return demo() if scale == "demo" else paper()

    def recipe_with(self, scale: str, changes: Mapping[str, Any]) -> Any:
        """Returns the recipe with some fields changed.

        Args:
          scale: `"paper"` or `"demo"`.
          changes: field, dotted where nested, to value.

        Raises:
          UsageError: if a field is not known or a value does not fit.
        """
        values = to_json(self.base_recipe(scale, changes))
        for name, value in without_former_fields(self.recipe, changes).items():
            *path, last = name.split(".")
            inner = values
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = value
        return from_json(self.recipe, values)
