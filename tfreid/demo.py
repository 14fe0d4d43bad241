"""Show on synthetic data what background does to a model: 15 to 40 minutes on two CPU cores.

Draws and converts the embedded data set, trains DGD and PGP, each without and with random
backgrounds in training, all with as many updates, audits the four on the four background variants
and says what is due to what. Interrupted, the same command continues. --seeds=0,1,2 does so for
each seed and writes a table over all.
"""

import dataclasses
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid import evaluation, files, report
from tfreid.cli import embedded
from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS, readable
from tfreid.records import Records
from tfreid.reproduction import demonstration, demonstration_table
from tfreid.training import Run, read_losses

_OUT = flags.DEFINE_string("out", "demo", "Folder to write.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the images, the weights and the batches.", 0)
_SEEDS = flags.DEFINE_list("seeds", [], "Several seeds, each into a folder of --out: 0,1,2.")


def main() -> None:
    """Runs the demo."""
    out, seeds = Path(_OUT.value), _seeds()
    files.require_writable(out)
    if not seeds:
        _run(out, _SEED.value)
        return
    documents = []
    for seed in seeds:
        written = out / f"seed{seed}" / "results.json"
        if written.exists():
            print(f"done before: {written}")
        else:
            _run(written.parent, seed)
        documents.append(demonstration_table.read(written))
    table = demonstration_table.as_markdown(documents)
    files.write_text(out / "table.md", table)
    print(f"\n{table}\nwrote {out / 'table.md'}")


def _seeds() -> list[int]:
    if not all(seed.isdecimal() for seed in _SEEDS.value):
        raise UsageError(f"--seeds takes whole numbers from 0 on, found {','.join(_SEEDS.value)!r}")
    if _SEEDS.value and flags.FLAGS["seed"].present:
        raise UsageError("--seed and --seeds are given: leave one of them out")
    return list(dict.fromkeys(map(int, _SEEDS.value)))


def _run(out: Path, seed: int) -> None:
    """Trains and audits all models, and prints what was found."""
    runs = out / "runs"
    reid, parsing = embedded.ensure(out / "data", [f"--seed={seed}"])
    _train_parser(runs / demonstration.PARSER, parsing, seed)
    for model in demonstration.MODELS:
        arguments = model.training_arguments(reid, runs, seed)
        last = model is demonstration.MODELS[-1]
        embedded.run_command("tfreid.train", arguments + ([] if last else ["--noexport"]))
    print("\nauditing the models on the four variants of the test images")
    _print(_audit(out, seed, Records(reid)))
    print(f"wrote {out / 'results.json'}\nopen  {out / 'report' / 'index.html'}")


def _train_parser(out: Path, parsing: Path, seed: int) -> None:
    arguments = ["--method=parsing", "--scale=demo", f"--parsing_data={parsing}"]
    embedded.run_command("tfreid.train", [*arguments, f"--seed={seed}", f"--out={out}"])


def _audit(out: Path, seed: int, records: Records) -> dict[str, Any]:
    runs = {model.name: Run(out / "runs" / model.folder) for model in demonstration.MODELS}
    results = [_audited(name, run, records) for name, run in runs.items()]
    facts = {name: demonstration.facts(run) for name, run in runs.items()}
    gains = evaluation.gains(demonstration.CHANGES, results)
    report.write_report(
        out / "report" / "index.html",
        results,
        f"python -m tfreid.demo --out={out} --seed={seed}",
        {name: read_losses(run) for name, run in runs.items()},
        attribution=report.Attribution(gains, demonstration.remarks(facts)),
    )
    found = demonstration.document(seed, facts, results, gains)
    files.write_json(out / "results.json", found)
    return found


def _audited(name: str, run: Run, records: Records) -> evaluation.AuditResult:
    networks = [dataclasses.replace(run.network, name=name)]
    (tested,) = evaluation.evaluation_sets(records)
    total = evaluation.images_to_see(networks, tested, evaluation.Measurement())
    with command.progress(total, name, unit="images") as bar:
        return evaluation.audit(networks, tested, progress=bar)


def _print(found: dict[str, Any]) -> None:
    levels = {name: model["variants"] for name, model in found["models"].items()}
    report.print_table("rank-1", {name: _rank1(levels[name]) for name in levels})
    changes = {
        f"{gain['before']} → {gain['after']}": {
            readable(variant): gain["variants"][variant]["rank1"]["value"] for variant in VARIANTS
        }
        for gain in found["gains"]
    }
    report.print_table("points of rank-1", changes)
    chance = 100 * found["chance_rank1"]
    print(f"percent, on synthetic data; chance is {chance:.1f} rank-1")


def _rank1(variants: dict[str, dict[str, float]]) -> dict[str, float]:
    return {readable(variant): variants[variant]["rank1"] for variant in VARIANTS}


if __name__ == "__main__":
    command.run(main)
