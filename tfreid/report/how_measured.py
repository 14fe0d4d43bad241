"""The report's section on how its figures were made."""

from collections.abc import Sequence
from html import escape

from tfreid.evaluation.result import AuditResult
from tfreid.report.counts import counts_in_words
from tfreid.report.markup import percent
from tfreid.report.matching import matching_in_words
from tfreid.retrieval import Reranking


def method_section(results: Sequence[AuditResult], alone: bool) -> str:
    """Returns the section, which says whether it is of the only data set or of one of several."""
    first, metrics = results[0], results[0].metrics()
    info, measurement, protocol = first.folder.info, first.measurement, first.tested.protocol
    precision = {
        "mean": "mean of the precision at each true match's rank",
        "trapezoid": "average of trapezoids, as in the Market-1501 MATLAB toolbox",
    }[measurement.average_precision]
    facts = {
        "Data": f"{info.name}, fingerprint {info.fingerprint[:12]}",
        **counts_in_words(metrics),
        "Protocol": f"{protocol.name} ({first.tested.reason}): {protocol.summary}; ties "
        "count against the model",
        "Matching": matching_of(results),
        "Average precision": "none: with one gallery image a person it would repeat the CMC"
        if protocol.gallery_draws
        else precision,
        "Chance": f"{percent(first.chance_rank1)}% rank-1 for a random ranking" + _masked(first),
        "Backgrounds": "query and gallery images are both changed; random backgrounds follow seed "
        f"{measurement.seed}" + _scenes(first),
        "Input": "; ".join(map(_inputs, results)),
        **_reranking(measurement.reranking),
    }
    items = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    what = "this" if alone else escape(first.tested.dataset)
    return f'<h2>How {what} was measured</h2><div class="card"><dl>{items}</dl></div>'


def _masked(result: AuditResult) -> str:
    """Chance where some images have no mask."""
    if not result.with_masks:
        return ""
    return f"; {percent(result.with_masks.retrieval.chance_rank1)}% of the images with masks"


def _scenes(result: AuditResult) -> str:
    """What random backgrounds are, and what made the masks."""
    folder, made = result.folder, result.folder.info.made_by.get("parser")
    text = ""
    if "random_background" in result.outcomes:
        train, test = (set(folder.backgrounds(split)) for split in ("train", "query"))
        held_out = train and not train & test
        pool = ", of the pool for the test, which is apart from that for training" * bool(held_out)
        text = f"{pool}; scenes: {folder.background_source}"
    return text + (f"; masks made by {next(iter(made.values()))}" if made else "")


def _inputs(result: AuditResult) -> str:
    """How large a model's images are, and how its descriptors are made."""
    alone = len(result.networks) == 1
    if result.networks[0]["image_size_px"] is None:
        size = result.networks[0]["descriptor_size"]
        return f"{result.name}: descriptors of {size:,} values, computed elsewhere"
    inputs = ", ".join(
        "{} {}\N{MULTIPLICATION SIGN}{} px".format(
            result.name if alone else network["name"], *network["image_size_px"]
        )
        + ", averaged with the mirror image's descriptor" * network["flip_averaging"]
        + ", pooled" * ("descriptor" in network and not alone)
        + (f", weight {network['weight']:g}" if "weight" in network else "")
        for network in result.networks
    )
    if alone:
        return inputs
    return f"{result.name}: descriptors of {inputs}; each of unit length, one after the other"


def _reranking(parameters: Reranking | None) -> dict[str, str]:
    if parameters is None:
        return {}
    return {
        "Re-ranking": f"k-reciprocal (Zhong et al., CVPR 2017), k1 = {parameters.k1}, "
        f"k2 = {parameters.k2}, \N{GREEK SMALL LETTER LAMDA} = {parameters.original_weight:g}, "
        "beside the plain figures; charts, camera pairs and ranked lists are of plain ranking"
    }


def matching_of(results: Sequence[AuditResult]) -> str:
    """Says how images are compared, once for all models or for each."""
    by_name = {result.name: matching_in_words(result.matching) for result in results}
    if len(set(by_name.values())) == 1:
        return next(iter(by_name.values()))
    return "; ".join(f"{name}: {words}" for name, words in by_name.items())
