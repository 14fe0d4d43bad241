"""Draws neck, face, hair, hat and glasses of a body."""

import numpy as np

from tfreid.synthetic.drawing.body import Body
from tfreid.synthetic.drawing.painter import KEEP, Tube, tinted
from tfreid.synthetic.drawing.pose import HEAD_HEIGHT

HALF_WIDTH, HALF_DEPTH, HALF_HEIGHT = 0.047, 0.058, 0.069

_HANGING = {"long": -0.13, "bob": -0.055}
"""How far down hair hangs, in statures from the middle of the head."""
_FRONT = 0.3
"""How far a head faces the viewer when its hair hangs behind the shoulders."""


def draw_neck(body: Body) -> None:
    """Draws the neck; the trunk covers its lower end."""
    top, bottom = (_place(body, 0.0, down, 0.0) for down in (-0.03, -0.115))
    neck = Tube([top, bottom], [body.length(0.032), body.length(0.036)])
    body.painter.tube(neck, tinted(body.look.skin, 0.86), body.label("face"))


def draw_hair_behind(body: Body) -> None:
    """Draws the hair that shoulders hide from the front; before the neck and the clothes."""
    if body.faces_viewer > _FRONT:
        _hanging_hair(body)


def draw_head(body: Body) -> None:
    """Draws the head, the farthest parts first."""
    shows_face = body.faces_viewer > -0.45
    if shows_face and body.faces_viewer <= _FRONT:
        _hanging_hair(body)
    _skull(body)
    if shows_face:
        _face(body)
    else:
        _hanging_hair(body)
    if body.faces_viewer > _FRONT:
        _locks(body)
    _hat(body)


def _place(body: Body, x: float, up: float, forward: float) -> np.ndarray:
    """Point of the picture at an offset, in statures, from the middle of the head."""
    return body.point(x, HEAD_HEIGHT + up, 0.02 + forward)


def _skull(body: Body) -> None:
    """The whole head in the hair's colour (the skin's for the bald)."""
    look, painter = body.look, body.painter
    is_bald = look.haircut == "bald"
    colour, name = (look.skin, "face") if is_bald else (look.hair, "hair")
    volume = 1.0 if is_bald else {"short": 1.06, "bob": 1.16, "long": 1.12}.get(look.haircut, 1.06)
    radii = np.array([body.seen_width(HALF_WIDTH, HALF_DEPTH), HALF_HEIGHT]) * body.height * volume
    centre = _place(body, 0.0, 0.004 * volume, 0.0)
    painter.ellipse(centre, radii, colour, body.label(name))
    toward = np.asarray(painter.light) * radii * 0.35
    painter.ellipse(centre + toward, np.multiply(radii, 0.5), (255, 245, 225, 26), KEEP)


def _face(body: Body) -> None:
    """Face, ear, eyes, nose and mouth as far as they are turned to the viewer."""
    look, painter, height = body.look, body.painter, body.height
    label = body.label("face")
    seen = 0.5 + 0.5 * body.faces_viewer
    centre = _place(body, 0.0, -0.014, 0.026)
    radii = height * (0.028 + 0.016 * seen), height * 0.056
    painter.ellipse(centre, radii, look.skin, label)
    painter.ellipse(
        _place(body, 0.0, -0.045, 0.03), (radii[0] * 0.8, height * 0.026), look.skin, label
    )
    for side in (1, -1):
        ear = body.skeleton.project(np.array([side * HALF_WIDTH, HEAD_HEIGHT, 0.0]))
        if ear[2] > -0.01 and look.haircut not in ("long", "bob"):
            place = _place(body, side * HALF_WIDTH, -0.012, 0.0)
            painter.ellipse(place, (height * 0.008, height * 0.014), tinted(look.skin, 0.88), label)
    if look.haircut == "short" or look.hat == "none":
        _fringe(body)
    if body.faces_viewer > -0.2:
        _features(body)
    shade = np.asarray(painter.light) * radii * -0.55
    painter.ellipse(centre + shade, np.multiply(radii, (0.45, 0.8)), (20, 0, 0, 34), KEEP)


def _fringe(body: Body) -> None:
    """Hair over the forehead."""
    if body.look.haircut == "bald":
        return
    centre = _place(body, 0.0, 0.05, 0.02)
    radii = body.height * body.seen_width(HALF_WIDTH, HALF_DEPTH * 0.9), body.height * 0.026
    body.painter.ellipse(centre, radii, body.look.hair, body.label("hair"))


