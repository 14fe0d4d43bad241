"""Position features for tests, and what the paper's equations say about them, in float64."""

import numpy as np

from tfreid.retrieval.reconstruction.positions import PositionFeatures


def features(counts, size=24, seed=0, persons=4, dtype=np.float32):
    """Images of some persons with positions of unit length; those of a person are alike."""
    random = np.random.default_rng(seed)
    parts = np.abs(np.random.default_rng(99).standard_normal((persons, 6, size)))
    person = random.integers(0, persons, len(counts))
    rows, weights = [], []
    for one, count in zip(person, counts, strict=True):
        row = parts[one, random.integers(0, 6, count)] + 0.4 * random.standard_normal((count, size))
        rows.append(row / np.linalg.norm(row, axis=1, keepdims=True))
        share = random.random(count) + 0.1
        weights.append(share / share.sum())
    pooled = np.stack([row.mean(axis=0) for row in rows])
    return PositionFeatures(
        np.concatenate(rows).astype(dtype),
        np.concatenate(weights).astype(np.float32),
        np.concatenate([[0], np.cumsum(counts)]),
        pooled.astype(np.float32),
    )


def positions_of(images, image):
    """The positions of an image, float64 columns, d x N."""
    return images.positions[slice(*images.starts[image : image + 2])].astype(np.float64).T


def by_equations(query, gallery, beta=0.01):
    """FPR, eqs. 2, 3 and 5, pair by pair."""
    distances = np.empty((len(query), len(gallery)))
    for row in range(len(query)):
        x = positions_of(query, row)
        h = query.weights[slice(*query.starts[row : row + 2])].astype(np.float64)
        for column in range(len(gallery)):
            y = positions_of(gallery, column)
            w = np.linalg.inv(y.T @ y + beta * np.eye(y.shape[1])) @ y.T @ x
            distances[row, column] = np.linalg.norm(x - y @ w, axis=0) @ h
    return distances


def cosine(query, gallery):
    """One minus the cosine of the pooled descriptors."""
    q, g = (images.pooled.astype(np.float64) for images in (query, gallery))
    lengths = np.outer(np.linalg.norm(q, axis=1), np.linalg.norm(g, axis=1))
    return 1 - q @ g.T / lengths
