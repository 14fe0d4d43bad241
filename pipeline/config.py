"""Everything that one pipeline is told, whichever runner runs it."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfreid.datasets import SplitChoice, parse_name
from tfreid.datasets.dataset import REID_SPLITS
from tfreid.errors import UsageError
from tfreid.methods import METHODS
from tfreid.methods.recipe import from_json, to_json
from tfreid.records import ImageSet
from tfreid.records.runners import LOCAL_RUNNER
from tfreid.serving.recommendation import Rates
from tfreid.training import Arithmetic


@dataclass(frozen=True)
class Thresholds:
    """What a model must reach to be blessed; figures are fractions.

    Attributes:
      min_rank1: smallest rank-1 on the original test images.
      min_mAP: smallest mean average precision on the original test images.
      max_regression: by how much rank-1 and mAP may be below those of the served model, measured
        on the same images.
      max_background_loss: by how much rank-1 may fall when the backgrounds are replaced by random
        ones. It takes masks and background scenes to measure it; a model for which it could not
        be measured is not blessed. None switches the condition off.
    """

    min_rank1: float = 0.5
    min_mAP: float = 0.3
    max_regression: float = 0.01
    max_background_loss: float | None = 0.1


@dataclass(frozen=True)
class PipelineConfig:
    """What to train on, what to train, and when to push it.

    Attributes:
      root: folder for everything that the pipeline makes, or the address of one.
      method: name of the method.
      recipe: its settings, an instance of the method's recipe.
      data: the re-identification images.
      parser: what makes the masks that the re-identification images lack, as
        `tfreid.masks.mask_maker` takes it; None for nothing.
      parsing_data: images with class masks, for methods that train a parsing network.
      backgrounds_root: scenes without persons, or None for those of the synthetic generator, or
        else, where there are masks, for the images themselves without their persons.
      schema: schema that the re-identification records must follow, or None for
        `tfrecords_schema/reid.pbtxt`.
      seed: of the records' order, weights, batches and random backgrounds.
      precision: of the computation.
      accumulate_steps: parts of a batch that are computed in turn, to save memory.
      deterministic: whether a training gives the same bits in every run.
      max_reject_fraction: largest fraction of the images that may be unusable.
      thresholds: what a model must reach.
      far: false-accept rate of the threshold that is exported with the model.
      flip_averaging: whether the served descriptor averages an image and its mirror image; None
        for what the method does.
      serving_image: image of the model server that the infra check starts where there is Docker.
      beam_args: Beam options of all components that use Beam.
      cache: whether executions with the same inputs are answered from earlier ones.
      metadata: SQLite file of the local runner's ML Metadata; in `root` unless given.
    """

    root: str
    method: str
    recipe: Any
    data: ImageSet
    parser: str | None = None
    parsing_data: ImageSet | None = None
    backgrounds_root: str | None = None
    schema: str | None = None
    seed: int = 0
    precision: str = "float32"
    accumulate_steps: int = 1
    deterministic: bool = True
    max_reject_fraction: float = 0.01
    thresholds: Thresholds = field(default_factory=Thresholds)
    far: float = 0.001
    flip_averaging: bool | None = None
    serving_image: str = "tensorflow/serving:2.19.1"
    beam_args: tuple[str, ...] = (LOCAL_RUNNER,)
    cache: bool = True
    metadata: str | None = None

    def __post_init__(self):
        """Refuses what no pipeline can do.

        Raises:
          UsageError: if the method gives no descriptor or lacks data, a data set is of the wrong
            kind, or the computation or the export is not possible.
        """
        Arithmetic(self.precision, self.accumulate_steps, self.deterministic)
        Rates(far=self.far)
        kinds = {stage.data for stage in METHODS[self.method].stages(self.recipe)}
        if "reid" not in kinds:
            raise UsageError(
                f"{self.method} gives no descriptor: a pipeline serves re-identification models"
            )
        if "parsing" in kinds and self.parsing_data is None:
            raise UsageError(
                f"{self.method} trains a parsing network: give images with class masks as "
                "--parsing_data_root (python -m tfreid.datasets lists such data sets)"
            )
        if self.flip_averaging and _has_positions(self.recipe):
            raise UsageError(
                f"{self.method} is matched by its position features, which are not averaged with "
                "those of the mirror image: leave --flip_averaging out"
            )
        for kind, data in self.datasets.items():
            if parse_name(data.name)[0].kind != kind:
                raise UsageError(
                    f"{data.name} is no {kind} data set; python -m tfreid.datasets lists the kinds"
                )

    @property
    def name(self) -> str:
        """The pipeline's name; models of one name follow each other."""
        return f"tfreid-{self.method}"

    @property
    def datasets(self) -> dict[str, ImageSet]:
        """The data sets that the method reads, by kind of record."""
        stages = METHODS[self.method].stages(self.recipe)
        given = {"reid": self.data, "parsing": self.parsing_data}
        return {kind: given[kind] for kind in given if any(s.data == kind for s in stages)}

    @property
    def push_destination(self) -> str:
        """Folder of the pushed versions, which a model server watches."""
        return f"{self.root}/serving_model"

    def training(self) -> dict[str, Any]:
        """Returns what the Trainer is told, for JSON."""
        return {
            "method": self.method,
            "recipe": to_json(self.recipe),
            "seed": self.seed,
            "precision": self.precision,
            "accumulate_steps": self.accumulate_steps,
            "deterministic": self.deterministic,
            "far": self.far,
            "flip_averaging": self.flip_averaging,
            "runs": f"{self.root}/runs",
        }

    def conversion(self, kind: str) -> dict[str, Any]:
        """Returns what the ExampleGen of a kind of records is told, for JSON."""
        data = self.datasets[kind]
        split = data.split or SplitChoice()
        scenes = self.backgrounds_root or data.own_backgrounds
        return {
            "name": data.name,
            "root": str(data.root),
            "masks_root": str(data.masks_root or ""),
            "mask_vocabulary": data.mask_vocabulary,
            **{
                f"split_{name}": "" if value is None else str(value)
                for name, value in (("seed", split.seed), ("index", split.index))
            },
            "parser": (self.parser or "") if kind == "reid" else "",
            "backgrounds_root": str(scenes or ""),
            "seed": self.seed,
            "max_reject_fraction": self.max_reject_fraction,
        }

    def evaluation(self) -> str:
        """Returns what the RetrievalEvaluator is told, as JSON."""
        return json.dumps(
            {
                "name": self.method,
                "thresholds": dataclasses.asdict(self.thresholds),
                "seed": self.seed,
            },
            sort_keys=True,
        )


def require_splits(data: ImageSet) -> None:
    """Raises a UsageError unless images can both train a model and test it; lists them."""
    found = {row.split for row in data.rows}
    if missing := [split for split in REID_SPLITS if split not in found]:
        raise UsageError(
            f"{data.name} in {data.root} has no {' and no '.join(missing)} images: a pipeline "
            f"trains a model and measures it before it is served. Give images of all of "
            f"{', '.join(REID_SPLITS)}"
        )


def _has_positions(recipe: Any) -> bool:
    """Whether the model gives features of positions, as FPR's does for all distances but one."""
    return getattr(recipe, "distance", "pooled") != "pooled"


def trained_recipe(config: Mapping[str, Any]) -> Any:
    """Returns the recipe that `PipelineConfig.training` wrote down."""
    return from_json(METHODS[config["method"]].recipe, config["recipe"])
