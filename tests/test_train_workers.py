"""The train command as one of two workers."""

import signal
import time

import pytest

from tests.cluster import cluster_of
from tests.commands import Command
from tfreid.training import Run

TINY = (
    "--method=fpr",  # With the fewest layers: each update waits for each of them.
    "--scale=demo",
    "--recipe.backbone_width=0.125",
    "--recipe.image_size_px=(64,32)",
    "--recipe.kernels=(2,)",
    "--recipe.persons_per_batch=4",
    "--recipe.images_per_person=2",
    "--recipe.schedule.steps_per_epoch=1",  # 12 updates.
    "--checkpoint_every_steps=2",
    "--log_every_steps=2",
)


def start_two(data, out, seeds=(0, 0)):
    return [
        Command(
            "tfreid.train",
            *TINY,
            f"--data={data}",
            f"--out={out}",
            f"--seed={seed}",
            TF_CONFIG=config,
        )
        for seed, config in zip(seeds, cluster_of(2), strict=True)
    ]


@pytest.mark.slow
def test_workers_outlive_the_first_one_by_a_line_and_go_on_with_it(reid_folder, tmp_path):
    out = tmp_path / "run"
    first, second = start_two(reid_folder.path, out)
    while not list(out.glob("checkpoints/*.index")):
        assert first.poll() is None
        time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    lost = second.finish(timeout=120)
    assert lost.returncode == 1
    assert "error: another worker of TF_CONFIG ended or cannot be reached" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert not Run(out).is_finished

    first, second = start_two(reid_folder.path, out)
    while not (out / "export" / "1").exists():
        assert first.poll() is None, first.finish().stderr
        # It waits for the first one's export.
        assert second.poll() is None, second.finish().stderr
        time.sleep(0.1)
    first, second = first.finish(), second.finish()
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "wrote " in first.stdout
    assert "wrote " not in second.stdout
    assert "ERROR" not in first.stderr + second.stderr
    assert Run(out).is_finished


@pytest.mark.slow
def test_workers_that_were_given_different_runs_say_so(reid_folder, tmp_path):
    for worker in start_two(reid_folder.path, tmp_path / "run", seeds=(0, 1)):
        done = worker.finish(timeout=120)
        assert done.returncode == 2
        assert "error: the workers of TF_CONFIG were not given the same run" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "recipe.json").exists()
