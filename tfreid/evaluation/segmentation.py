"""How well a parsing network labels pixels (PGP, Table 5; SPReID, Table 1)."""

import keras
import numpy as np

from tfreid.datasets.vocabulary import VOCABULARIES
from tfreid.evaluation.descriptors import Advance, Batched, no_progress
from tfreid.inputs import InputSpec
from tfreid.records import Records


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

    A class that is neither there nor predicted has no scores and is left out of the means; one
    that is predicted and not there has no recall.

    Args:
      confusion: `[classes, classes]` integers from `confusion_matrix`; sums of such count the
        pixels of several batches.
      names: the classes.

    Returns:
      `accuracy`, the fraction of pixels labelled right (overall accuracy); `precision`, `recall`
      (mean accuracy), `f1` and `iou` (mean IoU), unweighted means over classes; `classes`, the
      same four for each class by its name, or None.
    """
    right = np.diagonal(confusion).astype(np.float64)
    there, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    present = (there + predicted) > 0
    scores = {
        "precision": right / np.maximum(predicted, 1),
        "recall": np.where(there > 0, right / np.maximum(there, 1), np.nan),
        "f1": 2 * right / np.maximum(there + predicted, 1),
        "iou": right / np.maximum(there + predicted - right, 1),
    }
    by_class = {
        name: {score: _known(values[i]) for score, values in scores.items()} if present[i] else None
        for i, name in enumerate(names)
    }
    means = {score: float(np.nanmean(values[present])) for score, values in scores.items()}
    return {"accuracy": float(right.sum() / confusion.sum()), **means, "classes": by_class}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def background_alone(confusion: np.ndarray) -> dict[str, float]:
    """Returns `accuracy`, `recall` and `iou` of calling every pixel background, class 0.

    Args:
      confusion: as for `parsing_scores`.
    """
    alone = np.zeros_like(confusion)
    alone[:, 0] = confusion.sum(axis=1)
    scores = parsing_scores(alone, tuple(map(str, range(len(alone)))))
    return {score: scores[score] for score in ("accuracy", "recall", "iou")}


def score_parser(
    model: keras.Model,
    folder: Records,
    split: str,
    spec: InputSpec,
    *,
    batch_size: int,
    advance: Advance = no_progress,
) -> dict:
    """Scores a parsing network on a split, at the size of its input.

    Args:
      model: a call returns `logits` `[batch, height, width, classes]`.
      folder: a converted data set whose split has masks.
      split: for example `"val"`.
      spec: how records become images; its `mask_vocabulary` is the model's.
      batch_size: images in a batch; the scores do not depend on it.
      advance: called with the number of images after each batch.

    Returns:
      The scores, as from `parsing_scores`, and those of `background_alone` under that name.
    """
    names = VOCABULARIES[spec.mask_vocabulary]

    def classify(images):
        return {"classes": keras.ops.argmax(model(images, training=False)["logits"], axis=-1)}

    confusion = np.zeros((len(names), len(names)), np.int64)
    classifier = Batched(classify, spec.image_size_px, batch_size)
    for batch, outputs in classifier.over(folder, split, spec, advance=advance):
        confusion += confusion_matrix(batch["mask"], outputs["classes"], len(names))
    return parsing_scores(confusion, names) | {"background_alone": background_alone(confusion)}
