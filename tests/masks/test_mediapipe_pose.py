"""The very network, fetched as a user fetches it, on drawn people whose masks are known."""

import numpy as np
import pytest
from PIL import Image

from tests.commands import Command
from tfreid.datasets import lookup, rows_of
from tfreid.masks import READY_NETWORKS, mask_maker
from tfreid.masks.rows import masks_of_rows
from tfreid.records import Records
from tfreid.records.images import UnsureError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    done = Command("tfreid.masks", "--get=mediapipe_pose", XDG_CACHE_HOME=str(folder)).finish()
    if done.returncode:
        pytest.skip(f"the network cannot be had here: {done.stderr.strip()}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "people"
    few = ("--persons=6", "--lip_images=2", "--backgrounds=1", "--occluded_persons=1")
    done = Command("tfreid.synthesize", f"--out={out}", *few, "--workers=1").finish()
    assert done.returncode == 0, done.stderr
    return out


def test_it_finds_drawn_people_and_their_regions(cache, drawn):
    rows = rows_of("market1501", drawn / "market1501", drawn / "masks")
    rows = [row for row in rows if row.split == "train"][:40]
    both, either, sure = np.zeros(4), np.zeros(4), 0
    for row, mask in zip(rows, masks_of_rows(mask_maker("mediapipe_pose"), rows), strict=True):
        if isinstance(mask, UnsureError):
            continue
        sure += 1
        exact = np.take(lookup("lip20", "regions4"), np.asarray(Image.open(row.mask_path)))
        for place in range(4):
            found, wanted = ((m == place) if place else (m > 0) for m in (mask, exact))
            both[place] += (found & wanted).sum()
            either[place] += (found | wanted).sum()
    assert sure >= 0.85 * len(rows)
    ious = both / either
    assert ious[0] > 0.7  # The person; the rest are head, upper and lower body.
    assert ious[1:].min() > 0.5


def test_convert_takes_it_by_name_in_worker_processes(cache, drawn, tmp_path):
    out = tmp_path / "out"
    done = Command(
        "tfreid.convert",
        "--dataset=market1501",
        f"--data_root={drawn / 'market1501'}",
        "--parser=mediapipe_pose",
        f"--out={out}",
        "--",
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=2",
        XDG_CACHE_HOME=str(cache),
    ).finish()
    assert done.returncode == 0, done.stderr
    info = Records(out).info
    assert info.mask_vocabulary == "regions4"
    assert info.made_by["parser"] == {
        "network": "mediapipe_pose",
        "sha256": READY_NETWORKS["mediapipe_pose"].sha256,
        "vocabulary": "regions4",
        "min_presence": 0.5,
    }
    without = sum(split.records - split.with_mask for split in info.splits.values())
    assert info.made_by["unmasked"] == without
    assert "by mediapipe_pose" in done.stdout
