"""Means, spreads and the text of a table."""

import json
import math
import re
from dataclasses import replace

import pytest

from tests.reproduction.papers import TABLE, FakeRunner, data_folder, plan_on
from tfreid.datasets import Split
from tfreid.records.info import SourceInfo
from tfreid.reproduction import (
    Reproduction,
    Setting,
    TableRow,
    as_json,
    as_markdown,
    gather,
    run_rows,
    warning,
)

# Rank-1 that the runner gives: half the width plus a tenth of the seed.
NARROW, WIDE = [0.25, 0.35, 0.45], [0.5, 0.6, 0.7]


@pytest.fixture
def plan(tmp_path):
    """Three seeds of the first row, one of the second and third, none of the last."""
    plan = plan_on(tmp_path, scale="paper")
    run_rows(plan, TABLE.rows[:1], [0, 1, 2], FakeRunner(), lambda: None)
    run_rows(plan, TABLE.rows[1:3], [2], FakeRunner(), lambda: None)
    return plan


def test_means_and_spreads_are_over_all_seeds_there_are(plan):
    (setting,) = gather(plan)
    rank1 = setting.rows[0].figures["R1"]
    assert rank1.mean == pytest.approx(0.35)
    assert rank1.spread == pytest.approx(math.sqrt((0.01 + 0 + 0.01) / 2))
    assert rank1.paper == "50.0"
    wide = setting.rows[1].figures["R1"]
    assert (wide.by_seed, wide.mean, wide.spread) == ({2: 0.7}, 0.7, None)
    assert setting.rows[2].figures["R1"].mean == pytest.approx(0.6)
    assert setting.rows[3].figures["R1"].mean is None
    assert setting.rows[0].figures["contrast"].mean == 0.25
    assert setting.chance_rank1 == 0.01


def test_folders_that_are_no_seed_do_not_count(plan):
    family = plan.run(TABLE.rows[0], plan.settings[0], seed=0).family
    for name in ("seed0-old1", "seed0.1", "seed", "seeds3"):
        (family / name).mkdir()
    (setting,) = gather(plan)
    assert list(setting.rows[0].figures["R1"].by_seed) == [0, 1, 2]


def test_seeds_without_a_figure_do_not_count(plan):
    (setting,) = gather(plan)
    contrast = setting.rows[2].figures["contrast"]
    assert (contrast.by_seed, contrast.mean) == ({}, None)


def test_markdown(plan):
    text = as_markdown(plan, gather(plan))
    lines = text.splitlines()
    assert lines[0] == "# Paper, Table 1: Two widths"
    assert "not comparable" not in text
    assert lines[lines.index("## market1501") + 2 :][:6] == [
        "|                   |          R1 | paper |        mAP | paper |   contrast | seeds |",
        "| ----------------- | ----------: | ----: | ---------: | ----: | ---------: | ----: |",
        "| narrow            | 35.0 ± 10.0 |  50.0 | 17.5 ± 5.0 | 40.55 | 25.0 ± 0.0 | 0 1 2 |",
        "| wide              |        70.0 |  60.0 |       35.0 |     - |       25.0 |     2 |",
        "| wide, new scenes  |        60.0 |     - |       17.5 |     - |          - |     2 |",
        "| wide, more images |           - |     - |          - |     - |          - |     - |",
    ]
    assert "Chance is 1.0 rank-1. 3,368 queries (0 without a valid match, left out), 15,913" in text
    assert text.count("python -m tfreid.train --method=dgd --scale=paper") == 3


def test_json(plan):
    values = json.loads(json.dumps(as_json(plan, gather(plan))))
    assert (values["table"], values["scale"], values["synthetic"]) == ("paper/1", "paper", False)
    narrow = values["settings"][0]["rows"][0]
    assert narrow["figures"]["mAP"]["seeds"] == 3
    assert narrow["figures"]["mAP"]["paper"] == 0.4055
    assert list(narrow["runs"]) == ["0", "1", "2"]


def test_rows_that_cannot_be_run_stay_empty(plan):
    rows = (*TABLE.rows[:1], TableRow("without parsing data", "pgp"))
    plan = replace(plan, table=replace(TABLE, rows=rows))
    narrow, pgp = gather(plan)[0].rows
    assert narrow.figures["R1"].mean is not None
    assert (pgp.planned, list(pgp.runs), pgp.figures["R1"].mean) == (None, [], None)


