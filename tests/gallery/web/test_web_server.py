import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.gallery.fake_gallery import FakeGallery
from tfreid.errors import UsageError
from tfreid.gallery.web import serve

_CODE = (
    "from tests.gallery.fake_gallery import FakeGallery\n"
    "from tfreid.gallery.web import serve\n"
    "serve(FakeGallery(), port=0, max_upload_mib=1)\n"
    "print('ended')"
)
_GARBAGE = 500


@pytest.fixture
def server(tmp_path):
    """A process that serves a gallery, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(server, number):
    process, address = server
    with urllib.request.urlopen(f"{address}/status") as answer:
        assert (answer.status, answer.headers["server"]) == (200, None)
    process.send_signal(number)
    assert process.communicate(timeout=30) == ("ended\n", "")
    assert process.returncode == 0


@pytest.mark.slow
def test_garbage_leaves_it_well(server, tmp_path):
    process, address = server
    random = os.urandom(300_000)
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    head = b"--x\r\nContent-Disposition: form-data; name=pictures; filename=a\r\n\r\n"
    bodies = [
        random,
        head + random,
        head + random + b"\r\n--x--\r\n",
        head * 2000,
        head + random * 4,
    ]
    for turn in range(_GARBAGE):
        request = urllib.request.Request(f"{address}/search", bodies[turn % 5], form)
        with pytest.raises(
            (urllib.error.HTTPError, ConnectionError, urllib.error.URLError)
        ) as told:
            urllib.request.urlopen(request)
        if turn % 5 == 2:
            assert told.value.code == 400
        if turn == 50:
            early_kib, early_files = _memory_kib(process.pid), _open_files(process.pid)
    assert _memory_kib(process.pid) < early_kib + 30_000
    assert _open_files(process.pid) <= early_files + 1
    assert list(tmp_path.iterdir()) == []
    assert urllib.request.urlopen(f"{address}/status").status == 200
    process.terminate()
    assert process.communicate(timeout=30) == ("ended\n", "")


def _memory_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            serve(FakeGallery(), port=port)


@pytest.mark.parametrize("host", [".example.com", f"{'a' * 64}.example.com"])
def test_what_is_no_host_is_named(host):
    with pytest.raises(UsageError, match=rf"{host}:0 cannot be listened on \(it is no host name"):
        serve(FakeGallery(), host, port=0, token="t" * 16)
