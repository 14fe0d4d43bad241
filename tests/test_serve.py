import signal
import subprocess
import sys

import pytest

from tests.commands import Command, run_command
from tests.serving.colour_model import png
from tfreid.serving import ReidClient
from tfreid.serving.server import LocalServer


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_serves_until_a_signal_comes(dgd_run, number):
    arguments = [f"--model_base={dgd_run / 'export'}", "--port=0"]
    command = [sys.executable, "-m", "tfreid.serve", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        lines = []
        while "SIGTERM or Ctrl-C stops\n" not in lines:
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()  # The server has ended.
        (address,) = (line.split()[-2] for line in lines if line.endswith("(gRPC)\n"))
        with ReidClient(address) as client:
            embeddings = client.embed([png((9, 9, 9))])
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert embeddings.shape[0] == 1
    assert any("TensorFlow Serving" in line for line in lines)
    assert "serving version 1" in "".join(lines)
    assert (process.returncode, errors) == (0, "")


def test_a_missing_folder_is_one_line(tmp_path):
    result = run_command("serve", f"--model_base={tmp_path / 'none'}")
    assert result.returncode == 2
    assert result.stderr == (
        f"error: {tmp_path / 'none'} is no folder: expected the folder of model versions\n"
    )


@pytest.mark.slow
def test_a_taken_port_is_one_line(tmp_path):
    with LocalServer(tmp_path) as server:
        # gRPC takes its verbosity from the environment that the command sets, when it is loaded.
        arguments = [f"--model_base={tmp_path}", f"--port={server.port}"]
        result = Command("tfreid.serve", *arguments, libraries=()).finish()
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: cannot listen on 127.0.0.1:{server.port}: the port")
    assert result.stderr.count("\n") == 1
