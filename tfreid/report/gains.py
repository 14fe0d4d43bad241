"""The report's table of what each change does."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tfreid.evaluation.gains import Gain
from tfreid.inputs import readable
from tfreid.report.figures import ends
from tfreid.report.markup import percent


@dataclass(frozen=True)
class Attribution:
    """What the models of a page were trained to tell.

    Attributes:
      gains: of each change, at least one.
      remarks: sentences on what else differs, shown below the table.
    """

    gains: Sequence[Gain]
    remarks: Sequence[str] = ()


def gains_section(attribution: Attribution | None) -> str:
    """Returns the section with one table, a change a row and a variant a column."""
    if attribution is None:
        return ""
    variants = list(attribution.gains[0].figures)
    head = "".join(f"<th>{name}</th>" for name in ("change", *map(readable, variants)))
    body = ""
    for gain in attribution.gains:
        change = gain.change
        models = f"{change.before} → {change.after}"
        models += f"; {change.source}" if change.source else ""
        below = f'<br><span class="ends">{escape(models)}</span>'
        cells = "".join(f"<td>{_cell(gain, variant)}</td>" for variant in variants)
        body += f"<tr><td>{escape(change.name)}{below}</td>{cells}</tr>"
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in attribution.remarks)
    return (
        '<h2>What is due to what</h2><p class="soft">Rank-1 with each change less rank-1 without '
        "it, in points, on the same queries. Below a figure stands its 95% interval: where it "
        "would lie with other persons like these; other trainings vary too, which it does not "
        f'show.</p><div class="card scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        + (f'<ul class="soft">{remarks}</ul>' if remarks else "")
    )


def _cell(gain: Gain, variant: str) -> str:
    interval = gain.figures[variant]["rank1"]
    return percent(interval.value, "+") + ends(interval)
