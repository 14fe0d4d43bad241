"""Draws a person: limbs, trunk and clothes; `head.py` draws what is above the neck.

Labels are those of LIP. Sleeves belong to the clothes and trouser legs to the pants, so arm and leg
are the bare skin, hands included. LIP has no class for bags: they are background.
"""

from collections.abc import Sequence

import numpy as np

from tfreid.datasets.drawing import head
from tfreid.datasets.drawing.look import Look
from tfreid.datasets.drawing.painter import BACKGROUND, KEEP, Painter, Tube, tinted
from tfreid.datasets.drawing.pose import SIDES, Pose, Skeleton
from tfreid.datasets.vocabulary import VOCABULARIES

LABELS = {name: index for index, name in enumerate(VOCABULARIES["lip20"])}
TOP_LABELS = {"coat": "coat", "jacket": "coat", "dress": "dress", "jumpsuit": "jumpsuits"}
BARE_ARMS = ("t-shirt", "dress")
OPEN_FRONTS = ("coat", "jacket")

# Slices of the trunk from the shoulders down: height, half width, half depth, in statures.
TRUNK = (
    (0.846, 0.040, 0.040),
    (0.832, 0.066, 0.050),
    (0.812, 0.098, 0.060),
    (0.775, 0.108, 0.070),
    (0.700, 0.102, 0.074),
    (0.630, 0.086, 0.064),
    (0.565, 0.095, 0.074),
    (0.520, 0.101, 0.078),
)
HEMS = {"t-shirt": 0.51, "shirt": 0.50, "hoodie": 0.50, "jacket": 0.47, "coat": 0.33, "dress": 0.30}


