"""Where "nobody" begins in a gallery."""

import functools
import json

import psycopg
from psycopg.types.json import Jsonb

from tfreid.errors import UsageError
from tfreid.gallery.own_searches import FEWEST_PERSONS
from tfreid.retrieval import Line, OpenSetSearches

_HIGHER = "python -m tfreid.gallery calibrate --fpir=…"


def keep_searches(connection: psycopg.Connection, searches: OpenSetSearches, of: str) -> None:
    """Keeps what the line is drawn from.

    Args:
      connection: to write to.
      searches: how searches fared.
      of: what was searched for, in words.
    """
    connection.execute(
        "UPDATE gallery SET searches = %s, searches_of = %s", [Jsonb(searches.to_json()), of]
    )


def line_of(connection: psycopg.Connection) -> tuple[Line | None, str]:
    """Returns the line for as many persons as are enrolled now, or why it cannot be told."""
    searches, fpir, beta = connection.execute(
        "SELECT searches::text, fpir, beta FROM gallery"
    ).fetchone()
    persons = count_persons(connection)
    if searches is None:
        by_positions = "" if beta is None else " by positions"
        return None, (
            f"nothing is known of searches{by_positions} for strangers such as yours: it takes "
            f"{FEWEST_PERSONS} enrolled persons, and python -m tfreid.gallery calibrate"
        )
    if not persons:
        return None, "nobody is enrolled"
    try:
        return _line(searches, fpir, persons), ""
    except UsageError as error:
        return None, f"{error}, or ask for a higher rate: {_HIGHER}"


def in_words(line: Line) -> str:
    """Returns what a line means."""
    named = (
        "" if line.tpir is None else f"; about {line.tpir:.0%} of those who are enrolled get theirs"
    )
    return (
        f"nobody begins beyond the distance {line.distance:.4f}: with {line.persons:,} persons "
        f"enrolled about {line.fpir:.2g} of the searches for strangers get a name "
        f"({line.low:.2g} to {line.high:.2g}, 95%){named}"
    )


def count_persons(connection: psycopg.Connection) -> int:
    """Returns how many persons are enrolled."""
    return connection.execute("SELECT count(*) FROM person").fetchone()[0]


@functools.lru_cache(maxsize=64)
def _line(searches: str, fpir: float, persons: int) -> Line:
    return OpenSetSearches.from_json(json.loads(searches)).line(fpir, persons)
