import subprocess
import sys

import pytest

from tfreid.datasets import DATASETS, VOCABULARIES, dataset_named, parse_name, rows_of
from tfreid.errors import UsageError


def test_names_and_vocabularies_are_consistent():
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.mask_vocabulary in (None, *VOCABULARIES)
        assert dataset.obtain
        assert dataset.licence


@pytest.mark.parametrize(
    ("name", "hint"), [("markt1501", "did you mean market1501"), ("zzz", "known are market1501,")]
)
def test_unknown_names_are_answered_with_the_nearest(name, hint):
    with pytest.raises(UsageError, match=hint):
        dataset_named(name)
    with pytest.raises(UsageError, match=hint):
        rows_of(name, "/")


def test_imports_nothing_that_opens_files():
    heavy = {"tensorflow", "keras", "PIL", "h5py", "scipy", "pycocotools"}
    code = f"import sys, tfreid.datasets; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_choices_belong_to_one_option_each():
    for dataset in DATASETS.values():
        choices = [choice for values in dataset.options.values() for choice in values]
        assert len(set(choices)) == len(choices)
        assert not any(character in choice for choice in choices for character in ":,")


def test_refuses_choices_that_there_are_not():
    with pytest.raises(UsageError, match="market1501 has no choice 'labeled': expected none"):
        parse_name("market1501:labeled")
    with pytest.raises(UsageError, match="did you mean market1501"):
        parse_name("market:labeled")
