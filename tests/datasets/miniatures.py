"""Miniatures: every data set in its real layout, file names and formats, a few images each."""

from collections.abc import Callable
from pathlib import Path

from tests.datasets import (
    cuhk03_miniatures,
    occluded_miniatures,
    parser_miniatures,
    training_miniatures,
)
from tests.datasets.hand_made import MARKET_FILES, write_image, write_mask


def market1501(root: Path) -> Path:
    folder = root / "Market-1501-v15.09.15"
    for name in MARKET_FILES:
        write_image(folder / name)
    (folder / "query" / "Thumbs.db").touch()  # The published archive has such files.
    return folder


def dukemtmc(root: Path) -> Path:
    folder = root / "DukeMTMC-reID"
    for name in (
        "bounding_box_train/0001_c2_f0046182.jpg",
        "bounding_box_train/0001_c5_f0051341.jpg",
        "bounding_box_train/0007_c3_f0080619.JPG",
        # Person 9 is a distractor: no query asks for her.
        "query/0005_c2_f0046985.jpg",
        "bounding_box_test/0005_c8_f0066501.jpg",
        "bounding_box_test/0005_c2_f0047105.jpg",
        "bounding_box_test/0009_c1_f0120000.jpg",
    ):
        write_image(folder / name)
    return folder


def msmt17(root: Path) -> Path:
    """Version 1; the person of the training and one of the test folder have the same number."""
    folder = root / "MSMT17_V1"
    lists = {
        "list_train.txt": ("0000/0000_000_01_0303morning_0015_0.jpg 0",),
        "list_val.txt": ("0000/0000_001_14_0303morning_0031_1.jpg 0",),
        "list_query.txt": (
            "0000/0000_000_01_0302noon_0001_0.jpg 0",
            "0001/0001_000_05_0302noon_0002_0.jpg 1",
        ),
        "list_gallery.txt": (
            "0000/0000_001_11_0302afternoon_0003_0.jpg 0",
            "0001/0001_001_05_0303noon_0004_2.JPG 1",
        ),
    }
    for name, lines in lists.items():
        images = folder / ("train" if name in ("list_train.txt", "list_val.txt") else "test")
        for line in lines:
            write_image(images / line.split()[0])
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    write_image(folder / "train/0000/0000_002_02_0303morning_0100_0.jpg")  # in no list
    return folder


def lip(root: Path) -> Path:
    folder = root / "LIP"
    for split, names in (("train", ("77_1", "78_1")), ("val", ("100_2",))):
        for name in names:
            write_image(folder / f"TrainVal_images/{split}_images/{name}.jpg")
            write_mask(folder / f"TrainVal_parsing_annotations/{split}_segmentations/{name}.png")
        (folder / f"{split}_id.txt").write_text("\n".join(names) + "\n")
    return folder


MINIATURES: dict[str, Callable[[Path], Path]] = {
    "market1501": market1501,
    "dukemtmc": dukemtmc,
    "msmt17": msmt17,
    "msmt17:train+val": msmt17,
    "cuhk03": cuhk03_miniatures.release,
    "cuhk03:labeled": cuhk03_miniatures.release,
    "cuhk03:labeled,classic": cuhk03_miniatures.release,
    "cuhk03:detected": cuhk03_miniatures.extracted,
    "cuhk01": training_miniatures.cuhk01,
    "cuhk02": training_miniatures.cuhk02,
    "cuhk_sysu": training_miniatures.cuhk_sysu,
    "viper": training_miniatures.viper,
    "3dpes": training_miniatures.three_dpes,
    "prid": training_miniatures.prid,
    "shinpuhkan": training_miniatures.shinpuhkan,
    "partial_reid": occluded_miniatures.partial_reid,
    "partial_ilids": occluded_miniatures.partial_ilids,
    "occluded_reid": occluded_miniatures.occluded_reid,
    "lip": lip,
    "human_parsing": parser_miniatures.human_parsing,
    "coco_person": parser_miniatures.coco_person,
}
"""What `--dataset` takes, to what writes such a data set into an empty folder and returns it."""
