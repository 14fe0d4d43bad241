"""What moves FA-Net's attention: a table of ours, on the rungs of Table I that have a mask.

Each row changes one thing that may explain where Z^f ends up. The drawn worlds differ in whether
the pixels of a person tell the camera: equation 3 gates the background branch because cameras are
to be told by what is around persons.
"""

from typing import Any

from tfreid.reproduction.table import Column, Comparison, Table, TableRow

_Z = "attention.{variant}.maps.foreground_attention"
_IA: dict[str, Any] = {"pyramid_stripes": (), "target_attention": "none"}
_TAL: dict[str, Any] = {"pyramid_stripes": ()}
_X30 = {"target_attention_weight": 30.0}
_BN = {"normalise_pooled": True}

_R1, _AUC = Column("R1", "{variant}.rank1"), Column("Zᶠ AUC", f"{_Z}.auc")

_PAIRS = (
    ("B/L+TEM+BG+IA+TAL", "B/L+TEM+BG+IA"),
    ("B/L+TEM+BG+IA+TAL", "TAL Z detached"),
    ("TALx30", "B/L+TEM+BG+IA+TAL"),
    ("IA BN", "B/L+TEM+BG+IA"),
    ("TAL BN", "B/L+TEM+BG+IA+TAL"),
    ("TAL BN", "IA BN"),
    ("TALx30 BN", "TAL BN"),
    ("FA-Net", "FA-Net without TAL"),
    ("FA-Net TALx30", "FA-Net"),
)

LADDER = Table(
    name="fanet/ladder",
    title="What moves the attention",
    source="FA-Net, beyond Table I",
    columns=(_R1, Column("mAP", "{variant}.mAP")),
    extra=(
        Column("R1 new background", "random_background.rank1"),
        _AUC,
        Column("Zᶠ contrast", f"{_Z}.contrast"),
        Column("Zᶠ outside", f"{_Z}.outside"),
    ),
    rows=(
        TableRow("B/L+TEM+BG+IA", "fanet", _IA),
        TableRow("B/L+TEM+BG+IA+TAL", "fanet", _TAL),
        TableRow("TALx30", "fanet", _TAL | _X30),
        TableRow("TAL Z detached", "fanet", _TAL | {"detach_mask": True}),
        TableRow("IA BN", "fanet", _IA | _BN),
        TableRow("TAL BN", "fanet", _TAL | _BN),
        TableRow("TALx30 BN", "fanet", _TAL | _BN | _X30),
        TableRow("FA-Net without TAL", "fanet", {"target_attention": "none"}),
        TableRow("FA-Net", "fanet", {}),
        TableRow("FA-Net TALx30", "fanet", _X30),
    ),
    comparisons=tuple(
        Comparison(row, other, column.heading) for column in (_R1, _AUC) for row, other in _PAIRS
    ),
    worlds={"": (), "-camera_style0": ("--camera_style=0",)},
    note=(
        "Not of the paper, whose Table I has three of the rows (fanet/1). TALx30: the target "
        "attention loss weighs 30 times as much; Z detached: it moves the branches and not Zᶠ; BN: "
        "batch normalisation follows the averaged maps. Zᶠ AUC: probability that Zᶠ is higher at a "
        "pixel of the person than at one of the rest, whatever its level; contrast: its mean on "
        "the person less that on the rest, in points. camera_style0: the drawn cameras differ in "
        "place only."
    ),
)
