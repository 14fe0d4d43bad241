import functools
import time
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config  # the only place that ends determinism

from tfrecords_schema import schema
from tfreid.errors import DataError, UsageError
from tfreid.inputs import (
    VARIANTS,
    ColourJitter,
    InputSpec,
    Mirror,
    PaddedCrop,
    RandomBackground,
    RandomErasing,
    data_errors,
    evaluation_batches,
    training_batches,
)
from tfreid.inputs.batches import BATCHES_AHEAD
from tfreid.inputs.checks import masks_missing
from tfreid.records import Records

SIZE_PX = (16, 8)
FULL = InputSpec(
    SIZE_PX,
    augmentation=(
        RandomBackground(0.5),
        Mirror(0.5),
        PaddedCrop(0.5, 2),
        ColourJitter(0.5, 0.2, 0.2, 0.2),
        RandomErasing(),
    ),
    mask_vocabulary="regions4",
)
PERSONS = InputSpec(SIZE_PX, images_per_person=4)
CAMERAS = InputSpec(SIZE_PX, images_per_person=4, spread_cameras=True)


def batches_of(dataset):
    return list(dataset.as_numpy_iterator())


def assert_equal(batches, others):
    assert len(batches) == len(others)
    for batch, other in zip(batches, others, strict=True):
        assert batch.keys() == other.keys()
        for name, value in batch.items():
            np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_training_batches_of_reid_records(reid_folder):
    dataset = training_batches(reid_folder, "train", FULL, 10, seed=0, steps=3)
    assert {name: (spec.dtype, spec.shape) for name, spec in dataset.element_spec.items()} == {
        "image": (tf.float32, (10, *SIZE_PX, 3)),
        "mask": (tf.int32, (10, *SIZE_PX)),
        "key": (tf.string, (10,)),
        "label": (tf.int32, (10,)),
        "camera": (tf.int32, (10,)),
    }
    assert int(dataset.cardinality()) == len(batches_of(dataset)) == 3
    columns = reid_folder.store("train").columns(("image/key", "person/label", "camera/label"))
    of_key = {key: row for row, key in enumerate(columns["image/key"])}
    for batch in batches_of(dataset):
        rows = [of_key[key] for key in batch["key"]]
        np.testing.assert_array_equal(batch["label"], columns["person/label"][rows])
        np.testing.assert_array_equal(batch["camera"], columns["camera/label"][rows])
        assert batch["image"].min() >= 0
        assert 200 < batch["image"].max() <= 255
        assert set(np.unique(batch["mask"])) == {0, 1, 2, 3}


def test_training_batches_of_parsing_records(parsing_folder):
    dataset = training_batches(parsing_folder, "train", FULL, 5, seed=0, steps=2)
    assert set(dataset.element_spec) == {"image", "mask", "key"}
    assert len(batches_of(dataset)) == 2


@pytest.mark.parametrize("spec", [FULL, PERSONS, CAMERAS], ids=["random", "persons", "cameras"])
def test_a_step_has_the_same_batch_wherever_the_run_started(reid_folder, spec):
    whole = training_batches(reid_folder, "train", spec, 8, seed=3, steps=14)
    resumed = training_batches(reid_folder, "train", spec, 8, seed=3, start_step=9, steps=5)
    assert_equal(batches_of(resumed), batches_of(whole)[9:])


@pytest.mark.parametrize("spec", [FULL, PERSONS], ids=["random", "persons"])
def test_a_part_reads_its_own_records_and_parts_make_the_batch(reid_folder, monkeypatch, spec):
    store, read = type(reid_folder.store("train")), []
    read_records = store.read
    monkeypatch.setattr(
        store, "read", lambda self, rows: read.append(len(rows)) or read_records(self, rows)
    )
    made = functools.partial(training_batches, reid_folder, "train", spec, 8, seed=3, steps=3)
    whole = batches_of(made())
    for index in range(2):
        dataset = made(part=(index, 2))
        read.clear()
        own = slice(4 * index, 4 * index + 4)
        wanted = [{name: value[own] for name, value in batch.items()} for batch in whole]
        assert_equal(batches_of(dataset), wanted)
        assert read == [4, 4, 4]


def test_batches_do_not_depend_on_parallelism(reid_folder):
    dataset = training_batches(reid_folder, "train", FULL, 8, seed=3, steps=6)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    assert_equal(batches_of(dataset.with_options(options)), batches_of(dataset))


