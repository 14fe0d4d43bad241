import numpy as np

from tfreid.datasets import PROTOCOLS
from tfreid.evaluation.result import count_images
from tfreid.report import counts_in_words
from tfreid.retrieval import Identities

QUERY = Identities(np.array([1, 1, 2, 3, -1, 0]), np.array([1, 2, 1, 1, 1, 1]))
GALLERY = Identities(np.array([1, 1, 1, 2, 3, 0, 0, -1]), np.array([1, 1, 2, 2, 1, 1, 2, 1]))
SCORED = np.array([True, True, True, False, False, False])


def test_every_image_is_counted_once():
    """Person 3 is in the gallery by the query's camera alone; the last two queries are nobody."""
    assert count_images(QUERY, GALLERY, SCORED, PROTOCOLS["market"]) == {
        "queries": 6,
        "queries_used": 3,
        "queries_without_match": 1,
        "queries_junk": 2,
        "gallery": 8,
        "gallery_used": 7,
        "gallery_distractors": 2,
        "gallery_junk": 1,
        "persons_without_query": 0,
        # Two images for the first query, one for the second, none for the third.
        "same_camera": 3,
    }


def test_persons_whom_nobody_asks_for_are_counted():
    query, scored = QUERY[1:3], np.array([True, True])
    counts = count_images(query, GALLERY, scored, PROTOCOLS["market"])
    assert counts["persons_without_query"] == 1
    assert described(**counts)["Gallery"].startswith(
        "8, 7 used (distractors, which match nobody: 2; persons without a query: 1)"
    )


def test_without_camera_filter_none_is_left_out_for_its_camera():
    scored = np.array([True, True, True, True, False, False])
    counts = count_images(QUERY, GALLERY, scored, PROTOCOLS["no_camera"])
    assert (counts["queries_without_match"], counts["same_camera"]) == (0, 0)


def described(draws=0, split=None, excluded=None, options=None, **changes):
    counts = count_images(QUERY, GALLERY, SCORED, PROTOCOLS["market"]) | changes
    data = {"split": split, "excluded": excluded or {}, "options": options or {}}
    return counts_in_words({"counts": counts, "data": data, "protocol": {"gallery_draws": draws}})


def test_words_name_what_was_left_out_and_why():
    assert described() == {
        "Queries": "6, 3 used; left out: 1 without a valid match, 2 of nobody (junk or "
        "distractors)",
        "Gallery": "8, 7 used (distractors, which match nobody: 2); left out: 1 junk, 3 for "
        "single queries, of their person by their own camera",
    }


def test_images_of_which_the_model_sees_nothing_are_counted():
    words = described(queries_blank=1, gallery_blank=2)
    assert words["Queries"].startswith(
        "6, 3 used (of which the model sees nothing, descriptors of zeros: 1); left out"
    )
    assert words["Gallery"].startswith(
        "8, 7 used (distractors, which match nobody: 2; of which the model sees nothing, "
        "descriptors of zeros: 2); left out"
    )


def test_words_are_short_where_all_was_used():
    none = {"queries_used": 6, "queries_without_match": 0, "queries_junk": 0}
    none |= {"gallery_used": 8, "gallery_distractors": 0, "gallery_junk": 0, "same_camera": 0}
    assert described(**none) == {
        "Queries": "6, all used",
        "Gallery": "8, all used",
    }


def test_words_on_draws_splits_and_readers():
    split = {"index": 2, "of": 10, "seed": None, "test_persons": 4}
    excluded = {"no second camera": 24, "damaged boxes": 1_000}
    texts = described(100, split, excluded, {"boxes": "labeled"})
    assert texts["Gallery"].endswith("; each of 100 draws takes one image a person")
    assert texts["Split"] == "2 (of 0 to 9); published figures are the mean over all 10"
    assert texts["Read as"] == (
        "boxes=labeled; 24 images left out: no second camera; 1,000 images left out: damaged boxes"
    )
    own = described(split={"index": 0, "of": 1, "seed": 5, "test_persons": 4})
    assert own["Split"] == "4 test persons, drawn with seed 5"
