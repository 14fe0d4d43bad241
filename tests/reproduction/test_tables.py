"""The papers' tables: well formed, printed right, and made of recipes that exist."""

import itertools
import re
from dataclasses import replace

import pytest

from tests.reproduction.papers import data_folder, recipe_from_flags
from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS
from tfreid.methods import METHODS
from tfreid.methods.recipe import to_json
from tfreid.reproduction import TABLES, table_named
from tfreid.reproduction.recipes import SCALES, as_flag, check_changes, resolve

ROWS = [
    (name, trained)
    for name, table in TABLES.items()
    for row in table.rows
    for trained in row.trained
]


@pytest.fixture
def info(tmp_path):
    return data_folder(tmp_path / "market").info


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_well_formed(name):
    table = TABLES[name]
    assert table.name == name
    for names in (
        [c.heading for c in (*table.columns, *table.extra)],
        [r.name for r in table.rows],
    ):
        assert len(set(names)) == len(names)
    for row in table.rows:
        assert row.variant in VARIANTS
        assert "," not in row.name  # --rows is a list with commas.
        for figures in row.paper.values():
            assert len(figures) == len(table.columns)
            assert all(figure is None or 0 < figure <= 100 for figure in figures)
        assert all(("→" in paper) == table.across for paper in row.paper)
    assert table.published


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "row"), ROWS, ids=lambda value: getattr(value, "name", value))
def test_flags_of_every_row_make_its_recipe(name, row, scale, info):
    recipe, overrides = resolve(row, scale, {}, info)
    flags = [as_flag(field, value) for field, value in overrides.items()]
    assert recipe_from_flags(row.method, scale, flags) == recipe
    assert METHODS[row.method].stages(recipe)


@pytest.mark.parametrize(
    ("table", "row", "data", "heading", "value"),
    [
        ("fanet/1", "Baseline", "market1501", "R1", 89.7),
        ("fanet/1", "B/L+TEM+BG", "dukemtmc", "R10", 93.5),
        ("fanet/1", "FA-Net", "msmt17", "mAP", 51.0),
        ("fanet/2", "B/L+TEM+BG+IA+TALv1", "msmt17", "R20", 88.5),
        ("fanet/2", "B/L+TEM+BG+IA+TALv2", "dukemtmc", "mAP", 67.1),
        ("fanet/3", "Baseline", "market1501→dukemtmc", "R1", 28.5),
        ("fanet/3", "FA-Net", "dukemtmc→market1501", "mAP", 34.2),
        ("fanet/figure5", "k=256", "dukemtmc", "R1", 88.7),
        ("fpr/3", "DSR", "market1501→partial_ilids", "mAP", 58.12),
        ("fpr/3", "FPR", "market1501→partial_reid", "R1", 81.0),
        ("fpr/4", "Baseline", "cuhk03", "R1", 73.57),
        ("fpr/4", "FPR", "dukemtmc", "mAP", 78.42),
        ("fpr/figure7", "alpha=0.02 tau=0.35", "market1501→occluded_reid", "R1", 78.3),
        ("pgp/2", "DGD random-background", "cuhk03", "Top-5", 85.5),
        ("pgp/2", "PGP mean-background", "market1501", "Top-10", 98.2),
        ("pgp/3", "2-branch upper+lower", "market1501", "Top-1", 80.0),
        ("pgp/4", "offline (1:2)", "market1501", "Top-20", 97.7),
        ("pgp/5", "Four-class", "lip", "F1", 79.0),
        ("pgp/5", "Foreground-background", "coco_person", "Rec.", 90.8),
        ("pgp/figure3", "trained on background-only", "cuhk03", "background-only", 37.1),
        ("spreid/1", "SPReID's parser", "lip", "mean IoU", 48.16),
        ("spreid/2", "Model-L ft", "dukemtmc", "rank-10", 91.65),
        ("spreid/3", "ResNet-152 ft", "cuhk03", "rank-1", 90.38),
        ("spreid/4", "SPReID combined", "market1501", "mAP", 79.67),
        ("spreid/5", "SPReID w/fg shared ft", "dukemtmc", "mAP", 69.29),
        ("spreid/6", "SPReID combined-ft* + re-ranking", "market1501", "rank-5", 96.82),
    ],
)
def test_figures_are_the_papers(table, row, data, heading, value):
    table = TABLES[table]
    position = [column.heading for column in table.columns].index(heading)
    assert table.with_rows([row]).rows[0].paper[data][position] == value


