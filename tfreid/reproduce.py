"""Reproduce tables of the papers: train and test their rows, print them beside the paper's figures.

Without --data it uses the embedded synthetic data set at demo scale. The same command again
continues where an interrupted one stopped; rows that are done, by whatever command, are not run
again. Several processes with different --seeds may share an --out. --page writes one page with all
tables, of what is in --out; with --table=all it is written anew after each row.
"""

import ast
import functools
import itertools
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid import files, reproduction
from tfreid.cli import embedded
from tfreid.errors import DataError, UsageError
from tfreid.progress import duration
from tfreid.records import Records
from tfreid.reproduction import TABLES, Reproduction, Setting, Table, TableRow
from tfreid.retrieval.reconstruction import MODES

_EMBEDDED = Path("data/synthetic")

_TABLE = flags.DEFINE_list(
    "table", [], "Tables, for example fanet/1 or pgp/1,pgp/2, or all; --list shows them."
)
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
_PAGE = flags.DEFINE_string("page", None, "File for one page with all tables of --out, .md.")
_DRY_RUN = flags.DEFINE_bool(
    "dry_run",
    False,
    "Say how many trainings are left, and how long they take, and run none; embedded data that are "
    "not there are drawn.",
)


def main() -> None:
    """Reproduces tables as the flags say."""
    if _LIST.value:
        _list_tables()
        return
    if not (_TABLE.value or _PAGE.value):
        raise UsageError(f"--table must be given: one of {', '.join(TABLES)}, or all")
    tables, seeds, changes = _tables(), _seeds(), _changes()
    out = Path(_OUT.value)
    for folder in (out, *([Path(_PAGE.value).parent] if _PAGE.value else [])):
        files.require_writable(folder)
    plans = list(_plans(tables, changes, out))
    if _DRY_RUN.value:
        _say_effort(plans, seeds)
        return
    failed = _run_all(plans, seeds, out) if plans else []
    for plan in plans:
        print("\n" + (out / plan.table.name / "table.md").read_text(encoding="utf-8"))
        folder = out / plan.table.name
        print(f"wrote {folder / 'table.md'} and {folder / 'table.json'}")
    _write_page(out)
    if _PAGE.value:
        print(f"wrote {_PAGE.value}")
    if failed:
        raise DataError(f"not all was done, the same command again goes on: {'; '.join(failed)}")


def _tables() -> list[Table]:
    names = list(TABLES) if _TABLE.value == ["all"] else list(dict.fromkeys(_TABLE.value))
    tables = [reproduction.table_named(name) for name in names]
    if len(tables) != 1 and _ROWS.value:
        raise UsageError(
            f"--rows is for one table, and --table names {len(tables)}: name one, or leave it out"
        )
    for table in tables:
        table.with_rows(_ROWS.value)  # Refuses unknown names.
    if not _MATCHING.value:
        return tables
    matched = [any(row.matching for row in table.rows) for table in tables]
    return [
        table.with_matching(_MATCHING.value) if has or not any(matched) else table
        for table, has in zip(tables, matched, strict=True)
    ]


def _plans(tables: Sequence[Table], changes: dict[str, Any], out: Path) -> Iterator[Reproduction]:
    """Yields what can be run; of several tables, what cannot is said and left out."""
    embeds = not (_DATA.value or _PARSING_DATA.value)
    scale = _SCALE.value or ("demo" if embeds else "paper")
    refused: list[UsageError] = []
    reproduction.check_changes(tables, scale, changes)
    for table in tables:
        try:
            own = reproduction.changes_of(table, scale, changes)
            settings = _embedded_settings(table) if embeds else _given_settings(table)
            plan = Reproduction(table, settings, out / "runs", scale, own, _command(table, own))
            for row, setting in itertools.product(_rows(plan), settings):
                plan.run(row, setting, seed=0)
        except UsageError as error:
            if len(tables) == 1:
                raise
            refused.append(error)
            print(f"{table.name} is left out: {command.with_flags(str(error))}")
        else:
            yield plan
    if tables and len(refused) == len(tables):
        raise refused[0]


