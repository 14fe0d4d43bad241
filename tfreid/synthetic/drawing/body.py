"""A posed body at a place in the picture: where its joints and its trunk are, in picture units."""

from collections.abc import Sequence

import numpy as np

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.synthetic.drawing.look import Look
from tfreid.synthetic.drawing.painter import BACKGROUND, Painter, Tube
from tfreid.synthetic.drawing.pose import Pose, Skeleton

LABELS = {name: index for index, name in enumerate(VOCABULARIES["lip20"])}

# Slices of the trunk from the hips up: height, half width, half depth, in statures.
_TRUNK = np.array(
    [
        (0.520, 0.101, 0.078),
        (0.565, 0.095, 0.074),
        (0.630, 0.086, 0.064),
        (0.700, 0.102, 0.074),
        (0.775, 0.108, 0.070),
        (0.812, 0.098, 0.060),
        (0.832, 0.066, 0.050),
        (0.846, 0.040, 0.040),
    ]
)


class Body:
    """What the parts of a person are drawn on."""

    def __init__(
        self,
        painter: Painter,
        look: Look,
        pose: Pose,
        foot: Sequence[float],
        height: float,
        is_subject: bool = True,
    ) -> None:
        """Poses the body.

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
        """1 from the front, 0 from a side, -1 from behind."""
        self.turn = float(np.sin(pose.yaw))
        """How far the front is to the right in the picture, in [-1, 1]."""

    def label(self, name: str) -> int:
        """Label of a part: its class, or background where this is not the subject."""
        return LABELS[name] if self.is_subject else BACKGROUND

    def at(self, projected: Sequence[float]) -> np.ndarray:
        """Turns right and up (in statures) into a point of the picture."""
        return self.foot + self.height * np.array([projected[0], -projected[1]])

    def point(self, x: float, height: float, forward: float) -> np.ndarray:
        """Point of the picture at a place of the standing body, in statures."""
        place = np.array([x, height + self.skeleton.rise, forward])
        return self.at(self.skeleton.project(place))

    def joint(self, name: str) -> np.ndarray:
        """Point of the picture where a joint is, such as `left_knee`."""
        return self.at(self.skeleton.joint(name))

    def length(self, statures: float) -> float:
        """Turns a width in statures into picture units, wider for the heavier."""
        return statures * self.height * (0.5 + 0.56 * self.look.girth)

    def seen_width(self, half_width: float, half_depth: float) -> float:
        """Half of the width, in statures, at which something with these half axes appears."""
        return float(np.hypot(half_width * self.faces_viewer, half_depth * self.turn))

    def limb(self, joints: Sequence[str], radii: Sequence[float]) -> Tube:
        """Tube through joints; radii in statures."""
        return Tube([self.joint(name) for name in joints], [self.length(r) for r in radii])

    def trunk(self, top: float, bottom: float, ease: float = 1.0, flare: float = 0.0) -> Tube:
        """Tube of the trunk.

        Args:
            top: Its upper end, in statures.
            bottom: Its lower end; may be below the hips, for skirts.
            ease: Width relative to the body's.
            flare: What is added to `ease` towards the lower end.
        """
        inner = [height for height in _TRUNK[::-1, 0] if bottom < height < top]
        heights = np.array([top, *inner, bottom])
        widening = ease + flare * (top - heights) / (top - bottom)
        widths = np.interp(heights, _TRUNK[:, 0], _TRUNK[:, 1]) * widening
        depths = np.interp(heights, _TRUNK[:, 0], _TRUNK[:, 2]) * widening
        radii = [self.seen_width(*half_axes) for half_axes in zip(widths, depths, strict=True)]
        centres = [self.point(0.0, height, 0.012) for height in heights]
        return Tube(centres, [self.length(radius) for radius in radii])
