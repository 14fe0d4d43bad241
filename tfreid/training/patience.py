"""When to stop a training that gets no better."""

import statistics
from collections.abc import Mapping, Sequence

_FIGURES = ("mAP", "rank1", "iou")


def score(metrics: Mapping[str, float]) -> float | None:
    """Returns the one figure by which evaluations are compared.

    Args:
      metrics: of one evaluation, named as `original/mAP` or `viper/original/rank1`.

    Returns:
      The mean over the data sets of mAP on the original images; where there is none (one gallery
      image a person) of rank-1, and of parsing networks the mean IoU. None if all are missing.
    """
    plain = {name: v for name, v in metrics.items() if "original/" in name or "/" not in name}
    for figure in _FIGURES:
        found = [value for name, value in plain.items() if name.rpartition("/")[2] == figure]
        if found:
            return statistics.fmean(found)
    return None


def is_exhausted(scores: Sequence[float], patience: int) -> bool:
    """Returns whether the best of some scores has been followed by `patience` that were no better.

    Args:
      scores: of evaluations, in their order; the first of equal scores is the best.
      patience: evaluations to wait for a better one; 0 waits for ever.
    """
    if not patience or not scores:
        return False
    return len(scores) - 1 - scores.index(max(scores)) >= patience
