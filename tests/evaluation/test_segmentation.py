import numpy as np
import pytest

from tfreid.evaluation.segmentation import background_alone, confusion_matrix, parsing_scores

NAMES = ("background", "head", "upper", "lower")


@pytest.fixture
def labels():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, (3, 8, 6))
    predicted = np.where(
        random.random(truth.shape) < 0.6, truth, random.integers(0, 4, truth.shape)
    )
    return truth, predicted


def test_confusion_counts_pixels(labels):
    truth, predicted = labels
    confusion = confusion_matrix(truth, predicted, 4)
    for i in range(4):
        for j in range(4):
            assert confusion[i, j] == np.sum((truth == i) & (predicted == j))


def test_confusion_of_batches_adds_up(labels):
    truth, predicted = labels
    parts = sum(confusion_matrix(t, p, 4) for t, p in zip(truth, predicted, strict=True))
    np.testing.assert_array_equal(parts, confusion_matrix(truth, predicted, 4))


def test_scores_equal_their_definitions(labels):
    truth, predicted = labels
    scores = parsing_scores(confusion_matrix(truth, predicted, 4), NAMES)
    assert scores["accuracy"] == pytest.approx(np.mean(truth == predicted))
    expected = []
    for i, name in enumerate(NAMES):
        hit = np.sum((truth == i) & (predicted == i))
        precision, recall = hit / np.sum(predicted == i), hit / np.sum(truth == i)
        f1 = 2 * precision * recall / (precision + recall)
        iou = hit / np.sum((truth == i) | (predicted == i))
        expected.append((precision, recall, f1, iou))
        assert tuple(scores["classes"][name].values()) == pytest.approx(expected[-1])
    means = [scores[key] for key in ("precision", "recall", "f1", "iou")]
    assert means == pytest.approx(np.mean(expected, axis=0))


def test_class_never_predicted_scores_zero():
    scores = parsing_scores(confusion_matrix([0, 1], [0, 0], 2), ("background", "foreground"))
    assert scores["classes"]["foreground"] == {"precision": 0, "recall": 0, "f1": 0, "iou": 0}
    assert scores["precision"] == pytest.approx((1 / 2 + 0) / 2)


def test_class_that_does_not_occur_is_left_out_of_the_means():
    scores = parsing_scores(confusion_matrix([0, 1, 1], [0, 1, 1], 3), ("a", "b", "c"))
    assert scores["classes"]["c"] is None
    assert scores["f1"] == 1


def test_class_that_is_predicted_and_not_there_lowers_the_iou_alone():
    """Mean accuracy (SPReID, Table 1) is over the classes that there are."""
    scores = parsing_scores(confusion_matrix([0, 0, 1], [0, 2, 1], 3), ("a", "b", "c"))
    assert scores["classes"]["c"] == {"precision": 0, "recall": None, "f1": 0, "iou": 0}
    assert scores["recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert scores["iou"] == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_background_alone_is_what_a_parser_without_people_scores(labels):
    truth, predicted = labels
    nothing = confusion_matrix(truth, np.zeros_like(truth), 4)
    scores = parsing_scores(nothing, NAMES)
    actual = background_alone(confusion_matrix(truth, predicted, 4))
    assert actual == {name: scores[name] for name in ("accuracy", "recall", "iou")}
    assert actual["iou"] == pytest.approx(np.mean(truth == 0) / 4)
    assert actual["recall"] == 1 / 4
