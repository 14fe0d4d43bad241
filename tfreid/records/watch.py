"""Progress of a running conversion, seen from the files that appear."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 0.5


@contextlib.contextmanager
def watch_shards(
    folder: Path, records: Mapping[str, int], advance: Callable[[int], None]
) -> Iterator[None]:
    """Reports shards while a runner writes them, whatever the runner is.

    Args:
        folder: where shards appear when they are whole.
        records: number of records by shard name.
        advance: called with the number of records of each new shard.
    """
    ended = threading.Event()
    waiting = dict(records)

    def look() -> None:
        for name in [name for name in waiting if (folder / name).exists()]:
            advance(waiting.pop(name))

    def watch() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            look()
        look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
