"""Progress lines: their figures, how often they come, and the live bar of a terminal."""

import contextlib
import io

import pytest

from tfreid import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that tests set by hand: `clock[0]` is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_every_ten_seconds_and_at_the_end(clock: list[float]):
    stream = io.StringIO()
    with progress.Progress(1000, "converting", unit="images", stream=stream) as bar:
        for batch in range(10):
            clock[0] += 4
            bar.advance(100, note=f"loss {batch}")
    assert stream.getvalue().splitlines() == [
        "converting: 300/1,000 images, 25/s, 28 s left, loss 2",
        "converting: 600/1,000 images, 25/s, 16 s left, loss 5",
        "converting: 900/1,000 images, 25/s, 4 s left, loss 8",
        "converting: 1,000/1,000 images, 25/s, took 40 s, loss 9",
    ]


def test_earlier_work_counts_for_the_position_but_not_for_the_rate(clock: list[float]):
    stream = io.StringIO()
    with progress.Progress(600, "training", done=500, stream=stream) as bar:
        clock[0] += 10
        bar.advance(50)
        clock[0] += 10
        bar.advance(20)
        assert stream.getvalue().splitlines()[1] == "training: 570/600 steps, 2/s, 15 s left"


def test_the_first_piece_does_not_count_for_the_estimate(clock: list[float]):
    stream = io.StringIO()
    with contextlib.suppress(KeyError), progress.Progress(100, "stage", stream=stream) as bar:
        clock[0] += 50
        bar.advance()
        assert stream.getvalue() == "stage: 1/100 steps\n"
        assert bar.seconds_left(9) == float("inf")
        clock[0] += 10
        bar.advance()
        assert stream.getvalue().splitlines()[1] == "stage: 2/100 steps, 0.1/s, 16 min 20 s left"
        assert bar.seconds_left(9) == pytest.approx(90)
        raise KeyError


def test_what_a_piece_holds_has_the_rate_of_the_pieces(clock: list[float]):
    stream = io.StringIO()
    with progress.Progress(3, "stage", stream=stream, each=(32, "images")) as bar:
        clock[0] += 50
        bar.advance()
        clock[0] += 10
        bar.advance()
        clock[0] += 4
        bar.advance()
    assert stream.getvalue().splitlines() == [
        "stage: 1/3 steps",
        "stage: 2/3 steps, 0.1/s, 3.2 images/s, 10 s left",
        "stage: 3/3 steps, 0.0469/s, 1.5 images/s, took 1 min 4 s",
    ]


def test_an_unknown_total_shows_the_time_so_far(clock: list[float]):
    stream = io.StringIO()
    with progress.Progress(None, "reading", unit="rows", stream=stream) as bar:
        clock[0] += 20
        bar.advance(3)
    assert stream.getvalue() == "reading: 3 rows, 0.15/s, 20 s so far\n"


def test_failed_work_has_no_last_line():
    stream = io.StringIO()
    with contextlib.suppress(KeyError), progress.Progress(10, "converting", stream=stream) as bar:
        bar.advance()
        raise KeyError
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_live_bar():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with progress.Progress(2, "converting", unit="images", stream=stream) as bar:
        bar.advance(2, note="[loss] 1.2")
    assert "converting" in stream.getvalue()
    assert "2/2 images" in stream.getvalue()
    assert "[loss] 1.2" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (5981 * 3600, "249 days 5 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str):
    assert progress.duration(seconds) == text
