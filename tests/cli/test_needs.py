"""Flags that have an effect only with others."""

import pytest
from absl import flags

from tfreid.cli.needs import check_needs
from tfreid.errors import UsageError

NEEDS = {"k": "rerank", "size": "mode=short or mode=blend", "stop": "every", "several run": "out"}


def parsed(*arguments):
    values = flags.FlagValues()
    flags.DEFINE_integer("k", 20, "", flag_values=values)
    flags.DEFINE_bool("rerank", False, "", flag_values=values)
    flags.DEFINE_integer("size", None, "", flag_values=values)
    flags.DEFINE_multi_string("mode", [], "", flag_values=values)
    flags.DEFINE_integer("stop", 0, "", flag_values=values)
    flags.DEFINE_integer("every", 0, "", flag_values=values)
    flags.DEFINE_multi_string("run", None, "", flag_values=values)
    flags.DEFINE_string("out", None, "", flag_values=values)
    values(["command", *arguments])
    return values


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--k=20"], "--k needs --rerank: give that too, or leave --k out"),
        (["--k=20", "--norerank"], "--k needs --rerank"),
        (["--size=0"], "--size needs --mode=short or --mode=blend"),
        (["--size=0", "--mode=shorter"], "--size needs --mode=short"),
        (["--stop=1", "--every=0"], "--stop needs --every"),
        (["--run=a", "--run=b"], "more than one --run needs --out: give that too, or one alone"),
    ],
)
def test_a_flag_without_what_it_needs_is_refused(arguments, text):
    with pytest.raises(UsageError, match=text):
        check_needs(NEEDS, parsed(*arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--k=20", "--rerank"],
        ["--size=0", "--mode=other", "--mode=blend:choice"],
        ["--stop=0"],
        ["--stop=1", "--every=1"],
        ["--run=a"],
        ["--run=a", "--run=b", "--out=x"],
    ],
)
def test_others_are_taken(arguments):
    check_needs(NEEDS, parsed(*arguments))


def test_flags_that_are_not_defined_do_not_matter():
    check_needs({"unknown": "rerank"}, parsed())
