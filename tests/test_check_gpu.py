"""`python -m tfreid.check_gpu`."""

import dataclasses
import subprocess

import pytest

from tests.commands import run_command
from tfreid import check_gpu
from tfreid.check_gpu import Probed
from tfreid.training.probe import StageFigures

LOSSES = {"total": 4.0, "gradient_norm": 2.0}
FINE = StageFigures("main", (8, 4), 32, 0.1, 2**30, LOSSES, True, ())


def changed(**values):
    return dataclasses.replace(FINE, **values)


def test_the_table_compares_precisions_and_shows_the_input():
    half = changed(losses={"total": 4.2, "gradient_norm": 1.0})
    rows = [
        Probed("dgd", "GPU", "float32", FINE),
        Probed("dgd", "GPU", "mixed_bfloat16", half),
        Probed("pgp", "GPU", "float32", None, "out of memory"),
    ]
    heading, _, plain, bfloat16, failed = check_gpu._table(
        rows, {("dgd", "main"): 1234.5}
    ).splitlines()
    assert [cell.strip() for cell in plain.split("|")[1:-1]] == [
        *("dgd main", "GPU", "float32", "8x4", "32", "0.100", "320", "1,234", "1.00", "yes"),
        *("4", "2"),
    ]
    assert "4.2 (+5.0%)" in bfloat16
    assert "1 (-50.0%)" in bfloat16
    assert failed.count("|") == heading.count("|")
    assert "failed" in failed


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (None, "dgd on GPU in float32: out of memory"),
        (changed(losses={"total": float("nan")}), "is not finite"),
        (changed(repeats=False), "gave other bits"),
        (changed(refused=("Svd",)), "no deterministic kernel on a GPU: Svd"),
    ],
)
def test_faults_are_named(figures, said):
    (fault,) = check_gpu._faults(Probed("dgd", "GPU", "float32", figures, "out of memory"))
    assert said in fault


@pytest.mark.parametrize(
    ("code", "said"), [(-9, "killed by signal 9"), (1, "ResourceExhaustedError: no memory")]
)
def test_the_reason_of_a_failure_is_found(code, said):
    errors = "a warning\nResourceExhaustedError: no memory\n"
    assert said in check_gpu._reason(subprocess.CompletedProcess([], code, "", errors))


def test_a_gpu_that_computes_otherwise_is_a_fault():
    on_gpu = Probed("dgd", "GPU, demo", "float32", FINE)
    near, far = ({"total": 4.0 * factor, "gradient_norm": 2.0} for factor in (1.009, 1.02))
    fine = Probed("dgd", "CPU, demo", "float32", changed(losses=near))
    other = Probed("dgd", "CPU, demo", "float32", changed(losses=far))
    assert not list(check_gpu._disagreements([on_gpu, fine]))
    (fault,) = check_gpu._disagreements([on_gpu, other])
    assert fault == "dgd main: total is 4 on a GPU and 4.08 on the CPU"


def test_without_a_gpu_it_says_what_it_left_out():
    omissions = list(check_gpu._omissions(0, "demo"))
    assert len(omissions) == 3
    assert not list(check_gpu._omissions(2, "paper"))


def test_a_method_that_there_is_not_is_refused():
    ended = run_command("check_gpu", "--methods=dgd,resnet")
    assert ended.returncode == 2
    assert "--methods: 'resnet' is none of dgd, " in ended.stderr


@pytest.mark.slow
def test_it_ends_in_a_table(reid_folder):
    ended = run_command(
        "check_gpu", "--methods=dgd", "--precisions=float32", f"--data={reid_folder.path}"
    )
    assert ended.returncode == 0, ended.stderr
    assert "| dgd network | CPU |" in ended.stdout
    assert "- left out: several GPUs" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "nothing failed"
