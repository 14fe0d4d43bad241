"""A reproduced table as text and as JSON."""

import shlex
from collections.abc import Sequence
from typing import Any

from tfreid.reproduction.figures import Figure, RowFigures, SettingFigures
from tfreid.reproduction.plan import Reproduction
from tfreid.reproduction.published_data import protocol_of
from tfreid.reproduction.runs import Combination, Tested
from tfreid.reproduction.table import Table


def warning(plan: Reproduction) -> str:
    """Returns why our figures cannot be compared with the paper's; empty if they can."""
    reasons = [
        *(["synthetic data"] if plan.is_synthetic else []),
        *(["demo scale"] if plan.scale == "demo" else []),
        *(f"{name}={value}" for name, value in plan.changes.items()),
    ]
    return f"{', '.join(reasons)}: not comparable with the paper" if reasons else ""


def as_markdown(plan: Reproduction, settings: Sequence[SettingFigures]) -> str:
    """Writes a table as Markdown whose columns also line up on a terminal."""
    table, caution = plan.table, warning(plan)
    parts = [f"# {table.source}: {table.title}"]
    if caution:
        parts.append(f"**{caution[0].upper()}{caution[1:]}.**")
    parts.append(
        "Percent. Where several seeds were run, the mean ± the sample standard deviation. "
        f"{remarks(table, plan.scale)}".strip()
    )
    for figures in settings:
        parts += [f"## {_heading(figures)}", _grid(plan, figures), _below(plan, figures)]
    planned = [row.planned for figures in settings for row in figures.rows if row.planned]
    commands = dict.fromkeys(command for tested in planned for command in _commands(tested))
    parts += ["## Commands of seed 0", "\n".join(["```", *commands, "```"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def remarks(table: Table, scale: str) -> str:
    """Says how mAP is computed, the table's note, and what is otherwise at demo scale."""
    toolbox = "" if table.average_precision == "mean" else "mAP is that of the Market-1501 toolbox."
    return " ".join(part for part in (toolbox, table.note, _demo_forms(table, scale)) if part)


def add_matching(lines: Sequence[list[str]], ways: Sequence[str | None]) -> None:
    """Inserts how the images of each row were compared, unless all were by the cosine."""
    if any(ways):
        column = ["matching", *(way or "cosine" for way in ways)]
        for line, cell in zip(lines, column, strict=True):
            line.insert(1, cell)


def _demo_forms(table: Table, scale: str) -> str:
    """Says what rows of a table are at demo scale instead of what the paper has."""
    forms = [
        f"{row.name} has {', '.join(f'{name}={value}' for name, value in row.demo.items())}"
        for row in table.rows
        if row.demo and scale == "demo"
    ]
    return f"At demo scale: {'; '.join(forms)}." if forms else ""


def as_json(plan: Reproduction, settings: Sequence[SettingFigures]) -> dict[str, Any]:
    """Returns a table for JSON; figures are fractions."""
    return {
        "table": plan.table.name,
        "title": plan.table.title,
        "source": plan.table.source,
        "note": plan.table.note,
        "scale": plan.scale,
        "synthetic": plan.is_synthetic,
        "changes": dict(plan.changes),
        "warning": warning(plan),
        "command": f"{plan.command} --seeds={_seeds(settings)}",
        "average_precision": plan.table.average_precision,
        "settings": [
            {
                "name": figures.name,
                "data": figures.setting.test.info.name,
                "train": str(figures.setting.train.path),
                "test": str(figures.setting.test.path),
                "synthetic": figures.setting.is_synthetic,
                "paper": figures.paper,
                "protocol": protocol_of(figures.setting.test.info),
                "splits": figures.splits,
                "chance_rank1": figures.chance_rank1,
                "counts": dict(figures.counts),
                "rows": [_row_as_json(row) for row in figures.rows],
            }
            for figures in settings
        ],
    }


def _seeds(settings: Sequence[SettingFigures]) -> str:
    """Those of all rows, of earlier commands too."""
    seeds = {run.seed for figures in settings for row in figures.rows for run in row.runs}
    return ",".join(map(str, sorted(seeds or {0})))


def _row_as_json(row: RowFigures) -> dict[str, Any]:
    return {
        "name": row.row.name,
        "matching": row.row.matching or None,
        "runs": {str(run.seed): str(run.path) for run in row.runs},
        "figures": {
            heading: {
                "mean": figure.mean,
                "spread": figure.spread,
                "seeds": len(figure.by_seed),
                "by_seed": {str(seed): value for seed, value in figure.by_seed.items()},
                "paper": None if figure.paper is None else round(float(figure.paper) / 100, 4),
            }
            for heading, figure in row.figures.items()
        },
    }


def _heading(figures: SettingFigures) -> str:
    name = figures.name
    labelled = "synthetic" in name or not figures.setting.is_synthetic
    return name if labelled else f"{name} (synthetic)"


def _grid(plan: Reproduction, figures: SettingFigures) -> str:
    """One line a row: our figure and beside it the paper's, where the paper has the column."""
    columns = [(column.heading, True) for column in plan.table.columns]
    columns += [(column.heading, False) for column in plan.table.extra]
    published = {
        heading: beside and any(row.figures[heading].paper is not None for row in figures.rows)
        for heading, beside in columns
    }
    header = [""]
    for heading, _ in columns:
        header += [heading, "paper"] if published[heading] else [heading]
    lines = [[*header, "seeds"]]
    for row in figures.rows:
        line = [row.row.name]
        for heading, _ in columns:
            figure = row.figures[heading]
            line.append(_ours(figure))
            if published[heading]:
                line.append(figure.paper or "-")
        seeds = dict.fromkeys(str(run.seed) for run in row.runs)
        lines.append([*line, " ".join(seeds) or "-"])
    add_matching(lines, [row.row.matching for row in figures.rows])
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Writes a Markdown table whose columns also line up on a terminal; the first line heads it."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    rows = [
        [line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]
        for line in (lines[0], rule, *lines[1:])
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _ours(figure: Figure) -> str:
    spread = "" if figure.spread is None else f" ± {100 * figure.spread:.1f}"
    return _percent(figure.mean) + spread


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def _below(plan: Reproduction, figures: SettingFigures) -> str:
    sentences = []
    if figures.why_not:
        sentences.append(
            f"The paper's figures, of {', '.join(plan.table.published)}, are not beside ours: "
            f"{figures.why_not}."
        )
    if figures.chance_rank1 is not None:
        sentences.append(f"Chance is {100 * figures.chance_rank1:.1f} rank-1.")
    if figures.counts:
        sentences.append(
            f"{figures.counts['queries']:,} queries "
            f"({figures.counts['queries_without_match']:,} without a valid match, left out), "
            f"{figures.counts['gallery']:,} gallery images."
        )
    return " ".join(sentences)


def _commands(tested: Tested) -> list[str]:
    """The trainings; how several runs are tested together, too."""
    commands = [["tfreid.train", *run.training_arguments()] for run in tested.trainings()]
    if isinstance(tested, Combination):
        commands.append(["tfreid.evaluate", *tested.test_arguments()])
    return [shlex.join(["python", "-m", *command]) for command in commands]
