"""FA-Net's tables (Liu et al., "An End-to-End Foreground-Aware Network for Person
Re-Identification").

Each rung of the ladder is the one above it plus a component, so read from the whole network
upwards a rung lacks one component more.
"""

from dataclasses import replace

from tfreid.reproduction.table import Column, Comparison, Table, TableRow

_R1, _R5, _R10, _R20 = (Column(f"R{k}", f"{{variant}}.rank{k}") for k in (1, 5, 10, 20))
_MAP = Column("mAP", "{variant}.mAP")
_NEW_BACKGROUND = Column("R1 new background", "random_background.rank1")
_CONTRAST = Column("Zᶠ contrast", "attention.{variant}.maps.foreground_attention.contrast")

_WITHOUT_HPP = {"pyramid_stripes": ()}
_WITHOUT_TAL = _WITHOUT_HPP | {"target_attention": "none"}
_WITHOUT_IA = _WITHOUT_TAL | {"gate_background": False}
_WITHOUT_BG = _WITHOUT_IA | {"background_branch": False}
_WITHOUT_TEM = _WITHOUT_BG | {"target_enhancement": False}

_RECIPES = {
    "Baseline": _WITHOUT_TEM,
    "B/L+TEM": _WITHOUT_BG,
    "B/L+TEM+BG": _WITHOUT_IA,
    "B/L+TEM+BG+IA": _WITHOUT_TAL,
    "B/L+TEM+BG+IA+TALv1": _WITHOUT_HPP | {"target_attention": "v1"},
    "B/L+TEM+BG+IA+TALv2": _WITHOUT_HPP | {"target_attention": "v2"},
    "B/L+TEM+BG+IA+TAL": _WITHOUT_HPP,
    "FA-Net": {},
}


def _rows(*names: str, against: str = "") -> tuple[TableRow, ...]:
    return tuple(TableRow(name, "fanet", _RECIPES[name], against=against) for name in names)


_LADDER = ("Baseline", "B/L+TEM", "B/L+TEM+BG", "B/L+TEM+BG+IA", "B/L+TEM+BG+IA+TAL", "FA-Net")

_OURS = (
    "Not of the paper, and only for test images with masks: R1 new background, rank-1 on random "
    "backgrounds; Zᶠ contrast, how much higher the foreground attention map is on the person than "
    "around it, in points."
)

TABLE_1 = Table(
    name="fanet/1",
    title="The components of FA-Net",
    source="FA-Net, Table I",
    columns=(_R1, _R5, _R10, _MAP),
    extra=(_NEW_BACKGROUND, _CONTRAST),
    rows=_rows(*_LADDER),
    note=f"FA-Net is B/L+TEM+BG+IA+TAL+HPP. {_OURS}",
)

TABLE_2 = Table(
    name="fanet/2",
    title="Forms of the target attention loss",
    source="FA-Net, Table II",
    columns=(_R1, _R5, _R10, _R20, _MAP),
    extra=(_NEW_BACKGROUND, _CONTRAST),
    rows=_rows(
        "B/L+TEM+BG+IA",
        "B/L+TEM+BG+IA+TALv1",
        "B/L+TEM+BG+IA+TALv2",
        "B/L+TEM+BG+IA+TAL",
        against="B/L+TEM+BG+IA",
    ),
    note=f"v1 lacks gates and normalisation, v2 lacks normalisation. {_OURS}",
)

TABLE_3 = Table(
    name="fanet/3",
    title="The components of FA-Net in unseen scenes",
    source="FA-Net, Table III",
    columns=(_R1, _R5, _R10, _R20, _MAP),
    extra=(_NEW_BACKGROUND, _CONTRAST),
    across=True,
    rows=_rows(*_LADDER),
    note=f"FA-Net is B/L+TEM+BG+IA+TAL+HPP. {_OURS}",
)

(_FANET,) = _rows("FA-Net")

TABLE_4 = Table(
    name="fanet/4",
    title="FA-Net without and with re-ranking",
    source="FA-Net, Table IV",
    columns=(_R1, _MAP),
    rows=(_FANET, replace(_FANET, name="FA-Net+RK", rerank=True)),
    note=(
        "RK is k-reciprocal re-ranking, whose parameters the paper does not state: here those of "
        "its authors for Market-1501. The paper's figures of other methods are left out."
    ),
)

TABLE_5 = Table(
    name="fanet/5",
    title="FA-Net on MSMT17",
    source="FA-Net, Table V",
    columns=(_R1, _R5, _R10, _MAP),
    extra=(_NEW_BACKGROUND, _CONTRAST),
    rows=(_FANET,),
    note=(f"The last row of Table I. The paper's figures of other methods are left out. {_OURS}"),
)

_DEMO_MAPS = {1: 1, 16: 2, 64: 4, 256: 16, 512: 32}
"""k of the figure to k at demo scale, where FA-Net has 16 maps."""

FIGURE_5 = Table(
    name="fanet/figure5",
    title="Number k of attention maps",
    source="FA-Net, Figure 5",
    columns=(_R1,),
    extra=(_MAP, _NEW_BACKGROUND, _CONTRAST),
    rows=tuple(
        TableRow(f"k={k}", "fanet", {"attention_maps": k}, demo={"attention_maps": at_demo})
        for k, at_demo in _DEMO_MAPS.items()
    ),
    comparisons=(Comparison("k=1", "k=256", "R1", sign=-1),),
    note=(
        "The paper draws this as curves without figures and says that k=256 is best and k=1 worse "
        "on both data sets; the figures at k=256 are those of the same network in Table I. The "
        "other values of k are this project's, so that the paper says nothing of them. "
        f"{_OURS}"
    ),
)
