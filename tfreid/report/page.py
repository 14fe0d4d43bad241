"""The report: one page, in one file, with everything that it shows inside."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from tfreid.evaluation.result import AuditResult
from tfreid.files import write_text
from tfreid.inputs import readable
from tfreid.report.camera_pairs import camera_pairs_section
from tfreid.report.charts import cmc_curves, loss_curves, rank1_bars
from tfreid.report.examples import ranked_lists_section
from tfreid.report.figures import figures_section
from tfreid.report.gains import Attribution, gains_section
from tfreid.report.how_measured import matching_of, method_section
from tfreid.report.maps import maps_section
from tfreid.report.markup import percent
from tfreid.report.open_set import open_set_section
from tfreid.report.pairs import pairs_section
from tfreid.report.verdicts import verdicts
from tfreid.training import LossCurve

CURVE_RANKS = 20
_QUESTION = "Does it look at the person?"

Losses = Mapping[str, Sequence[LossCurve]]
"""Name of a loss -> its curves in the stages of a run."""


def write_report(
    path: str | Path,
    results: Sequence[AuditResult],
    command: str = "",
    losses: Mapping[str, Losses] | None = None,
    warnings: Mapping[str, Sequence[str]] | None = None,
    attribution: Attribution | None = None,
) -> None:
    """Writes the page that shows one or several audits, one data set after the other.

    Args:
      path: the file to write, for example `report/index.html`; it appears when it is complete.
      results: audits of different models on the same data, in the order of the columns; of a joint
        set, audits of all of its data sets.
      command: what repeats the measurement, shown at the end of the page.
      losses: model's name -> how it was trained, where that is known
        (`tfreid.training.read_losses`).
      warnings: model's name -> what is odd about it, shown at the top.
      attribution: what each change from one model to another does, shown first, in place of a
        sentence for every two models.

    Raises:
      ValueError: if audits of one data set differ in images, protocol, definition of average
        precision, seed, re-ranking or variants.
    """
    by_dataset: dict[str, list[AuditResult]] = {}
    for result in results:
        by_dataset.setdefault(result.tested.dataset, []).append(result)
    groups, alone = by_dataset.values(), len(by_dataset) == 1
    sections = [_warnings(warnings or {})] + ([] if alone else [_overview(by_dataset)])
    for group in groups:
        sections += _sections(group, alone, attribution)
    sections += [_training(losses or {}), *(method_section(group, alone) for group in groups)]
    sections += [f"<pre>{escape(command)}</pre>"] if command else []
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    page = Template(template).substitute(title=escape(_title(results)), body="\n".join(sections))
    write_text(Path(path), page)


def _sections(
    results: Sequence[AuditResult], alone: bool, attribution: Attribution | None
) -> list[str]:
    """The sections on one data set, the only one or one of several."""
    measured = {
        (
            r.folder.info.fingerprint,
            r.tested.protocol,
            r.measurement.average_precision,
            r.measurement.seed,
            r.measurement.reranking,
            *r.outcomes,
        )
        for r in results
    }
    if len(measured) != 1:
        raise ValueError(
            "a report compares audits of the same data, protocol, seed, re-ranking and variants"
        )
    return [
        _header(results, _QUESTION if alone else results[0].tested.dataset),
        gains_section(attribution),
        verdicts(results, compares=attribution is None),
        figures_section(results),
        _charts(results),
        open_set_section(results),
        camera_pairs_section(results),
        ranked_lists_section(results),
        maps_section(results),
        pairs_section(results),
    ]


def _title(results: Sequence[AuditResult]) -> str:
    return f"Background audit: {', '.join(dict.fromkeys(result.name for result in results))}"


def _warnings(warnings: Mapping[str, Sequence[str]]) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for found in warnings.values() for line in found)
    return f'<div class="card warnings"><h3>Look at this first</h3>{lines}</div>' if lines else ""


def _overview(by_dataset: Mapping[str, Sequence[AuditResult]]) -> str:
    """What stands before the sections on the data sets of a joint set."""
    rows = ""
    for dataset, results in by_dataset.items():
        for result in results:
            variant, outcome = next(iter(result.outcomes.items()))
            figures = outcome.retrieval.metrics()
            cells = (dataset, result.name, result.tested.protocol.name, readable(variant))
            scores = [percent(figures[n]) if n in figures else "&ndash;" for n in ("rank1", "mAP")]
            rows += "<tr>" + "".join(f"<td>{cell}</td>" for cell in [*map(escape, cells), *scores])
            rows += "</tr>"
    heads = ("data set", "model", "protocol", "images", "rank-1", "mAP")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        f'<h1>{_QUESTION}</h1><p class="soft">Each data set of the joint set is measured by '
        "itself: its own queries in its own gallery, by its own protocol. No figure mixes them.</p>"
        f'<div class="card scroll"><table class="overview"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _header(results: Sequence[AuditResult], heading: str) -> str:
    info, counts = results[0].folder.info, results[0].metrics()["counts"]
    dataset = escape(results[0].tested.dataset)
    label = '<span class="tag">synthetic data, not a benchmark</span>' if info.synthetic else ""
    note = (
        ""
        if len(results[0].outcomes) > 1
        else "<p>These images have no masks, so only the original images were measured: how much "
        "of the accuracy comes from the background cannot be told.</p>"
    )
    return (
        f"<h1>{escape(heading)}</h1>"
        '<p class="soft">How far re-identification models keep their accuracy when the background '
        f"changes. Data set <b>{dataset}</b>, {counts['queries']:,} queries, "
        f"{counts['gallery']:,} gallery images. {_compared(results)}{label}</p>{note}"
    )


def _compared(results: Sequence[AuditResult]) -> str:
    """How images are compared, where that is a choice."""
    if not any(result.pooled for result in results):
        return ""
    return f"Compared by {escape(matching_of(results))}. "


def _charts(results: Sequence[AuditResult]) -> str:
    rank1 = {
        result.name: {v: o.retrieval.metrics()["rank1"] for v, o in result.comparable.items()}
        for result in results
    }
    chance = next(iter(results[0].comparable.values())).retrieval.chance_rank1
    charts = [f'<div class="card wide">{rank1_bars(rank1, chance)}</div>']
    for result in results:
        curves = {v: o.retrieval.cmc(CURVE_RANKS) for v, o in result.comparable.items()}
        name = escape(result.name)
        charts.append(f'<div class="card"><h3>{name}</h3>{cmc_curves(result.name, curves)}</div>')
    return f'<div class="grid charts">{"".join(charts)}</div>'


def _training(losses: Mapping[str, Losses]) -> str:
    charts = "".join(
        f'<div class="card"><h3>{escape(name)}: {escape(readable(loss))}</h3>'
        f"{loss_curves(f'Loss {loss} of {name} over the steps', curves)}</div>"
        for name, of_model in losses.items()
        for loss, curves in of_model.items()
    )
    if not charts:
        return ""
    return (
        '<h2>How it was trained</h2><p class="soft">Each loss over the steps of the run, without '
        "its weight in the objective. A point is the mean since the point before; stages follow "
        f'one another.</p><div class="grid charts">{charts}</div>'
    )
