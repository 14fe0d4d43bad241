"""The whole pipeline on a real server of the S3 protocol, where one is installed."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.importorskip("tfx")
from runs import TINY, market

MISSING = [name for name in ("tensorflow_io", "boto3") if not importlib.util.find_spec(name)]
MISSING += [] if shutil.which("moto_server") else ["moto_server"]


@pytest.fixture
def server(tmp_path):
    """The environment of processes that are to use the server, which has a bucket `bucket`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(
            ["moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        for _ in range(60):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT"))
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail(f"moto_server does not answer: {(tmp_path / 'server.log').read_text()}")
        yield {
            **{"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"},
            **{"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"},
            **{"S3_ENDPOINT": address, "AWS_ENDPOINT_URL": address},
            **{"S3_USE_HTTPS": "0", "S3_VERIFY_SSL": "0", "no_proxy": "127.0.0.1"},
        }
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_the_pipeline_runs_on_it_and_again_from_cache(server, raw_data, tmp_path):
    command = [
        *(sys.executable, "-m", "pipeline.run_local", *TINY, *market(raw_data)),
        *("--recipe.image_size_px=(32,16)", "--recipe.schedule.steps=2", "--min_rank1=0"),
        *("--min_mAP=0", "--max_regression=1", "--max_background_loss=1"),
        *("--root=s3://bucket/reid", f"--metadata={tmp_path / 'metadata.sqlite'}"),
    ]
    environment = os.environ | server | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for words in ("pushed to s3://bucket/reid/serving_model/", "9 of 10 components were answered"):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
        assert "Traceback" not in done.stderr
    assert not any((tmp_path / "cache" / "tfreid" / "runs").iterdir())
