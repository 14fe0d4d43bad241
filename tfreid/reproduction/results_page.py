"""One page with all tables of the papers, of the `table.json` files of reproductions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfreid.datasets import PROTOCOLS
from tfreid.errors import DataError
from tfreid.files import read_json
from tfreid.reproduction.direction import (
    AGREES,
    DISAGREES,
    FEWEST_SEEDS,
    UNKNOWN,
    OverSeeds,
    paired,
    published,
    verdict,
)
from tfreid.reproduction.published_data import PublishedData
from tfreid.reproduction.rendering import add_matching, aligned, remarks
from tfreid.reproduction.table import Comparison, Table

_INTRODUCTION = """\
Every table of the four papers that has figures of their own methods, ours beside the paper's. What
was measured on drawn people, or at demo scale, says so: its values are not comparable with the
paper's."""

_RULES = f"""\
Figures are percent. Ours are means over seeds, ± half the width of the 95% interval of the mean (t
distribution over the seeds, from {FEWEST_SEEDS} seeds on). The paper's, as printed, are in the
columns named after a data set. Where ours are of other data, they stand there for the directions,
not for the values, and only if they are of the same protocol.

**Direction.** Rows are compared as the paper compares them. Of our figures, the differences of two
rows are taken seed by seed. Where the 95% interval of their mean lies on one side of 0, the
direction *{AGREES}* with the paper's or *{DISAGREES}*. Where it holds 0, with fewer than
{FEWEST_SEEDS} seeds, or where the paper's own data sets differ, it *{UNKNOWN}*, which says
nothing against it: an interval of three seeds is wide. All seeds are tested on the same persons, so
that intervals tell of other trainings, not of other persons; and among many comparisons some are
wrong by chance, one in forty on each side. The seeds of a table may have been trained on different
machines, on each of which the same seed gives other digits. A table of no paper has our differences
alone."""


def results_page(tables: Mapping[str, Table], out: Path, command: str = "") -> str:
    """Writes the page as Markdown.

    Args:
      tables: name to table, in the order of the page.
      out: folder with `NAME/table.json` of the tables that were run.
      command: what writes the page.

    Raises:
      DataError: if a `table.json` is damaged.
    """
    sections, summary = [], [["table", "shows", AGREES, DISAGREES, UNKNOWN]]
    for name, table in tables.items():
        found = _read(out / name / "table.json")
        section, verdicts = _section(table, found)
        sections.append(section)
        count = Counter(text.partition(":")[0] for text in verdicts)
        tally = [str(count[word]) for word in (AGREES, DISAGREES, UNKNOWN)]
        ran = any(row["runs"] for setting in found.get("settings", ()) for row in setting["rows"])
        summary.append([name, table.title, *(tally if ran else ["not run", "", ""])])
    written = f"Written by\n\n```\n{command}\n```" if command else ""
    parts = ["# Results", _INTRODUCTION, written, _RULES, aligned(summary), *sections]
    return "\n\n".join(part for part in parts if part) + "\n"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    values = read_json(path, dict[str, Any])
    try:
        for setting in values["settings"]:
            for row in setting["rows"]:
                _ = row["name"], row["runs"]
                for figure in row["figures"].values():
                    _ = [float(value) for value in figure["by_seed"].values()]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(
            f"{path} is not a table that tfreid.reproduce wrote ({error}): remove it, and give the "
            "command of its table again"
        ) from error
    return values


