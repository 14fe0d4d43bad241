"""Draws what covers the trunk: upper and lower clothes, their patterns, collars and scarves."""

import numpy as np

from tfreid.synthetic.drawing.body import Body
from tfreid.synthetic.drawing.look import Look
from tfreid.synthetic.drawing.painter import KEEP, Colour, Tube, tinted

SHORT_SLEEVED = ("t-shirt", "dress")
OPEN_FRONTS = ("coat", "jacket")

_COLLAR = 0.846
_LABELS = {"coat": "coat", "jacket": "coat", "dress": "dress", "jumpsuit": "jumpsuits"}
_HEMS = {
    "t-shirt": 0.51,
    "shirt": 0.50,
    "hoodie": 0.50,
    "jacket": 0.47,
    "coat": 0.33,
    "dress": 0.30,
    "jumpsuit": 0.475,
}


def covers_legs(look: Look) -> bool:
    """Whether the clothes reach down to the shoes."""
    return look.top == "jumpsuit" or (look.top != "dress" and look.bottom == "trousers")


def draw_lower(body: Body) -> None:
    """Draws a skirt, or the part of trousers and shorts around the hips."""
    look, painter = body.look, body.painter
    if look.top in ("dress", "jumpsuit"):
        return
    if look.bottom == "skirt":
        skirt = body.trunk(0.60, 0.31, 1.02, 0.35 + 0.4 * body.pose.stride)
        painter.tube(skirt, look.bottom_colour, body.label("skirt"), (False, False))
        return
    hips = body.trunk(0.60, 0.475, 0.98, -0.12)
    painter.tube(hips, look.bottom_colour, body.label("pants"), (False, True), shading=0.8)


def draw_upper(body: Body) -> None:
    """Draws the upper clothes without their sleeves, and the scarf."""
    look, painter = body.look, body.painter
    flare = {"coat": 0.22, "jumpsuit": -0.1, "dress": 0.4 + 0.4 * body.pose.stride}
    ease = 1.0 if look.top in SHORT_SLEEVED else 1.06
    trunk = body.trunk(_COLLAR, _HEMS[look.top], ease, flare.get(look.top, 0.06))
    painter.tube(trunk, look.top_colour, _label(body), (False, False), shading=0.0)
    _draw_pattern(body, trunk)
    _draw_chest(body, trunk)
    if look.top in OPEN_FRONTS and body.faces_viewer > 0.15:
        _draw_open_front(body, trunk)
    if look.top == "hoodie" and body.faces_viewer < 0.4:
        radii = body.length(0.062), body.length(0.04)
        hood = body.point(0.0, 0.805, -0.03)
        painter.ellipse(hood, radii, tinted(look.top_colour, 0.78), _label(body))
    if look.top in ("dress", "jumpsuit"):
        painter.polygon(trunk.band(0.36, 0.42), tinted(look.pattern_colour, 0.8), KEEP)
    painter.shade(trunk)
    _draw_collar(body, trunk)


def draw_sleeve(body: Body, sleeve: Tube) -> None:
    """Draws a sleeve of the upper clothes."""
    body.painter.tube(sleeve, body.look.top_colour, _label(body), (True, False), shading=0.0)
    _draw_pattern(body, sleeve)
    if body.look.pattern == "block":
        body.painter.polygon(sleeve.band(0, 1), body.look.pattern_colour, KEEP)
    body.painter.shade(sleeve)


def _label(body: Body) -> int:
    return body.label(_LABELS.get(body.look.top, "upper-clothes"))


def _draw_collar(body: Body, trunk: Tube) -> None:
    """Neckline at the front, scarf, and the shadow of the head."""
    look, painter = body.look, body.painter
    if body.faces_viewer > 0.2 and look.top not in OPEN_FRONTS:
        middle = body.turn * 0.7
        neck = [trunk.at(0.0, middle - 0.7), trunk.at(0.0, middle + 0.7), trunk.at(0.15, middle)]
        painter.polygon(neck, tinted(look.skin, 0.9), body.label("face"))
    painter.polygon(trunk.band(0.0, 0.07), (0, 0, 10, 46), KEEP)
    if look.scarf is not None:
        painter.tube(body.trunk(0.862, 0.805, 1.0), look.scarf, body.label("scarf"))


def _draw_open_front(body: Body, trunk: Tube) -> None:
    """Shows what is worn under an open jacket or coat."""
    middle, half = body.turn * 0.75, 0.26 * body.faces_viewer
    front = trunk.band(0.02, 0.62, middle - half, middle + half)
    body.painter.polygon(front, body.look.inner_colour, body.label("upper-clothes"))
    for edge in (middle - half, middle + half):
        line = trunk.band(0.02, 1.0, edge - 0.05, edge + 0.05)
        body.painter.polygon(line, tinted(body.look.top_colour, 0.62), KEEP)


def _draw_chest(body: Body, trunk: Tube) -> None:
    """Draws the parts of a pattern that are on the chest alone."""
    look, polygon = body.look, body.painter.polygon
    if look.pattern == "block":
        polygon(trunk.band(0.0, 0.36), look.pattern_colour, KEEP)
    elif look.pattern == "logo" and body.faces_viewer > -0.1:
        middle, half = body.turn * 0.8, 0.34 * max(body.faces_viewer, 0.3)
        polygon(trunk.band(0.28, 0.52, middle - half, middle + half), look.pattern_colour, KEEP)
        inside = trunk.band(0.35, 0.45, middle - half * 0.6, middle + half * 0.6)
        polygon(inside, tinted(look.pattern_colour, 0.6), KEEP)


def _draw_pattern(body: Body, tube: Tube) -> None:
    """Draws stripes or checks on the trunk or a sleeve."""
    polygon, colour = body.painter.polygon, body.look.pattern_colour
    pitch = body.height * 0.052 / tube.extent
    if body.look.pattern == "stripes":
        for start in np.arange(0.12, 1.0, pitch):
            polygon(tube.band(start, min(start + pitch * 0.45, 1.0)), colour, KEEP)
    elif body.look.pattern == "checks":
        faint: Colour = (*colour[:3], 150)
        for start in np.arange(0.05, 1.0, pitch):
            polygon(tube.band(start, min(start + pitch * 0.35, 1.0)), faint, KEEP)
        for across in np.arange(-0.85, 0.9, 0.42):
            polygon(tube.band(0, 1, across, across + 0.15), faint, KEEP)
