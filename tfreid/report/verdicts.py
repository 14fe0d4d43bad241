"""The report's cards with the verdict on each model, and how the models differ."""

from collections.abc import Sequence
from html import escape

from tfreid.evaluation.differences import differences
from tfreid.evaluation.result import AuditResult
from tfreid.inputs import readable
from tfreid.report.markup import percent, verdict_class


def verdicts(results: Sequence[AuditResult], compares: bool = True) -> str:
    """Returns the cards and, if it compares, a sentence for every two models."""
    cards = "".join(_card(result) for result in results)
    found = differences(results) if compares else []
    compared = "".join(f"<p>{escape(each.sentence)}</p>" for each in found)
    return f'<div class="grid verdicts">{cards}</div>{compared}'


def sentences(results: Sequence[AuditResult]) -> list[str]:
    """Returns what can be said of each model and of every two, to be printed.

    Args:
      results: audits of models on the same data.
    """
    found = [(result.name, result.verdict) for result in results]
    said = [f"{name}: {verdict.sentence}" for name, verdict in found if verdict]
    return said + [each.sentence for each in differences(results)]


def _card(result: AuditResult) -> str:
    verdict = result.verdict
    if verdict is None:
        figure = next(iter(result.outcomes.values())).retrieval.metrics()["rank1"]
        lines = [f'<div class="big">{percent(figure)}%</div><div class="soft">rank-1</div>']
    else:
        style = verdict_class(verdict.loss, verdict.persons)
        lines = [
            f'<div class="big">{percent(verdict.original)} <span class="soft">→</span> '
            f'<span class="{style}">{percent(verdict.changed)}</span></div>'
            f'<div><b class="{style}">{percent(-verdict.loss.value, "+")} points</b> of rank-1, '
            f"{readable('original')} → {readable(verdict.variant)}</div>",
            f'<div class="small">{escape(verdict.sentence)}</div>',
        ]
    if "background_only" in result.outcomes:
        alone = result.outcomes["background_only"].retrieval
        lines.append(
            f'<div class="soft small">{percent(alone.metrics()["rank1"])}% from the background '
            f"alone, where chance is {percent(alone.chance_rank1)}%</div>"
        )
    return f'<div class="card"><h3>{escape(result.name)}</h3>{"".join(lines)}</div>'
