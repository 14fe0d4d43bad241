"""How well a parsing network labels pixels: arrays in, numbers out (PGP, Table 5)."""

import numpy as np


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts pixels by their true and their predicted class.

    Args:
      truth: integers of any shape, in [0, classes).
      predicted: integers of the same shape and range.
      classes: number of classes.

    Returns:
      `[classes, classes]` int64, true class by predicted class.
    """
    pairs = np.asarray(truth, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def parsing_scores(confusion: np.ndarray, names: tuple[str, ...]) -> dict:
    """Scores a parsing network.

    A class that is neither there nor predicted has no scores and is left out of the means.

    Args:
      confusion: `[classes, classes]` integers from `confusion_matrix`; sums of such count the
        pixels of several batches.
      names: the classes.

    Returns:
      `accuracy`, the fraction of pixels labelled right; `precision`, `recall`, `f1` and `iou`,
      unweighted means over classes; `classes`, the same four for each class by its name, or None.
    """
    right = np.diagonal(confusion).astype(np.float64)
    there, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    present = (there + predicted) > 0
    scores = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(there, 1),
        "f1": 2 * right / np.maximum(there + predicted, 1),
        "iou": right / np.maximum(there + predicted - right, 1),
    }
    by_class = {
        name: {score: float(values[i]) for score, values in scores.items()} if present[i] else None
        for i, name in enumerate(names)
    }
    means = {score: float(values[present].mean()) for score, values in scores.items()}
    return {"accuracy": float(right.sum() / confusion.sum()), **means, "classes": by_class}
