"""Tiny data sets, made once a test session; see `tiny_people.py` for what they hold."""

from pathlib import Path

import numpy as np
import pytest
import tiny_people
from PIL import Image

from tfrecords_schema import schema
from tfreid.datasets import rows_of
from tfreid.records import DatasetFolder, DatasetInfo, SplitInfo, framing
from tfreid.records.folder import shard_name


@pytest.fixture(scope="session")
def raw_data(tmp_path_factory) -> Path:
    """A folder with `market1501/`, its mirror `masks/` (lip20), `lip/` and `backgrounds/`."""
    root = tmp_path_factory.mktemp("raw")
    tiny_people.write_market(root / "market1501", root / "masks")
    tiny_people.write_lip(root / "lip")
    tiny_people.write_backgrounds(root / "backgrounds")
    return root


@pytest.fixture(scope="session")
def reid_folder(raw_data, tmp_path_factory) -> DatasetFolder:
    """Converted records: 8 training persons x 2 cameras x 3 images, 6 test persons, lip20 masks."""
    out = tmp_path_factory.mktemp("converted") / "reid"
    rows = rows_of("market1501", raw_data / "market1501", raw_data / "masks")
    _write(out, "market1501", "reid", rows)
    tiny_people.write_backgrounds(out / "backgrounds")
    return DatasetFolder(out)


@pytest.fixture(scope="session")
def parsing_folder(raw_data, tmp_path_factory) -> DatasetFolder:
    """Converted records for the parser: 12 training and 6 validation images, lip20 masks."""
    out = tmp_path_factory.mktemp("converted") / "parsing"
    _write(out, "lip", "parsing", rows_of("lip", raw_data / "lip"))
    tiny_people.write_backgrounds(out / "backgrounds")
    return DatasetFolder(out)


def _write(out: Path, name: str, kind: str, rows: list) -> None:
    """Stands in for the conversion."""
    out.mkdir()
    train = [row for row in rows if row.split == "train"]
    labels = _labels({row.person_id for row in train}) if kind == "reid" else {}
    cameras = _labels({row.camera_id for row in train}) if kind == "reid" else {}
    splits = {}
    for split in sorted({row.split for row in rows}):
        chosen = [row for row in rows if row.split == split]
        examples = [
            schema.encode(kind, _values(row, name, kind, labels, cameras)) for row in chosen
        ]
        for shard, part in enumerate(np.array_split(np.arange(len(chosen)), 2)):
            path = out / shard_name(name, split, shard, 2)
            path.write_bytes(b"".join(framing.frame(examples[i]) for i in part))
        persons = {row.person_id for row in chosen if row.person_id > 0} if kind == "reid" else ()
        splits[split] = SplitInfo(len(chosen), len(persons), len(cameras), 2, len(chosen))
    pixels = np.stack([np.asarray(Image.open(row.image_path)) for row in train])
    DatasetInfo(
        name=name,
        kind=kind,
        schema_version=schema.version(kind),
        splits=splits,
        num_persons=len(labels),
        num_cameras=len(cameras),
        mean_pixel=tuple(pixels.mean(axis=(0, 1, 2)).tolist()),
        mask_vocabulary="lip20",
        synthetic=True,
        fingerprint="0" * 16,
        person_labels={name: labels},
        camera_labels={name: cameras},
        made_by={},
    ).write(out)


def _labels(ids: set[int]) -> dict[int, int]:
    return {number: label for label, number in enumerate(sorted(ids))}


def _values(row, name: str, kind: str, labels: dict, cameras: dict) -> dict:
    values = {
        "image/encoded": Path(row.image_path).read_bytes(),
        "image/key": row.key,
        "image/height": tiny_people.HEIGHT_PX,
        "image/width": tiny_people.WIDTH_PX,
        "dataset/name": name,
        "dataset/split": row.split,
        "mask/encoded": Path(row.mask_path).read_bytes(),
        "mask/vocabulary": "lip20",
    }
    if kind == "reid":
        values |= {
            "person/id": row.person_id,
            "person/label": labels.get(row.person_id, -1),
            "camera/id": row.camera_id,
            "camera/label": cameras.get(row.camera_id, -1),
        }
    return values