def _rows(plan: Reproduction) -> Sequence[TableRow]:
    return plan.table.with_rows(_ROWS.value).rows


def _command(table: Table, changes: Collection[str]) -> str:
    """What makes one table alone, but for the seeds; `changes` are those of its own."""
    others = (_TABLE.name, _PAGE.name, _DRY_RUN.name, _SET.name, _SEEDS.name)
    given = [
        text
        for flag in flags.FLAGS.get_flags_for_module(sys.modules[__name__])
        if flag.present and flag.name not in others
        for text in flag.serialize().split("\n")
    ]
    given += [f"--set={text}" for text in _SET.value if text.partition("=")[0] in changes]
    return shlex.join(["python", "-m", "tfreid.reproduce", f"--table={table.name}", *given])


def _run_all(plans: Sequence[Reproduction], seeds: Sequence[int], out: Path) -> list[str]:
    """Runs seed by seed, so that all tables have as many; returns what failed."""
    failed: list[str] = []
    for plan in plans:
        print(f"{plan.table.source}: {plan.table.title}")
        names = ", ".join(row.name for row in _rows(plan))
        print(f"rows: {names}; seeds: {', '.join(map(str, seeds))}")
        if caution := reproduction.warning(plan):
            print(caution)
    for seed in seeds:
        for plan in plans:
            try:
                failed += reproduction.run_rows(
                    plan, _rows(plan), [seed], embedded.run_command, _writer(plan, out)
                )
            except UsageError as error:
                if len(plans) == 1:
                    raise
                print(f"{plan.table.name}, seed {seed}, stops here: {error}", file=sys.stderr)
                failed.append(f"{plan.table.name}, seed {seed}: {error}")
                _writer(plan, out)()
    return failed


def _writer(plan: Reproduction, out: Path) -> Callable[[], None]:
    def write() -> None:
        _write(plan, out / plan.table.name)
        _write_page(out)

    return write


def _write_page(out: Path) -> None:
    if _PAGE.value:
        command_line = shlex.join(["python", "-m", "tfreid.reproduce", *sys.argv[1:]])
        text = reproduction.results_page(TABLES, out, command_line)
        files.write_text(Path(_PAGE.value), text)


def _say_effort(plans: Sequence[Reproduction], seeds: Sequence[int]) -> None:
    planned: set[Path] = set()
    total = 0.0
    for plan in plans:
        found = reproduction.effort(plan, _rows(plan), seeds, planned)
        total += found.seconds
        times = [f"about {duration(found.seconds)}"] if found.seconds or not found.unknown else []
        times += [f"{name} was not timed yet" for name in sorted(found.unknown)]
        print(
            f"{plan.table.name:14} {found.trainings:3} trainings ({found.updates:,} updates) and "
            f"{found.tests} tests left: {', '.join(times)}"
        )
    print(f"all of known time: about {duration(total)}; what tables share is counted once")


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


@functools.cache
def _embedded(name: str, options: tuple[str, ...]) -> tuple[Path, Path]:
    print(f"no --data: using the embedded synthetic data set in {_EMBEDDED}{name}")
    return embedded.ensure(f"{_EMBEDDED}{name}", options)


@functools.cache
def _embedded_occluded() -> Path:
    return embedded.ensure_occluded(_EMBEDDED)


@functools.cache
def _other_places() -> Path:
    return embedded.ensure(f"{_EMBEDDED}-1", ["--seed=1"])[0]


def _embedded_settings(table: Table) -> list[Setting]:
    """The table's worlds; a second one with other persons in other places where needed."""
    made = [_embedded(name, tuple(flags)) for name, flags in table.worlds.items()]
    parsing = made[0][1]
    train = [of_persons if table.data == "reid" else to_parse for of_persons, to_parse in made]
    test = [_embedded_occluded()] if table.occluded else []
    if table.across and not table.occluded:
        train.append(_other_places())
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
    "dry_run": "table",
    "set": "table",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS, reads=("data", "parsing_data", "test_data"))
