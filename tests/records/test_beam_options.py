import apache_beam as beam
import pytest

from tfreid.errors import UsageError
from tfreid.records.runners import unwrapped_errors, with_runner

DASK = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--direct_running_mode=multi_processing", "--direct_num_workers", "2"],
        ["--runner=FlinkRunner", "--flink_master=there", "--known_to_the_job_server=3"],
        ["--runner=DataflowRunner", "--project=p", "--known_to_the_service"],
        [DASK, "--dask_scheduler_file=x"],
    ],
)
def test_options_of_beam_and_its_runners_are_taken(options):
    if DASK in options:
        pytest.importorskip("dask")
    assert with_runner(options)[len(with_runner(options)) - len(options) :] == options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--direct_num_worker=2"], r"^--direct_num_worker is .*mean --direct_num_workers\?$"),
        (["--unknown_beam_option", "1"], r"^--unknown_beam_option is no option .* FnApiRunner"),
        (["--runner=DirectRunner", "rubbish"], "^rubbish is no option"),
        (["--direct_num_workers=x"], "argument --direct_num_workers: invalid int value: 'x'"),
        (["--runner=Nobody"], "--runner=Nobody cannot be had: .*FlinkRunner"),
        (["--runner=os.path"], "--runner=os.path cannot be had"),
        (["--runner"], "--runner: expected one argument"),
    ],
)
def test_others_are_refused_by_name(options, said):
    with pytest.raises(UsageError, match=said):
        with_runner(options)


def test_a_runner_without_its_job_server_is_told_in_one_line(tmp_path):
    with (
        pytest.raises(UsageError, match=r"runner cannot start: .*specify a --job_endpoint"),
        unwrapped_errors(tmp_path),
        beam.Pipeline(argv=["--runner=PortableRunner"]),
    ):
        pass
