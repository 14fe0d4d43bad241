"""What a person looks like: body, hair, clothes, bag. This is what identity means here."""

from dataclasses import dataclass

import numpy as np

from tfreid.synthetic.drawing.painter import Colour, varied

CLOTH_COLOURS: dict[str, Colour] = {
    "black": (34, 34, 40),
    "grey": (124, 126, 132),
    "white": (228, 226, 220),
    "navy": (34, 46, 92),
    "blue": (52, 106, 186),
    "red": (184, 40, 44),
    "green": (50, 116, 70),
    "yellow": (222, 182, 56),
    "brown": (110, 74, 48),
    "beige": (196, 172, 134),
    "pink": (218, 132, 156),
    "purple": (104, 62, 132),
    "orange": (222, 112, 40),
    "turquoise": (54, 152, 160),
}
TOP_WEIGHTS = (5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2)
BOTTOM_WEIGHTS = (5, 4, 1.5, 4, 4, 1, 1.5, 0.5, 2.5, 3, 0.7, 0.7, 0.5, 0.7)
SHOE_WEIGHTS = (5, 2, 4, 1, 1, 1.5, 0.5, 0.5, 3, 1, 0.5, 0.2, 0.5, 0.3)

SKINS: tuple[Colour, ...] = (
    (244, 210, 186),
    (230, 188, 156),
    (204, 156, 120),
    (156, 108, 78),
    (104, 70, 52),
)
HAIRS: tuple[Colour, ...] = (
    (28, 24, 24),
    (58, 40, 30),
    (104, 70, 42),
    (186, 146, 84),
    (140, 62, 34),
    (168, 166, 164),
)

TOPS = {
    "t-shirt": 4,
    "shirt": 4,
    "hoodie": 2.5,
    "jacket": 3,
    "coat": 2,
    "dress": 1.5,
    "jumpsuit": 0.5,
}
BOTTOMS = {"trousers": 6, "shorts": 2, "skirt": 1.6}
PATTERNS = {"plain": 5, "stripes": 2, "checks": 1.5, "logo": 2, "block": 1.5}
HAIRCUTS = {"short": 5, "long": 3, "bob": 2, "bun": 1.2, "ponytail": 1.5, "bald": 0.8}
HATS = {"none": 8, "cap": 1.2, "beanie": 1, "brim": 0.6}
BAGS = {"none": 4, "backpack": 2.5, "shoulder": 2, "handbag": 1.5, "suitcase": 0.5}


@dataclass(frozen=True)
class Look:
    """A person's appearance; the same in all of the person's images.

    Attributes:
        stature: Body height relative to the average.
        girth: Width of trunk and limbs relative to the average.
        skin: Colour of the skin.
        haircut: Key of `HAIRCUTS`.
        hair: Colour of the hair.
        hat: Key of `HATS`.
        hat_colour: Colour of the hat.
        sunglasses: Whether the person wears sunglasses.
        scarf: Colour of the scarf, or None.
        gloves: Colour of the gloves, or None.
        top: Key of `TOPS`.
        top_colour: Colour of the upper clothes.
        pattern: Key of `PATTERNS`.
        pattern_colour: Second colour of the upper clothes.
        inner_colour: Colour of what is under an open jacket or coat.
        bottom: Key of `BOTTOMS`; a dress or jumpsuit replaces it.
        bottom_colour: Colour of the lower clothes.
        leg_stripe: Whether a stripe of `pattern_colour` runs down the trousers.
        socks: Colour of socks that show, or None.
        shoes: Colour of the shoes.
        bag: Key of `BAGS`.
        bag_colour: Colour of the bag.
    """

    stature: float
    girth: float
    skin: Colour
    haircut: str
    hair: Colour
    hat: str
    hat_colour: Colour
    sunglasses: bool
    scarf: Colour | None
    gloves: Colour | None
    top: str
    top_colour: Colour
    pattern: str
    pattern_colour: Colour
    inner_colour: Colour
    bottom: str
    bottom_colour: Colour
    leg_stripe: bool
    socks: Colour | None
    shoes: Colour
    bag: str
    bag_colour: Colour


def draw_look(rng: np.random.Generator) -> Look:
    """Draws an appearance; colours and kinds have the frequencies of the tables above."""
    top = _choose(rng, TOPS)
    top_name = _colour_name(rng, TOP_WEIGHTS)
    others = [w * (name != top_name) for name, w in zip(CLOTH_COLOURS, TOP_WEIGHTS, strict=True)]
    is_warm = top in ("coat", "jacket", "hoodie")
    haircut = _choose(rng, HAIRCUTS)
    return Look(
        stature=float(np.clip(rng.normal(1, 0.035), 0.92, 1.08)),
        girth=float(np.clip(rng.normal(1, 0.12), 0.8, 1.35)),
        skin=SKINS[rng.choice(len(SKINS), p=(0.28, 0.28, 0.2, 0.14, 0.1))],
        haircut=haircut,
        hair=HAIRS[rng.choice(len(HAIRS), p=(0.3, 0.24, 0.18, 0.14, 0.06, 0.08))],
        hat=_choose(rng, HATS),
        hat_colour=_colour(rng, TOP_WEIGHTS),
        sunglasses=bool(rng.random() < 0.1),
        scarf=_colour(rng, TOP_WEIGHTS) if is_warm and rng.random() < 0.3 else None,
        gloves=_colour(rng, SHOE_WEIGHTS) if is_warm and rng.random() < 0.2 else None,
        top=top,
        top_colour=varied(CLOTH_COLOURS[top_name], rng, 8),
        pattern=_choose(rng, PATTERNS),
        pattern_colour=_colour(rng, others),
        inner_colour=_colour(rng, others),
        bottom=_choose(rng, BOTTOMS),
        bottom_colour=_colour(rng, BOTTOM_WEIGHTS),
        leg_stripe=bool(rng.random() < 0.12),
        socks=_colour(rng, SHOE_WEIGHTS) if rng.random() < 0.4 else None,
        shoes=_colour(rng, SHOE_WEIGHTS),
        bag=_choose(rng, BAGS),
        bag_colour=_colour(rng, TOP_WEIGHTS),
    )


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    share = np.array(list(weights.values()), float)
    return list(weights)[rng.choice(len(share), p=share / share.sum())]


def _colour_name(rng: np.random.Generator, weights) -> str:
    share = np.asarray(weights, float)
    return list(CLOTH_COLOURS)[rng.choice(len(share), p=share / share.sum())]


def _colour(rng: np.random.Generator, weights) -> Colour:
    return varied(CLOTH_COLOURS[_colour_name(rng, weights)], rng, 8)
