"""Runs the pipeline's commands as a user does, on tiny records and a tiny network."""

from tests.commands import LIBRARIES, Command

TINY = ("--method=dgd", "--recipe.width=0.05", "--recipe.batch_size=4")


def run(runner, *arguments):
    """Returns the finished process of `python -m pipeline.<runner>`."""
    libraries = (*LIBRARIES, "tests.pipeline.loaded_tfx")
    return Command(f"pipeline.{runner}", *arguments, libraries=libraries).finish()


def market(raw_data):
    """Flags that name the tiny data set."""
    return (
        "--dataset=market1501",
        f"--data_root={raw_data / 'market1501'}",
        f"--masks_root={raw_data / 'masks'}",
        "--mask_vocabulary=lip20",
        f"--backgrounds_root={raw_data / 'backgrounds'}",
    )
