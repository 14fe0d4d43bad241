"""How TensorFlow runs graphs under test."""

import contextlib
import os
import sys
from collections.abc import Iterator


def leave_as_traced() -> None:
    """Does not rewrite graphs: for those that run a few times it takes longer than to run them.

    Users' graphs are rewritten, which may round otherwise: GRAPHS_AS_USERS_RUN in the environment
    leaves it on in a command, `as_users_run` in this process.
    """
    if "tensorflow" in sys.modules and "GRAPHS_AS_USERS_RUN" not in os.environ:
        _rewrite(False)


@contextlib.contextmanager
def as_users_run() -> Iterator[None]:
    """Context in which graphs are rewritten before they run."""
    _rewrite(True)
    try:
        yield
    finally:
        leave_as_traced()


def _rewrite(wanted: bool) -> None:
    options = {"disable_meta_optimizer": not wanted}
    sys.modules["tensorflow"].config.optimizer.set_experimental_options(options)
