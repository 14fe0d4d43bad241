"""The report's table of figures by background, with their intervals."""

from collections.abc import Mapping, Sequence
from html import escape

from tfreid.evaluation.masked import WITH_MASKS
from tfreid.evaluation.result import AuditResult, figure_rows
from tfreid.evaluation.verdict import CHANGED_BACKGROUNDS
from tfreid.inputs import readable
from tfreid.report.markup import LARGE_LOSS, SMALL_LOSS, percent, verdict_class
from tfreid.retrieval import Interval

_RERANKED = (
    " <i>Reranked</i>: the same descriptors after k-reciprocal re-ranking, which uses the whole "
    "gallery and the other queries; never compare such figures with plain ones."
)
_PARTLY = (
    " Some images have no mask: <i>original with masks</i> are those that have one, of which the "
    "other backgrounds are made; changes are against these, and charts show these."
)


def figures_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with one table, of all models."""
    names = next(iter(figure_rows(results[0].metrics()).values()))
    heads = ["images", *(name.replace("rank", "rank-") for name in names)]
    heads.insert(2, "change")
    body = ""
    for result in results:
        body += f'<tr><th colspan="{len(heads)}">{escape(result.name)}</th></tr>'
        rows = figure_rows(result.metrics())
        for row, figures in rows.items():
            intervals = result.intervals.get(row, {})
            cells = [_figure(value, intervals.get(name)) for name, value in figures.items()]
            cells.insert(1, _against_original(result, rows, row))
            body += f"<tr><td>{readable(row)}</td>"
            body += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    head = "".join(f"<th>{name}</th>" for name in heads)
    notes = _RERANKED * bool(results[0].reranked) + _PARTLY * bool(results[0].with_masks)
    return (
        '<h2>Accuracy by background</h2><p class="soft">Percent. The change is that of rank-1 '
        f"against the original images, in points: a loss of up to {100 * SMALL_LOSS:.0f} is green, "
        f"above {100 * LARGE_LOSS:.0f} red, grey is what cannot be told. In <i>background only</i> "
        "the person is painted over: what is above chance was read off the scenery, off the "
        "outline of what was painted over, or off bags, which masks count as background. Below a "
        "figure stands its 95% interval: "
        f"where it would lie with other persons like these.{notes}</p>"
        f'<div class="card scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(value: float, interval: Interval | None) -> str:
    return percent(value) + ends(interval)


def ends(interval: Interval | None, sign: int = 1) -> str:
    """Writes the ends of an interval, or of its negative, to stand below a figure."""
    if interval is None or not interval.is_certain:
        return ""
    low, high = sorted(sign * end for end in (interval.low, interval.high))
    plus = "+" if sign < 0 else ""
    return f'<br><span class="ends">{percent(low, plus)} to {percent(high, plus)}</span>'


def _against_original(result: AuditResult, rows: Mapping, variant: str) -> str:
    if variant == "background_only":
        chance = result.outcomes[variant].retrieval.chance_rank1
        return f'<span class="soft">{rows[variant]["rank1"] / chance:.1f} &times; chance</span>'
    original = rows.get(WITH_MASKS, rows.get("original"))
    if variant not in CHANGED_BACKGROUNDS or original is None:
        return '<span class="soft">&ndash;</span>'
    change = rows[variant]["rank1"] - original["rank1"]
    loss = result.losses[variant]["rank1"]
    style = verdict_class(loss, result.verdict.persons)
    pill = f'<span class="pill {style}">{percent(change, "+")}</span>'
    return pill + ends(loss, sign=-1)
