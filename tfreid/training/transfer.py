"""Weights of another run as the start of this one, part by part.

A model names its parts: `model.parts` is a mapping from name to layer. Parts of the same name and
the same shapes are copied. Classifiers are not: their classes are the persons of their data.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.methods.base import Stage
from tfreid.training.run import Run
from tfreid.training.saved_steps import newest_checkpoint

LOADED = "loaded"
"""Outcome of a part that was copied; the other outcomes say why it was not."""


@dataclass(frozen=True)
class Origin:
    """A run whose weights another run starts from.

    Attributes:
      path: its folder.
      digest: changes with its weights.
    """

    path: Path
    digest: str

    @classmethod
    def find(cls, path: str | Path, run: Run) -> "Origin":
        """Looks at the run to start from.

        Args:
          path: its folder. Once `run` has a checkpoint, it may be gone.
          run: the run that starts from it.

        Raises:
          MissingPathError: if the folder holds no run.
          DataError: if that run has no checkpoint.
        """
        path = Path(path).resolve()
        try:
            _ = Run(path).description
        except MissingPathError:
            known = run.init_from()
            if known.get("path") != str(path):
                raise
            return cls(path, known["digest"])
        checkpoint = newest_checkpoint(Run(path).checkpoints)
        if checkpoint is None:
            raise DataError(f"init_from={path}: the run has no checkpoint yet; train it first")
        # The index has a checksum of each tensor.
        index = Path(f"{checkpoint}.index").read_bytes()
        return cls(path, hashlib.sha256(index).hexdigest()[:16])

    def load(self, model: keras.Model) -> dict[str, str]:
        """Copies the parts that the run's model and `model`, which is built, have in common.

        Returns:
          Each part of `model` -> its outcome.

        Raises:
          UsageError: if a part does not fit, or there is nothing to copy.
        """
        return copy_parts(Run(self.path).model, model, self.path)

    def report(self, outcomes: Mapping[str, str]) -> str:
        """Returns a line for each part of the model.

        Args:
          outcomes: from `load`.
        """
        lines = (f"\n  {name}: {outcome}" for name, outcome in outcomes.items())
        return f"starting from {self.path}:{''.join(lines)}"

    def to_json(self) -> dict[str, str]:
        """Returns what `recipe.json` says of it."""
        return {"path": str(self.path), "digest": self.digest}


def copy_parts(source: keras.Model, target: keras.Model, path: Path) -> dict[str, str]:
    """Copies the weights of all parts that two models have in common, or none.

    Args:
      source: a model with `parts`.
      target: another, of the same or of another method.
      path: what to call the source in messages.

    Returns:
      Each part of `target` -> `LOADED`, or why not.

    Raises:
      UsageError: if a part differs in shape, or there is nothing to copy.
    """
    theirs, ours = _parts(source), _parts(target)
    outcomes = {name: _outcome(name, theirs) for name in ours}
    common = loaded_parts(outcomes)
    if not common:
        raise UsageError(
            f"init_from={path} has nothing that this model could start from: its parts are "
            f"{', '.join(theirs) or 'not named'}, this model's {', '.join(ours) or 'not named'}"
        )
    misfits = [line for name in common for line in _misfit(name, theirs[name], ours[name])]
    if misfits:
        listed = "".join(f"\n  {line}" for line in misfits)
        raise UsageError(
            f"init_from={path} does not fit this recipe:{listed}\nGive these parts the settings "
            f"that they have in {path}/recipe.json, or start from another run"
        )
    for name in common:
        ours[name].set_weights(theirs[name].get_weights())
    return outcomes


def loaded_parts(outcomes: Mapping[str, str]) -> list[str]:
    """Returns the names of the parts that were copied."""
    return [name for name, outcome in outcomes.items() if outcome == LOADED]


def refuse_untrained(model: keras.Model, stages: Sequence[Stage], loaded: Sequence[str]) -> None:
    """Refuses to train around a part that would keep its random weights.

    Args:
      model: a built model.
      stages: of the run.
      loaded: names of its parts that were copied from another run.

    Raises:
      UsageError: if there is such a part.
    """
    groups = [group for stage in stages for group in stage.groups]
    trained = {id(w) for group in groups for layer in group.layers(model) for w in layer.weights}
    for name, part in _parts(model).items():
        untouched = name not in loaded and not any(id(weight) in trained for weight in part.weights)
        if part.weights and untouched:
            raise UsageError(
                f"no stage of this recipe trains the part {name!r}: give init_from=RUN with the "
                "folder of a run that has trained one, or a recipe that trains it"
            )


def require_start(method: str, stages: Sequence[Stage], init_from: str | Path | None) -> None:
    """Refuses to begin with random weights what goes on from those of another run.

    Args:
      method: name of the method.
      stages: of the run.
      init_from: folder of the run to start from, if one is given.

    Raises:
      UsageError: if none is given and a stage needs one.
    """
    continued = [stage.name for stage in stages if stage.continues]
    if continued and init_from is None:
        raise UsageError(
            f"stage {continued[0]!r} of this recipe of {method} goes on from the weights of an "
            "earlier run: give its folder as init_from=RUN"
        )


def keep_loaded(stage: Stage, loaded: Sequence[str]) -> Stage:
    """Returns the stage with a `start` that leaves the loaded parts as they are.

    Args:
      stage: a stage, which may start parts from published weights.
      loaded: names of the model's parts that were copied from another run.
    """
    if stage.start is None or not loaded:
        return stage

    def start(model):
        with _kept([model.parts[name] for name in loaded]):
            stage.start(model)

    return replace(stage, start=start)


@contextlib.contextmanager
def _kept(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    values = [layer.get_weights() for layer in layers]
    yield
    for layer, weights in zip(layers, values, strict=True):
        layer.set_weights(weights)


def _parts(model: keras.Model) -> Mapping[str, keras.layers.Layer]:
    return getattr(model, "parts", {})


def _outcome(name: str, theirs: Mapping[str, keras.layers.Layer]) -> str:
    if name.endswith("classifier"):
        return "starts anew: its classes are those of its own data"
    return LOADED if name in theirs else "not loaded: that run has no such part"


def _misfit(name, theirs, ours) -> Iterator[str]:
    found, expected = ([tuple(weight.shape) for weight in part.weights] for part in (theirs, ours))
    if len(found) != len(expected):
        yield f"{name}: {len(found)} weights there, {len(expected)} here"
        return
    differing = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
    if differing:
        there, here = differing[0]
        yield (
            f"{name}: {len(differing)} of {len(found)} weights differ in shape, the first "
            f"{there} there, {here} here"
        )
