"""The whole conversion, on the tiny data sets of `tiny_people`."""

import errno
import io
import json
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
import tiny_people

from tests.dask_cluster import WORKERS, workers_that_loaded
from tfrecords_schema import schema
from tfreid.datasets import Reading, rows_of
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records import ImageSet, Records, RecordsInfo, conversion, shards
from tfreid.records.sources import plan

TRAIN_RECORDS = tiny_people.TRAIN_PERSONS * tiny_people.CAMERAS * tiny_people.IMAGES_PER_CAMERA


@pytest.fixture
def data(raw_data, tmp_path) -> Path:
    """A copy of the tiny data sets that the test may damage."""
    return Path(shutil.copytree(raw_data, tmp_path / "data"))


def market_plan(data, copies=0, masks=True, shards=2):
    rows = rows_of("market1501", data / "market1501", data / "masks" if masks else None)
    source = ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20" if masks else "")
    return plan([source], shards, copies, seed=0)


def convert(data, out, copies=0, masks=True, shards=2, beam_args=(), **options) -> RecordsInfo:
    options = conversion.ConversionOptions(random_backgrounds=copies, **options)
    return conversion.convert(
        market_plan(data, copies, masks, shards), out, options, beam_args=beam_args
    )


def decoded(folder: Records, split="train") -> dict[str, dict]:
    store = folder.store(split)
    records = [schema.decode(folder.info.kind, r) for r in store.read(np.arange(len(store)))]
    return {record["image/key"]: record for record in records}


def image_path(data, number=0) -> Path:
    return sorted((data / "market1501" / "bounding_box_train").iterdir())[number]


@pytest.fixture(scope="module")
def converted(raw_data, tmp_path_factory) -> Records:
    out = tmp_path_factory.mktemp("conversion") / "out"
    convert(raw_data, out, backgrounds_root=raw_data / "backgrounds")
    return Records(out)


def test_records_hold_the_files_as_they_are(converted, raw_data):
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks")
    records = decoded(converted) | decoded(converted, "query") | decoded(converted, "gallery")
    assert len(records) == len(rows)
    for row in rows:
        record = records[row.key]
        assert record["image/encoded"] == Path(row.image_path).read_bytes()
        assert record["mask/encoded"] == Path(row.mask_path).read_bytes()
        assert record["mask/vocabulary"] == "lip20"
        assert (record["image/height"], record["image/width"]) == (32, 16)
        assert record["dataset/split"] == row.split
        assert (record["person/id"], record["camera/id"]) == (row.person_id, row.camera_id)
        label = row.person_id - 1 if row.split == "train" else -1
        assert record["person/label"] == label


def test_description(converted, raw_data):
    info = converted.info
    assert info.splits["train"].records == info.splits["train"].with_mask == TRAIN_RECORDS
    assert info.splits["query"].persons == info.splits["gallery"].persons == 6
    assert info.splits["gallery"].records == 26
    assert (info.num_persons, info.num_cameras) == (8, 2)
    assert info.camera_labels == {"market1501": {1: 0, 2: 1}}
    assert info.mask_vocabulary == "lip20"
    assert info.has_masks("train")
    assert not info.synthetic
    train = raw_data / "market1501" / "bounding_box_train"
    pixels = np.stack([np.asarray(PIL.Image.open(path), np.float64) for path in train.iterdir()])
    np.testing.assert_allclose(info.mean_pixel, pixels.mean(axis=(0, 1, 2)), rtol=1e-12)


def test_folder_holds_what_the_documentation_says(converted, raw_data):
    names = {path.name for path in converted.path.iterdir()}
    shards = {p.name for split in converted.info.splits for p in converted.shards(split)}
    assert names == shards | {
        "backgrounds",
        "dataset.json",
        "dataset_info.json",
        "features.json",
        "rejects.jsonl",
    }
    assert (converted.path / "rejects.jsonl").read_text() == ""
    for scene in converted.backgrounds():
        assert scene.read_bytes() == (raw_data / "backgrounds" / scene.name).read_bytes()


def test_tfds_opens_it(converted):
    builder = tfds.builder_from_directory(str(converted.path))
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        name: split.records for name, split in converted.info.splits.items()
    }
    records = decoded(converted)
    seen = 0
    for example in builder.as_dataset(split="train").as_numpy_iterator():
        record = records[example["image"]["key"].decode()]
        assert example["person"]["label"] == record["person/label"]
        expected = tf.io.decode_jpeg(record["image/encoded"]).numpy()
        np.testing.assert_array_equal(example["image"]["encoded"], expected)
        seen += 1
    assert seen == len(records)


