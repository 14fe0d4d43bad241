"""The report's tables of rank-1 by the camera of the query and that of the gallery images."""

from collections.abc import Sequence
from html import escape

from tfreid.evaluation.result import AuditResult
from tfreid.report.markup import percent
from tfreid.retrieval import Retrieval


def camera_pairs_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with one table a model; empty where no pair of cameras was measured."""
    if not results[0].camera_pairs:
        return ""
    cards = "".join(_card(result) for result in results)
    return (
        '<h2>Accuracy by camera pair</h2><p class="soft">Rank-1 on the original images, percent: '
        "a row's camera saw the queries, and only the gallery images of a column's camera are "
        "searched; the redder, the more queries fail. A dash: no query has a match there. A "
        "pair has fewer images and fewer matches than the whole gallery: compare pairs with each "
        "other.</p>"
        f'<div class="grid charts">{cards}</div>'
    )


def _card(result: AuditResult) -> str:
    pairs = result.camera_pairs
    rows, columns = (sorted(set(cameras)) for cameras in zip(*pairs, strict=True))
    named = {camera: escape(result.tested.camera(camera)) for camera in {*rows, *columns}}
    head = "".join(f'<th scope="col">in {named[camera]}</th>' for camera in columns)
    body = "".join(
        f'<tr><th scope="row">camera {named[row]}</th>'
        + "".join(_cell(pairs.get((row, column))) for column in columns)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="card scroll pairs"><h3>{escape(result.name)}</h3>'
        f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(pair: Retrieval | None) -> str:
    if pair is None:
        return '<td class="soft">&ndash;</td>'
    figures = pair.metrics()
    text = f"{len(pair.first_match):,} queries"
    if "mAP" in figures:
        text += f", mAP {percent(figures['mAP'])}"
    return (
        f'<td style="--rank1:{100 * figures["rank1"]:.0f}" title="{text}">'
        f"{percent(figures['rank1'])}</td>"
    )
