"""A table, data and a runner for tests that train nothing."""

from pathlib import Path

from absl import flags

from tfreid.cli.recipe_flags import define_flags
from tfreid.methods import METHODS
from tfreid.records import Records, RecordsInfo
from tfreid.records.info import SplitInfo
from tfreid.reproduction import Column, Reproduction, Setting, Table, TableRow
from tfreid.training import Run
from tfreid.training.arithmetic import Arithmetic
from tfreid.training.description import run_description

TABLE = Table(
    name="paper/1",
    title="Two widths",
    source="Paper, Table 1",
    columns=(Column("R1", "{variant}.rank1"), Column("mAP", "{variant}.mAP")),
    extra=(Column("contrast", "attention.{variant}.maps.z.contrast"),),
    rows=(
        TableRow("narrow", "dgd", {"width": 0.5}, paper={"market1501": ("50.0", "40.55")}),
        TableRow("wide", "dgd", paper={"market1501": ("60.0", None), "msmt17": ("30.0", "20.0")}),
        TableRow("wide, new scenes", "dgd", variant="random_background"),
        TableRow("wide, more images", "dgd", copies=1),
    ),
    note="A note.",
)


def data_folder(path: Path, **changes) -> Records:
    """A converted folder without records: its description alone."""
    values = {
        "name": "market1501",
        "kind": "reid",
        "schema_version": 1,
        "splits": {"train": SplitInfo(12_936, 751, 6, 1, 0)},
        "num_persons": 751,
        "num_cameras": 6,
        "mean_pixel": (1.0, 2.0, 3.0),
        "mask_vocabulary": "",
        "synthetic": False,
        "fingerprint": f"fingerprint of {path.name}",
        "made_by": {"random_backgrounds": 0},
    }
    path.mkdir()
    values |= changes
    for name in ("person", "camera"):
        table = {i + 1: i for i in range(values[f"num_{name}s"])}
        values.setdefault(f"{name}_labels", {"any": table})
    RecordsInfo(**values).write(path)
    return Records(path)


def plan_on(tmp_path: Path, scale: str = "demo", **changes) -> Reproduction:
    """`TABLE` on one data set, with the copies that its last row needs."""
    folder = data_folder(tmp_path / "market", **changes)
    copies = data_folder(tmp_path / "copies", made_by={"random_backgrounds": 1})
    setting = Setting("market1501", folder, folder, {1: copies})
    return Reproduction(TABLE, [setting], tmp_path / "runs", scale)


class FakeRunner:
    """Leaves the files that training and testing leave, with figures that depend on the seed."""

    def __init__(self, fails_at: str = "", error: type[Exception] = ValueError):
        """Fails at commands whose text has `fails_at`."""
        self.commands: list[str] = []
        self.fails_at, self.error = fails_at, error

    def __call__(self, name: str, arguments: list[str]) -> None:
        text = " ".join([name, *arguments])
        if self.fails_at and self.fails_at in text:
            raise self.error(f"stopped at {text}")
        self.commands.append(text)
        given = dict(argument.lstrip("-").partition("=")[::2] for argument in arguments)
        self._train(given, arguments) if name == "tfreid.train" else self._evaluate(given)

    @property
    def names(self) -> list[str]:
        """The commands that ran."""
        return [text.split()[0].removeprefix("tfreid.") for text in self.commands]

    def _train(self, given, arguments) -> None:
        recipe = recipe_from_flags(given["method"], given["scale"], arguments)
        data = {"reid": Records(given["data"])}
        run = Run(given["out"])
        seed = int(given["seed"])
        with run.claim(run_description(given["method"], recipe, seed, Arithmetic(), data)):
            run.add_metrics(finished=True)

    def _evaluate(self, given) -> None:
        run = Run(given["run"]).description
        rank1 = run["recipe"]["width"] / 2 + run["seed"] / 10
        reranked = {"reranked": {"rank1": rank1 + 0.2}} if "rerank" in given else {}
        out = Run(given["out"])
        out.path.mkdir(parents=True, exist_ok=True)
        out.add_metrics(
            evaluation={
                "original": {"rank1": rank1, "mAP": rank1 / 2} | reranked,
                "random_background": {"rank1": rank1 - 0.1, "mAP": rank1 / 4},
                "attention": {"original": {"maps": {"z": {"contrast": 0.25}}}},
                "chance_rank1": 0.01,
                "counts": {"queries": 3_368, "queries_without_match": 0, "gallery": 15_913},
            }
        )


def recipe_from_flags(method: str, scale: str, arguments: list[str]):
    """The recipe that `tfreid.train` makes of these arguments."""
    given = [text for text in arguments if text.startswith("--recipe.")]
    fields = dict(text.removeprefix("--recipe.").split("=", 1) for text in given)
    values = flags.FlagValues()
    recipe = define_flags(METHODS[method].base_recipe(scale, fields), values)
    values(["train", *given])
    return recipe()
