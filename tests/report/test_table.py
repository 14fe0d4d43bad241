from types import SimpleNamespace

from tfreid.report import print_intervals, print_table
from tfreid.retrieval import Interval


def test_table_shows_percentages(capsys):
    print_table("pgp", {"random_background": {"rank1": 0.8125, "mAP": 1.0}, "night": None})
    lines = capsys.readouterr().out.splitlines()
    assert any("pgp" in line and "rank1" in line for line in lines)
    assert any("random background" in line and "81.2" in line and "100.0" in line for line in lines)
    assert any("night" in line and "-" in line for line in lines)


def test_intervals_fit_into_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    wide = {name: Interval(0.5, 0.101, 0.989, False) for name in ("rank1", "mAP")}
    lost = {name: Interval(-0.1, -0.989, 0.101, False) for name in ("rank1", "mAP")}
    rows = ("original_with_masks", "random_background")
    result = SimpleNamespace(
        intervals=dict.fromkeys(rows, wide), losses=dict.fromkeys(rows, lost), searches=None
    )
    print_intervals(result)
    figures = ["10.1 to 98.9"] * 2 + ["\N{MINUS SIGN}98.9 to 10.1"] * 2
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for row in rows:
        assert " ".join([row.replace("_", " "), *figures]) in lines
