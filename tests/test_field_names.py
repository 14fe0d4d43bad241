import pytest

from tfreid.field_names import SYNONYMS, nearest_fields
from tfreid.methods import METHODS
from tfreid.methods.fields import leaves, names

KNOWN = {name: list(names(method.recipe)) for name, method in METHODS.items()}


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        ("dgd", "lr", ["schedule.learning_rate"]),
        ("dgd", "learning_rate", ["schedule.learning_rate"]),
        ("pgp", "lr", ["main.learning_rate", "guided.learning_rate", "joint.learning_rate"]),
        ("pgp", "parsing.lr", ["parsing.schedule.learning_rate"]),
        ("dgd", "epochs", ["schedule.steps"]),
        ("fanet", "epochs", ["schedule.epochs"]),
        ("fanet", "steps", ["schedule.epochs", "schedule.steps_per_epoch"]),
        ("dgd", "batch", ["batch_size"]),
        ("fpr", "batch_size", ["persons_per_batch", "images_per_person"]),
        ("dgd", "wd", ["weight_decay"]),
        ("spreid", "wd", ["weight_decay", "parsing.weight_decay"]),
        ("dgd", "erasing", ["erasing_probability"]),
        ("dgd", "flip", ["flip_probability"]),
        ("dgd", "background", ["random_background_probability"]),
        ("dgd", "jitter", ["brightness_jitter", "contrast_jitter", "saturation_jitter"]),
        ("dgd", "momentun", ["momentum", "bn_momentum"]),
        ("dgd", "Image-Size", ["image_size_px"]),
        ("dgd", "schedule", ["schedule.steps", "schedule.learning_rate", "schedule.factor"]),
        ("dgd", "zzz", []),
    ],
)
def test_other_words_lead_to_the_field(method, name, expected):
    found = nearest_fields(name, KNOWN[method])
    assert found == expected


@pytest.mark.parametrize("method", ["fanet", "fpr", "spreid"])
def test_the_backbone_is_found_by_what_it_is_called_here(method):
    (found,) = {name.split("_depth")[0] for name in nearest_fields("arch", KNOWN[method])[:1]}
    assert found == "backbone"


@pytest.mark.parametrize("method", METHODS)
def test_a_type_has_the_names_of_its_recipes(method):
    assert [name for name, _ in leaves(METHODS[method].demo())] == KNOWN[method]


def test_synonyms_name_fields_that_some_recipe_has():
    last = {field.rpartition(".")[2] for fields in KNOWN.values() for field in fields}
    optional = {"backbone", "backbone_depth"}
    assert {word for words in SYNONYMS.values() for word in words} - optional <= last