def test_no_thread_tunes_an_iterator_which_to_close_it_would_wait_for(reid_folder):
    """Of the wait itself no test can be sure: TensorFlow's threads have to meet for it."""
    for batches in (training_batches, evaluation_batches):
        options = batches(reid_folder, "train", FULL, 8, seed=3).options()
        assert options.autotune.enabled is False


@pytest.fixture
def _deterministic():
    tf.config.experimental.enable_op_determinism()
    yield
    config.disable_op_determinism()


class Counted:
    """Counts the images that are prepared."""

    name = "counted"
    draws = 1

    def __init__(self):
        self.images = 0

    def __call__(self, image, mask, draws):
        def count(image):
            self.images += 1
            return image

        counted = tf.numpy_function(count, [image], tf.float32, stateful=False)
        return tf.ensure_shape(counted, image.shape), mask


def serially(monkeypatch):
    """Makes records be read as TensorFlow's default has it, with a state."""
    monkeypatch.setattr(tf, "numpy_function", partial(_with_state, tf.numpy_function))


def _with_state(function, *args, stateful):
    return function(*args, stateful=True)


@pytest.mark.usefixtures("_deterministic")
@pytest.mark.parametrize("overlapping", [True, False])
def test_the_next_batch_is_prepared_while_a_deterministic_step_runs(
    reid_folder, monkeypatch, overlapping
):
    if not overlapping:
        serially(monkeypatch)
    counted = Counted()
    spec = InputSpec(SIZE_PX, augmentation=(Mirror(0.5), counted))
    ready = 0
    for step, _ in enumerate(training_batches(reid_folder, "train", spec, 4, seed=0, steps=6)):
        deadline = time.monotonic() + (30 if overlapping else 0.1)
        while counted.images < 4 * (step + 2) and step < 5 and time.monotonic() < deadline:
            time.sleep(0.001)  # the step
        ready += counted.images >= 4 * (step + 2)
    assert ready == (5 if overlapping else 0)


