import pytest
from absl import flags

from tfreid.cli.values import expand_home, require_paths
from tfreid.errors import UsageError


def given(**values):
    known = flags.FlagValues()
    for name, value in values.items():
        define = flags.DEFINE_list if isinstance(value, list) else flags.DEFINE_string
        define(name, None, "", flag_values=known)
    known(["x", *(f"--{n}={','.join(v) if isinstance(v, list) else v}" for n, v in values.items())])
    return [known[name] for name in values]


@pytest.mark.parametrize(
    "value",
    [
        "gs://bucket/run",
        "s3://bucket",
        "minio://b/x",
        "file:///x",
        "a/b,name=s3://b/x",
        ["x", "s3://b"],
    ],
)
def test_an_address_is_no_path(value):
    with pytest.raises(UsageError, match=r"^--out=.*: a path of this machine was expected"):
        require_paths(given(out=value), [])
    with pytest.raises(UsageError, match=r"^s3://b/run: a path of this machine was expected"):
        require_paths([], ["s3://b/run"])


@pytest.mark.parametrize("value", ["runs/pgp", "/data/a:b", "C:/x", "a//b", "//server/x", "x:/y"])
def test_paths_are_paths(value):
    require_paths(given(out=value), [value])


def test_flags_that_take_addresses_say_themselves_which():
    require_paths(given(model="grpc://localhost:8500/reid", root="gs://bucket/reid"), [])


def test_a_tilde_is_the_home_folder_in_any_flag(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    flag, several, name = given(out="~/runs/x", data=["~/a", "b~", "~"], person="~anna")
    expand_home([flag, several, name])
    assert flag.value == "/home/anna/runs/x"
    assert several.value == ["/home/anna/a", "b~", "/home/anna"]
    assert name.value == "~anna"
