"""Write masks of a data set's images with a trained or a ready-made network.

The masks mirror the images' relative paths, as --masks_root of tfreid.convert expects them.
"""

import sys
from pathlib import Path

import numpy as np
from absl import flags
from PIL import Image

from tfreid.cli import command
from tfreid.datasets import rows_of
from tfreid.datasets.files import LARGEST_LIMIT_MPX, MAX_IMAGE_MPX
from tfreid.errors import DataError, UsageError

_PARSER = flags.DEFINE_string(
    "parser", None, "What makes masks: mediapipe_pose, a run, or a .tflite or .onnx file."
)
_RUN = flags.DEFINE_string("run", None, "The same as --parser.")
_DATASET = flags.DEFINE_string("dataset", None, "Data set, NAME or NAME:CHOICE,...", required=True)
_DATA_ROOT = flags.DEFINE_string("data_root", None, "Folder of the data set.", required=True)
_OUT = flags.DEFINE_string("out", None, "Folder to write; it must not be there.", required=True)
_MAX_IMAGE_MPX = flags.DEFINE_float(
    "max_image_mpx",
    MAX_IMAGE_MPX,
    "Megapixels of the largest image; larger ones get no mask.",
    lower_bound=0.0,
    upper_bound=LARGEST_LIMIT_MPX,
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch.", 1)

_SHOWN = 3


def main() -> None:
    """Makes a mask of every image of the data set."""
    if bool(_PARSER.value) == bool(_RUN.value):
        raise UsageError("give --parser: mediapipe_pose, a run, or a .tflite or .onnx file")
    from tfreid.files import completed_folder, require_new
    from tfreid.masks import mask_maker
    from tfreid.masks.rows import masks_of_rows, require_room
    from tfreid.records.images import RejectedError, UnsureError
    from tfreid.records.mask_maker import UNMASKED, write_reasons

    out = Path(_OUT.value)
    require_new(out)
    rows = rows_of(_DATASET.value, _DATA_ROOT.value)
    require_room(rows, out.parent)
    maker = mask_maker(_PARSER.value or _RUN.value)
    print(f"writing {maker.vocabulary} masks of {len(rows):,} images to {out}", flush=True)
    unreadable, unsure = [], []
    with (
        completed_folder(out) as folder,
        command.progress(len(rows), "parsing", unit="images") as bar,
    ):
        masks = masks_of_rows(maker, rows, _BATCH_SIZE.value, _MAX_IMAGE_MPX.value)
        for row, mask in zip(rows, masks, strict=True):
            if isinstance(mask, RejectedError):
                unreadable.append((row.key, str(mask)))
            elif isinstance(mask, UnsureError):
                unsure.append((row.key, str(mask)))
            else:
                _write(mask, folder / f"{row.key.partition('/')[2]}.png")
            bar.advance()
        without = unreadable + unsure
        if len(without) == len(rows):
            raise DataError(f"no mask of any of {len(rows):,} images; the first: {without[0][1]}")
        if unsure:
            write_reasons(unsure, folder / UNMASKED)
    for key, reason in unreadable + unsure[:_SHOWN]:
        print(f"warning: no mask of {key}: {reason}", file=sys.stderr)
    if unsure:
        print(f"not confident of {len(unsure):,} images, which have no mask: {out / UNMASKED}")
    print(f"wrote {out}: {len(rows) - len(without):,} masks")
    print(f"use them with tfreid.convert --masks_root={out} --mask_vocabulary={maker.vocabulary}")


def _write(mask: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


if __name__ == "__main__":
    command.run(main, reads=("data_root",))
