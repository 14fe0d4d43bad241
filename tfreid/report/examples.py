"""The report's ranked lists: what some queries find, before and after a change of background."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from tfreid.datasets import NO_CAMERA_ID
from tfreid.evaluation import LIST_LENGTH
from tfreid.evaluation.result import AuditResult
from tfreid.inputs import readable
from tfreid.report.markup import percent, picture, row
from tfreid.report.pictures import embedded
from tfreid.retrieval import NO_IMAGE

PICTURE_SIZE_PX = (256, 128)
MOST_CHANGED_QUERIES, RANDOM_QUERIES = 5, 3
_PREFERENCE = ("original", "random_background", "mean_background", "background_only")


@dataclass(frozen=True)
class Example:
    """A query to show.

    Attributes:
      query: its index.
      reason: why it is shown.
    """

    query: int
    reason: str


def compared_variants(results: Sequence[AuditResult]) -> list[str]:
    """Returns the one or two variants that are shown side by side."""
    return [variant for variant in _PREFERENCE if variant in results[0].outcomes][:2]


def choose_examples(results: Sequence[AuditResult]) -> list[Example]:
    """Chooses queries: those that suffer most from another background, and some at random.

    Each is of another person. With a single variant, those that fare worst take the place of
    those that suffer most.

    Args:
      results: audits of models on the same data.

    Returns:
      At most `MOST_CHANGED_QUERIES + RANDOM_QUERIES` queries.
    """
    variants = compared_variants(results)
    precision = np.array(
        [[r.outcomes[v].retrieval.average_precision for v in variants] for r in results]
    )
    falls = precision[:, 0] - precision[:, 1] if len(variants) == 2 else 1 - precision[:, 0]
    largest, model = falls.max(axis=0), falls.argmax(axis=0)
    worst_first = np.argsort(-largest, kind="stable")
    persons: set[int] = set()
    changed = _of_new_persons(
        worst_first[largest[worst_first] > 0], MOST_CHANGED_QUERIES, results[0], persons
    )
    scored = np.flatnonzero(~np.isnan(largest))
    shuffled = np.random.default_rng(results[0].measurement.seed).permutation(scored)
    drawn = _of_new_persons(shuffled, RANDOM_QUERIES, results[0], persons)

    score = _score(results)

    def reason(query: int) -> str:
        if len(variants) == 1:
            return f"low {score}"
        name, points = escape(results[model[query]].name), percent(largest[query])
        return f"{score} of {name} falls by {points} points"

    return [Example(query, reason(query)) for query in changed] + [
        Example(query, "drawn at random") for query in drawn
    ]


def _score(results: Sequence[AuditResult]) -> str:
    """What `Retrieval.average_precision` is: with one image a person there is one match to rank."""
    draws = results[0].tested.protocol.gallery_draws
    return "mean reciprocal rank" if draws else "average precision"


def _of_new_persons(
    queries: np.ndarray, count: int, result: AuditResult, persons: set[int]
) -> list[int]:
    """Takes the first `count` queries of persons not yet in the set, which it adds to."""
    taken = []
    for query in queries:
        person = int(result.query.person[query])
        if len(taken) < count and person not in persons:
            persons.add(person)
            taken.append(int(query))
    return taken


def ranked_lists_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with the nearest gallery images of some queries."""
    examples = choose_examples(results)
    variants = compared_variants(results)
    addresses = {variant: _addresses(results, variant, examples) for variant in variants}
    cards = [_example_card(results, example, variants, addresses) for example in examples]
    score = _score(results)
    chosen = (
        f"those {MOST_CHANGED_QUERIES} whose {score} falls most, in any model, from "
        f"{readable(variants[0])} to {readable(variants[1])}"
        if len(variants) == 2
        else f"the {MOST_CHANGED_QUERIES} of lowest {score}"
    )
    return (
        "<h2>What the nearest images are</h2>"
        '<p class="soft">A query, then the ten nearest gallery images. Green with a tick: the '
        "same person. Red with a cross: somebody else. Images that the protocol leaves out are not "
        f"shown. The queries are {chosen}, and {RANDOM_QUERIES} drawn at random; each shows "
        f"another person.</p>{''.join(cards)}"
    )


def _example_card(
    results: Sequence[AuditResult],
    example: Example,
    variants: Sequence[str],
    addresses: dict[str, dict[tuple[str, int], str]],
) -> str:
    rows = []
    for result in results:
        for variant in variants:
            nearest, correct = _nearest(result, variant, example.query)
            figures = [picture(addresses[variant]["query", example.query], "query", "asked")]
            for rank, (index, right) in enumerate(zip(nearest, correct, strict=True), start=1):
                text = f"rank {rank}: {'same person' if right else 'somebody else'}"
                address = addresses[variant]["gallery", int(index)]
                figures.append(
                    picture(address, text, "right" if right else "wrong", "✓" if right else "✗")
                )
            name = f'{escape(result.name)}<br> <span class="soft">{readable(variant)}</span>'
            rows.append(row(name, figures))
    tested, query = results[0].tested, results[0].query
    person, camera = tested.person(query.person[example.query]), query.camera[example.query]
    taken_by = "" if camera == NO_CAMERA_ID else f", camera {tested.camera(camera)}"
    return (
        f'<div class="card query"><header><h3>Person {escape(person + taken_by)}</h3>'
        f'<span class="soft small">{example.reason}</span></header>'
        f'<div class="lists">{"".join(rows)}</div></div>'
    )


def _nearest(result: AuditResult, variant: str, query: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the gallery images to show for a query, and whether each is right."""
    lists = result.outcomes[variant].lists
    nearest, correct = lists.indices[query, :LIST_LENGTH], lists.correct[query, :LIST_LENGTH]
    there = nearest != NO_IMAGE
    return nearest[there], correct[there]


def _addresses(
    results: Sequence[AuditResult], variant: str, examples: Sequence[Example]
) -> dict[tuple[str, int], str]:
    """Returns the embedded picture of every image that the examples show in a variant."""
    queries = {example.query for example in examples}
    gallery = {
        int(index)
        for result in results
        for query in queries
        for index in _nearest(result, variant, query)[0]
    }
    tested, seed = results[0].tested, results[0].measurement.seed
    addresses = {}
    for split, indices in (("query", queries), ("gallery", gallery)):
        chosen = np.array(sorted(indices))
        images = tested.images(split, variant, chosen, PICTURE_SIZE_PX, seed)
        for index, image in zip(chosen.tolist(), images, strict=True):
            addresses[split, index] = embedded(image, PICTURE_SIZE_PX)
    return addresses
