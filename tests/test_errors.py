"""Checks that end in the user's error."""

from types import SimpleNamespace

import pytest

from tfreid.errors import UsageError, require, require_known


def test_a_broken_condition_raises_its_text():
    require(True, "never seen")
    with pytest.raises(UsageError, match="width must be above 0"):
        require(False, "width must be above 0")


def test_choices_are_named_with_the_value_found():
    settings = SimpleNamespace(phase=2, backbone="vgg16")
    require_known(settings, phase=(1, 2))
    with pytest.raises(UsageError, match=r"^backbone='vgg16' is not known: use one of a, b$"):
        require_known(settings, phase=(1, 2), backbone={"a": 1, "b": 2})
