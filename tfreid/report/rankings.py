"""What each query found, written to files for other programs."""

from collections.abc import Sequence
from pathlib import Path

from tfreid.errors import UsageError
from tfreid.evaluation.result import AuditResult
from tfreid.evaluation.sets import EvaluationSet
from tfreid.retrieval import Identities, RankedLists, save_rankings

_SUFFIXES = (".csv", ".json")


def check_rankings_path(path: Path) -> None:
    """Refuses a file that `write_rankings` could not write, before anything is measured.

    Raises:
      UsageError: if its ending names no format.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{path}: a file of rankings must end in {' or '.join(_SUFFIXES)}")


def write_rankings(path: Path, results: Sequence[AuditResult], length: int) -> list[Path]:
    """Writes the nearest gallery images of every query, a file for each data set and variant.

    Each image is named by its key, person and camera.

    Args:
      path: the file, as `tfreid.retrieval.save_rankings` takes it. Where there are several data
        sets or variants, their names are put before its ending, as in
        `rankings-viper-original.csv`; so is, of a model with position features, the mode of the
        matching. Re-ranked lists have files of their own, whose names end in `-reranked`.
      results: audits of one model, one a data set, that kept lists of at least `length` images.
      length: images to write for each query.

    Returns:
      The files.
    """
    written = []
    for result in results:
        facts = [_facts(result.tested, each) for each in (result.query, result.gallery)]
        names = [result.tested.dataset] if len(results) > 1 else []
        for variant, outcome in result.outcomes.items():
            of_variant = [*names, variant] if len(result.outcomes) > 1 else names
            of_variant = [*of_variant, result.matching["mode"]] if result.pooled else of_variant
            found = [(of_variant, outcome)]
            if variant in result.reranked:
                found.append(([*of_variant, "reranked"], result.reranked[variant]))
            for labels, ranking in found:
                file = path.with_name("-".join([path.stem, *labels]) + path.suffix)
                lists = _first(ranking.lists, length)
                save_rankings(file, lists, result.query_keys, result.gallery_keys, *facts)
                written.append(file)
    return written


def _facts(tested: EvaluationSet, identities: Identities) -> list[dict[str, str]]:
    persons, cameras = map(tested.person, identities.person), map(tested.camera, identities.camera)
    return [{"person": p, "camera": c} for p, c in zip(persons, cameras, strict=True)]


def _first(lists: RankedLists, length: int) -> RankedLists:
    return RankedLists(
        lists.indices[:, :length], lists.distances[:, :length], lists.correct[:, :length]
    )
