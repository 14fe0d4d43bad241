import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from tfrecords_schema import schema
from tfreid.records import Records, RecordsInfo, SplitInfo, framing
from tfreid.records.records import shard_name

MEAN_PIXEL = (100.25, 110.5, 120.75)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_folder(tmp_path):
    """Writes images, masks (or None) and backgrounds, without loss, as a training split."""

    def make(
        images: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
        backgrounds: Sequence[np.ndarray] = (),
        mask_vocabulary: str = "lip20",
        labels: Sequence[int] | None = None,
        cameras: Sequence[int] | None = None,
    ) -> Records:
        labels = list(range(len(images))) if labels is None else labels
        cameras = [0] * len(images) if cameras is None else cameras
        records = [
            _example(index, *values, mask_vocabulary)
            for index, values in enumerate(zip(images, masks, labels, cameras, strict=True))
        ]
        shard = tmp_path / shard_name("made", "train", 0, 1)
        shard.write_bytes(b"".join(framing.frame(record) for record in records))
        with_mask = sum(mask is not None for mask in masks)
        counts = SplitInfo(len(images), len(set(labels)), len(set(cameras)), 1, with_mask)
        _info(counts, mask_vocabulary).write(tmp_path)
        (tmp_path / "backgrounds").mkdir()
        for number, pixels in enumerate(backgrounds):
            (tmp_path / "backgrounds" / f"{number}.png").write_bytes(png(pixels))
        return Records(tmp_path)

    return make


def _example(
    index: int,
    image: np.ndarray,
    mask: np.ndarray | None,
    label: int,
    camera: int,
    vocabulary: str,
) -> bytes:
    values = {
        "image/encoded": png(image),
        "image/key": f"made/{index}",
        "image/height": image.shape[0],
        "image/width": image.shape[1],
        "person/id": 10 + label,
        "person/label": label,
        "camera/id": 1 + camera,
        "camera/label": camera,
        "dataset/name": "made",
        "dataset/split": "train",
        "mask/encoded": b"" if mask is None else png(mask),
        "mask/vocabulary": "" if mask is None else vocabulary,
    }
    return schema.encode("reid", values)


def _info(counts: SplitInfo, mask_vocabulary: str) -> RecordsInfo:
    return RecordsInfo(
        name="made",
        kind="reid",
        schema_version=schema.version("reid"),
        splits={"train": counts, "query": SplitInfo(0, 0, 0, 1, 0)},
        num_persons=counts.persons,
        num_cameras=counts.cameras,
        mean_pixel=MEAN_PIXEL,
        mask_vocabulary=mask_vocabulary,
        synthetic=False,
        fingerprint="f00",
        person_labels={"made": {10 + label: label for label in range(counts.persons)}},
        camera_labels={"made": {1 + label: label for label in range(counts.cameras)}},
        made_by={},
    )
