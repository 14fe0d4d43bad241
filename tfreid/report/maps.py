"""The report's section on what the models attend to: their maps, beside the persons' masks."""

from collections.abc import Sequence
from html import escape

from tfreid.evaluation.attention import Explanation, PersonMeans
from tfreid.evaluation.result import AuditResult
from tfreid.inputs import readable
from tfreid.report.examples import PICTURE_SIZE_PX
from tfreid.report.markup import percent, picture, row
from tfreid.report.pictures import embedded, overlay


def maps_section(results: Sequence[AuditResult]) -> str:
    """Returns the section with one card a model; empty where nothing was explained."""
    cards = "".join(_card(result) for result in results if result.explanations or result.occlusion)
    if not cards:
        return ""
    return (
        '<h2>What the models attend to</h2><p class="soft">Bright is where the last feature map '
        "responds most (<i>activation</i>); other maps are the model's own, such as its attention "
        "or its region masks. <i>Occlusion</i>, of every model: bright is where covering a patch "
        "changes the descriptor most. The same queries for every model, drawn at random.</p>"
        f"{cards}"
    )


def _card(result: AuditResult) -> str:
    rows = "".join(_overlays(variant, shown) for variant, shown in result.explanations.items())
    return (
        f'<div class="card query maps"><h3>{escape(result.name)}</h3>'
        f"{_shares(result)}{_means(result)}{rows}{_occlusion(result)}</div>"
    )


def _occlusion(result: AuditResult) -> str:
    """The overlays of covered patches, and the change of the descriptor inside and outside."""
    found = result.occlusion
    if found is None:
        return ""
    most = max(float(found.maps.max()), 1e-6)
    overlays = [
        picture(embedded(overlay(image, heat), PICTURE_SIZE_PX), "occlusion map")
        for image, heat in zip(found.images, found.maps / most, strict=True)
    ]
    rows = row('<span class="soft">occlusion<br> of original</span>', overlays)
    if not result.explanations:
        images = [picture(embedded(image, PICTURE_SIZE_PX), "original") for image in found.images]
        rows = row("original", images) + rows
    text = "Covering {} by {} px changes the descriptor".format(*found.patch_px)
    if found.means:
        means = found.means
        text += (
            f" by {means.inside:.3f} on the person and {means.outside:.3f} around it (cosine "
            f"distance, mean over {means.images} queries; AUC {means.auc:.3f});"
        )
    text += f" bright is {most:.3f}."
    return f'<div class="lists">{rows}</div><p class="soft small">{text}</p>'


def _overlays(variant: str, shown: Explanation) -> str:
    images = [picture(embedded(i, PICTURE_SIZE_PX), readable(variant)) for i in shown.images]
    rows = [row(escape(readable(variant)), images)]
    for name, maps in shown.maps.items():
        figures = [
            picture(embedded(overlay(image, heat), PICTURE_SIZE_PX), f"{readable(name)} map")
            for image, heat in zip(shown.images, maps, strict=True)
        ]
        rows.append(row(f'<span class="soft">{escape(readable(name))}</span>', figures))
    return f'<div class="lists">{"".join(rows)}</div>'


def _shares(result: AuditResult) -> str:
    shares = [
        f"{percent(shown.on_person)}% in {readable(variant)} images"
        for variant, shown in result.explanations.items()
        if shown.on_person is not None
    ]
    if not shares:
        return ""
    area = next(iter(result.explanations.values())).person_area
    return (
        '<p class="soft small">Share of the activation that lies on the person: '
        f"{', '.join(shares)}. The person covers {percent(area)}% of the picture.</p>"
    )


def _means(result: AuditResult) -> str:
    """The table of each map's means on and around the person."""
    means = {variant: shown.means for variant, shown in result.explanations.items() if shown.means}
    if not means:
        return ""
    of_first = next(iter(means.values()))
    over = "".join(f'<th colspan="4">{readable(variant)}</th>' for variant in means)
    heads = "<th>inside</th><th>outside</th><th>difference</th><th>AUC</th>" * len(means)
    body = "".join(
        f"<tr><td>{escape(readable(name))}</td>"
        + "".join(_cells(of_variant[name]) for of_variant in means.values())
        + "</tr>"
        for name in of_first
    )
    compared, queries = next(iter(of_first.values())).images, len(result.query)
    missing = ", full or missing" if result.tested.is_partly_masked else " or full"
    left_out = (
        f" Left out: {queries - compared:,} queries whose mask is empty{missing}."
        if compared < queries
        else ""
    )
    return (
        '<p class="soft small">Mean of each map, from 0 to 1, inside and outside of the person\'s '
        f"mask, over {compared:,} queries, and the probability that it is higher at a pixel of the "
        f"person than at one of the rest (AUC; 0.5 for an even map).{left_out}</p>"
        f'<div class="scroll"><table class="means"><thead><tr><th></th>{over}</tr>'
        f"<tr><th>map</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(means: PersonMeans) -> str:
    contrast = f"{means.contrast:+.3f}".replace("-", "\N{MINUS SIGN}")
    return (
        f"<td>{means.inside:.3f}</td><td>{means.outside:.3f}</td><td><b>{contrast}</b></td>"
        f"<td>{means.auc:.3f}</td>"
    )
