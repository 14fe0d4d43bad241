"""Masks that conversion makes of images that have none."""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import PIL.Image
import pytest

from tfrecords_schema import schema
from tfreid.datasets import Reading, lookup, rows_of
from tfreid.errors import DataError
from tfreid.records import ImageSet, Records, conversion, shards
from tfreid.records.images import RejectedError, UnsureError
from tfreid.records.mask_maker import made_mask
from tfreid.records.sources import plan


@dataclass(frozen=True)
class Threshold:
    """Calls the brighter pixels a class."""

    vocabulary: str = "lip20"
    refused: bytes = b""
    unsure: frozenset[bytes] = frozenset()
    name: ClassVar[str] = "threshold"

    @property
    def facts(self):
        return {"run": "runs/threshold", "vocabulary": self.vocabulary}

    def __call__(self, images):
        return [self.mask(image) for image in images]

    def mask(self, image: bytes):
        if image == self.refused:
            return RejectedError("cannot decode")
        if image in self.unsure:
            return UnsureError("a person with confidence 0.10")
        pixels = np.asarray(PIL.Image.open(io.BytesIO(image)).convert("L"))
        return np.where(pixels > 100, 13, 0).astype(np.uint8)


def source(raw_data, masks=False, vocabulary="lip20"):
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks" if masks else None)
    return ImageSet("market1501", given=Reading(rows), mask_vocabulary=vocabulary if masks else "")


def convert(raw_data, out, sources, parser, copies=0, **options):
    options = conversion.ConversionOptions(
        random_backgrounds=copies, backgrounds_root=raw_data / "backgrounds", **options
    )
    return conversion.convert(plan(sources, 2, copies, 0, parser), out, options)


def decoded(out, split):
    store = Records(out).store(split)
    records = (schema.decode("reid", data) for data in store.read(np.arange(len(store))))
    return {record["image/key"]: record for record in records}


def mask_of(record):
    return np.asarray(PIL.Image.open(io.BytesIO(record["mask/encoded"])))


def test_images_without_mask_get_one(raw_data, tmp_path):
    parser = Threshold()
    made = convert(raw_data, tmp_path / "out", [source(raw_data)], parser)
    assert made.mask_vocabulary == "lip20"
    assert made.made_by["parser"] == {"run": "runs/threshold", "vocabulary": "lip20"}
    for split, counts in made.splits.items():
        assert counts.with_mask == counts.records
        for record in decoded(tmp_path / "out", split).values():
            assert record["mask/vocabulary"] == "lip20"
            np.testing.assert_array_equal(mask_of(record), parser.mask(record["image/encoded"]))


def test_masks_that_are_there_stay(raw_data, tmp_path):
    sources = [source(raw_data, masks=True)]
    made = convert(raw_data, tmp_path / "parsed", sources, Threshold())
    without = convert(raw_data, tmp_path / "plain", sources, None)
    assert plan(sources, 2, 0, 0, Threshold()).num_parsed == 0
    assert made.fingerprint == without.fingerprint
    assert without.made_by["parser"] is None


def test_joint_sets_agree_on_a_vocabulary(raw_data):
    other = source(raw_data)
    other = ImageSet("other", given=Reading(other.rows[:20]), mask_vocabulary="")
    sources = [source(raw_data, masks=True), other]
    made_plan = plan(sources, 2, 0, 0, Threshold(vocabulary="regions4"))
    assert made_plan.mask_vocabulary == "regions4"
    assert made_plan.num_parsed == 20
    assert plan(sources, 2, 0, 0, Threshold(vocabulary="lip20")).mask_vocabulary == "lip20"


def test_masks_become_those_of_a_coarser_vocabulary(raw_data):
    made_plan = plan([source(raw_data)], 1, 0, 0, Threshold())
    entry = next(iter(made_plan.shards["train"].values()))[0]
    job = shards.ConversionJob("", "reid", (), 0, "regions4", made_plan.parser)
    data, _ = shards.make_record(entry, job, shards.SplitTally())
    record = schema.decode("reid", data)
    assert record["mask/vocabulary"] == "regions4"
    parsed = Threshold().mask(record["image/encoded"])
    assert parsed.max() > 0
    np.testing.assert_array_equal(mask_of(record), np.take(lookup("lip20", "regions4"), parsed))


