"""Draws a person: the order of the parts, and the limbs.

Labels are those of LIP. Sleeves belong to the upper clothes and trouser legs to the pants, so arm
and leg are the bare skin, hands included. LIP has no class for bags: they are background.
"""

from collections.abc import Sequence

from tfreid.synthetic.drawing import bags, clothes, head
from tfreid.synthetic.drawing.body import Body
from tfreid.synthetic.drawing.look import Look
from tfreid.synthetic.drawing.painter import KEEP, Painter, Tube, tinted
from tfreid.synthetic.drawing.pose import SIDES, Pose


def draw_figure(
    painter: Painter,
    look: Look,
    pose: Pose,
    foot: Sequence[float],
    height: float,
    is_subject: bool = True,
) -> None:
    """Draws a person; the arguments are those of `Body`."""
    body = Body(painter, look, pose, foot, height, is_subject)
    far_arm, near_arm = sorted(SIDES, key=lambda side: body.skeleton.joint(f"{side}_elbow")[2])
    arms_hang_beside = abs(body.turn) < 0.95
    bags.draw_behind(body)
    if not arms_hang_beside:
        _draw_arm(body, far_arm)
    for side in sorted(SIDES, key=lambda side: body.skeleton.joint(f"{side}_knee")[2]):
        _draw_leg(body, side)
    head.draw_hair_behind(body)
    head.draw_neck(body)
    clothes.draw_lower(body)
    clothes.draw_upper(body)
    bags.draw_strap(body)
    if arms_hang_beside:
        _draw_arm(body, far_arm)
    _draw_arm(body, near_arm)
    bags.draw_before(body)
    head.draw_head(body)


def _draw_leg(body: Body, side: str) -> None:
    look, painter = body.look, body.painter
    joints = [f"{side}_{joint}" for joint in ("hip", "knee", "ankle")]
    _draw_shoe(body, side)
    if clothes.covers_legs(look):
        leg = body.limb(joints, (0.058, 0.044, 0.034))
        is_suit = look.top == "jumpsuit"
        colour = look.top_colour if is_suit else look.bottom_colour
        painter.tube(leg, colour, body.label("jumpsuits" if is_suit else "pants"))
        if look.leg_stripe:
            painter.polygon(leg.band(0.05, 0.97, 0.35, 0.7), look.pattern_colour, KEEP)
        return
    leg = body.limb(joints, (0.052, 0.036, 0.022))
    painter.tube(leg, look.skin, body.label(f"{side}-leg"))
    if look.socks is not None:
        painter.polygon(leg.band(0.8, 1.0, -1.12, 1.12), look.socks, body.label("socks"))
    if look.top != "dress" and look.bottom == "shorts":
        thigh = body.limb(joints[:2], (0.06, 0.052))
        painter.tube(thigh, look.bottom_colour, body.label("pants"), (True, False))


def _draw_shoe(body: Body, side: str) -> None:
    painter, colour = body.painter, body.look.shoes
    shoe = body.limb((f"{side}_heel", f"{side}_toe"), (0.024, 0.019))
    label = body.label(f"{side}-shoe")
    painter.ellipse(body.joint(f"{side}_ankle"), (body.length(0.027),) * 2, colour, label)
    painter.tube(shoe, colour, label, shading=0.6)
    painter.polygon(shoe.band(0, 1, -1, -0.55), tinted(colour, 0.6), KEEP)


def _draw_arm(body: Body, side: str) -> None:
    look, painter = body.look, body.painter
    label = body.label(f"{side}-arm")
    joints = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")]
    hand = body.limb((joints[2], f"{side}_hand"), (0.019, 0.021))
    if look.gloves is None:
        painter.tube(hand, look.skin, label, shading=0.7)
    else:
        painter.tube(hand, look.gloves, body.label("glove"), shading=0.7)
    sleeve = body.limb(joints, (0.037, 0.038, 0.029))
    if look.top in clothes.SHORT_SLEEVED:
        painter.tube(body.limb(joints, (0.035, 0.029, 0.020)), look.skin, label)
        radii = body.length(0.037), body.length(0.041)
        sleeve = Tube([sleeve.at(0), sleeve.at(0.36)], radii)
    clothes.draw_sleeve(body, sleeve)
    if side == bags.HANDBAG_SIDE:
        bags.draw_handbag(body, hand)