def test_sharding_changes_neither_order_nor_fingerprint(converted, raw_data, tmp_path):
    seen = []
    info = conversion.convert(
        market_plan(raw_data, shards=5),
        tmp_path / "out",
        conversion.ConversionOptions(),
        advance=seen.append,
    )
    assert info.fingerprint == converted.info.fingerprint
    assert list(decoded(Records(tmp_path / "out"))) == list(decoded(converted))
    assert sum(seen) == sum(split.records for split in info.splits.values())


@pytest.mark.slow
def test_dask_workers_write_the_same_bytes(raw_data, tmp_path, dask_args):
    options = {"copies": 1, "shards": 6, "backgrounds_root": raw_data / "backgrounds"}
    here = convert(raw_data, tmp_path / "here", **options)
    assert convert(raw_data, tmp_path / "dask", beam_args=dask_args, **options) == here
    assert workers_that_loaded("tfreid.records.shards") == WORKERS
    assert contents(tmp_path / "dask") == contents(tmp_path / "here")


@pytest.mark.slow
def test_a_portable_runner_writes_the_same_bytes(raw_data, tmp_path):
    options = {"copies": 1, "shards": 6, "backgrounds_root": raw_data / "backgrounds"}
    here = convert(raw_data, tmp_path / "here", **options)
    portable = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"]
    assert convert(raw_data, tmp_path / "portable", beam_args=portable, **options) == here
    assert contents(tmp_path / "portable") == contents(tmp_path / "here")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.*")}


def test_other_contents_have_another_fingerprint(converted, raw_data, tmp_path):
    info = convert(raw_data, tmp_path / "out", masks=False)
    assert info.fingerprint != converted.info.fingerprint
    assert info.mask_vocabulary == ""
    assert info.splits["train"].with_mask == 0


def test_random_background_copies(converted, raw_data, tmp_path):
    scenes = raw_data / "backgrounds"
    info = convert(raw_data, tmp_path / "out", copies=2, backgrounds_root=scenes)
    assert info.splits["train"].records == 3 * TRAIN_RECORDS
    assert info.splits["query"] == converted.info.splits["query"]
    assert info.mean_pixel == converted.info.mean_pixel
    records = decoded(Records(tmp_path / "out"))
    different = 0
    for key, original in decoded(converted).items():
        copies = [records[f"{key}+background{n}"] for n in (1, 2)]
        assert records[key] == original
        different += copies[0]["image/encoded"] != copies[1]["image/encoded"]
        mask, pixels, changed = (
            np.asarray(PIL.Image.open(io.BytesIO(data)))
            for data in (
                original["mask/encoded"],
                original["image/encoded"],
                copies[0]["image/encoded"],
            )
        )
        np.testing.assert_array_equal(changed[mask > 0], pixels[mask > 0])
        same = ("person/id", "person/label", "camera/label", "mask/encoded")
        assert all(copies[0][name] == original[name] for name in same)
    assert different > TRAIN_RECORDS / 2


def test_parsing_records(raw_data, tmp_path):
    source = ImageSet(
        "lip", given=Reading(rows_of("lip", raw_data / "lip")), mask_vocabulary="lip20"
    )
    info = conversion.convert(
        plan([source], 1, 0, 0), tmp_path / "out", conversion.ConversionOptions()
    )
    assert {name: split.records for name, split in info.splits.items()} == {"train": 12, "val": 6}
    assert info.has_masks("train")
    record = decoded(Records(tmp_path / "out"), "val")["lip/val_images/000112"]
    labels = raw_data / "lip" / "TrainVal_parsing_annotations" / "val_segmentations"
    assert record["mask/encoded"] == (labels / "000112.png").read_bytes()


