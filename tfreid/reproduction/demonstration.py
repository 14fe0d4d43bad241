"""The demo's four models: what random backgrounds in training do, and what guided pooling does.

PGP's paper shows the one on DGD (section 2.4, Figure 3) and the other in Table 3, both together in
Tables 1 and 4. All models are updated as often, with as many images; image sizes are the papers',
halved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfreid.evaluation import AuditResult, Change, Gain
from tfreid.inputs import VARIANTS
from tfreid.reproduction.recipes import as_flag
from tfreid.training import Run

PARSER = "parsing"
"""Folder of the parsing network that both of PGP's models share."""

_DGD = {"schedule.steps": 1_000, "schedule.every_steps": 200}
_PGP = {
    "train_parser": False,
    "main.steps": 700,
    "main.every_steps": 140,
    "guided.steps": 90,
    "guided.every_steps": 60,
    "joint.steps": 210,
    "joint.every_steps": 140,
}


@dataclass(frozen=True)
class Shown:
    """A model of the demo.

    Attributes:
      name: what it is called.
      folder: of its run, in that of all runs.
      method: name of the method.
      random_backgrounds: share of the training images that get a random background.
      settings: further fields of its recipe.
      starts_from: folder of the run that it starts from, in that of all runs.
    """

    name: str
    folder: str
    method: str
    random_backgrounds: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    starts_from: str = ""

    def training_arguments(self, data: Path, runs: Path, seed: int) -> list[str]:
        """Returns the arguments of `tfreid.train`."""
        fields = {"random_background_probability": self.random_backgrounds, **self.settings}
        return [
            f"--method={self.method}",
            "--scale=demo",
            f"--data={data}",
            *([f"--init_from={runs / self.starts_from}"] if self.starts_from else []),
            *(as_flag(name, value) for name, value in fields.items()),
            f"--seed={seed}",
            f"--out={runs / self.folder}",
        ]


MODELS = (
    Shown("DGD", "dgd", "dgd", 0.0, _DGD),
    Shown("DGD augmented", "dgd-augmented", "dgd", 0.5, _DGD),
    Shown("PGP", "pgp", "pgp", 0.0, _PGP, PARSER),
    Shown("PGP augmented", "pgp-augmented", "pgp", 0.5, _PGP, PARSER),
)
"""PGP's paper calls the last two "Ours" and "Ours w/ data aug." (Table 1)."""

CHANGES = (
    Change("random backgrounds in training", "DGD", "DGD augmented", "PGP, section 2.4, Figure 3"),
    Change("guided pooling (PGP for DGD)", "DGD", "PGP", "PGP, Table 3"),
    Change("random backgrounds in training", "PGP", "PGP augmented", "PGP, Tables 1 and 4"),
    Change("guided pooling (PGP for DGD)", "DGD augmented", "PGP augmented"),
    Change("both", "DGD", "PGP augmented", "PGP, Table 2"),
)


def facts(run: Run) -> dict[str, Any]:
    """Returns what of a run a fair comparison depends on, for JSON."""
    stages = [stage for stage in run.stages if stage.data == "reid"]
    return {
        "method": run.method.name,
        "random_background_probability": run.recipe.random_background_probability,
        "updates": {stage.name: stage.steps for stage in stages},
        "images_per_update": run.recipe.batch_size,
        "image_size_px": list(run.recipe.image_size_px),
        "parameters": run.network.model.count_params(),
    }


def remarks(of_models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns what the models have in common and in what else they differ, in sentences.

    Args:
      of_models: a model's name -> its `facts`.
    """
    updates = "; ".join(
        f"{name} {sum(one['updates'].values()):,} updates of {one['images_per_update']} images"
        + (f" ({_stages(one)})" if len(one["updates"]) > 1 else "")
        for name, one in of_models.items()
    )
    sizes = "; ".join(
        f"{name} {'x'.join(map(str, one['image_size_px']))} px, {one['parameters']:,} parameters"
        for name, one in of_models.items()
    )
    return [
        f"All learn from the same images: {updates}.",
        "PGP's parsing network, the same for both, learned from other images with masks before. "
        "Random backgrounds in training are laid around the persons' masks, in DGD and PGP alike.",
        f"The papers' image sizes, halved: {sizes}.",
        "PGP's main network differs from DGD, too, in its first convolutions, the order of batch "
        "normalisation and dropout: guided pooling is measured with all of that. "
        "python -m tfreid.reproduce --table=pgp/3 takes away the branches, with their stages.",
    ]


def _stages(of_model: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {steps:,}" for name, steps in of_model["updates"].items())


def document(
    seed: int,
    of_models: Mapping[str, Mapping[str, Any]],
    results: Sequence[AuditResult],
    found: Sequence[Gain],
) -> dict[str, Any]:
    """Returns `results.json`; figures are fractions.

    Args:
      seed: of images and trainings.
      of_models: a model's name -> its `facts`.
      results: the audit of each model.
      found: the effect of each of `CHANGES`.
    """
    return {
        "synthetic": True,
        "seed": seed,
        "models": {
            result.name: {**of_models[result.name], "variants": _variants(result.metrics())}
            for result in results
        },
        "gains": [{"change": gain.change.name, **gain.to_json()} for gain in found],
        "chance_rank1": results[0].chance_rank1,
    }


def _variants(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        variant: {name: metrics[variant][name] for name in ("rank1", "mAP")} for variant in VARIANTS
    }
