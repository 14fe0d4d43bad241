"""Draws what a person carries. Bags have no LIP class: they are labelled as background."""

import numpy as np

from tfreid.synthetic.drawing.body import Body
from tfreid.synthetic.drawing.painter import KEEP, Tube, tinted

HANDBAG_SIDE = "left"

_SHOWS_BACK = -0.25
_SACK = ((0.80, 0.05), (0.76, 0.078), (0.66, 0.086), (0.585, 0.08), (0.565, 0.06))
"""Height and half width of a backpack, in statures."""


def draw_behind(body: Body) -> None:
    """Draws what is farther away than the body."""
    if body.look.bag == "suitcase":
        _draw_suitcase(body)
    elif body.look.bag == "backpack" and body.faces_viewer >= _SHOWS_BACK:
        _draw_backpack(body)


def draw_strap(body: Body) -> None:
    """Draws what is over the clothes and under the arms."""
    if body.look.bag == "shoulder":
        _draw_shoulder_bag(body)
    elif body.look.bag == "backpack" and body.faces_viewer > 0.3:
        for side in (-0.055, 0.055):
            strap = [body.point(side, height, 0.05) for height in (0.83, 0.74, 0.66)]
            body.painter.line(strap, body.length(0.018), tinted(body.look.bag_colour, 0.75))


def draw_before(body: Body) -> None:
    """Draws what is nearer than the body."""
    if body.look.bag == "backpack" and body.faces_viewer < _SHOWS_BACK:
        _draw_backpack(body)


def draw_handbag(body: Body, hand: Tube) -> None:
    """Draws a handbag under a hand, for persons who carry one."""
    if body.look.bag != "handbag":
        return
    (x, y), size, dark = hand.at(1.0), body.length(0.055), tinted(body.look.bag_colour, 0.6)
    handle = [(x - size * 0.6, y + size), (x, y), (x + size * 0.6, y + size)]
    body.painter.line(handle, body.length(0.008), dark)
    bag = Tube([(x, y + size * 0.8), (x, y + size * 2.6)], [size * 0.85, size * 1.1])
    body.painter.tube(bag, body.look.bag_colour, caps=(False, False))
    body.painter.polygon(bag.band(0.1, 0.2), dark, KEEP)


def _draw_backpack(body: Body) -> None:
    centres = [body.point(0.0, height, -0.105) for height, _ in _SACK]
    radii = [body.length(body.seen_width(half, 0.058)) for _, half in _SACK]
    sack, dark = Tube(centres, radii), tinted(body.look.bag_colour, 0.6)
    body.painter.tube(sack, body.look.bag_colour)
    body.painter.polygon(sack.band(0.55, 0.9, -0.6, 0.6), (*dark, 150), KEEP)
    body.painter.polygon(sack.band(0.3, 0.34, -0.8, 0.8), dark, KEEP)


def _draw_shoulder_bag(body: Body) -> None:
    """A bag at the right hip on a strap over the left shoulder."""
    colour, painter = body.look.bag_colour, body.painter
    around = 0.09 * np.sign(body.faces_viewer)
    strap = [body.point(0.06, 0.83, 0.0), body.point(0.0, 0.7, around), body.point(-0.12, 0.53, 0)]
    painter.line(strap, body.length(0.016), tinted(colour, 0.7))
    if body.turn < -0.75:
        return  # the body hides the bag
    (x, y), half = strap[-1], body.length(0.05 + 0.03 * abs(body.turn))
    bag = Tube([(x, y), (x, y + body.length(0.11))], [half, half * 1.1])
    painter.tube(bag, colour)
    painter.polygon(bag.band(0, 0.45), (*tinted(colour, 0.6), 160), KEEP)


def _draw_suitcase(body: Body) -> None:
    x, y = body.at(body.skeleton.project(np.array([-0.2, 0.0, -0.12])))
    half, height = body.length(0.075), body.length(0.3)
    body.painter.line([(x, y - height), (x, y - height * 1.5)], 1.0, (70, 70, 74))
    case = Tube([(x, y - height), (x, y - 1)], [half, half])
    body.painter.tube(case, body.look.bag_colour, caps=(False, False))
    for across in (-0.5, 0.0, 0.5):
        groove = case.band(0.06, 0.94, across - 0.04, across + 0.04)
        body.painter.polygon(groove, (0, 0, 0, 50), KEEP)
