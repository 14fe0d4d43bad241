"""Reconstructing the positions of a probe from those of one gallery image (FPR, section 3.2).

With a probe's positions as the columns of X and a gallery image's as those of Y, FPR solves

    W = (Y'Y + beta I)^-1 Y'X          (eq. 2)        E = X - YW         (eq. 3)

for every pair. Here everything that does not depend on the probe is done once a gallery image.
With Y'Y + beta I = LL' and I + beta L^-1 L^-1' = RR' (both Cholesky), and Z = R' L^-1 Y',

    |E_n|^2 = |x_n|^2 - |Z x_n|^2

so that a pair takes one product of matrices. No singular value of Z exceeds 1: the product may
be taken in float32.
"""

import numpy as np
from scipy.linalg import solve_triangular


def reconstruction_errors(probe: np.ndarray, gallery: np.ndarray, beta: float) -> np.ndarray:
    """How far each position of a probe is from its reconstruction, pair by pair as published.

    Args:
      probe: `[N, d]` floats, the positions of an image.
      gallery: `[M, d]` floats, those of another.
      beta: weight of the penalty on the coefficients, above 0.

    Returns:
      `[N]` float64, e_n of FPR, eqs. 1 to 4: from 0 to the length of the position.
    """
    probe, gallery = np.asarray(probe, np.float64), np.asarray(gallery, np.float64)
    gram = gallery @ gallery.T + beta * np.eye(len(gallery))
    coefficients = np.linalg.solve(gram, gallery @ probe.T)
    return np.linalg.norm(probe - coefficients.T @ gallery, axis=1)


def reconstruction_distance(
    probe: np.ndarray, weights: np.ndarray, gallery: np.ndarray, beta: float
) -> float:
    """The distance of a probe from a gallery image, FPR, eq. 5; it is not symmetric.

    Args:
      probe: `[N, d]` floats, the positions of an image.
      weights: `[N]` floats of sum 1, its foreground probabilities H; 1/N each gives eq. 4.
      gallery: `[M, d]` floats, the positions of another image.
      beta: weight of the penalty on the coefficients, above 0.

    Returns:
      The weighted mean of the reconstruction errors.
    """
    return float(np.asarray(weights, np.float64) @ reconstruction_errors(probe, gallery, beta))


def factor(gallery: np.ndarray, beta: float) -> np.ndarray:
    """Returns Z of a gallery image, `[M, d]` float64.

    Args:
      gallery: `[M, d]` floats.
      beta: weight of the penalty on the coefficients, above 0.

    Raises:
      numpy.linalg.LinAlgError: if beta is too small beside the positions to be told from 0.
    """
    gallery = np.asarray(gallery, np.float64)
    identity = np.eye(len(gallery))
    lower = np.linalg.cholesky(gallery @ gallery.T + beta * identity)
    inverse = solve_triangular(lower, identity, lower=True)
    outer = np.linalg.cholesky(identity + beta * (inverse @ inverse.T))
    return (outer.T @ inverse) @ gallery
