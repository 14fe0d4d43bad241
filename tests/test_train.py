"""The train command, on tiny records and a tiny network."""

import json
import random
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.commands import Command
from tfreid.training import Run

STEPS = 12
TINY = (
    "--method=dgd",
    "--recipe.width=0.05",
    f"--recipe.schedule.steps={STEPS}",
    "--recipe.batch_size=4",
    "--recipe.image_size_px=(32,16)",
    "--checkpoint_every_steps=2",
    "--noexport",
)


def train(*arguments):
    """Returns exit code, standard output, standard error."""
    done = Command("tfreid.train", *arguments).finish()
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def tensors(run):
    """Everything in the latest checkpoint."""
    reader = tf.train.load_checkpoint(str(run / "checkpoints"))
    names = [n for n in reader.get_variable_to_shape_map() if not n.startswith("_")]
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def finished_run(reid_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "dgd"
    code, output, errors = train(
        *TINY, f"--data={reid_folder.path}", f"--out={out}", "--evaluate_every_steps=100"
    )
    assert code == 0, errors
    assert f"training dgd into {out}" in output
    assert str(out / "checkpoints") in output.splitlines()[-1]
    return out


def test_a_run_leaves_what_repeats_and_judges_it(finished_run):
    values = json.loads((finished_run / "recipe.json").read_text())
    assert values["recipe"]["schedule"]["steps"] == STEPS
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert metrics["finished"] is True
    assert 0 <= metrics["evaluations"][str(STEPS)]["random_background/rank1"] <= 1


def test_a_finished_run_is_not_run_again(finished_run, reid_folder):
    before = tensors(finished_run)
    code, output, _ = train(*TINY, f"--data={reid_folder.path}", f"--out={finished_run}")
    assert (code, f"{finished_run} is finished: nothing to do" in output) == (0, True)
    assert all(np.array_equal(before[name], value) for name, value in tensors(finished_run).items())


@pytest.mark.slow
def test_a_run_can_be_loaded(finished_run):
    run = Run(finished_run)
    assert (run.method.name, run.recipe.batch_size, run.info.num_persons) == ("dgd", 4, 8)
    assert run.is_finished
    saved = tensors(finished_run)["weights/0/.ATTRIBUTES/VARIABLE_VALUE"]
    np.testing.assert_array_equal(run.model.weights[0].numpy(), saved)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(
    finished_run, reid_folder, tmp_path
):
    moments = random.Random(1)
    arguments = (*TINY, f"--data={reid_folder.path}", f"--out={tmp_path}")
    for round_number in range(2):
        process = Command("tfreid.train", *arguments)
        while not list(tmp_path.glob(f"checkpoints/ckpt-{2 + 2 * round_number}.index")):
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(moments.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.finish()
    code, _, errors = train(*arguments)
    assert code == 0, errors
    expected = tensors(finished_run)
    found = tensors(tmp_path)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.slow
def test_another_recipe_in_the_same_folder_is_refused(finished_run, reid_folder):
    code, _, errors = train(
        *TINY, "--recipe.momentum=0.5", f"--data={reid_folder.path}", f"--out={finished_run}"
    )
    assert code == 2
    assert "recipe.momentum: 0.9 there, 0.5 now" in errors


@pytest.mark.slow
def test_how_updates_are_computed_is_part_of_the_run(reid_folder, tmp_path):
    arguments = (*TINY, f"--data={reid_folder.path}", f"--out={tmp_path}")
    knobs = ("--accumulate_steps=2", "--nodeterministic", "--precision=mixed_float16")
    code, output, errors = train(*arguments, *knobs)
    assert code == 0, errors
    assert "not deterministic: the bits may differ" in output
    assert "statistics within each of the 2 parts of a batch, 2 images" in output
    values = json.loads((tmp_path / "recipe.json").read_text())
    assert (values["accumulate_steps"], values["deterministic"]) == (2, False)
    code, _, errors = train(*arguments, *knobs[:2])
    assert code == 2
    assert "precision: mixed_float16 there, float32 now" in errors
    code, _, errors = train(*arguments, "--accumulate_steps=3")
    assert code == 2
    assert "accumulate_steps: 2 there, 3 now; deterministic: False there, True now" in errors
    assert train(*arguments, *knobs)[0] == 0


@pytest.mark.slow
def test_the_full_help_explains_the_fields_of_the_recipe():
    code, output, _ = train("--method=pgp", "--scale=paper", "--helpfull")
    assert code == 0
    text = " ".join(output.split())
    assert "Fields of the recipe of pgp, with the defaults of --scale=paper:" in text
    meaning = "images in one global batch; choice: a power of two near the 2 x 50 of DGD's code"
    assert f"--recipe.batch_size=… {meaning}" in text
    assert "(Table 3); one of 0, 1, 2, 3; paper: section 3.1; Table 3 has 0 to 3 (default" in text
    assert text.count("--recipe.width=") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--method=dgd", "--recipe.batchsize=4"], "did you mean --recipe.batch_size"),
        (["--method=dgd", "--recipe.lr=1"], "did you mean --recipe.schedule.learning_rate?"),
        (["--method=dgd", "--recipe.batch_size=four"], "expected an int, found 'four'"),
        (["--method=dgd", "--recipe.schedule=3"], "--recipe.schedule"),
        (["--method=dgdd"], "dgd"),
        ([], "--method"),
        (["--method=dgd", "--data=/nowhere"], "--data=/nowhere: there is no such file"),
        (["--method=pgp", "--data={reid}"], "stage 'parsing' of pgp trains on parsing records"),
        (["--method=dgd", "--data={reid}", "--init_from=/nowhere"], "/nowhere holds no run"),
        (["--method=dgd", "--data={parsing}"], "by their own argument (--parsing_data)"),
    ],
)
def test_misuse_is_explained(arguments, text, reid_folder, parsing_folder, tmp_path):
    paths = {"reid": reid_folder.path, "parsing": parsing_folder.path}
    filled = [argument.format(**paths) for argument in arguments]
    code, _, errors = train(*filled, f"--out={tmp_path / 'run'}")
    assert code == 2
    assert text in errors
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_fanet_is_exported_without_its_background_branch(reid_folder, tmp_path):
    out = tmp_path / "fanet"
    small = {
        "image_size_px": "(32,16)",
        "backbone_width": "0.05",
        "pyramid_stripes": "(1,2)",
        "persons_per_batch": "2",
        "schedule.epochs": "1",
        "schedule.steps_per_epoch": "2",
    }
    code, _, errors = train(
        "--method=fanet",
        "--scale=demo",
        f"--data={reid_folder.path}",
        f"--out={out}",
        *(f"--recipe.{name}={value}" for name, value in small.items()),
    )
    assert code == 0, errors
    facts = json.loads((out / "export/1/assets.extra/serving.json").read_text())
    assert facts["flip_averaging"]
    maps = facts["signatures"]["explain"]["outputs"].keys()
    assert maps == {"embedding", "activation", "foreground_attention", "background_attention"}
    assert facts["signatures"]["serving_default"]["outputs"]["embedding"]["shape"] == [None, 96]
