"""What all commands share: flags, a help that fits a screen, clear errors and exit codes.

A command is a file `tfreid/<name>.py` whose docstring is its description:

    flags.DEFINE_string("out", None, "Folder to write.", required=True)

    def main() -> None: ...

    if __name__ == "__main__":
        command.run(main)

It imports this module before TensorFlow, so that the libraries' start-up chatter is silenced.
"""

import contextlib
import difflib
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType

from absl import flags, logging

from tfreid import quiet
from tfreid.cli import early
from tfreid.cli.help import FIELD, REQUIRED, command_name, help_text, is_missing
from tfreid.cli.interrupts import (
    INTERRUPTED,
    TERMINATED,
    end_by_exceptions,
    end_when_interrupted,
    ended,
)
from tfreid.cli.needs import check_needs
from tfreid.cli.source import docstring
from tfreid.cli.system_errors import explained
from tfreid.cli.unread import FAILURE, ends_when_unread, ready_streams
from tfreid.cli.values import (
    expand_home,
    require_once,
    require_paths,
    require_there,
    require_values,
)
from tfreid.errors import DataError, ServingError, TrainingError, UsageError
from tfreid.field_names import nearest_fields
from tfreid.progress import Progress as progress

__all__ = ["answer_early", "logging", "progress", "run"]
ready_streams()
quiet.install()

MISUSE = 2
_HELP = {"h", "help", "helpfull"}
_FLAGS_OF_LIBRARIES = ("recipe", "tfds_", "flagfile", "undefok", "xla_", "test_", "pdb", "only_")
_NO_NUMBER = {
    "could not convert string to float": "a number, such as 0.1",
    "invalid literal for int()": "a whole number",
}


def run(
    main: Callable[..., int | None],
    arguments: str = "",
    needs: Mapping[str, str] = MappingProxyType({}),
    reads: Sequence[str] = (),
) -> None:
    """Runs a command and ends the process: 0 success, 1 failure, 2 misuse, 130 or 143 stopped.

    A mistake ends in one line on standard error; other exceptions are bugs, with traceback.

    Args:
      main: the command's function; the docstring of its file is the description in `--help`.
      arguments: what the command takes besides flags, as its usage shows it, also after `--`;
        `main` gets the list of them. Without it they are refused.
      needs: which flags have an effect only with others, as `check_needs` has it.
      reads: which flags are paths of this machine that must be there.

    All but `main` are literals, which are read before the command is loaded.
    """
    with ends_when_unread():
        sys.exit(_status(main, arguments, needs, reads))


def _status(
    main: Callable[..., int | None], arguments: str, needs: Mapping[str, str], reads: Sequence[str]
) -> int:
    try:
        end_by_exceptions()
        rest = _parse_flags(arguments, needs, reads)
        status = 0 if rest is None else (main(rest) if arguments else main()) or 0
        sys.stdout.flush()
        return status
    except (UsageError, DataError, TrainingError, ServingError) as error:
        status = MISUSE if isinstance(error, UsageError) else FAILURE
        return _fail(with_flags(str(error)), status)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):  # Who stops it twice means no more by it.
            signal.signal(number, signal.SIG_IGN)
        return _fail(*ended())
    except Exception as error:
        explanation = explained(error)
        if explanation is None:
            raise
        return _fail(explanation, FAILURE)


def answer_early(path: Path) -> None:
    """Ends the process with `--help`, or at a mistake that shows without loading the command.

    Of libraries' flags only the command itself knows what is right. While it loads, Ctrl-C ends it.

    Args:
      path: the command's file.
    """
    end_when_interrupted()
    sys.excepthook = _explain  # Of what is raised while the command loads.
    known = early.flags_of(path, sys.argv)
    has_fields = any(name.startswith(FIELD) for name in known)

    def is_later(name: str) -> bool:
        is_field = has_fields and name.startswith(FIELD)
        is_own = is_field or name.partition("=")[0] in known
        return name.startswith(_FLAGS_OF_LIBRARIES) and not is_own

    options = early.run_options(path)
    arguments = options.get("arguments", "")
    if _wanted() & _HELP:
        return _help_early(path, arguments)
    later = [name for name in _wanted() if is_later(name)]
    if later and not all("=" in name for name in later):
        return
    own = [known[name] for name in known]
    argv = [word for word in sys.argv if not is_later(word.lstrip("-"))]
    argv = [word for word in argv if word.lstrip("-").partition("=")[0] not in flags.FLAGS]
    try:
        needs, reads = options.get("needs", {}), options.get("reads", ())
        _parsed(known, own, argv, arguments, needs, reads)
    except UsageError as error:
        with ends_when_unread():
            sys.exit(_fail(str(error), MISUSE))


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    explanation = explained(error)
    if explanation is None:
        sys.__excepthook__(kind, error, trace)
    else:
        _fail(explanation, FAILURE)


