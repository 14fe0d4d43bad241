"""Show on synthetic data what background does to a model: about 15 minutes on two CPU cores.

Draws and converts the embedded data set, trains DGD on its original images and PGP with random
backgrounds, both at demo scale, and audits both on the four background variants. Interrupted, the
same command continues.
"""

import dataclasses
from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid import evaluation, files, report
from tfreid.cli import embedded
from tfreid.records import Records
from tfreid.training import Run, read_losses

METHODS = ("dgd", "pgp")

_OUT = flags.DEFINE_string("out", "demo", "Folder to write.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the images, the weights and the batches.", 0)


def main() -> None:
    """Runs the demo."""
    out = Path(_OUT.value)
    files.require_writable(out)
    reid, parsing = embedded.ensure(out / "data", [f"--seed={_SEED.value}"])
    for method in METHODS:
        embedded.run_command(
            "tfreid.train",
            [
                f"--method={method}",
                "--scale=demo",
                f"--data={reid}",
                f"--parsing_data={parsing}",
                f"--seed={_SEED.value}",
                f"--out={out / 'runs' / method}",
            ],
        )
    print("\nauditing both models on the four variants of the test images")
    records = Records(reid)
    runs = {name: Run(out / "runs" / name) for name in METHODS}
    results = [_audit(name, run, records) for name, run in runs.items()]
    page = out / "report" / "index.html"
    losses = {name: read_losses(run) for name, run in runs.items()}
    invocation = f"python -m tfreid.demo --out={out} --seed={_SEED.value}"
    report.write_report(page, results, invocation, losses)
    figures = _write_results(results, out / "results.json")
    for name in METHODS:
        report.print_table(name, figures[name])
    print(
        f"percent, on synthetic data; chance is {100 * figures['chance_rank1']:.1f} rank-1\n"
        f"wrote {out / 'results.json'}\nopen  {page}"
    )


def _audit(name: str, run: Run, records: Records) -> evaluation.AuditResult:
    networks = [dataclasses.replace(run.network, name=name)]
    (tested,) = evaluation.evaluation_sets(records)
    total = evaluation.images_to_see(networks, tested, evaluation.Measurement())
    with command.progress(total, name, unit="images") as bar:
        return evaluation.audit(networks, tested, progress=bar)


def _write_results(results: list[evaluation.AuditResult], path: Path) -> dict:
    """Writes rank-1 and mAP of each model and variant, and chance, as fractions."""
    figures = {
        result.name: {
            variant: {name: result.metrics()[variant][name] for name in ("rank1", "mAP")}
            for variant in result.outcomes
        }
        for result in results
    }
    figures["chance_rank1"] = results[0].chance_rank1
    files.write_json(path, figures)
    return figures


if __name__ == "__main__":
    command.run(main)