def test_few_batches_wait_however_often_training_pauses(reid_folder):
    counted, taken, most = Counted(), 1, 0
    spec = InputSpec(SIZE_PX, augmentation=(Mirror(0.5), counted))
    batches = iter(training_batches(reid_folder, "train", spec, 4, seed=0))
    next(batches)
    for _ in range(6):
        before = -1
        while before != counted.images:
            before = counted.images
            time.sleep(0.5)
        most = max(most, counted.images // 4 - taken)
        for _ in range(3 * most):
            next(batches)
        taken += 3 * most
    assert BATCHES_AHEAD <= most <= BATCHES_AHEAD + 8  # of which some are half made


@pytest.mark.usefixtures("_deterministic")
@pytest.mark.parametrize("spec", [FULL, CAMERAS], ids=["random", "cameras"])
def test_a_run_has_the_same_bits_whether_or_not_batches_are_prepared_ahead(
    reid_folder, monkeypatch, spec
):
    def run():
        return batches_of(training_batches(reid_folder, "train", spec, 8, seed=3, steps=20))

    ahead = run()
    serially(monkeypatch)
    assert_equal(ahead, run())


@pytest.mark.parametrize("vocabulary", [None, "regions4"])
def test_images_that_are_alike_are_resized_in_batches_to_the_same_bits(
    reid_folder, monkeypatch, vocabulary
):
    augmentation = (RandomBackground(0.5), Mirror(0.5))
    spec = InputSpec((23, 17), augmentation=augmentation, mask_vocabulary=vocabulary)
    store = reid_folder.store("train")
    assert store.alike_px == store.largest_image_px

    def run():
        return batches_of(training_batches(reid_folder, "train", spec, 8, seed=3, steps=3))

    in_batches = run()
    monkeypatch.setattr(type(store), "alike_px", None)
    assert_equal(in_batches, run())


def test_seeds_give_different_batches(reid_folder):
    first, second = (
        next(training_batches(reid_folder, "train", FULL, 8, seed).as_numpy_iterator())
        for seed in (0, 1)
    )
    assert (first["key"] != second["key"]).any()


def test_without_steps_there_is_no_end(reid_folder):
    dataset = training_batches(reid_folder, "train", FULL, 8, seed=0)
    assert int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY


def test_a_batch_may_exceed_the_split(parsing_folder):
    dataset = training_batches(parsing_folder, "train", InputSpec(SIZE_PX), 30, seed=0, steps=2)
    keys = np.concatenate([batch["key"] for batch in batches_of(dataset)])
    assert set(np.unique(keys, return_counts=True)[1]) == {5}


def test_persons_stay_together(reid_folder):
    dataset = training_batches(reid_folder, "train", PERSONS, 12, seed=0, steps=8)
    for batch in batches_of(dataset):
        labels = batch["label"].reshape(3, 4)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 3
        assert len(set(batch["key"])) == 12


def test_persons_come_from_all_their_cameras(reid_folder):
    for batch in batches_of(training_batches(reid_folder, "train", CAMERAS, 12, seed=0, steps=8)):
        assert len(set(batch["key"])) == 12
        for cameras in batch["camera"].reshape(3, 4):
            assert sorted(cameras) == [0, 0, 1, 1]


@pytest.mark.parametrize("spec", [PERSONS, CAMERAS], ids=["persons", "cameras"])
def test_replicas_get_contiguous_parts_with_whole_persons(reid_folder, two_replicas, spec):
    def dataset():
        return training_batches(reid_folder, "train", spec, 16, seed=0, steps=3)

    distributed = two_replicas.experimental_distribute_dataset(dataset())
    for batch, parts in zip(dataset(), distributed, strict=True):
        for name, value in batch.items():
            halves = two_replicas.experimental_local_results(parts[name])
            np.testing.assert_array_equal(halves[0], value[:8])
            np.testing.assert_array_equal(halves[1], value[8:])
        assert not set(batch["label"].numpy()[:8]) & set(batch["label"].numpy()[8:])


@pytest.mark.parametrize("batch_size", [1, 5, 12, 64])
def test_evaluation_shows_each_record_once_in_order(reid_folder, batch_size):
    dataset = evaluation_batches(reid_folder, "query", InputSpec(SIZE_PX), batch_size, seed=0)
    batches = batches_of(dataset)
    assert len(batches) == int(dataset.cardinality()) == -(-12 // batch_size)
    names = {"key": "image/key", "person_id": "person/id", "camera_id": "camera/id"}
    columns = reid_folder.store("query").columns(tuple(names.values()))
    for name, column in names.items():
        shown = np.concatenate([batch[name] for batch in batches])
        np.testing.assert_array_equal(shown, columns[column])
    assert batches[0]["person_id"].dtype == batches[0]["camera_id"].dtype == np.int64


@pytest.mark.parametrize("variant", VARIANTS)
def test_chosen_records_look_as_among_all(reid_folder, variant):
    spec = InputSpec((32, 16), variant=variant, mask_vocabulary="lip20")
    (whole,) = batches_of(evaluation_batches(reid_folder, "gallery", spec, 64, seed=5))
    chosen = np.array([7, 3, 24, 25, 0])
    dataset = evaluation_batches(reid_folder, "gallery", spec, 2, seed=5, indices=chosen)
    batches = batches_of(dataset)
    assert [len(batch["key"]) for batch in batches] == [2, 2, 1]
    for name, value in whole.items():
        parts = np.concatenate([batch[name] for batch in batches])
        np.testing.assert_array_equal(parts, value[chosen], err_msg=name)


def test_evaluation_does_not_augment(reid_folder):
    plain = evaluation_batches(reid_folder, "query", InputSpec(SIZE_PX), 4, seed=0)
    augmenting = InputSpec(SIZE_PX, augmentation=(*FULL.augmentation[:-1], RandomErasing(1.0)))
    assert_equal(
        batches_of(evaluation_batches(reid_folder, "query", augmenting, 4, seed=0)),
        batches_of(plain),
    )


IMAGE = np.full((6, 4, 3), 9, np.uint8)
MASK = np.ones((6, 4), np.uint8)


MASK_REASONS = [
    ({"augmentation": (RandomBackground(0.1),)}, r"RandomBackground\(probability=0.1\)"),
    ({"variant": "mean_background"}, "variant='mean_background'"),
    ({"mask_vocabulary": "binary"}, "mask_vocabulary='binary'"),
]


@pytest.mark.parametrize(("changes", "reason"), MASK_REASONS)
def test_masks_that_are_all_missing_are_counted(make_folder, changes, reason):
    folder = make_folder([IMAGE] * 5, [None] * 5, [IMAGE])
    text = rf"5 of 5 records .* have no mask, and {reason} needs .*--masks_root.*--parser"
    with pytest.raises(UsageError, match=text):
        training_batches(folder, "train", InputSpec(SIZE_PX, **changes), 2, seed=0)


@pytest.mark.parametrize(("changes", "reason"), MASK_REASONS[1:])
def test_images_without_mask_are_no_variant_of_the_test(make_folder, changes, reason):
    folder = make_folder([IMAGE] * 5, [MASK, None, MASK, None, MASK], [IMAGE])
    spec = InputSpec(SIZE_PX, **changes)
    with pytest.raises(UsageError, match=rf"2 of 5 records .* have no mask, and {reason}"):
        evaluation_batches(folder, "train", spec, 2, seed=0)
    with pytest.raises(UsageError, match=rf"1 of 3 records .* have no mask, and {reason}"):
        evaluation_batches(folder, "train", spec, 2, seed=0, indices=np.array([0, 3, 4]))
    masked = np.flatnonzero(folder.masked("train"))
    batches = batches_of(evaluation_batches(folder, "train", spec, 9, seed=0, indices=masked))
    assert batches[0]["key"].tolist() == [b"made/0", b"made/2", b"made/4"]


@pytest.mark.parametrize("more", [{}, {"images_per_person": 2, "spread_cameras": True}])
@pytest.mark.parametrize(("changes", "reason"), MASK_REASONS[1:])
def test_images_without_mask_are_left_out_of_training_that_needs_one(
    make_folder, changes, reason, more
):
    masks = [None if index in (1, 4, 5) else MASK for index in range(9)]
    labels, cameras = [0, 0, 1, 1, 2, 2, 3, 3, 3], [0, 1, 0, 1, 1, 1, 0, 1, 1]
    folder = make_folder([IMAGE] * 9, masks, [IMAGE], labels=labels, cameras=cameras)
    spec = InputSpec(SIZE_PX, **changes, **more)
    batches = batches_of(training_batches(folder, "train", spec, 4, seed=0, steps=10))
    if more:  # Both cameras saw person 3.
        pairs = [batch["camera"][batch["label"] == 3].tolist() for batch in batches]
        assert {(*sorted(pair),) for pair in pairs} <= {(), (0, 1), (0, 0, 1, 1)}
    seen = {key for batch in batches for key in batch["key"].tolist()}
    assert seen == {b"made/%d" % index for index in (0, 2, 3, 6, 7, 8)}
    assert masks_missing(folder, "train", spec).startswith(
        f"3 of 9 images have no mask and are left out, as {spec.mask_reason} needs"
    )


def test_images_without_mask_keep_their_background(make_folder):
    half = np.array([[1, 1, 0, 0]] * 6, np.uint8)
    folder = make_folder([IMAGE] * 4, [half, None, half, None], [np.full((6, 4, 3), 200, np.uint8)])
    spec = InputSpec((6, 4), augmentation=(RandomBackground(1.0),))
    (batch,) = batches_of(training_batches(folder, "train", spec, 4, seed=0, steps=1))
    for key, image in zip(batch["key"], batch["image"], strict=True):
        changed = key in (b"made/0", b"made/2")
        np.testing.assert_array_equal(image[:, :2], 9)
        np.testing.assert_array_equal(image[:, 2:], 200 if changed else 9)
    text = masks_missing(folder, "train", spec)
    assert text == "2 of 4 images have no mask and keep their background"


def test_nothing_is_said_where_no_mask_is_missing(make_folder):
    folder = make_folder([IMAGE] * 2, [MASK, None])
    assert masks_missing(folder, "train", InputSpec(SIZE_PX)) == ""


def test_all_masks_or_none_give_the_batches_that_they_gave(reid_folder, make_folder):
    """The samplers know nothing of masks then."""
    spec = InputSpec(SIZE_PX, mask_vocabulary="binary")
    with_masks = batches_of(training_batches(reid_folder, "train", spec, 8, seed=3, steps=4))
    without = training_batches(reid_folder, "train", InputSpec(SIZE_PX), 8, seed=3, steps=4)
    for batch, other in zip(with_masks, batches_of(without), strict=True):
        np.testing.assert_array_equal(batch["key"], other["key"])


@pytest.mark.parametrize("batches", [training_batches, evaluation_batches])
def test_refusals(make_folder, batches):
    folder = make_folder([IMAGE] * 3, [MASK] * 3, mask_vocabulary="binary", labels=[0, 1, -1])
    for spec, split, text in [
        (InputSpec(SIZE_PX), "val", "'val' of .* does not exist: choose one of train"),
        (InputSpec(SIZE_PX), "query", "'query' of .* is empty: choose one of train"),
        (InputSpec(SIZE_PX, mask_vocabulary="regions4"), "train", "binary cannot be converted"),
        (InputSpec(SIZE_PX, variant="random_background"), "train", "--backgrounds_root"),
    ]:
        with pytest.raises(UsageError, match=text):
            batches(folder, split, spec, 2, seed=0)


def test_training_refusals(make_folder, parsing_folder):
    folder = make_folder([IMAGE] * 3, [MASK] * 3, labels=[0, 1, -1])
    with pytest.raises(UsageError, match=r"1 of 3 records in split 'train' .* no training person"):
        training_batches(folder, "train", InputSpec(SIZE_PX), 2, seed=0)
    with pytest.raises(UsageError, match="at least 1 image, not 0"):
        training_batches(folder, "train", InputSpec(SIZE_PX), 0, seed=0)
    with pytest.raises(UsageError, match="parsing records do not have"):
        training_batches(parsing_folder, "train", PERSONS, 8, seed=0)


def test_cameras_are_needed_where_images_are_spread_over_them(make_folder):
    folder = make_folder([IMAGE] * 5, [MASK] * 5, cameras=[0, -1, 1, -1, 0])
    text = r"2 of 5 records in split 'train' .* no camera, and spread_cameras=True needs one"
    with pytest.raises(UsageError, match=text):
        training_batches(folder, "train", CAMERAS, 8, seed=0)
    training_batches(folder, "train", PERSONS, 8, seed=0)


def test_a_batch_holds_whole_persons(reid_folder):
    with pytest.raises(UsageError, match=r"a batch of 10 images .* with 4 images each"):
        training_batches(reid_folder, "train", PERSONS, 10, seed=0)


def test_a_damaged_record_is_named(make_folder):
    folder = make_folder([IMAGE] * 3, [MASK] * 3)
    shard = next(folder.path.glob("*.tfrecord-*"))
    data = bytearray(shard.read_bytes())
    data[-20] ^= 1  # in the last record's payload
    shard.write_bytes(data)
    dataset = evaluation_batches(Records(folder.path), "train", InputSpec(SIZE_PX), 1, seed=0)
    with pytest.raises(DataError, match=rf"{shard.name}.*\d+"), data_errors():
        batches_of(dataset)


def test_an_error_that_is_no_records_passes_through(make_folder):
    folder = make_folder([IMAGE] * 3, [MASK] * 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="other"), data_errors(folder):
        raise tf.errors.InvalidArgumentError(None, None, "other")


def test_a_record_that_cannot_be_decoded_is_named(make_folder, monkeypatch):
    """Records of an earlier release may hold some."""
    encode = schema.encode

    def damaged(kind, values):
        cut = len(values["image/encoded"]) // (2 if values["image/key"].endswith("1") else 1)
        return encode(kind, values | {"image/encoded": values["image/encoded"][:cut]})

    monkeypatch.setattr(schema, "encode", damaged)
    folder = make_folder([IMAGE] * 3, [MASK] * 3)
    dataset = evaluation_batches(folder, "train", InputSpec(SIZE_PX), 2, seed=0)
    named = r"record 'made/1' in split 'train' of .*convert again"
    with pytest.raises(DataError, match=named), data_errors(folder):
        batches_of(dataset)


@pytest.mark.parametrize("what", ["image", "mask"])
def test_a_record_of_another_size_than_it_says_is_named(make_folder, monkeypatch, what):
    """Other programs may write records."""
    encode = schema.encode

    def damaged(kind, values):
        other = tf.io.encode_png(np.ones((3, 3, 1), np.uint8)).numpy()
        changed = {f"{what}/encoded": other} if values["image/key"].endswith("1") else {}
        return encode(kind, values | changed)

    monkeypatch.setattr(schema, "encode", damaged)
    folder = make_folder([IMAGE] * 3, [MASK] * 3)
    spec = InputSpec(SIZE_PX, mask_vocabulary="lip20")
    named = rf"record 'made/1' in split 'train' of .* \({what} of 3x3 px instead of 6x4\)"
    with pytest.raises(DataError, match=named), data_errors(folder):
        batches_of(training_batches(folder, "train", spec, 3, seed=0, steps=2))


def test_other_errors_pass_through():
    with pytest.raises(tf.errors.NotFoundError), data_errors():
        raise tf.errors.NotFoundError(None, None, "elsewhere")


def test_splits_get_backgrounds_of_their_own(reid_folder):
    spec = InputSpec(image_size_px=(32, 16), variant="random_background")
    first = {}
    for split in ("query", "gallery"):
        batch = next(iter(evaluation_batches(reid_folder, split, spec, 8, seed=0)))
        first[split] = batch["image"].numpy()[:, 0, 0]  # A corner is background.
    assert not np.array_equal(first["query"], first["gallery"])
