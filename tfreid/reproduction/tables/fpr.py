"""FPR's tables (He et al., "Foreground-aware Pyramid Reconstruction for Alignment-free Occluded
Person Re-identification", ICCV 2019).

`DSR` is reconstruction without foreground weights. Both it and FPR are matched by reconstructing
each query from each gallery image, the baseline by the cosine of its descriptors.
"""

from collections.abc import Sequence

from tfreid.reproduction.table import Column, Table, TableRow

_R1 = Column("R1", "{variant}.rank1")
_MAP = Column("mAP", "{variant}.mAP")
_NEW_BACKGROUND = Column("R1 new background", "random_background.rank1")
_CONTRAST = Column("foreground contrast", "attention.{variant}.maps.foreground.contrast")

_OCCLUDED_SETS = tuple(
    f"market1501→{name}" for name in ("partial_reid", "partial_ilids", "occluded_reid")
)


_Figures = tuple[tuple[float, float], ...]


def _rows(
    data: Sequence[str], baseline: _Figures, dsr: _Figures, fpr: _Figures
) -> tuple[TableRow, ...]:
    """Returns the three rows from the paper's figures, one pair a data set."""

    def row(name: str, distance: str, figures: _Figures, matching: str = "exact") -> TableRow:
        paper = dict(zip(data, figures, strict=True))
        return TableRow(name, "fpr", {"distance": distance}, matching=matching, paper=paper)

    return (
        row("Baseline", "pooled", baseline, matching=""),
        row("DSR", "uniform", dsr),
        row("FPR", "foreground", fpr),
    )


_DSR = "DSR is the paper's name; ours is FPR without foreground weights and without their loss."
_ACROSS = (
    "Trained on one data set, tested on occluded persons of another, without camera filter. "
    "`fpr/4` tests the same models on whole persons."
)

TABLE_3 = Table(
    name="fpr/3",
    title="Occluded persons",
    source="FPR, Table 3",
    columns=(_R1, _MAP),
    across=True,
    occluded=True,
    rows=_rows(
        _OCCLUDED_SETS,
        baseline=((53.33, 50.20), (52.94, 43.53), (42.12, 37.24)),
        dsr=((73.67, 68.07), (64.29, 58.12), (72.80, 62.83)),
        fpr=((81.00, 76.60), (68.08, 61.78), (78.30, 68.00)),
    ),
    note=(
        f"{_ACROSS} {_DSR} The paper's text and abstract give some figures otherwise than its "
        "table, whose figures these are; its other rows, of methods that are not here, are left "
        "out."
    ),
)

TABLE_4 = Table(
    name="fpr/4",
    title="Whole persons",
    source="FPR, Table 4",
    columns=(_R1, _MAP),
    extra=(_NEW_BACKGROUND, _CONTRAST),
    rows=_rows(
        ("market1501", "cuhk03", "dukemtmc"),
        baseline=((94.06, 84.62), (73.57, 69.35), (87.30, 76.18)),
        dsr=((94.71, 85.78), (75.24, 71.15), (88.14, 77.07)),
        fpr=((95.42, 86.58), (76.08, 72.31), (88.64, 78.42)),
    ),
    note=(
        f"{_DSR} CUHK03 is the new protocol, 767 training persons, with detected boxes, as the "
        "paper's counts tell (`cuhk03:detected`). Not of the paper, and only for test images with "
        "masks: R1 new background, rank-1 on random backgrounds; foreground contrast, how much "
        "higher the foreground probability is on the person than around it, in points."
    ),
)

_ALPHA, _TAU = 0.02, 0.35
_ALPHAS = (0.01, 0.02, 0.03, 0.04)
_TAUS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def _parameters(alpha: float, tau: float) -> TableRow:
    is_default = (alpha, tau) == (_ALPHA, _TAU)
    return TableRow(
        f"alpha={alpha:g} tau={tau:g}",
        "fpr",
        {"distance": "foreground", "alpha": alpha, "tau": tau},
        matching="exact",
        paper=TABLE_3.rows[-1].paper if is_default else {},
    )


FIGURE_7 = Table(
    name="fpr/figure7",
    title="Weight alpha of the foreground loss, threshold tau of its labels",
    source="FPR, Figure 7",
    columns=(_R1, _MAP),
    across=True,
    occluded=True,
    rows=(
        *(_parameters(alpha, _TAU) for alpha in _ALPHAS),
        *(_parameters(_ALPHA, tau) for tau in _TAUS),
    ),
    note=(
        f"{_ACROSS} The paper draws this as curves without figures and says that alpha=0.02 and "
        "tau near 0.35 are best; the figures there are those of the same network in Table 3."
    ),
)
