"""Typing errors in flags are answered before a command loads what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tfreid.cli.main import COMMANDS
from tfreid.gallery.__main__ import COMMANDS as GALLERY_COMMANDS

WITHOUT = (
    "import importlib.abc, runpy, sys\n"
    "class Refuse(importlib.abc.MetaPathFinder):\n"
    "    def find_spec(self, name, path, target=None):\n"
    "        if name in {names}:\n"
    "            raise {error}\n"
    "sys.meta_path.insert(0, Refuse())\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
)
NO_LIBRARIES = WITHOUT.format(
    names=("tensorflow", "keras", "apache_beam", "tfx"), error="SystemExit(f'{name} is loaded')"
)


def answered(
    module: str, *arguments: str, script: str = NO_LIBRARIES
) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


MODULES = sorted({*COMMANDS.values(), *GALLERY_COMMANDS.values()} - {"tfreid.gallery"})


@pytest.mark.parametrize("module", MODULES)
def test_the_help_is_shown_first(module):
    done = answered(module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m {module.replace('.commands.', ' ')} [FLAGS]")


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["train"], "tfreid.train"),
        (["gallery", "create"], "tfreid.gallery.commands.create"),
        (["pipeline"], "pipeline.run_local"),
    ],
)
@pytest.mark.parametrize("flag", ["--help", "--mehtod=pgp"])
def test_a_command_answers_alike_however_it_is_called(words, module, flag):
    front = answered(*words, flag, script="from tfreid.cli.main import main; main()")
    direct = answered(module, flag)
    assert (front.stdout, front.stderr) == (direct.stdout, direct.stderr)


@pytest.mark.parametrize("module", MODULES)
def test_an_unknown_flag_is_answered_first(module):
    done = answered(module, "--mehtod=pgp")
    assert done.returncode == 2
    name = module.replace(".commands.", " ")
    assert done.stderr.startswith(f"error: --mehtod is no flag of {name}; ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["tfreid.train", "--mehtod=pgp"], "did you mean --method?"),
        (["tfreid.train", "--method=pgp", "--seed=x"], "--seed=x"),
        (
            ["tfreid.train", "--method=pgp", "--seed=1", "--seed", "1"],
            "--seed takes one value and is",
        ),
        (
            ["tfreid.train", "--method=pgp", "--export", "--noexport"],
            "--[no]export takes one value",
        ),
        (["tfreid.train", "--method=dgd", "--method=pgp"], "--method takes one value"),
        (
            ["tfreid.train", "--method=dgd", *["--recipe.width=1"] * 3],
            "--recipe.width takes one value and is given 3 times: give it once",
        ),
        (["tfreid.train", "--method=pgp", "--seed=-1"], "--seed=-1"),
        (["tfreid.train", "--method=pgp", "--scale=papr"], "--scale=papr"),
        (["tfreid.train"], "--method must be given"),
        (["tfreid.train", "--precision=float16"], "did you mean mixed_bfloat16 or mixed_float16?"),
        (["tfreid.train", "--method=pgpp"], "should be one of <dgd|fanet|fpr|parsing|pgp|spreid>"),
        (["tfreid.train", "--method=pgp", "--recipe.lr=1"], "or --recipe.guided.learning_rate"),
        (["tfreid.train", "--method=dgd", "--recipe.width=x"], "expected a float, found 'x'"),
        (["tfreid.train", "--method=pgp", "--norecipe.train_parser", "--seed=x"], "--seed=x"),
        (["tfreid.train", "--method=fpr", "--recipe.backbone_depth=50", "--seed=x"], "--seed=x"),
        (["tfreid.evaluate", "--run=x", "--matching=some"], "<exact|shortlist|blend|pooled>"),
        (["pipeline.run_local", "--method=pgp", "--recipe.branch=3"], "--recipe.branches?"),
        (["tfreid.train", "--method=pgp", "more"], "unexpected argument 'more'"),
        (["tfreid.evaluate", "--rerank_lambda=2", "--run=x"], "--rerank_lambda=2"),
        (["tfreid.evaluate", "--run=x", "--rerank_k1=5"], "--rerank_k1 needs --rerank: give that"),
        (["tfreid.evaluate", "--run=x", "--run=y"], "more than one --run needs --out: give that"),
        (["tfreid.export", "--run=x", "--run=y"], "more than one --run needs --out: give that"),
        (
            [
                "tfreid.evaluate",
                "--run=x",
                "--matching=blend",
                "--shortlist_size=5",
                "--rankings_length=3",
            ],
            "--rankings_length needs --save_rankings: give that too, or leave --rankings_length",
        ),
        (
            ["tfreid.evaluate", "--run=x", "--matching=exact", "--shortlist_size=5"],
            "--shortlist_size needs --matching=shortlist or --matching=blend: give that too",
        ),
        (
            ["tfreid.train", "--method=dgd", "--stop_when_no_better=2"],
            "--stop_when_no_better needs --evaluate_every_steps",
        ),
        (
            [
                "tfreid.convert",
                "--dataset=folder",
                "--data_root=x",
                "--out=y",
                "--mask_vocabulary=lip20",
            ],
            "--mask_vocabulary needs --masks_root or --dataset=csv",
        ),
        (["tfreid.reproduce", "--test_data=x"], "--test_data needs --data or --parsing_data"),
        (["tfreid.datasets", "--data_root=x"], "--data_root needs --check"),
        (["tfreid.datasets", "--check=folder"], "--check needs --data_root"),
        (
            [
                "pipeline.run_kubeflow",
                "--method=dgd",
                "--data_root=x",
                "--root=y",
                "--image=z",
                "--parsing_dataset=lip",
            ],
            "--parsing_dataset needs --parsing_data_root",
        ),
        (["tfreid.evaluate"], "--run must be given"),
        (["tfreid.audit", "--max_background_loss=2"], "--max_background_loss=2"),
        (["tfreid.audit", "--max_background_loss=10%"], "=10%: expected a number, such as 0.1"),
        (["tfreid.audit", "--preset=torchried"], "did you mean torchreid?"),
        (["tfreid.audit", "--max_background_loss=nan"], "=nan: a finite number was expected"),
        (["tfreid.train", "--method=dgd", "--data="], "--data has no value: give one, or leave"),
        (["tfreid.convert", "--dataset=x", "--data_root=y", "--out="], "--out has no value"),
        (["tfreid.audit", "--data_root=x", "--model=y", "--variants="], "--variants has no value"),
        (["tfreid.audit", "--presett=x"], "did you mean --preset"),
        (["tfreid.audit", "--data=."], "give --model, or --descriptors"),
        (["tfreid.audit", "--model=x"], "give --data_root (a folder of images), or --data"),
        (["tfreid.audit", "--model=x", "--data=.", "--data_root=."], "leave one of them out"),
        (
            ["tfreid.audit", "--data=.", "--parser=y", "--model=z"],
            "--parser: goes with --data_root",
        ),
        (["tfreid.audit", "--data=.", "--write_images=y", "--model=z"], "leave --model and"),
        (["tfreid.train", "--method=dgd", "--out=gs://b/run"], "--out=gs://b/run: a path of this"),
        (["tfreid.evaluate", "--run=a", "--run=s3://b/run", "--out=c"], "--run=s3://b/run: a path"),
        (["tfreid.average", "runs/a", "s3://b/run"], "s3://b/run: a path of this machine was"),
        (
            ["tfreid.convert", "--dataset=x", "--data_root=S3://b/x", "--out=y"],
            "--data_root=S3://b/x: a path of this machine was expected, not an address",
        ),
        (
            ["tfreid.audit", "--data=x", "--descriptors=gs://b/d,name=ours"],
            "--descriptors=gs://b/d,name=ours: a path of this machine",
        ),
        (
            ["tfreid.reproduce", "--data=/a", "--table=x", "--page=gs://b/p.md"],
            "--page=gs://b/p.md",
        ),
        (
            ["pipeline.run_local", "--method=dgd", "--data_root=s3://b/x", "--root=y"],
            "--data_root=s3://b/x: a path of this machine was expected",
        ),
        (["tfreid.export", "--run=x", "--flip_averagin"], "did you mean --flip_averaging?"),
        (
            ["tfreid.train", "--method=dgd", "--data=tests/recrods"],
            "--data=tests/recrods: there is no such file or folder; did you mean tests/records?",
        ),
        (
            ["tfreid.evaluate", "--run=tests", "--run=no/where", "--out=x"],
            "--run=no/where: there is",
        ),
        (["tfreid.export", "--run=/nowhere"], "--run=/nowhere: there is no such file or folder\n"),
        (["tfreid.export", "--run=~/no/where"], f"--run={Path.home()}/no/where: there is no such"),
        (["tfreid.convert", "--dataset=csv", "--out=x", "--data_root=no"], "--data_root=no: there"),
        (["pipeline.run_local", "--method=dgd", "--root=x", "--data_root=no"], "--data_root=no:"),
    ],
)
def test_mistakes_in_values_are_answered_first(arguments, text):
    done = answered(*arguments)
    assert (done.returncode, text in done.stderr) == (2, True), done.stderr


def test_a_package_that_is_not_installed_is_named():
    script = WITHOUT.format(names=("psycopg",), error="ModuleNotFoundError(name=name)")
    done = answered("tfreid.gallery.commands.show", "--gallery=x", script=script)
    wanted = "the package psycopg is not installed: pip install 'tfreid[gallery]' brings it"
    assert (done.returncode, done.stderr) == (1, f"error: {wanted}\n")