def damage(data, kind):
    image = image_path(data)
    mask = data / "masks" / "bounding_box_train" / f"{image.stem}.png"
    if kind == "truncated":
        image.write_bytes(image.read_bytes()[:-60])
    elif kind == "text":
        image.write_text("this is no image")
    elif kind == "empty":
        image.write_bytes(b"")
    elif kind == "mask size":
        tiny_people.save(np.zeros((30, 16), np.uint8), mask)
    elif kind == "mask class":
        tiny_people.save(np.full((32, 16), 20, np.uint8), mask)
    return f"market1501/bounding_box_train/{image.stem}"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated", "the image is damaged"),
        ("text", "the image is no JPEG"),
        ("empty", "the image file is empty"),
        ("mask size", "the mask is 16x30 pixels (width x height), the image 16x32"),
        ("mask class", "unknown class 20 in the mask: lip20 has classes 0 to 19"),
    ],
)
def test_a_bad_record_is_left_out_and_named(data, tmp_path, kind, reason):
    key = damage(data, kind)
    info = convert(data, tmp_path / "out", max_reject_fraction=0.02)
    (line,) = (tmp_path / "out" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["key"] == key
    assert json.loads(line)["reason"].startswith(reason)
    assert info.made_by["rejected"] == 1
    assert info.splits["train"].records == TRAIN_RECORDS - 1
    assert key not in decoded(Records(tmp_path / "out"))


def test_too_many_rejects_fail_the_job(data, tmp_path):
    key = damage(data, "text")
    with pytest.raises(DataError, match="1 of 86 records rejected, more than") as error:
        convert(data, tmp_path / "out")
    assert "max_reject_fraction=0.01" in str(error.value)
    assert f"{key}: the image is no JPEG" in str(error.value)
    rejects = tmp_path / "out.rejects.jsonl"
    assert str(rejects) in str(error.value)
    assert json.loads(rejects.read_text())["key"] == key
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.rejects.jsonl"]
    shutil.copy(image_path(data, 1), image_path(data))
    convert(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


@pytest.mark.parametrize("name", ["n" * 241, "ä" * 120])
def test_rejects_are_kept_beside_a_long_name(data, tmp_path, name):
    damage(data, "text")
    with pytest.raises(DataError, match="1 of 86 records rejected"):
        convert(data, tmp_path / name)
    assert (tmp_path / f"{name}.rejects.jsonl").is_file()


def test_a_name_that_leaves_no_room_for_that_of_the_rejects_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match="242 bytes: choose one of at most 241"):
        convert(data, tmp_path / ("ä" * 121))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_split_without_records_fails_the_job(data, tmp_path):
    for image in (data / "market1501" / "query").iterdir():
        image.write_bytes(b"")
    with pytest.raises(DataError, match="no record of query is left: all were rejected"):
        convert(data, tmp_path / "out", max_reject_fraction=0.5)
    assert not (tmp_path / "out").exists()


def test_full_disk(data, tmp_path, monkeypatch):
    def frame_on_full_disk(payload):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shards.framing, "frame", frame_on_full_disk)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/out'") as error:
        convert(data, tmp_path / "out")
    assert error.value.errno == errno.ENOSPC
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def interrupt(payload):
    raise KeyboardInterrupt


def test_stopped_job_leaves_nothing_and_can_be_repeated(data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shards.framing, "frame", interrupt)
        with pytest.raises(KeyboardInterrupt):
            convert(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    convert(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


@pytest.mark.parametrize("is_link", [False, True])
def test_what_lies_where_rejects_go_stays(data, tmp_path, is_link):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    taken = tmp_path / "out.rejects.jsonl"
    taken.symlink_to(mine) if is_link else mine.rename(taken)
    with pytest.raises(UsageError, match=r"out\.rejects\.jsonl .* something else: move it away"):
        convert(data, tmp_path / "out")
    assert taken.read_text() == "precious"
    assert not (tmp_path / "out").exists()


def test_refuses_what_it_cannot_do(data, converted, tmp_path):
    with pytest.raises(UsageError, match="exists: remove it, or choose another folder"):
        convert(data, converted.path)
    with pytest.raises(UsageError, match=r"copies need masks .* and backgrounds"):
        convert(data, tmp_path / "out", copies=1, masks=False)
    with pytest.raises(MissingPathError, match="no folder of backgrounds at"):
        convert(data, tmp_path / "out", backgrounds_root=tmp_path / "nowhere")
    (data / "backgrounds" / "000.jpg").write_text("no image")
    with pytest.raises(DataError, match="unusable background: the image is no JPEG"):
        convert(data, tmp_path / "out", backgrounds_root=data / "backgrounds")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_worker_processes_write_the_same(converted, raw_data, tmp_path):
    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    convert(
        raw_data, tmp_path / "out", beam_args=workers, backgrounds_root=raw_data / "backgrounds"
    )
    for path in converted.path.glob("*.tfrecord-*"):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_a_background_beyond_the_limit_is_named(raw_data, tmp_path):
    scenes = raw_data / "backgrounds"
    with pytest.raises(DataError, match=r"unusable background: .*max_image_mpx.*backgrounds/"):
        convert(raw_data, tmp_path / "out", backgrounds_root=scenes, max_image_mpx=0.0001)
    assert not (tmp_path / "out").exists()
