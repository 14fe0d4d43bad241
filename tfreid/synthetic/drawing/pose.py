"""How a person stands or walks: a skeleton in space, seen from a side."""

from dataclasses import dataclass

import numpy as np

THIGH, SHIN, UPPER_ARM, FOREARM, HAND, FOOT = 0.245, 0.235, 0.165, 0.14, 0.05, 0.125
HIP_HEIGHT, SHOULDER_HEIGHT, HEAD_HEIGHT, ANKLE_HEIGHT = 0.525, 0.789, 0.925, 0.035
HIP_SPREAD, SHOULDER_SPREAD = 0.056, 0.102
SIDES = {"left": 1.0, "right": -1.0}
ARM_TASKS = ("swing", "phone", "pocket", "still")


@dataclass(frozen=True)
class Pose:
    """Attitude of a body.

    Attributes:
        yaw: Where it is turned, in radians: 0 faces the viewer, pi/2 faces the picture's right,
            pi shows the back.
        phase: Phase of the walk, in radians.
        stride: Largest angle of the thighs, in radians; near 0 for a person who stands.
        arms: What the left and the right arm do; of `ARM_TASKS`.
        tilt: How far the viewer looks down, in radians.
    """

    yaw: float
    phase: float
    stride: float
    arms: tuple[str, str]
    tilt: float


def draw_pose(rng: np.random.Generator, heading: float | None, tilt: float) -> Pose:
    """Draws a pose of a person who comes or goes along a path.

    Args:
        rng: Source of randomness.
        heading: Direction of the path, in radians, as `Pose.yaw`; None for any.
        tilt: As `Pose.tilt`.
    """
    if heading is None:
        heading = rng.uniform(-np.pi, np.pi)
    walks = rng.random() < 0.75
    away = np.pi * (rng.random() < 0.5)
    task = ARM_TASKS[rng.choice(len(ARM_TASKS), p=(0.66, 0.12, 0.12, 0.1))]
    arms = ("swing", task) if rng.random() < 0.7 else (task, "swing")
    return Pose(
        yaw=float(heading + away + rng.normal(0, 0.6)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        stride=float(rng.uniform(0.28, 0.5) if walks else rng.uniform(0.02, 0.1)),
        arms=arms,
        tilt=tilt,
    )


class Skeleton:
    """Joints of a posed body, and their projection into the picture.

    Body coordinates: x to the person's left, y up from the ground, z forward, in statures.
    """

    def __init__(self, pose: Pose, girth: float) -> None:
        """Places the joints.

        Args:
            pose: Attitude of the body.
            girth: Width of the body relative to the average.
        """
        self.pose = pose
        self.joints: dict[str, np.ndarray] = {}
        spread = 0.64 + 0.41 * girth
        swing = pose.stride * np.sin(pose.phase)
        for (name, side), task in zip(SIDES.items(), pose.arms, strict=True):
            lift = max(0.0, side * np.cos(pose.phase))
            self._place_leg(
                name, side * HIP_SPREAD * spread, side * swing, pose.stride * 1.9 * lift
            )
            self._place_arm(name, side, side * SHOULDER_SPREAD * spread, -side * swing, task)
        lowest = min(self.joints["left_ankle"][1], self.joints["right_ankle"][1])
        for joint in self.joints.values():
            joint[1] += ANKLE_HEIGHT - lowest
        self.rise = ANKLE_HEIGHT - lowest
        """What the trunk is lower or higher than in a standing body."""

    def _place_leg(self, name: str, x: float, angle: float, bend: float) -> None:
        hip = np.array([x, HIP_HEIGHT, 0.0])
        knee = hip + THIGH * _down(angle)
        shin = angle - bend - 0.04
        ankle = knee + SHIN * _down(shin)
        lift = np.clip(-shin * 0.7, -0.35, 0.7)
        ahead = np.array([0.0, -np.sin(lift), np.cos(lift)])
        heel = ankle - 0.03 * ahead + [0, -0.012, 0]
        toe = ankle + [0.0, -0.016, 0.0] + FOOT * 0.72 * ahead + [np.sign(x) * 0.02, 0, 0]
        for joint, place in zip(
            ("hip", "knee", "ankle", "heel", "toe"), (hip, knee, ankle, heel, toe), strict=True
        ):
            self.joints[f"{name}_{joint}"] = place

    def _place_arm(self, name: str, side: float, x: float, swing: float, task: str) -> None:
        reach, bend, spread, turn = {
            "swing": (swing * 0.9, 0.25 + 0.35 * max(swing, 0), 0.14, 0.0),
            "phone": (0.35, 1.9, 0.12, -0.35),
            "pocket": (-0.25, 0.55, 0.3, -0.25),
            "still": (0.02, 0.12, 0.12, 0.0),
        }[task]
        shoulder = np.array([x, SHOULDER_HEIGHT, 0.0])
        elbow = shoulder + UPPER_ARM * _down(reach, side * spread)
        below = _down(reach + bend, side * (spread + turn))
        wrist = elbow + FOREARM * below
        for joint, place in zip(
            ("shoulder", "elbow", "wrist", "hand"),
            (shoulder, elbow, wrist, wrist + HAND * below),
            strict=True,
        ):
            self.joints[f"{name}_{joint}"] = place

    def project(self, point: np.ndarray) -> tuple[float, float, float]:
        """Projects a body point.

        Returns:
            Right and up in the picture, in statures, and nearness to the viewer.
        """
        x, y, z = point
        yaw, tilt = self.pose.yaw, self.pose.tilt
        right = x * np.cos(yaw) + z * np.sin(yaw)
        near = z * np.cos(yaw) - x * np.sin(yaw)
        return right, y - near * np.sin(tilt), near

    def joint(self, name: str) -> tuple[float, float, float]:
        """Projects a joint, such as `left_knee`."""
        return self.project(self.joints[name])


def _down(forward: float, outward: float = 0.0) -> np.ndarray:
    """Unit vector that hangs down, turned forward and outward by the given angles."""
    along = np.cos(outward)
    return np.array([np.sin(outward), -np.cos(forward) * along, np.sin(forward) * along])