def _help_early(path: Path, arguments: str) -> None:
    """Shows the help and ends the process, unless only the loaded command can tell it all."""
    if "helpfull" in _wanted():
        return
    with contextlib.suppress(LookupError, ValueError), ends_when_unread():
        print(help_text(docstring(path), arguments, early.described(path)))
        sys.exit()


def with_flags(text: str) -> str:
    """Writes the arguments that a library's error names as this command's flags.

    Names of one word may be plain words: they count in parentheses, `(out)`, and before `=`.
    """
    for name in (flag.name for flag in _own_flags()):
        plain = rf"(?<![\w.\-/]){re.escape(name)}"
        text = re.sub(rf"\({name}\)", f"(--{name})", text)
        text = re.sub(rf"{plain}\b" if "_" in name else rf"{plain}(?==)", f"--{name}", text)
    return text


def _fail(message: object, status: int) -> int:
    prefix = "" if status in (INTERRUPTED, TERMINATED) else "error: "
    print(f"{prefix}{message}", file=sys.stderr)
    return status


def _parse_flags(
    arguments: str, needs: Mapping[str, str], reads: Sequence[str]
) -> list[str] | None:
    """Parses the command line; returns what is not a flag, or None after showing the help.

    Raises:
      UsageError: a flag or an argument is not known, a value is not allowed, or a flag needs
        another.
    """
    wanted = _wanted()
    if wanted & _HELP:
        description = (sys.modules["__main__"].__doc__ or "").strip()
        print(help_text(description, arguments, _own_flags(), full="helpfull" in wanted))
        return None
    return _parsed(flags.FLAGS, _own_flags(), sys.argv, arguments, needs, reads)


def _wanted() -> set[str]:
    """What stands on the command line where flags stand, without dashes."""
    options = sys.argv[1 : _end_of_flags(sys.argv)]
    return {option.lstrip("-") for option in options if option.startswith("-")}


def _end_of_flags(argv: Sequence[str]) -> int:
    return argv.index("--") if "--" in argv else len(argv)


def _parsed(
    known: flags.FlagValues,
    own: Sequence[flags.Flag],
    argv: Sequence[str],
    arguments: str,
    needs: Mapping[str, str],
    reads: Sequence[str],
) -> list[str]:
    before = {name: known[name].present for name in known}
    try:
        rest = known(list(argv))[1:]
    except flags.UnrecognizedFlagError as error:
        near = " or ".join(f"--{name}" for name in _nearest_flags(error.flagname, known))
        hint = f"did you mean {near}?" if near else "see --help"
        raise UsageError(f"--{error.flagname} is no flag of {command_name()}; {hint}") from None
    except (flags.Error, ValueError) as error:
        missing = [f"--{flag.name}" for flag in own if is_missing(flag)]
        if missing and REQUIRED in str(error):
            raise UsageError(f"{' and '.join(missing)} must be given; see --help") from None
        raise UsageError(_in_our_words(str(error), known)) from None
    if rest and not arguments:
        raise UsageError(f"unexpected argument {rest[0]!r}: {command_name()} takes flags only")
    require_once(known, before, _wanted())
    require_values(own)
    require_paths(own, [word for word in rest if word in argv[: _end_of_flags(argv)]])
    check_needs(needs, known)
    expand_home(own)
    require_there(known, reads)
    return rest


def _in_our_words(text: str, known: flags.FlagValues) -> str:
    """absl's text on a value: what was expected in place of Python's words, the nearest choice."""
    for words, expected in _NO_NUMBER.items():
        text = re.sub(f": {re.escape(words)}.*", f": expected {expected}", text)
    if not (found := re.match(r"flag --([\w.]+)=(.*): value should be one of", text)):
        return text
    values = known[found[1]].parser.enum_values
    near = [value for value in values if found[2] and found[2] in value]
    near = near or difflib.get_close_matches(found[2], values, n=1)
    return f"{text}; did you mean {' or '.join(near)}?" if near else text


def _nearest_flags(name: str, flag_values: flags.FlagValues) -> list[str]:
    """Flags that a user may have meant; fields of a recipe are also known by other words."""
    known = list(flag_values)
    fields = [flag.removeprefix(FIELD) for flag in known if flag.startswith(FIELD)]
    if not (fields and name.startswith(FIELD)):
        return difflib.get_close_matches(name, known, n=3)
    return [FIELD + field for field in nearest_fields(name.removeprefix(FIELD), fields)]


def _own_flags() -> list[flags.Flag]:
    return flags.FLAGS.get_key_flags_for_module(sys.modules["__main__"])


_starts = getattr(sys.modules["__main__"], "__file__", None)
if _starts and "command.run(main" in Path(_starts).read_text(encoding="utf-8", errors="replace"):
    answer_early(Path(_starts))
