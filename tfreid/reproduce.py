"""Reproduce a table of a paper: train and test its rows, print them beside the paper's figures.

Without --data it uses the embedded synthetic data set at demo scale. The same command again
continues where an interrupted one stopped; rows that are done, by whatever command, are not run
again. Several processes with different --seeds may share an --out.
"""

import ast
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid import files, reproduction
from tfreid.cli import embedded
from tfreid.errors import UsageError
from tfreid.records import Records
from tfreid.reproduction import TABLES, Reproduction, Setting, Table
from tfreid.retrieval.reconstruction import MODES

_EMBEDDED = Path("data/synthetic")

_TABLE = flags.DEFINE_string("table", None, "Table, for example fanet/1; --list shows them all.")
_LIST = flags.DEFINE_bool("list", False, "List the tables and their rows.")
_ROWS = flags.DEFINE_list("rows", [], "Rows to run, by name; all unless given.")
_DATA = flags.DEFINE_multi_string(
    "data", [], "Converted re-identification data (tfreid.convert) to train and test on."
)
_PARSING_DATA = flags.DEFINE_multi_string("parsing_data", [], "Converted human-parsing data.")
_TEST_DATA = flags.DEFINE_multi_string(
    "test_data", [], "Converted data to test on instead of those trained on."
)
_SEEDS = flags.DEFINE_list("seeds", ["0"], "Seeds of the trainings, for example 0,1,2.")
_SCALE = flags.DEFINE_enum(
    "scale", None, ["paper", "demo"], "Recipes to start from: paper, or demo without data."
)
_SET = flags.DEFINE_multi_string(
    "set", [], "Field of the recipes, for example schedule.epochs=5; what a row sets itself stays."
)
_MATCHING = flags.DEFINE_enum(
    "matching",
    None,
    [*MODES, "pooled"],
    "How to compare the position features of FPR, as in tfreid.evaluate; exact unless given.",
)
_OUT = flags.DEFINE_string("out", "reproductions", "Folder of the runs and the tables.")


def main() -> None:
    """Reproduces a table as the flags say."""
    if _LIST.value:
        _list_tables()
        return
    if not _TABLE.value:
        raise UsageError(f"--table must be given: one of {', '.join(TABLES)}")
    table = reproduction.table_named(_TABLE.value)
    if _MATCHING.value:
        table = table.with_matching(_MATCHING.value)
    rows, seeds, changes = table.with_rows(_ROWS.value).rows, _seeds(), _changes()
    embeds = not (_DATA.value or _PARSING_DATA.value)
    scale = _SCALE.value or ("demo" if embeds else "paper")
    reproduction.check_changes(table, scale, changes)
    out = Path(_OUT.value)
    files.require_writable(out)
    settings = _embedded_settings(table) if embeds else _given_settings(table)
    plan = Reproduction(table, settings, out / "runs", scale, changes)
    print(f"{table.source}: {table.title}")
    print(f"rows: {', '.join(row.name for row in rows)}; seeds: {', '.join(map(str, seeds))}")
    if caution := reproduction.warning(plan):
        print(caution)
    reproduction.run_rows(
        plan, rows, seeds, embedded.run_command, lambda: _write(plan, out / table.name)
    )
    print("\n" + (out / table.name / "table.md").read_text(encoding="utf-8"))
    print(f"wrote {out / table.name / 'table.md'} and {out / table.name / 'table.json'}")


def _list_tables() -> None:
    for name, table in TABLES.items():
        print(f"{name:14} {table.source}: {table.title}")
        print(f"{'':14} rows: {', '.join(row.name for row in table.rows)}")


def _seeds() -> list[int]:
    if not all(seed.isdecimal() for seed in _SEEDS.value) or not _SEEDS.value:
        raise UsageError(f"--seeds takes whole numbers from 0 on, found {','.join(_SEEDS.value)!r}")
    return list(dict.fromkeys(map(int, _SEEDS.value)))


def _changes() -> dict[str, Any]:
    """Fields of `--set`; values as in Python, or true and false; texts need no quotes."""
    changes = {}
    for given in _SET.value:
        name, equals, text = given.partition("=")
        if not equals:
            raise UsageError(f"--set={given}: expected FIELD=VALUE")
        changes[name] = _value(text)
    return changes


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _given_settings(table: Table) -> list[Setting]:
    folders = {
        "reid": [Records(path) for path in _DATA.value],
        "parsing": [Records(path) for path in _PARSING_DATA.value],
    }
    train = folders.pop(table.data)
    others = {kind: found[0] for kind, found in folders.items() if found}
    for kind, found in folders.items():
        if len(found) > 1:
            raise UsageError(f"{table.name} takes one folder of {kind} records, found {len(found)}")
    test = [Records(path) for path in _TEST_DATA.value]
    return reproduction.settings_of(table, train, test, others)


def _embedded_settings(table: Table) -> list[Setting]:
    """The table's worlds; a second one with other persons in other places where needed."""
    print(f"no --data: using the embedded synthetic data set in {_EMBEDDED}")
    made = [embedded.ensure(f"{_EMBEDDED}{name}", flags) for name, flags in table.worlds.items()]
    parsing = made[0][1]
    train = [of_persons if table.data == "reid" else to_parse for of_persons, to_parse in made]
    test = [embedded.ensure_occluded(_EMBEDDED)] if table.occluded else []
    if table.across and not table.occluded:
        train.append(embedded.ensure(f"{_EMBEDDED}-1", ["--seed=1"])[0])
    copies = {row.copies for row in table.rows} - {0}
    train += [embedded.ensure_copies(_EMBEDDED, number) for number in sorted(copies)]
    others = {} if table.data == "parsing" else {"parsing": Records(parsing)}
    folders = ([Records(path) for path in paths] for paths in (train, test))
    return reproduction.settings_of(table, *folders, others)


def _write(plan: Reproduction, out: Path) -> None:
    """Writes the table as far as it is there; another process may do the same."""
    figures = reproduction.gather(plan)
    files.write_text(out / "table.md", reproduction.as_markdown(plan, figures))
    files.write_json(out / "table.json", reproduction.as_json(plan, figures))


_NEEDS = {
    "test_data": "data or parsing_data",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS)
