"""The report's section on searches: who is this, or nobody."""

from collections.abc import Sequence
from html import escape

from tfreid.evaluation.open_set import curve, in_words, open_set_metrics
from tfreid.evaluation.result import AuditResult
from tfreid.report.charts import open_set_curves


def open_set_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with one sentence a model and all curves; empty where none searched."""
    searched = [result for result in results if result.searches]
    if not searched:
        return ""
    said = ((result.name, in_words(open_set_metrics(result.searches))) for result in searched)
    sentences = "".join(f"<p>{escape(text)} (<i>{escape(name)}</i>)</p>" for name, text in said)
    curves = {result.name: curve(result.searches) for result in searched}
    curves = {name: found for name, found in curves.items() if found is not None}
    chart = f"<figure>{open_set_curves(curves)}</figure>" if curves else ""
    return (
        '<h2>Who is this, or nobody</h2><p class="soft">Each query is searched for among the '
        "original images, by the cosine of descriptors, and once as if its person were not "
        "enrolled. FPIR is the share of those strangers that get a name, FNIR the share of "
        "enrolled persons that do not get theirs; both grow with the gallery (ISO/IEC 19795-1).</p>"
        f'<div class="card">{sentences}{chart}</div>'
    )
