"""The page with all tables, of made-up results."""

import json
from dataclasses import replace

import pytest

from tests.reproduction.papers import TABLE
from tfreid.errors import DataError
from tfreid.reproduction import TABLES, Comparison, Table, TableRow, results_page

ROWS = (
    TableRow("narrow", "dgd", paper={"market1501": ("50.0", "40.55"), "msmt17": ("9.9", None)}),
    TableRow("wide", "dgd", paper={"market1501": ("60.25", "41"), "msmt17": ("9.0", None)}),
    TableRow("split", "dgd", paper={"viper": ("1.0", "2.0")}),
)
SMALL = replace(TABLE, name="paper/1", rows=ROWS[:2], extra=())


def figures(*by_heading):
    headings = dict(zip(("R1", "mAP"), by_heading, strict=False))
    return {
        heading: {"by_seed": {str(seed): value for seed, value in enumerate(values)}}
        for heading, values in headings.items()
    }


def written(tmp_path, table, rows, **facts):
    """The page of one table with one setting."""
    setting = {"name": "drawn", "data": "synthetic", "synthetic": True, "paper": None}
    setting |= {"protocol": "market", "splits": 1} | facts
    setting["rows"] = [
        {"name": name, "runs": dict.fromkeys(map(str, range(seeds)), "run"), "figures": found}
        | ({"matching": matching[0]} if matching else {})
        for name, seeds, found, *matching in rows
    ]
    document = {"warning": "synthetic data: no", "command": "the command", "settings": [setting]}
    path = tmp_path / table.name / "table.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return results_page({table.name: table}, tmp_path)


NARROW = ("narrow", 3, figures([0.5, 0.6, 0.7], [0.1, 0.1, 0.1]))
WIDE = ("wide", 3, figures([0.6, 0.71, 0.8], [0.2, 0.2]))


def test_ours_stand_beside_the_papers_of_the_same_protocol_by_name(tmp_path):
    lines = written(tmp_path, SMALL, [NARROW, WIDE]).splitlines()
    header = next(line for line in lines if "R1" in line and "mAP" in line)
    assert [cell.strip() for cell in header.split("|")][1:-1] == [
        *("", "R1", "market1501", "mAP", "market1501", "seeds")
    ]
    narrow = next(line for line in lines if line.startswith("| narrow"))
    assert [cell.strip() for cell in narrow.split("|")][2:6] == [
        *("60.0 ± 24.8", "50.0", "10.0 ± 0.0", "40.55")
    ]
    assert "**Synthetic data: no.**" in lines
    assert "the command" in lines


def test_what_the_papers_data_sets_do_not_agree_on_cannot_be_told(tmp_path):
    text = written(tmp_path, SMALL, [NARROW, WIDE])
    assert "| market1501 +10.25, msmt17 -0.9 | +10.3 ± 1.4 |" in text
    assert "cannot be told: the paper's data sets differ" in text


def test_the_same_data_set_is_compared_with_itself_alone(tmp_path):
    facts = {"paper": "market1501", "synthetic": False, "data": "market1501"}
    text = written(tmp_path, SMALL, [NARROW, WIDE], **facts)
    assert "| wide against narrow | market1501 +10.25 | +10.3 ± 1.4 |    agrees |" in text
    assert "| paper/1 | Two widths |      1 |              0 |              0 |" in text


def test_figures_of_another_protocol_are_never_there(tmp_path):
    text = written(tmp_path, SMALL, [NARROW, WIDE], protocol="cuhk03_classic")
    assert "60.25" not in text
    assert "The paper's figures of market1501, msmt17 are of another protocol." in text
    assert "cannot be told: the paper has no figures to compare" in text
    viper = replace(SMALL, rows=ROWS[2:])
    row = ("split", 1, figures([0.5]))
    one = written(tmp_path, viper, [row], protocol="random_half", data="viper", synthetic=False)
    assert "1.0" not in one.replace("± ", "")
    all_splits = written(tmp_path, viper, [row], protocol="random_half", splits=10, paper="viper")
    assert "| split | 50.0 |   1.0 |" in all_splits


