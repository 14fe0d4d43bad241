"""From a pose to regions: each place belongs to the part of the body that it is nearest to."""

import numpy as np

GRID = 128
"""Places along each side at which distances are computed; they are smooth in between."""

# Landmarks of MediaPipe's pose network.
_EARS, _MOUTH, _SHOULDERS, _ELBOWS, _WRISTS, _FINGERS = (
    *((7, 8), (9, 10), (11, 12)),
    *((13, 14), (15, 16), (19, 20)),
)
_HIPS, _KNEES, _ANKLES, _HEELS, _TOES = (23, 24), (25, 26), (27, 28), (29, 30), (31, 32)
_WAIST = 0.15
"""How far above the hips the trousers begin, as a share of the way to the shoulders."""
_CROWN = 0.6
"""How far above the ears the head goes on, as a share of the way from the shoulders to them."""

Segment = tuple[np.ndarray, np.ndarray]


def region_distances(landmarks: np.ndarray, size_px: int) -> np.ndarray:
    """Returns how far each place of a square is from head, upper and lower body.

    Args:
      landmarks: x, y of each landmark in pixels, float32 `[landmarks, 2]`.
      size_px: side of the square.

    Returns:
      float32 `[3, GRID, GRID]`, in pixels: the classes 1, 2 and 3 of `regions4`.
    """
    centres = (np.arange(GRID, dtype=np.float32) + 0.5) * size_px / GRID
    columns, rows = np.meshgrid(centres, centres)
    places = np.stack([columns, rows], axis=-1)
    return np.stack(
        [
            np.min([_distance(places, *segment) for segment in segments], axis=0)
            for segments in _segments(landmarks.astype(np.float32))
        ]
    )


def _segments(landmarks: np.ndarray) -> tuple[list[Segment], list[Segment], list[Segment]]:
    """Head, upper body and lower body, as lines between points."""

    def middle(pair: tuple[int, int]) -> np.ndarray:
        return landmarks[list(pair)].mean(axis=0)

    ears, shoulders = middle(_EARS), middle(_SHOULDERS)
    crown = ears + _CROWN * (ears - shoulders)
    head = [(middle(_MOUTH), ears), (ears, crown), _line(landmarks, _EARS)]
    upper, lower = [_line(landmarks, _SHOULDERS)], [_line(landmarks, _HIPS)]
    for side in (0, 1):
        points = (_SHOULDERS, _ELBOWS, _WRISTS, _FINGERS, _HIPS, _KNEES, _ANKLES, _TOES, _HEELS)
        shoulder, elbow, wrist, finger, hip, knee, ankle, toe, heel = (
            landmarks[pair[side]] for pair in points
        )
        upper += [(shoulder, elbow), (elbow, wrist), (wrist, finger)]
        upper += [(shoulder, hip + _WAIST * (shoulder - hip))]
        lower += [(hip, knee), (knee, ankle), (ankle, toe), (ankle, heel)]
    hips = middle(_HIPS)
    upper += [(shoulders, hips + _WAIST * (shoulders - hips))]
    return head, upper, lower


def _line(landmarks: np.ndarray, pair: tuple[int, int]) -> Segment:
    return landmarks[pair[0]], landmarks[pair[1]]


def _distance(places: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of places `[..., 2]` from the line between two points."""
    way = end - start
    length = max(float(way @ way), 1e-6)  # A point is a line without length.
    along = np.clip((places - start) @ way / length, 0.0, 1.0)
    across = places - start - along[..., None] * way
    return np.sqrt(np.einsum("...i,...i", across, across))