def _section(table: Table, found: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Returns the text of a table and the verdicts on its comparisons."""
    parts, verdicts = [f"## {table.source}: {table.title}"], []
    settings = [s for s in found.get("settings", ()) if any(row["runs"] for row in s["rows"])]
    default = f"python -m tfreid.reproduce --table={table.name} --seeds=0,1,2"
    if not settings:
        return "\n\n".join([*parts, "Not run.", _code(default)]), []
    if warning := found.get("warning"):
        parts.append(f"**{warning[0].upper()}{warning[1:]}.**")
    parts.append(remarks(table, found.get("scale", "")))
    for setting in settings:
        text, of_setting = _setting(table, setting)
        parts += [f"### {table.name}, {setting['name']}", text]
        verdicts += of_setting
    return "\n\n".join([*parts, _code(found.get("command") or default)]), verdicts


def _code(command: str) -> str:
    return f"```\n{command}\n```"


def _setting(table: Table, setting: Mapping[str, Any]) -> tuple[str, list[str]]:
    rows = {row["name"]: row for row in setting["rows"]}
    paper = _comparable(table, setting)
    compared = [_compare(table, rows, paper, one) for one in table.compared]
    headings = list(dict.fromkeys(one.column for one in table.compared))
    parts = [_figures(table, rows, paper[:1])]
    if others := _of_another_protocol(table, setting):
        parts.append(f"The paper's figures of {', '.join(others)} are of another protocol.")
    if compared:
        first = f"compared, {headings[0]}" if len(headings) == 1 else "compared"
        lines = [[first, "paper", "ours", "direction"], *compared]
        if table.is_ours:
            lines = [[what, ours] for what, _, ours, _ in lines]
        parts.append(aligned(lines))
    return "\n\n".join(parts), [line[-1] for line in compared if not table.is_ours]


def _comparable(table: Table, setting: Mapping[str, Any]) -> list[str]:
    """The data sets of the paper: the same as ours, or else others of the same protocol.

    Where ours are drawn in the form of one of the paper's, that one comes first.
    """
    if setting.get("paper"):
        return [setting["paper"]]
    others, ours = _of_another_protocol(table, setting), setting.get("data")
    found = [PublishedData.of(key) for key in table.published if key not in others]
    if not setting.get("synthetic"):
        found = [data for data in found if data.name != ours or table.data == "parsing"]
    return [data.key for data in sorted(found, key=lambda data: data.name != ours)]


def _of_another_protocol(table: Table, setting: Mapping[str, Any]) -> list[str]:
    """The data sets of the paper whose figures never stand beside ours."""
    if table.data == "parsing":
        return []
    protocol = PROTOCOLS[setting.get("protocol", "market")]
    whole = protocol.num_splits == setting.get("splits", 1)
    found = map(PublishedData.of, table.published)
    return [data.key for data in found if data.protocol != protocol.name or not whole]


def _figures(table: Table, rows: Mapping[str, Any], paper: Sequence[str]) -> str:
    printed = {row.name: row.paper for row in table.rows}
    header = [""]
    for heading in table.headings:
        header += [heading, *paper]
    lines = [[*header, *(column.heading for column in table.extra), "seeds"]]
    for name, row in rows.items():
        line = [name]
        for place, heading in enumerate(table.headings):
            line.append(_ours(row, heading))
            line += [_printed(printed.get(name, {}), data, place) or "-" for data in paper]
        line += [_ours(row, column.heading) for column in table.extra]
        lines.append([*line, " ".join(row["runs"]) or "-"])
    add_matching(lines, [row.get("matching") for row in rows.values()])
    return aligned(lines)


def _printed(paper: Mapping[str, Sequence[str | None]], data: str, place: int) -> str | None:
    return paper[data][place] if data in paper else None


def _by_seed(row: Mapping[str, Any], heading: str) -> dict[str, float]:
    return row.get("figures", {}).get(heading, {}).get("by_seed", {})


def _ours(row: Mapping[str, Any], heading: str) -> str:
    values = list(_by_seed(row, heading).values())
    return _in_points(OverSeeds(values) if values else None)


def _compare(
    table: Table, rows: Mapping[str, Any], paper: Sequence[str], one: Comparison
) -> list[str]:
    """One line: what is compared, the paper's difference, ours, and whether they agree."""
    other_column = one.other_column or one.column
    printed = {row.name: row.paper for row in table.rows}
    pairs = {}
    for data in paper:
        places = map(table.headings.index, (one.column, other_column))
        cells = [
            _printed(printed[name], data, place)
            for name, place in zip((one.row, one.other), places, strict=True)
        ]
        if all(cells):
            pairs[data] = tuple(cells)
    differences = published(pairs)
    said = ", ".join(f"{data} {value:+}" for data, value in differences.items())
    if one.sign:
        said = ("higher" if one.sign > 0 else "lower") + f", in the text{said and f' ({said})'}"
    ours = paired(
        _by_seed(rows.get(one.row, {}), one.column),
        _by_seed(rows.get(one.other, {}), other_column),
    )
    found = verdict([one.sign] if one.sign else list(differences.values()), ours)
    return [_what(table, one), said or "-", _in_points(ours, "+"), found]


def _what(table: Table, one: Comparison) -> str:
    if one.other_column and one.row == one.other:
        return f"{one.row}: {one.column} against {one.other_column}"
    several = len({other.column for other in table.compared}) > 1
    where = f", {one.column}" if several else ""
    return f"{one.row} against {one.other}{where}"


def _in_points(ours: OverSeeds | None, sign: str = "") -> str:
    if ours is None:
        return "-"
    width = "" if ours.half_width is None else f" ± {100 * ours.half_width:.1f}"
    return f"{100 * ours.mean:{sign}.1f}{width}"