def test_another_version_of_the_papers_data_set_is_not_beside_it(tmp_path):
    text = written(tmp_path, SMALL, [NARROW], synthetic=False, data="market1501")
    assert "50.0 " not in text
    assert "msmt17" in text


def test_what_is_not_beside_ours_is_named(tmp_path):
    both = replace(SMALL, rows=ROWS)
    text = written(tmp_path, both, [NARROW, WIDE])
    assert "The paper's figures of viper are of another protocol." in text


def test_drawn_in_the_form_of_a_data_set_stands_beside_that_one(tmp_path):
    text = written(tmp_path, SMALL, [NARROW], data="msmt17")
    assert "| narrow | 60.0 ± 24.8 |    9.9 |" in text
    assert "50.0" not in text


def test_how_map_is_computed_and_images_are_compared_is_said(tmp_path):
    plain = written(tmp_path, SMALL, [NARROW, WIDE])
    assert "toolbox" not in plain
    assert "matching" not in plain
    table = replace(SMALL, average_precision="trapezoid")
    rows = [NARROW, (*WIDE, "exact")]
    lines = written(tmp_path, table, rows).splitlines()
    assert "mAP is that of the Market-1501 toolbox. A note." in lines
    cells = [[cell.strip() for cell in line.split("|")][1:3] for line in lines if "|" in line]
    assert ["", "matching"] in cells
    assert ["narrow", "cosine"] in cells
    assert ["wide", "exact"] in cells


def test_what_the_text_says_counts_where_figures_lack(tmp_path):
    down = Comparison("wide", "narrow", "R1", sign=-1)
    table = replace(SMALL, comparisons=(down,), rows=tuple(replace(r, paper={}) for r in ROWS[:2]))
    text = written(tmp_path, table, [NARROW, WIDE])
    assert "| lower, in the text | +10.3 ± 1.4 | does not agree |" in text


def test_a_table_of_no_paper_has_differences_and_no_directions(tmp_path):
    rows = tuple(replace(row, paper={}) for row in ROWS[:2])
    pairs = tuple(Comparison("wide", "narrow", heading) for heading in ("R1", "contrast"))
    ours = replace(TABLE, rows=rows, comparisons=pairs)
    contrasts = [{"contrast": {"by_seed": {"0": value}}} for value in (0.1, 0.3)]
    found = [
        (name, seeds, values | contrast)
        for (name, seeds, values), contrast in zip((NARROW, WIDE), contrasts, strict=True)
    ]
    lines = written(tmp_path, ours, found).splitlines()
    assert "| compared                      |        ours |" in lines
    assert "| wide against narrow, R1       | +10.3 ± 1.4 |" in lines
    assert "| wide against narrow, contrast |       +20.0 |" in lines
    assert "| paper/1 | Two widths |      0 |              0 |              0 |" in lines


def test_tables_that_were_not_run_are_listed_with_their_command(tmp_path):
    page = results_page(TABLES, tmp_path, "python -m something")
    for name, table in TABLES.items():
        assert f"## {table.source}: {table.title}\n\nNot run." in page
        assert f"python -m tfreid.reproduce --table={name} --seeds=0,1,2" in page
    assert page.count("| not run |") == len(TABLES)
    assert "python -m something" in page


def test_a_table_that_nobody_wrote_is_refused(tmp_path):
    path = tmp_path / "paper" / "1" / "table.json"
    path.parent.mkdir(parents=True)
    for text in ("{", '{"settings": [{}]}', '{"settings": [{"rows": [{"name": "a"}]}]}', "[]"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"table\.json is"):
            results_page({"paper/1": SMALL}, tmp_path)


def test_every_comparison_of_the_papers_tables_has_its_line(tmp_path):
    for table in TABLES.values():
        assert isinstance(table, Table)
        headings = [*table.headings, *(column.heading for column in table.extra)]
        found = {heading: {"by_seed": {"0": 0.5}} for heading in headings}
        rows = [(row.name, 1, found) for row in table.rows]
        text = written(tmp_path, table, rows, protocol="market")
        expected = 0 if table.is_ours else len(table.compared)
        assert text.count("cannot be told: ") == expected
        assert sum(" against " in line for line in text.splitlines()) >= len(table.compared)
