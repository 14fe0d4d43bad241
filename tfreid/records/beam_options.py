"""Beam's options, of which Beam itself passes over those that nobody knows."""

import difflib
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import PipelineOptions, _BeamArgumentParser
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import PipelineRunner, create_runner

from tfreid.errors import UsageError


class _OptionsParser(_BeamArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"a Beam option is wrong: {message}")


def require_known(options: Sequence[str]) -> None:
    """Refuses options that neither Beam nor the runner knows.

    Runners that hand a pipeline to a service (Flink, Spark, Dataflow, a job server) hand it the
    options that are not known here, too: with these, all are taken.

    Args:
      options: those of a pipeline, with its runner.

    Raises:
      UsageError: naming one that is not known, or has a wrong value, and the nearest known one.
    """
    chosen = _OptionsParser(prog="", add_help=False, allow_abbrev=False)
    chosen.add_argument("--runner")
    runner = _runner(chosen.parse_known_args(list(options))[0].runner)  # It may bring options.
    parser = _OptionsParser(prog="", add_help=False, allow_abbrev=False)
    for kind in {str(each): each for each in PipelineOptions.__subclasses__()}.values():
        kind._add_argparse_args(parser)
    unknown = parser.parse_known_args(list(options))[1]
    is_handed_on = isinstance(runner, PortableRunner) or "Dataflow" in type(runner).__name__
    if not unknown or is_handed_on:
        return
    name = unknown[0].partition("=")[0]
    near = difflib.get_close_matches(name, parser._option_string_actions, n=1)
    hint = f"did you mean {near[0]}?" if near else "see the options of its runner in Beam's guide"
    raise UsageError(f"{name} is no option of Beam with {type(runner).__name__}: {hint}")


def _runner(name: str) -> PipelineRunner:
    try:
        return create_runner(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"--runner={name} cannot be had: {error}") from None
