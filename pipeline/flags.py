"""The flags that all runners share, and the configuration that they give."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from absl import flags

from pipeline.config import PipelineConfig, Thresholds
from tfreid.cli.recipe_flags import define_recipe_flags
from tfreid.datasets import VOCABULARIES, SplitChoice
from tfreid.masks import READY_NETWORKS
from tfreid.methods import METHODS
from tfreid.records import ImageSet
from tfreid.records.runners import with_runner
from tfreid.training import PRECISIONS

_LEAST = Thresholds()

_METHOD = flags.DEFINE_enum("method", None, list(METHODS), "What to train.", required=True)
_DATA_ROOT = flags.DEFINE_string("data_root", None, "Folder of the images.", required=True)
_ROOT = flags.DEFINE_string("root", None, "Folder for all that the pipeline makes.", required=True)
_DATASET = flags.DEFINE_string(
    "dataset", None, "What --data_root is, NAME[:CHOICE,...]; folder, or synthetic if it was drawn."
)
_MASKS_ROOT = flags.DEFINE_string("masks_root", None, "Folder of masks that mirrors the images.")
_MASK_VOCABULARY = flags.DEFINE_enum(
    "mask_vocabulary", None, list(VOCABULARIES), "Classes of the masks of --masks_root."
)
_PARSER = flags.DEFINE_string(
    "parser", None, "What makes missing masks: mediapipe_pose, a run, or a .tflite or .onnx file."
)
_BACKGROUNDS_ROOT = flags.DEFINE_string("backgrounds_root", None, "Scenes without persons.")
_SPLIT_SEED = flags.DEFINE_integer("split_seed", None, "Of data sets that draw their split.")
_SPLIT_INDEX = flags.DEFINE_integer("split_index", None, "Of data sets with several splits.", 0)
_PARSING_DATA_ROOT = flags.DEFINE_string(
    "parsing_data_root", None, "Folder of parsing data, for methods with a parsing network."
)
_PARSING_DATASET = flags.DEFINE_string(
    "parsing_dataset", "lip", "What --parsing_data_root is, NAME[:CHOICE,...]."
)
_MAX_REJECT_FRACTION = flags.DEFINE_float(
    "max_reject_fraction", 0.01, "Largest fraction of unusable images; more stop the run.", 0, 1
)
_SCHEMA = flags.DEFINE_string(
    "schema", None, "Schema that the re-identification records must follow (.pbtxt)."
)
_SCALE = flags.DEFINE_enum(
    "scale", None, ["paper", "demo"], "Recipe to start from: paper, or demo on drawn images."
)
_SEED = flags.DEFINE_integer("seed", 0, "Of order, weights, batches and random backgrounds.", 0)
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", PRECISIONS, "Of the computation; weights stay float32."
)
_ACCUMULATE = flags.DEFINE_integer(
    "accumulate_steps", 1, "Parts of a batch, computed in turn to save memory.", 1
)
_DETERMINISTIC = flags.DEFINE_bool(
    "deterministic", True, "Same bits in every training; without, a GPU may be faster."
)
_MIN_RANK1 = flags.DEFINE_float("min_rank1", _LEAST.min_rank1, "Least rank-1, a fraction.", 0, 1)
_MIN_MAP = flags.DEFINE_float("min_mAP", _LEAST.min_mAP, "Least mAP, a fraction.", 0, 1)
_MAX_REGRESSION = flags.DEFINE_float(
    "max_regression",
    _LEAST.max_regression,
    "How far below the served model rank-1 and mAP may be.",
    lower_bound=0,
)
_MAX_BACKGROUND_LOSS = flags.DEFINE_float(
    "max_background_loss",
    _LEAST.max_background_loss,
    "How much rank-1 may fall on random backgrounds; 1 to allow all, images without masks too.",
    lower_bound=0,
)
_FAR = flags.DEFINE_float("far", 0.001, "False-accept rate of the exported threshold.", 0, 1)
_FLIP = flags.DEFINE_bool(
    "flip_averaging", None, "Serve the mean of image and mirror image; as the method unless given."
)
_CACHE = flags.DEFINE_bool("cache", True, "Answer what has not changed from earlier runs.")

NEEDS = {"mask_vocabulary": "masks_root or dataset=csv", "parsing_dataset": "parsing_data_root"}
"""Flags that have an effect only with others."""

READS = ("data_root", "masks_root", "backgrounds_root", "parsing_data_root")
"""Flags whose folders a pipeline that runs here reads."""


def _drawn(given: Mapping[str, str | None]) -> bool:
    return bool(given["data_root"]) and _is_drawn(given["data_root"])


def _is_drawn(root: str) -> bool:
    return ImageSet("", Path(root)).drawn_in is not None


_RECIPE = define_recipe_flags(sys.argv, ("data_root",), _drawn)


def config_from_flags(beam_args: Sequence[str]) -> PipelineConfig:
    """Returns the configuration that the command line asks for.

    Args:
      beam_args: Beam options.

    Raises:
      UsageError: if the method lacks data or cannot be served.
    """
    root, drawn = _DATA_ROOT.value, _is_drawn(_DATA_ROOT.value)
    parsing_root = _PARSING_DATA_ROOT.value or (root if drawn else None)
    limit = _MAX_BACKGROUND_LOSS.value
    return PipelineConfig(
        root=_absolute(_ROOT.value),
        method=_METHOD.value,
        recipe=_RECIPE(),
        data=ImageSet(
            _DATASET.value or ("synthetic" if drawn else "folder"),
            Path(_absolute(root)),
            masks_root=_path(_MASKS_ROOT.value),
            mask_vocabulary=_MASK_VOCABULARY.value or "",
            split=_split(),
        ),
        parser=_parser(),
        parsing_data=parsing_root and ImageSet(_PARSING_DATASET.value, _path(parsing_root)),
        backgrounds_root=_BACKGROUNDS_ROOT.value and _absolute(_BACKGROUNDS_ROOT.value),
        schema=_SCHEMA.value and _absolute(_SCHEMA.value),
        max_reject_fraction=_MAX_REJECT_FRACTION.value,
        seed=_SEED.value,
        precision=_PRECISION.value,
        accumulate_steps=_ACCUMULATE.value,
        deterministic=_DETERMINISTIC.value,
        thresholds=Thresholds(
            _MIN_RANK1.value, _MIN_MAP.value, _MAX_REGRESSION.value, None if limit >= 1 else limit
        ),
        far=_FAR.value,
        flip_averaging=_FLIP.value,
        beam_args=tuple(with_runner(beam_args)),
        cache=_CACHE.value,
    )


def _parser() -> str | None:
    """The name of a ready-made network, or a path."""
    given = _PARSER.value
    return given if given is None or given in READY_NETWORKS else _absolute(given)


def _split() -> SplitChoice | None:
    asked = SplitChoice(_SPLIT_SEED.value, _SPLIT_INDEX.value)
    return None if asked == SplitChoice() else asked


def _path(path: str | None) -> Path | None:
    return Path(_absolute(path)) if path else None


def _absolute(path: str) -> str:
    """TFX may run a component elsewhere; a URL stays as it is."""
    return path if "://" in path else str(Path(path).expanduser().absolute())
