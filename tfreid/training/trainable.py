"""Which variables a stage trains."""

from collections.abc import Sequence

import keras

from tfreid.errors import TrainingError
from tfreid.methods.base import Group, Stage


def freeze_all_but(model: keras.Model, stage: Stage) -> list[list[keras.Variable]]:
    """Makes the layers of the stage's groups trainable and freezes all others.

    The batch normalisation of a frozen layer runs in inference mode.

    Args:
      model: a built model.
      stage: the stage that is about to run.

    Returns:
      The variables that each group trains, in the order of `stage.groups`.

    Raises:
      TrainingError: if a group is empty or shares a variable with another.
    """
    # Setting the value that a layer has already does nothing, not even to its sublayers, which
    # an earlier stage may have changed: hence first the one, then the other.
    model.trainable = True
    model.trainable = False
    layers = [list(group.layers(model)) for group in stage.groups]
    for layer in (layer for group in layers for layer in group):
        layer.trainable = True
    variables = [_unique(layer.trainable_variables for layer in group) for group in layers]
    _check(stage, variables)
    return variables


def _unique(lists: Sequence[Sequence[keras.Variable]]) -> list[keras.Variable]:
    return list({id(variable): variable for group in lists for variable in group}.values())


def _check(stage: Stage, variables: Sequence[Sequence[keras.Variable]]) -> None:
    owners: dict[int, Group] = {}
    if not stage.groups:
        raise TrainingError(f"stage {stage.name!r} has no group of layers to train")
    for group, members in zip(stage.groups, variables, strict=True):
        if not members:
            raise TrainingError(
                f"group {group.name!r} of stage {stage.name!r} has no trainable variables: its "
                "layers are not built, or it names none"
            )
        for variable in members:
            owner = owners.setdefault(id(variable), group)
            if owner is not group:
                raise TrainingError(
                    f"groups {owner.name!r} and {group.name!r} of stage {stage.name!r} both "
                    f"train {variable.path}; a variable belongs to one group"
                )
