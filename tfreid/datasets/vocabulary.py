"""Mask vocabularies: the names of the classes in a mask, and how one maps to another."""

from collections.abc import Iterable

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
    "atr18": (
        "background",
        "hat",
        "hair",
        "sunglasses",
        "upper-clothes",
        "skirt",
        "pants",
        "dress",
        "belt",
        "left-shoe",
        "right-shoe",
        "face",
        "left-leg",
        "right-leg",
        "left-arm",
        "right-arm",
        "bag",
        "scarf",
    ),
    "regions4": ("background", "head", "upper-torso", "lower-torso"),
    "binary": ("background", "foreground"),
}
"""Class names by vocabulary, from fine to coarse; a class's index is its value in a mask."""

_TO_REGIONS4 = {
    "lip20": (0, 1, 1, 2, 1, 2, 2, 2, 3, 3, 2, 2, 3, 1, 2, 2, 3, 3, 3, 3),
    # Belts go with the trousers and skirts that they hold. A bag is no part of the person, as in
    # LIP and COCO, which count it to the background: networks are trained on these together.
    "atr18": (0, 1, 1, 1, 2, 3, 3, 2, 3, 3, 3, 1, 3, 3, 2, 2, 0, 2),
}


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
    if not _converts(source, target):
        raise UsageError(
            f"masks in {source} cannot be converted to {target}: {source} does not tell its "
            "classes apart; give masks in a finer vocabulary"
        )
    classes = tuple(range(len(VOCABULARIES[source])))
    if source == target:
        return classes
    regions = _TO_REGIONS4.get(source, classes)
    return regions if target == "regions4" else tuple(min(region, 1) for region in regions)


def common_vocabulary(sources: Iterable[str]) -> str:
    """Returns the finest vocabulary to which masks of all the given ones can be converted."""
    sources = set(sources)
    return next(
        target for target in VOCABULARIES if all(_converts(source, target) for source in sources)
    )


def _converts(source: str, target: str) -> bool:
    to_regions = target == "regions4" and source in _TO_REGIONS4
    return source == target or target == "binary" or to_regions
