"""How commands treat flags, users' mistakes and libraries' noise."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = '''"""Draws persons.

A description of one more line.
"""

import errno
import os
import sys
import tempfile
import time

from absl import flags

from tfreid.cli import command
from tfreid import errors

OUT = flags.DEFINE_string("out", None, "Folder to write.", required=True)
PERSONS = flags.DEFINE_integer("persons", 5, "How many persons.", lower_bound=1)
ACTION = flags.DEFINE_string("then", "end", "What to do.")
ERRORS = {
    "misuse": errors.UsageError("masks are needed"),
    "missing": errors.MissingPathError("no folder there"),
    "data": errors.DataError("shard 3 is cut short"),
    "training": errors.TrainingError("loss is nan at step 7"),
    "serving": errors.ServingError("no server answers at 127.0.0.1:8500"),
    "full": OSError(errno.ENOSPC, "No space left on device", "out/shard"),
    "wrapped": RuntimeError("ResourceExhausted: out/x; No space left on device"),
    "denied": PermissionError(errno.EACCES, "Permission denied", "/out"),
    "absent": FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/out"),
    "theirs": type("PermissionDeniedError", (Exception,), {"__module__": "tensorflow.errors"})(
        "{{function_node x}} /runs/export/1/saved_model.pb; Permission denied [Op:SaveV2]"
    ),
    "bug": KeyError("a bug"),
}


def main(rest=None):
    if ACTION.value in ERRORS:
        raise ERRORS[ACTION.value]
    if ACTION.value == "wait":
        with tempfile.TemporaryDirectory(dir=os.path.dirname(sys.argv[0])) as folder:
            print("waiting", flush=True)
            time.sleep(60)
    print(OUT.value, PERSONS.value, rest, "tensorflow" in sys.modules)


if __name__ == "__main__":
    command.run(main, arguments=ARGUMENTS)
'''


@pytest.fixture
def command_file(tmp_path: Path) -> Path:
    path = tmp_path / "draw.py"
    path.write_text(COMMAND.replace("ARGUMENTS", "''"))
    return path


def call(path: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(path), *arguments], capture_output=True, text=True, check=False
    )


def test_runs_with_its_flags_and_without_tensorflow(command_file: Path):
    result = call(command_file, "--out=x", "--persons=7")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "x 7 None False\n"


def test_names_that_are_not_of_characters_are_shown(command_file: Path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    result = call(command_file, "--out=\udcffü")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "\\udcff\\xfc 5 None False\n"


def test_help_shows_own_flags_only(command_file: Path):
    result = call(command_file, "--help")
    assert result.returncode == 0
    assert "Draws persons.\n\nA description of one more line." in result.stdout
    assert "Folder to write. (required)" in result.stdout
    assert "How many persons. (default 5)" in result.stdout
    assert "flagfile" not in result.stdout
    assert len(result.stdout.splitlines()) < 20


def test_helpfull_shows_the_libraries_flags_too(command_file: Path):
    result = call(command_file, "--helpfull")
    assert result.returncode == 0
    assert "How many persons. (default 5)" in result.stdout
    assert "--flagfile" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--out must be given"),
        (["--out=x", "--person=3"], "did you mean --persons?"),
        (["--out=x", "--persons=many"], "--persons=many: expected a whole number\n"),
        (["--out=x", "--persons=0"], "--persons=0"),
        (["--out=x", "more"], "unexpected argument 'more'"),
        (["--out=x", "--then=misuse"], "masks are needed"),
        (["--out=x", "--then=missing"], "no folder there"),
    ],
)
def test_misuse_exits_with_2(command_file: Path, arguments: list[str], message: str):
    result = call(command_file, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("data", "error: shard 3 is cut short\n"),
        ("training", "error: loss is nan at step 7\n"),
        ("serving", "error: no server answers at 127.0.0.1:8500\n"),
        ("full", "error: no space left on the disk (out/shard): free some, "),
        ("wrapped", "error: no space left on the disk: free some, "),
        ("denied", "error: /out: Permission denied\n"),
        ("absent", "error: /proc/out: No such file or directory\n"),
        ("theirs", "error: /runs/export/1/saved_model.pb: Permission denied\n"),
    ],
)
def test_failure_exits_with_1(command_file: Path, action: str, message: str):
    result = call(command_file, "--out=x", f"--then={action}")
    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert "Traceback" not in result.stderr


def test_a_bug_keeps_its_traceback(command_file: Path):
    result = call(command_file, "--out=x", "--then=bug")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "KeyError: 'a bug'" in result.stderr


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "terminated\n")],
)
def test_a_command_that_is_stopped_leaves_nothing_behind(command_file: Path, number, code, text):
    process = subprocess.Popen(
        [sys.executable, str(command_file), "--out=x", "--then=wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (code, text)
    assert [path.name for path in command_file.parent.iterdir()] == [command_file.name]


def test_an_interrupt_while_libraries_load_ends_as_one_later(tmp_path: Path):
    """As where NumPy makes another error of it, and where standard error is held back."""
    path = tmp_path / "slow.py"
    path.write_text(
        COMMAND.replace("ARGUMENTS", "''").replace(
            "from tfreid import errors\n",
            "from tfreid import errors, quiet\n"
            "with quiet.filtered_stderr():\n"
            "    try:\n"
            "        print('loading', flush=True)\n"
            "        time.sleep(60)\n"
            "    except KeyboardInterrupt:\n"
            "        raise ImportError('numpy.core.multiarray failed to import')\n",
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(path), "--out=x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (130, "interrupted\n")


def test_arguments_after_two_dashes_reach_a_command_that_asks_for_them(tmp_path: Path):
    path = tmp_path / "convert.py"
    path.write_text(COMMAND.replace("ARGUMENTS", "'[-- MORE]'"))
    options = ["--runner=FnApiRunner", "--help", "--temp_location", "gs://bucket/beam"]
    result = call(path, "--out=x", "--", *options)
    assert result.returncode == 0
    assert result.stdout == f"x 5 {options} False\n"


def python(code: str, **environment: str) -> str:
    """Runs code as on a user's machine; returns what it wrote on standard error."""
    without_level = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**without_level, **environment},
    )
    return result.stderr


@pytest.mark.slow
def test_libraries_load_without_a_word_in_a_command_and_its_children():
    code = "from tfreid.cli import command; import tensorflow as tf, apache_beam; tf.zeros(1)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{code}'], check=True)"
    assert python(f"from tfreid.cli import command; {child}") == ""


@pytest.mark.slow
def test_the_environment_wins_over_silence():
    code = "from tfreid.cli import command; import tensorflow"
    assert "CPU instructions" in python(code, TF_CPP_MIN_LOG_LEVEL="0")


@pytest.mark.slow
def test_errors_while_tensorflow_loads_are_shown(tmp_path: Path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'oneDNN custom operations are on\\n')\n"
        "os.write(2, b'libcudnn.so.9 is broken\\n')\n"
    )
    stderr = python("from tfreid.cli import command; import tensorflow", PYTHONPATH=str(tmp_path))
    assert stderr == "libcudnn.so.9 is broken\n"
