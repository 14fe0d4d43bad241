"""Mask vocabularies: the names of the classes in a mask, and how one maps to another."""

from tfreid.errors import UsageError

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "lip20": (
        "background",
        "hat",
        "hair",
        "glove",
        "sunglasses",
        "upper-clothes",
        "dress",
        "coat",
        "socks",
        "pants",
        "jumpsuits",
        "scarf",
        "skirt",
        "face",
        "left-arm",
        "right-arm",
        "left-leg",
        "right-leg",
        "left-shoe",
        "right-shoe",
    ),
    "regions4": ("background", "head", "upper-torso", "lower-torso"),
    "binary": ("background", "foreground"),
}
"""Class names by vocabulary; a class's index in its tuple is its value in a mask."""

_LIP20_TO_REGIONS4 = (0, 1, 1, 2, 1, 2, 2, 2, 3, 3, 2, 2, 3, 1, 2, 2, 3, 3, 3, 3)


def lookup(source: str, target: str) -> tuple[int, ...]:
    """Returns the table that maps the classes of one vocabulary to those of another.

    Args:
        source: Vocabulary of the masks at hand.
        target: Vocabulary wanted.

    Returns:
        The target class of each source class: `numpy.take(table, mask)` converts a mask.

    Raises:
        UsageError: A vocabulary is unknown, or the source does not tell the target's classes apart.
    """
    for name in (source, target):
        if name not in VOCABULARIES:
            raise UsageError(
                f"unknown mask vocabulary {name!r}: expected one of {', '.join(VOCABULARIES)}"
            )
    classes = range(len(VOCABULARIES[source]))
    if source == target:
        return tuple(classes)
    if target == "binary":
        return tuple(min(index, 1) for index in classes)
    if (source, target) == ("lip20", "regions4"):
        return _LIP20_TO_REGIONS4
    raise UsageError(
        f"masks in {source} cannot be converted to {target}: {source} does not tell its classes "
        "apart; give masks in a finer vocabulary"
    )