class Figure:
    """A person at a place in the picture."""

    def __init__(
        self,
        painter: Painter,
        look: Look,
        pose: Pose,
        foot: Sequence[float],
        height: float,
        is_subject: bool = True,
    ) -> None:
        """Poses the person.

        Args:
            painter: Draws the shapes.
            look: Appearance.
            pose: Attitude.
            foot: Point on the ground between the feet, in picture units.
            height: Height of a person of average stature, in picture units.
            is_subject: Whether the parts are labelled; others are background.
        """
        self.painter, self.look, self.pose = painter, look, pose
        self.skeleton = Skeleton(pose, look.girth)
        self.foot, self.height = np.asarray(foot, float), height * look.stature
        self.is_subject = is_subject
        self.faces_viewer = float(np.cos(pose.yaw))

    def draw(self) -> None:
        """Draws all parts, the farthest first."""
        near_first = sorted(SIDES, key=lambda side: -self.skeleton.joint(f"{side}_elbow")[2])
        shows_back = self.faces_viewer < -0.25
        if self.look.bag == "backpack" and not shows_back:
            self._backpack()
        if self.look.bag == "suitcase":
            self._suitcase()
        hangs_beside = shows_back or self.faces_viewer > 0.35
        if not hangs_beside:
            self._arm(near_first[1])
        for side in sorted(SIDES, key=lambda side: self.skeleton.joint(f"{side}_knee")[2]):
            self._leg(side)
        head.draw_neck(self)
        self._lower_clothes()
        self._upper_clothes()
        if self.look.bag == "shoulder":
            self._shoulder_bag()
        if hangs_beside:
            self._arm(near_first[1])
        self._arm(near_first[0])
        if self.look.bag == "backpack" and shows_back:
            self._backpack()
        head.draw_head(self)

    def label(self, name: str) -> int:
        """Label of a part: its class, or background where this is not the subject."""
        return LABELS[name] if self.is_subject else BACKGROUND

    def at(self, projected: Sequence[float]) -> np.ndarray:
        """Turns right and up (in statures) into a point of the picture."""
        return self.foot + self.height * np.array([projected[0], -projected[1]])

    def length(self, statures: float) -> float:
        """Turns statures into picture units, wider for the heavier."""
        return statures * self.height * (0.45 + 0.55 * self.look.girth)

    def limb(self, joints: Sequence[str], radii: Sequence[float]) -> Tube:
        """Tube through joints."""
        points = [self.at(self.skeleton.joint(joint)) for joint in joints]
        return Tube(points, [self.length(radius) for radius in radii])

    def trunk(self, top: float, bottom: float, ease: float = 1.0, flare: float = 0.0) -> Tube:
        """Tube of the trunk between two heights; `flare` widens it towards the bottom."""
        table = np.array(TRUNK)
        heights = np.unique(
            np.r_[top, bottom, table[(table[:, 0] < top) & (table[:, 0] > bottom), 0]]
        )
        centres, radii = [], []
        for height in heights[::-1]:
            width, depth = (np.interp(height, table[::-1, 0], table[::-1, i]) for i in (1, 2))
            widening = ease + flare * (top - height) / (top - bottom)
            right, up, radius = self.skeleton.trunk(height, width * widening, depth * widening)
            centres.append(self.at((right, up)))
            radii.append(self.length(radius))
        return Tube(centres, radii)

    def _leg(self, side: str) -> None:
        look, painter = self.look, self.painter
        joints = [f"{side}_{joint}" for joint in ("hip", "knee", "ankle")]
        self._shoe(side)
        bare = self.limb(joints, (0.052, 0.036, 0.022))
        covers_all = look.top == "jumpsuit" or (look.top != "dress" and look.bottom == "trousers")
        if not covers_all:
            painter.tube(bare, look.skin, self.label(f"{side}-leg"))
            if look.socks is not None:
                sock = bare.band(0.82, 1.0, -1.12, 1.12)
                painter.polygon(sock, look.socks, self.label("socks"))
        if covers_all:
            leg = self.limb(joints, (0.058, 0.044, 0.034))
            is_suit = look.top == "jumpsuit"
            colour = look.top_colour if is_suit else look.bottom_colour
            painter.tube(leg, colour, self.label("jumpsuits" if is_suit else "pants"))
            if look.leg_stripe:
                painter.polygon(leg.band(0.05, 0.97, 0.35, 0.7), look.pattern_colour, KEEP)
        elif look.top != "dress" and look.bottom == "shorts":
            joints_to_knee = self.limb(joints[:2], (0.06, 0.052))
            painter.tube(joints_to_knee, look.bottom_colour, self.label("pants"), (True, False))

    def _shoe(self, side: str) -> None:
        shoe = self.limb((f"{side}_heel", f"{side}_toe"), (0.024, 0.019))
        label = self.label(f"{side}-shoe")
        ankle = self.at(self.skeleton.joint(f"{side}_ankle"))
        self.painter.ellipse(ankle, (self.length(0.027),) * 2, self.look.shoes, label)
        self.painter.tube(shoe, self.look.shoes, label, shading=0.6)
        self.painter.polygon(shoe.band(0, 1, -1, -0.55), tinted(self.look.shoes, 0.6), KEEP)

    def _lower_clothes(self) -> None:
        look, painter = self.look, self.painter
        if look.top in ("dress", "jumpsuit"):
            return
        if look.bottom == "skirt":
            skirt = self.trunk(0.60, 0.31, 1.02, 0.35 + 0.4 * self.pose.stride)
            painter.tube(skirt, look.bottom_colour, self.label("skirt"), (False, False))
            return
        hips = self.trunk(0.60, 0.475, 0.98, -0.12)
        painter.tube(hips, look.bottom_colour, self.label("pants"), (False, True), shading=0.8)

    def _upper_clothes(self) -> None:
        look, painter = self.look, self.painter
        label = self.label(TOP_LABELS.get(look.top, "upper-clothes"))
        if look.top == "jumpsuit":
            body = self.trunk(0.846, 0.475, 1.02, -0.1)
        else:
            flare = {"coat": 0.22, "dress": 0.4 + 0.4 * self.pose.stride}.get(look.top, 0.06)
            ease = 1.0 if look.top in BARE_ARMS else 1.06
            body = self.trunk(0.846, HEMS[look.top], ease, flare)
        painter.tube(body, look.top_colour, label, (False, False), shading=0.0)
        self._pattern(body, has_logo=True)
        if look.top in OPEN_FRONTS and self.faces_viewer > 0.15:
            self._open_front(body)
        if look.top == "hoodie" and self.faces_viewer < 0.4:
            centre = self.at(self.skeleton.trunk(0.80, 0, 0)[:2])
            radii = self.length(0.062), self.length(0.045)
            painter.ellipse(centre, radii, tinted(look.top_colour, 0.78), label)
        if look.top in ("dress", "jumpsuit") or (look.top == "coat" and look.leg_stripe):
            painter.polygon(body.band(0.36, 0.42), tinted(look.pattern_colour, 0.8), KEEP)
        painter.shade(body)
        self._collar(body)
        if look.scarf is not None:
            scarf = self.trunk(0.855, 0.80, 0.95)
            painter.tube(scarf, look.scarf, self.label("scarf"))

    def _collar(self, body: Tube) -> None:
        """Neckline at the front, shadow of the head elsewhere."""
        painter, look = self.painter, self.look
        turn = np.sin(self.pose.yaw) * 0.7
        if self.faces_viewer > 0.2 and look.top not in OPEN_FRONTS:
            neck = [body.at(0.0, turn - 0.55), body.at(0.0, turn + 0.55), body.at(0.13, turn)]
            painter.polygon(neck, tinted(look.skin, 0.9), self.label("face"))
        painter.polygon(body.band(0.0, 0.07), (0, 0, 10, 46), KEEP)

    def _open_front(self, body: Tube) -> None:
        """Shows what is worn under an open jacket or coat."""
        turn = np.sin(self.pose.yaw) * 0.75
        half = 0.26 * self.faces_viewer
        front = body.band(0.02, 0.62, turn - half, turn + half)
        inner = self.look.inner_colour
        self.painter.polygon(front, inner, self.label("upper-clothes"))
        for edge in (-half, half):
            line = body.band(0.02, 1.0, turn + edge - 0.05, turn + edge + 0.05)
            self.painter.polygon(line, tinted(self.look.top_colour, 0.62), KEEP)

    def _pattern(self, tube: Tube, has_logo: bool = False) -> None:
        """Draws the pattern of the upper clothes on the trunk or a sleeve."""
        colour, pattern = self.look.pattern_colour, self.look.pattern
        polygon = self.painter.polygon
        if pattern == "stripes":
            pitch = self.height * 0.052 / _extent(tube)
            for start in np.arange(0.12, 1.0, pitch):
                polygon(tube.band(start, min(start + pitch * 0.45, 1.0)), colour, KEEP)
        elif pattern == "checks":
            faint = (*colour[:3], 150)
            pitch = self.height * 0.05 / _extent(tube)
            for start in np.arange(0.05, 1.0, pitch):
                polygon(tube.band(start, min(start + pitch * 0.35, 1.0)), faint, KEEP)
            for across in np.arange(-0.85, 0.9, 0.42):
                polygon(tube.band(0, 1, across, across + 0.15), faint, KEEP)
        elif pattern == "block":
            polygon(tube.band(0.0, 0.34) if has_logo else tube.band(0, 1), colour, KEEP)
        elif pattern == "logo" and has_logo and self.faces_viewer > -0.1:
            turn = np.sin(self.pose.yaw) * 0.8
            half = 0.34 * max(self.faces_viewer, 0.3)
            polygon(tube.band(0.26, 0.5, turn - half, turn + half), colour, KEEP)
            inside = tube.band(0.33, 0.43, turn - half * 0.6, turn + half * 0.6)
            polygon(inside, tinted(colour, 0.6), KEEP)

    def _arm(self, side: str) -> None:
        look, painter = self.look, self.painter
        label = self.label(f"{side}-arm")
        joints = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")]
        hand = self.limb((joints[2], f"{side}_hand"), (0.019, 0.021))
        self._hand(hand, label)
        if look.top in BARE_ARMS:
            painter.tube(self.limb(joints, (0.037, 0.029, 0.020)), look.skin, label)
            joints = joints[:2]
        sleeve = self.limb(joints, (0.037, 0.038, 0.029)[: len(joints)])
        if look.top in BARE_ARMS:
            sleeve = Tube([sleeve.at(0), sleeve.at(0.7)], [self.length(0.037), self.length(0.041)])
        name = TOP_LABELS.get(look.top, "upper-clothes")
        painter.tube(sleeve, look.top_colour, self.label(name), (True, False), shading=0.0)
        self._pattern(sleeve)
        painter.shade(sleeve)
        if self.look.bag == "handbag" and side == "left":
            self._handbag(self.at(self.skeleton.joint("left_hand")))

    def _hand(self, hand: Tube, label: int) -> None:
        if self.look.gloves is None:
            self.painter.tube(hand, self.look.skin, label, shading=0.7)
        else:
            self.painter.tube(hand, self.look.gloves, self.label("glove"), shading=0.7)

    def _backpack(self) -> None:
        """A sack behind the back; from the front only its sides and straps show."""
        yaw = self.pose.yaw
        behind = -0.105
        points = [(0.80, 0.05), (0.76, 0.078), (0.66, 0.086), (0.585, 0.08), (0.565, 0.06)]
        centres, radii = [], []
        for height, half in points:
            place = self.skeleton.project(np.array([0.0, height + self.skeleton.rise, behind]))
            centres.append(self.at(place))
            radii.append(self.length(float(np.hypot(half * np.cos(yaw), 0.058 * np.sin(yaw)))))
        sack = Tube(centres, radii)
        self.painter.tube(sack, self.look.bag_colour)
        dark = tinted(self.look.bag_colour, 0.6)
        self.painter.polygon(sack.band(0.55, 0.9, -0.6, 0.6), (*dark, 150), KEEP)
        self.painter.polygon(sack.band(0.3, 0.34, -0.8, 0.8), dark, KEEP)

    def _shoulder_bag(self) -> None:
        """A bag at the right hip on a strap over the left shoulder."""
        strap = [
            (0.06, 0.83, 0.0),
            (0.0, 0.7, 0.09 * np.sign(self.faces_viewer)),
            (-0.12, 0.53, 0.0),
        ]
        points = [self.at(self.skeleton.project(np.array(place))) for place in strap]
        self.painter.line(points, self.length(0.016), tinted(self.look.bag_colour, 0.7))
        if self.skeleton.project(np.array([-0.13, 0.5, 0.0]))[2] > -0.1:
            width = self.length(0.05 + 0.03 * abs(np.sin(self.pose.yaw)))
            x, y = points[-1]
            bag = Tube([(x, y), (x, y + self.length(0.11))], [width, width * 1.1])
            self.painter.tube(bag, self.look.bag_colour)
            self.painter.polygon(bag.band(0, 0.45), (*tinted(self.look.bag_colour, 0.6), 160), KEEP)

    def _handbag(self, hand: np.ndarray) -> None:
        x, y = hand
        size = self.length(0.055)
        self.painter.line(
            [(x - size * 0.6, y + size), (x, y), (x + size * 0.6, y + size)],
            0.8,
            tinted(self.look.bag_colour, 0.6),
        )
        bag = Tube([(x, y + size * 0.8), (x, y + size * 2.6)], [size * 0.85, size * 1.1])
        self.painter.tube(bag, self.look.bag_colour, caps=(False, False))

    def _suitcase(self) -> None:
        x, y = self.at(self.skeleton.project(np.array([-0.2, 0.0, -0.12])))
        half, height = self.length(0.075), self.length(0.3)
        self.painter.line([(x, y - height), (x, y - height * 1.5)], 1.0, (70, 70, 74))
        case = Tube([(x, y - height), (x, y - 1)], [half, half])
        self.painter.tube(case, self.look.bag_colour, caps=(False, False))
        for across in (-0.5, 0.0, 0.5):
            self.painter.polygon(
                case.band(0.06, 0.94, across - 0.04, across + 0.04), (0, 0, 0, 50), KEEP
            )


def _extent(tube: Tube) -> float:
    """Length of a tube's centre line."""
    return float(np.linalg.norm(np.diff(tube.centres, axis=0), axis=1).sum())
