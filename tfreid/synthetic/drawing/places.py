"""Kinds of places, each with the colours and the grounds that suit it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfreid.synthetic.drawing import backdrops, facades, grounds
from tfreid.synthetic.drawing.painter import Colour, Painter, varied

Draw = Callable[[Painter, np.random.Generator, float, Colour, Colour], None]

RED, BLUE, TEAL, YELLOW = (186, 44, 44), (44, 94, 176), (40, 140, 140), (226, 182, 52)
ORANGE, PURPLE, PINK, GREEN = (222, 116, 44), (112, 66, 142), (222, 142, 164), (58, 128, 76)
WHITE, SAND, GREY, BROWN = (230, 228, 222), (204, 182, 144), (140, 142, 146), (122, 82, 54)
LEAF, DARK_LEAF, PALE_LEAF, AUTUMN = (82, 134, 62), (46, 96, 60), (142, 164, 70), (176, 112, 48)

VIVID = (RED, BLUE, YELLOW, GREEN, PURPLE, ORANGE, TEAL, PINK)
LEAVES = (LEAF, AUTUMN, DARK_LEAF, PALE_LEAF)
FLOWERS = (PINK, YELLOW, RED, WHITE, PURPLE)


@dataclass(frozen=True)
class Kind:
    """A kind of place.

    Attributes:
        draw: Draws the backdrop: painter, randomness, the ground's first line, two colours.
        colours: Main colours that suit it; places of one kind take them in turn.
        accents: Second colours that suit it.
        grounds: Keys of `grounds.GROUNDS` that suit it.
    """

    draw: Draw
    colours: tuple[Colour, ...]
    accents: tuple[Colour, ...]
    grounds: tuple[str, ...]


STREET = ("slabs", "cobbles", "asphalt")
INDOOR = ("checker", "platform", "boards")

KINDS = {
    "shopfront": Kind(facades.shopfront, (RED, TEAL, PURPLE, GREEN), VIVID, STREET),
    "hedge": Kind(backdrops.hedge, LEAVES, FLOWERS, ("grass", "slabs", "asphalt")),
    "tiles": Kind(backdrops.tiles, (WHITE, YELLOW, TEAL, PINK), VIVID, INDOOR),
    "bus": Kind(backdrops.bus, (BLUE, RED, YELLOW, GREEN), (WHITE, YELLOW, ORANGE), ("asphalt",)),
    "bricks": Kind(backdrops.bricks, ((158, 70, 52), SAND, BROWN, WHITE), VIVID, STREET),
    "park": Kind(backdrops.park, LEAVES, FLOWERS, ("grass", "cobbles")),
    "glass": Kind(facades.glass, (TEAL, ORANGE, BLUE, GREY), VIVID, ("slabs", "platform")),
    "shutters": Kind(backdrops.shutters, (GREEN, PINK, GREY, ORANGE), VIVID, STREET),
    "fence": Kind(
        backdrops.fence, (BROWN, WHITE, BLUE, GREEN), VIVID, ("grass", "cobbles", "slabs")
    ),
    "posters": Kind(backdrops.posters, (PURPLE, YELLOW, TEAL, RED), VIVID, ("platform", "slabs")),
    "cars": Kind(backdrops.cars, (YELLOW, PURPLE, RED, BLUE), VIVID, ("asphalt", "platform")),
    "containers": Kind(
        backdrops.containers, (ORANGE, BLUE, GREEN, RED), VIVID, ("asphalt", "slabs")
    ),
    "shelves": Kind(backdrops.shelves, (SAND, WHITE, BROWN, GREY), VIVID, INDOOR),
    "stones": Kind(backdrops.stones, (GREY, SAND, (150, 100, 84)), LEAVES, ("cobbles", "grass")),
    "stalls": Kind(facades.stalls, (BLUE, RED, GREEN, YELLOW), (BROWN, GREEN, GREY), STREET),
}
"""By name."""


@dataclass(frozen=True)
class Place:
    """Something persons walk by: what all cameras that see it have in common.

    Attributes:
        kind: Key of `KINDS`.
        ground: Key of `grounds.GROUNDS`.
        colour: Main colour of the backdrop.
        accent: Second colour.
        ground_colour: Colour of the ground.
        seed: Seed of the details.
    """

    kind: str
    ground: str
    colour: Colour
    accent: Colour
    ground_colour: Colour
    seed: tuple[int, ...]


def make_place(kind: str, turn: int, seed: tuple[int, ...]) -> Place:
    """Makes a place.

    Args:
        kind: Key of `KINDS`.
        turn: Counts the places of this kind; neighbouring numbers have different main colours.
        seed: Seed of the rest.

    Returns:
        The place.
    """
    rng = np.random.default_rng(seed)
    suits = KINDS[kind]
    colour = suits.colours[turn % len(suits.colours)]
    accents = [accent for accent in suits.accents if accent != colour]
    ground = suits.grounds[rng.integers(len(suits.grounds))]
    return Place(
        kind=kind,
        ground=ground,
        colour=varied(colour, rng, 14),
        accent=varied(accents[rng.integers(len(accents))], rng, 14),
        ground_colour=varied(grounds.COLOURS[ground], rng, 18),
        seed=(*seed, 1),
    )
