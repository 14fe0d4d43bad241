import pytest

from tfreid.training.patience import is_exhausted, score


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"original/rank1": 0.9, "original/mAP": 0.5, "random_background/mAP": 0.1}, 0.5),
        ({"a/original/mAP": 0.5, "b/original/mAP": 0.7}, 0.6),
        ({"pooled/original/mAP": 0.3, "pooled/original/rank1": 0.8}, 0.3),
        ({"original/rank1": 0.9, "random_background/rank1": 0.1}, 0.9),
        ({"accuracy": 0.9, "iou": 0.4, "f1": 0.6}, 0.4),
        ({"loss": 1.0}, None),
    ],
)
def test_score_is_that_of_original_images(metrics, expected):
    assert score(metrics) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([0.1, 0.2, 0.3], 1, False),
        ([0.3, 0.2], 1, True),
        ([0.3, 0.2], 2, False),
        ([0.3, 0.3, 0.3], 2, True),  # As good is no better.
        ([0.1, 0.3, 0.2, 0.2], 2, True),
        ([0.3, 0.2, 0.1], 0, False),
        ([], 1, False),
    ],
)
def test_patience_is_counted_from_the_best(scores, patience, expected):
    assert is_exhausted(scores, patience) is expected
