"""Writes ranked lists for other programs."""

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from tfreid.errors import UsageError
from tfreid.files import completed_file
from tfreid.retrieval.lists import NO_IMAGE, RankedLists

Facts = Mapping[str, str]
"""What is known of an image, by name."""


def save_rankings(
    path: str | os.PathLike[str],
    lists: RankedLists,
    query_keys: Sequence[str],
    gallery_keys: Sequence[str],
    query_facts: Sequence[Facts] = (),
    gallery_facts: Sequence[Facts] = (),
) -> None:
    """Writes ranked lists as CSV or JSON, as the file's ending says.

    CSV has a line an image with the columns query, rank (from 1), gallery, distance and correct
    (true or false). JSON is a list of queries, each with its `query` and `images`, which have the
    other four. Read as float32, the distances are those of the lists. Facts follow, in CSV as
    columns `query_<name>` and `gallery_<name>`, in JSON beside the image that they are of.

    Args:
      path: `.csv` or `.json`; the file appears under this name when it is complete.
      lists: the lists.
      query_keys: `[queries]` strings, what to call the queries.
      gallery_keys: `[gallery]` strings, what to call the gallery images.
      query_facts: what else to say of each query, of all under the same names; nothing if empty.
      gallery_facts: likewise of the gallery images.

    Raises:
      UsageError: if the file's name has another ending.
    """
    path = Path(path)
    write = {".csv": _write_csv, ".json": _write_json}.get(path.suffix.lower())
    if write is None:
        raise UsageError(f"rankings are written as .csv or .json, and {path} has neither ending")
    with (
        completed_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        queries = _queries(lists, query_keys, gallery_keys, query_facts, gallery_facts)
        write(
            file,
            queries,
            [list(facts[0]) if facts else [] for facts in (query_facts, gallery_facts)],
        )


def _queries(
    lists: RankedLists,
    query_keys: Sequence[str],
    gallery_keys: Sequence[str],
    query_facts: Sequence[Facts],
    gallery_facts: Sequence[Facts],
) -> Iterator[dict[str, Any]]:
    for row, query in enumerate(query_keys):
        length = int((lists.indices[row] != NO_IMAGE).sum())
        images = [
            {
                "rank": place + 1,
                "gallery": str(gallery_keys[lists.indices[row, place]]),
                # The shortest decimal number that is this float32.
                "distance": float(str(lists.distances[row, place])),
                "correct": bool(lists.correct[row, place]),
                **(gallery_facts[lists.indices[row, place]] if gallery_facts else {}),
            }
            for place in range(length)
        ]
        yield {"query": str(query), **(query_facts[row] if query_facts else {}), "images": images}


def _write_csv(file: TextIO, queries: Iterator[dict[str, Any]], facts: Sequence[list]) -> None:
    of_query, of_gallery = facts
    columns = [f"query_{name}" for name in of_query] + [f"gallery_{name}" for name in of_gallery]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["query", "rank", "gallery", "distance", "correct", *columns])
    for query in queries:
        said = [query[name] for name in of_query]
        for image in query["images"]:
            place = [image[name] for name in ("rank", "gallery", "distance")]
            correct = "true" if image["correct"] else "false"
            others = [image[name] for name in of_gallery]
            writer.writerow([query["query"], *place, correct, *said, *others])


def _write_json(file: TextIO, queries: Iterator[dict[str, Any]], facts: Sequence[list]) -> None:
    separator = "[\n"
    for query in queries:
        file.write(separator + json.dumps(query, ensure_ascii=False))
        separator = ",\n"
    file.write("\n]\n" if separator == ",\n" else "[]\n")
