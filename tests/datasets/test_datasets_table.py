import subprocess
import sys

import pytest

from tfreid.datasets import DATASETS, VOCABULARIES, dataset_named, rows_of
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


def test_imports_neither_tensorflow_nor_pillow():
    code = "import sys, tfreid.datasets; print({'tensorflow', 'keras', 'PIL'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