def test_rungs_of_the_ladder_differ_in_one_component(info):
    rungs = [to_json(resolve(row, "paper", {}, info)[0]) for row in TABLES["fanet/1"].rows]
    added = [
        {name: above[name] for name in above if above[name] != below[name]}
        for below, above in itertools.pairwise(rungs)
    ]
    assert added == [
        {"target_enhancement": True},
        {"background_branch": True},
        {"gate_background": True},
        {"target_attention": "paper"},
        {"pyramid_stripes": [1, 2, 4, 8]},
    ]
    assert rungs[-1] == to_json(METHODS["fanet"].recipe())


def test_the_study_of_fpr_has_its_recipe_once(info):
    rows = TABLES["fpr/figure7"].rows
    recipes = {row.name: resolve(row, "paper", {}, info)[0] for row in rows}
    assert len(set(recipes.values())) == 15
    assert recipes["alpha=0.02 tau=0.35"] == METHODS["fpr"].recipe()
    assert [row.name for row in rows if row.paper] == ["alpha=0.02 tau=0.35"]


def test_an_epoch_shows_the_training_images_once(tmp_path):
    row = TABLES["fanet/1"].rows[0]
    splits = data_folder(tmp_path / "a").info.splits
    splits = {"train": replace(splits["train"], records=16_522)}
    duke = data_folder(tmp_path / "duke", splits=splits)
    recipe, overrides = resolve(row, "paper", {}, duke.info)
    assert recipe.schedule.steps_per_epoch == overrides["schedule.steps_per_epoch"] == 129
    told, _ = resolve(row, "paper", {"schedule.steps_per_epoch": 7}, duke.info)
    assert told.schedule.steps_per_epoch == 7
    demo, _ = resolve(row, "demo", {}, duke.info)
    assert demo == resolve(row, "demo", {}, data_folder(tmp_path / "b").info)[0]


def test_changes_reach_the_recipes_that_have_them(info):
    row = TABLES["pgp/2"].rows[0]
    recipe, overrides = resolve(row, "demo", {"schedule.steps": 3, "main.steps": 5}, info)
    assert recipe.schedule.steps == 3
    assert overrides == {"schedule.steps": 3}


def test_what_a_row_sets_itself_stays(info):
    baseline, *_, whole = TABLES["fanet/1"].rows
    changes = {"pyramid_stripes": (1, 2)}
    assert resolve(baseline, "demo", changes, info)[0].pyramid_stripes == ()
    assert resolve(whole, "demo", changes, info)[0].pyramid_stripes == (1, 2)


def test_changes_may_name_former_fields(info):
    table, changes = TABLES["fanet/1"], {"backbone_depth": 26}
    check_changes(table, "demo", changes)
    recipe, overrides = resolve(table.rows[0], "demo", changes, info)
    assert recipe.backbone == overrides["backbone"] == "resnet26"


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: table_named("fanet/4"), "no table 'fanet/4': did you mean 'fanet/"),
        (lambda: table_named("x"), "There are fanet/1, "),
        (lambda: TABLES["fanet/1"].with_rows(["B/L+TME"]), "did you mean 'B/L+TEM'"),
        (lambda: check_changes(TABLES["pgp/2"], "demo", {"main.step": 1}), "mean main.steps?"),
    ],
)
def test_unknown_names_meet_their_neighbours(act, text):
    with pytest.raises(UsageError, match=re.escape(text)):
        act()


def test_the_ladder_beyond_the_paper_changes_what_it_names(info):
    table = TABLES["fanet/ladder"]
    recipes = {row.name: to_json(resolve(row, "demo", {}, info)[0]) for row in table.rows}
    plain = recipes["B/L+TEM+BG+IA+TAL"]
    changed = {
        name: {key: value for key, value in recipe.items() if plain.get(key) != value}
        for name, recipe in recipes.items()
    }
    whole = {"pyramid_stripes": [1, 2, 4, 8]}
    heavier, normalised = {"target_attention_weight": 30.0}, {"normalise_pooled": True}
    assert changed == {
        "B/L+TEM+BG+IA": {"target_attention": "none"},
        "B/L+TEM+BG+IA+TAL": {},
        "TALx30": heavier,
        "TAL Z detached": {"detach_mask": True},
        "IA BN": {"target_attention": "none"} | normalised,
        "TAL BN": normalised,
        "TALx30 BN": heavier | normalised,
        "FA-Net without TAL": {"target_attention": "none"} | whole,
        "FA-Net": whole,
        "FA-Net TALx30": heavier | whole,
    }
    assert list(table.worlds.items()) == [
        ("", ()),
        ("-camera_style0", ("--camera_style=0",)),
    ]
    assert TABLES["fanet/1"].worlds == {"": ()}