def _features(body: Body) -> None:
    painter, height, skin = body.painter, body.height, body.look.skin
    for side in (1, -1):
        eye = np.array([side * 0.02, 0.0, 0.045])
        if body.skeleton.project(eye)[2] > 0.0:
            spot = _place(body, eye[0], 0.0, eye[2])
            painter.ellipse(spot, (height * 0.0075, height * 0.0055), (40, 30, 28), KEEP)
            painter.ellipse(
                spot - [0, height * 0.012],
                (height * 0.01, height * 0.003),
                tinted(skin, 0.55),
                KEEP,
            )
    nose = _place(body, 0.0, -0.018, 0.062)
    painter.ellipse(nose, (height * 0.007, height * 0.011), tinted(skin, 0.88), body.label("face"))
    mouth = _place(body, 0.0, -0.04, 0.052)
    painter.ellipse(mouth, (height * 0.013, height * 0.0045), tinted(skin, 0.62), KEEP)
    if body.look.sunglasses:
        glasses = [_place(body, side * 0.034, 0.001, 0.045) for side in (1, -1)]
        label = body.label("sunglasses")
        painter.line(glasses, height * 0.021, (22, 22, 26), label)


def _hanging_hair(body: Body) -> None:
    """Hair that is not on the skull: to the chin or the shoulders, a tail or a bun."""
    look, painter, height = body.look, body.painter, body.height
    label = body.label("hair")
    if look.haircut == "bun":
        painter.ellipse(_place(body, 0.0, 0.04, -0.066), (height * 0.03,) * 2, look.hair, label)
        return
    if look.haircut == "ponytail":
        places = [(0.03, -0.06), (-0.02, -0.085), (-0.11, -0.075)]
        radii = [height * radius for radius in (0.016, 0.02, 0.01)]
    elif look.haircut in _HANGING:
        places = [(0.02, -0.01), (-0.04, -0.02), (_HANGING[look.haircut], -0.03)]
        half = height * body.seen_width(HALF_WIDTH, HALF_DEPTH * 0.75)
        radii = [half * 1.1, half * 1.22, half * 1.05]
    else:
        return
    points = [_place(body, 0.0, up, forward) for up, forward in places]
    painter.tube(Tube(points, radii), look.hair, label, shading=0.7)


def _locks(body: Body) -> None:
    """Hair beside the face."""
    if body.look.haircut not in _HANGING:
        return
    end = _HANGING[body.look.haircut]
    for side in (1, -1):
        places = [(0.040, 0.03), (0.050, -0.02), (0.048, end)]
        points = [_place(body, side * out, up, -0.02) for out, up in places]
        lock = Tube(points, [body.height * radius for radius in (0.010, 0.014, 0.010)])
        body.painter.tube(lock, body.look.hair, body.label("hair"), shading=0.5)


def _hat(body: Body) -> None:
    look, painter, height = body.look, body.painter, body.height
    if look.hat == "none":
        return
    label = body.label("hat")
    half = body.height * body.seen_width(HALF_WIDTH, HALF_DEPTH) * 1.12
    low = 0.026 if look.hat == "beanie" else 0.032
    middle, brim = _place(body, 0.0, low, 0.0), _place(body, 0.0, low, 0.075)
    crown = _dome(middle, half, height * (0.062 if look.hat == "beanie" else 0.055))
    painter.polygon(crown, look.hat_colour, label)
    painter.polygon(_dome(middle, half * 0.95, height * 0.05)[12:], (0, 0, 0, 30), KEEP)
    dark = tinted(look.hat_colour, 0.75)
    if look.hat == "cap" and body.faces_viewer > -0.5:
        radii = half * 0.45 + abs(brim[0] - middle[0]) * 0.4, height * 0.011
        painter.ellipse(0.6 * brim + 0.4 * middle, radii, dark, label)
    elif look.hat == "brim":
        painter.ellipse(middle, (half * 1.65, height * 0.016), dark, label)
    elif look.hat == "beanie":
        painter.line(crown[[0, -1]], height * 0.02, dark, label)


def _dome(base: np.ndarray, half_width: float, rise: float) -> np.ndarray:
    """Upper half of an ellipse over a base line."""
    angles = np.linspace(np.pi, 2 * np.pi, 24)
    return base + np.column_stack([half_width * np.cos(angles), rise * np.sin(angles)])
