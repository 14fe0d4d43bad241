"""The papers' tables: well formed, printed right, and made of recipes that exist."""

import itertools
import re
from dataclasses import replace

import pytest

from tests.reproduction.papers import data_folder, recipe_from_flags
from tfreid.errors import UsageError
from tfreid.inputs import VARIANTS
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves
from tfreid.methods.recipe import to_json
from tfreid.reproduction import TABLES, table_named
from tfreid.reproduction.recipes import SCALES, as_flag, check_changes, resolve
from tfreid.training.building import build_model
from tfreid.training.transfer import refuse_untrained

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
            assert all(figure is None or 0 < float(figure) <= 100 for figure in figures)
        assert all(("→" in paper) == table.across for paper in row.paper)
    assert table.is_ours == (name == "fanet/ladder") == (not table.published)
    rows, headings = [row.name for row in table.rows], table.headings
    if table.is_ours:
        headings = [*headings, *(column.heading for column in table.extra)]
    for one in table.compared:
        assert {one.row, one.other} <= {*rows}
        assert {one.column, one.other_column or one.column} <= {*headings}
        assert one.sign or any(figures_of(table, one)) or table.is_ours


def figures_of(table, one):
    """For each data set, whether both figures of a comparison are published."""
    rows = {row.name: row.paper for row in table.rows}
    for data in table.published:
        place = table.headings.index(one.column)
        printed = [rows[name].get(data) for name in (one.row, one.other)]
        yield all(figures and figures[place] for figures in printed)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "row"), ROWS, ids=lambda value: getattr(value, "name", value))
def test_flags_of_every_row_make_its_recipe(name, row, scale, info):
    recipe, overrides = resolve(row, scale, {}, info)
    flags = [as_flag(field, value) for field, value in overrides.items()]
    assert recipe_from_flags(row.method, scale, flags) == recipe
    assert METHODS[row.method].stages(recipe)


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted({row.method for _, row in ROWS}))
def test_every_row_trains_all_that_it_does_not_start_from(method, info):
    recipes = (resolve(row, "demo", {}, info)[0] for _, row in ROWS if row.method == method)
    for recipe in {layers_of(recipe): recipe for recipe in recipes}.values():
        stages = METHODS[method].stages(recipe)
        if any(stage.continues for stage in stages):
            continue  # from a whole model
        model = build_model(METHODS[method], recipe, info)
        refuse_untrained(model, stages, ["parser"] * (not getattr(recipe, "train_parser", True)))


def layers_of(recipe):
    """The fields on which it depends which layers a model has: neither rates nor image sizes."""
    return tuple(
        (name, value)
        for name, value in leaves(recipe)
        if not isinstance(value, float) and not name.endswith("_size_px")
    )


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
    check_changes([table], "demo", changes)
    recipe, overrides = resolve(table.rows[0], "demo", changes, info)
    assert recipe.backbone == overrides["backbone"] == "resnet26"


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: table_named("fanet/9"), "no table 'fanet/9': did you mean 'fanet/"),
        (lambda: table_named("x"), "There are fanet/1, "),
        (lambda: TABLES["fanet/1"].with_rows(["B/L+TME"]), "did you mean 'B/L+TEM'"),
        (lambda: check_changes([TABLES["pgp/2"]], "demo", {"main.step": 1}), "mean main.steps?"),
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