def test_copies_on_random_backgrounds_use_them(raw_data, tmp_path):
    parser = Threshold()
    made = convert(raw_data, tmp_path / "out", [source(raw_data)], parser, copies=1)
    records = decoded(tmp_path / "out", "train")
    assert made.splits["train"].records == 2 * 48
    for key, record in records.items():
        original, _, copy = key.partition("+")
        mask = parser.mask(records[original]["image/encoded"])
        np.testing.assert_array_equal(mask_of(record), mask)
        if copy:
            pixels = [
                np.asarray(PIL.Image.open(io.BytesIO(found["image/encoded"])).convert("RGB"))
                for found in (record, records[original])
            ]
            np.testing.assert_array_equal(pixels[0][mask > 0], pixels[1][mask > 0])


def test_what_the_parser_cannot_read_is_rejected(raw_data, tmp_path):
    image = source(raw_data).rows[0]
    parser = Threshold(refused=Path(image.image_path).read_bytes())
    with pytest.raises(DataError, match="cannot decode"):
        convert(raw_data, tmp_path / "out", [source(raw_data)], parser, max_reject_fraction=0)


def test_images_of_which_the_parser_is_not_sure_stay_without_mask(raw_data, tmp_path):
    rows = source(raw_data).rows
    chosen = [row for row in rows if row.split != "gallery"][:3]
    parser = Threshold(unsure=frozenset(Path(row.image_path).read_bytes() for row in chosen))
    made = convert(raw_data, tmp_path / "out", [source(raw_data)], parser, max_reject_fraction=0)
    missing = {row.key for row in chosen}
    for split, counts in made.splits.items():
        records = decoded(tmp_path / "out", split)
        without = {key for key, record in records.items() if not record["mask/encoded"]}
        assert without == missing & records.keys()
        assert len(records) == counts.records == counts.with_mask + len(without)
        assert {records[key]["mask/vocabulary"] for key in without} <= {""}
    lines = (tmp_path / "out" / "unmasked.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"key": key, "reason": "a person with confidence 0.10"} for key in sorted(missing)
    ]
    assert made.made_by["unmasked"] == 3


def test_there_is_no_copy_on_a_random_background_without_mask(raw_data, tmp_path):
    row = next(row for row in source(raw_data).rows if row.split == "train")
    parser = Threshold(unsure=frozenset([Path(row.image_path).read_bytes()]))
    options = {"copies": 1, "max_reject_fraction": 0}
    made = convert(raw_data, tmp_path / "out", [source(raw_data)], parser, **options)
    records = decoded(tmp_path / "out", "train")
    assert made.splits["train"].records == len(records) == 2 * 48 - 1
    assert row.key in records
    assert f"{row.key}+background1" not in records
    lines = (tmp_path / "out" / "unmasked.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == [row.key, f"{row.key}+background1"]


def test_without_parser_nothing_says_what_has_no_mask(raw_data, tmp_path):
    made = convert(raw_data, tmp_path / "out", [source(raw_data)], None)
    assert not (tmp_path / "out" / "unmasked.jsonl").exists()
    assert "unmasked" not in made.made_by


def test_a_mask_file_without_a_person_is_no_mask(raw_data, tmp_path):
    masked = source(raw_data, masks=True)
    row = next(row for row in masked.given.rows if row.split == "train")
    empty = tmp_path / "empty.png"
    PIL.Image.new("L", PIL.Image.open(row.mask_path).size).save(empty)
    rows = [replace(one, mask_path=str(empty)) if one is row else one for one in masked.given.rows]
    made = convert(raw_data, tmp_path / "out", [replace(masked, given=Reading(rows))], None)
    records = decoded(tmp_path / "out", "train")
    assert [key for key, record in records.items() if not record["mask/encoded"]] == [row.key]
    assert made.splits["train"].with_mask == len(records) - 1
    assert json.loads((tmp_path / "out" / "unmasked.jsonl").read_text()) == {
        "key": row.key,
        "reason": f"{empty} shows no person",
    }
    assert made.made_by["unmasked"] == 1


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ([np.zeros((5, 7), np.uint8)], r"uint8 \[5, 7\]"),
        ([np.full((32, 16), 20, np.uint8)], "up to 20"),
        ([np.zeros((32, 16), bool)], "bool"),
        ([np.zeros((32, 16, 3), np.uint8)], r"\[32, 16, 3\]"),
        ([np.zeros((0, 0), np.uint8)], "up to nothing"),
        ([None], "NoneType"),
        ([], "list"),
    ],
)
def test_what_is_no_mask_of_the_image_is_refused(made, found):
    said = {"name": "mine", "vocabulary": "lip20", "__call__": lambda *_: made}
    with pytest.raises(RejectedError, match=rf"^mine made no mask.*uint8 \[32, 16\].*{found}"):
        made_mask(type("Maker", (), said)(), b"", (16, 32))