def test_synthetic_data_and_small_scales_are_labelled(tmp_path):
    plan = plan_on(tmp_path, synthetic=True)
    assert warning(plan) == "synthetic data, demo scale: not comparable with the paper"
    text = as_markdown(plan, gather(plan))
    assert "**Synthetic data, demo scale: not comparable with the paper.**" in text
    assert "## market1501 (synthetic)" in text
    changed = replace(plan, changes={"width": 0.1})
    assert "width=0.1" in as_json(changed, gather(changed))["warning"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "mine"}, "these data are mine"),
        ({"synthetic": True}, "these images are drawn"),
    ],
)
def test_figures_of_other_data_are_named_and_not_printed(tmp_path, changes, reason):
    plan = plan_on(tmp_path, **changes)
    text = as_markdown(plan, gather(plan))
    assert f"The paper's figures, of market1501, msmt17, are not beside ours: {reason}." in text
    assert "50.0" not in text


def test_digits_are_those_of_the_paper(tmp_path):
    row = TableRow("row", "dgd", paper={"market1501": ("76.56", "90.8")})
    plan = replace(plan_on(tmp_path), table=replace(TABLE, rows=(row,)))
    assert re.search(r"\| 76\.56 \| +- \| +90\.8 \|", as_markdown(plan, gather(plan)))


def test_the_mean_over_splits_has_the_seeds_that_all_have(tmp_path):
    """Published figures of such data are means over all splits, and stand beside that alone."""
    row = TableRow("row", "dgd", {"width": 0.5}, paper={"viper": ("51.9", "1.0")})
    settings = [
        Setting(f"split {index}", folder, folder)
        for index in range(10)
        for folder in [split_folder(tmp_path, index)]
    ]
    plan = Reproduction(replace(TABLE, rows=(row,)), settings, tmp_path / "runs", "paper")
    run_rows(plan, plan.table.rows, [0, 1], FakeRunner(), lambda: None)
    some = replace(plan, settings=settings[:9])
    run_rows(replace(plan, settings=settings[:1]), plan.table.rows, [2], FakeRunner(), lambda: None)
    *alone, mean = gather(plan)
    assert {figures.why_not for figures in alone} == {"these are of 1 of its 10 splits"}
    assert (mean.name, mean.paper) == ("viper, mean over 10 of 10 splits", "viper")
    rank1 = mean.rows[0].figures["R1"]
    assert (dict(rank1.by_seed), rank1.paper) == ({0: 0.25, 1: 0.35}, "51.9")
    assert gather(some)[-1].paper is None
    assert "of 9 of its 10 splits" in as_markdown(some, gather(some))


def split_folder(tmp_path, index):
    split = Split(index, 10, 0, (index, index + 1))
    source = SourceInfo({"use": "splits"}, "random_half", split)
    return data_folder(tmp_path / f"viper{index}", name="viper", sources={"viper": source})


def test_figures_say_how_position_features_are_matched(plan):
    wide = TABLE.rows[1]
    rows = (wide, replace(wide, name="matched", matching="exact"))
    plan = replace(plan, table=replace(TABLE, rows=rows))
    settings = gather(plan)
    assert re.findall(r"^\| (\w+) +\| +(\w+) \|", as_markdown(plan, settings), re.M) == [
        ("wide", "cosine"),
        ("matched", "exact"),
    ]
    rows = as_json(plan, settings)["settings"][0]["rows"]
    assert [row["matching"] for row in rows] == [None, "exact"]


def test_combined_and_reranked_rows_have_their_figures_and_commands(tmp_path):
    wide = TableRow("wide", "dgd")
    both = TableRow("both", combines=(TableRow("narrow", "dgd", {"width": 0.5}), wide))
    rows = (wide, both, replace(both, name="both, re-ranked", rerank=True))
    plan = replace(plan_on(tmp_path), table=replace(TABLE, rows=rows))
    run_rows(plan, rows, [0], FakeRunner(), lambda: None)
    (setting,) = gather(plan)
    assert [row.figures["R1"].mean for row in setting.rows] == pytest.approx([0.125, 0.125, 0.325])
    assert setting.rows[2].figures["mAP"].mean is None
    text = as_markdown(plan, [setting])
    assert text.count("python -m tfreid.train ") == 2
    assert text.count("python -m tfreid.evaluate --run=") == 2
    assert text.count(" --rerank\n") == 1
