"""SPReID's tables (Kalayeh et al., "Human Semantic Parsing for Person Re-identification", CVPR
2018).

`ft` is phase 2: training goes on from the model of phase 1, on the data set that is tested and at
a higher resolution. `combined` joins the descriptors of both forms of SPReID, `*` adds those of
ResNet-152.
"""

from dataclasses import replace

from tfreid.reproduction.table import Column, Table, TableRow

_MAP = Column("mAP", "{variant}.mAP")
_R1, _R5, _R10 = (Column(f"rank-{k}", f"{{variant}}.rank{k}") for k in (1, 5, 10))
_NEW_BACKGROUND = Column("rank-1 new background", "random_background.rank1")

_JOINT = (
    "The paper trains phase 1 on ten data sets together: give such a joint set as --data and each "
    "data set to test on as --test_data; phase 2 trains on the latter. mAP of CUHK03 is not "
    "published, as its protocol has one gallery image a person."
)
_NEW = "Not of the paper: rank-1 new background, rank-1 on random backgrounds."


def _phase_2(row: TableRow) -> TableRow:
    recipe = {name: value for name, value in row.recipe.items() if name != "image_size_px"}
    return TableRow(f"{row.name} ft", "spreid", {**recipe, "phase": 2}, after=row)


def _baseline(name: str, backbone: str) -> TableRow:
    return TableRow(name, "spreid", {"aggregation": "global", "backbone": backbone})


def _spreid(name: str, aggregation: str) -> TableRow:
    return TableRow(name, "spreid", {"aggregation": aggregation, "train_parser": False})


def _against(row: TableRow, other: TableRow) -> TableRow:
    return replace(row, against=other.name)


_INCEPTION = _baseline("Inception-V3", "inception_v3")
_RESNET50 = _baseline("ResNet-50", "resnet50")
_RESNET152 = _baseline("ResNet-152", "resnet152")
_WITH = _spreid("SPReID w/fg", "with_foreground")
_WITHOUT = _spreid("SPReID wo/fg", "without_foreground")
_SHARED = TableRow("SPReID w/fg shared", "spreid", {**_WITH.recipe, "shared_backbone": True})
_COMBINED = TableRow("SPReID combined", combines=(_WITH, _WITHOUT))


TABLE_1 = Table(
    name="spreid/1",
    title="Human parsing on LIP",
    source="SPReID, Table 1",
    data="parsing",
    columns=(
        Column("overall acc.", "accuracy"),
        Column("mean acc.", "recall"),
        Column("mean IoU", "iou"),
    ),
    rows=(
        TableRow(
            "SPReID's parser",
            "parsing",
            {"architecture": "inception_v3"},
        ),
    ),
    note=(
        "Tested on the split val. Mean acc. is the mean over classes of the recall. Ours are of "
        "labels at the network's size; at which the paper's are it does not say."
    ),
)

# Height, width of the images; beside them at demo scale, in about the same proportions.
_SIZES = {
    "Model-S": ((246, 82), (88, 44)),
    "Model-M": ((375, 125), (120, 60)),
    "Model-L": ((492, 164), (160, 80)),
}
_BY_SIZE = tuple(
    TableRow(
        name,
        "spreid",
        {**_INCEPTION.recipe, "image_size_px": size_px},
        demo={"image_size_px": demo_px},
    )
    for name, (size_px, demo_px) in _SIZES.items()
)

TABLE_2 = Table(
    name="spreid/2",
    title="Image sizes, of the baseline",
    source="SPReID, Table 2",
    columns=(_MAP, _R1, _R10),
    headline="rank-1",
    extra=(_NEW_BACKGROUND,),
    rows=(*_BY_SIZE, _phase_2(_BY_SIZE[-1])),
    note=f"{_JOINT} {_NEW}",
)

TABLE_3 = Table(
    name="spreid/3",
    title="Backbones, of the baseline",
    source="SPReID, Table 3",
    columns=(_MAP, _R1, _R10),
    headline="rank-1",
    extra=(_NEW_BACKGROUND,),
    rows=(
        _INCEPTION,
        _against(_RESNET50, _INCEPTION),
        _against(_RESNET152, _INCEPTION),
        *(_against(_phase_2(row), row) for row in (_INCEPTION, _RESNET50, _RESNET152)),
    ),
    note=f"{_JOINT} {_NEW}",
)

TABLE_4 = Table(
    name="spreid/4",
    title="Aggregation by the regions of the body",
    source="SPReID, Table 4",
    columns=(_MAP, _R1, _R10),
    headline="rank-1",
    extra=(_NEW_BACKGROUND,),
    rows=(_INCEPTION, *(_against(row, _INCEPTION) for row in (_WITH, _WITHOUT, _COMBINED))),
    note=f"{_JOINT} {_NEW}",
)

TABLE_5 = Table(
    name="spreid/5",
    title="One backbone for both heads, or one each",
    source="SPReID, Table 5",
    columns=(_MAP, _R1),
    headline="rank-1",
    extra=(_NEW_BACKGROUND,),
    rows=(
        _WITH,
        _SHARED,
        _against(_phase_2(_WITH), _WITH),
        _against(_phase_2(_SHARED), _phase_2(_WITH)),
    ),
    note=f"{_JOINT} {_NEW}",
)

_BASELINE_FT, _RESNET152_FT = _phase_2(_INCEPTION), _phase_2(_RESNET152)
_BASELINE_STAR = TableRow("Inception-V3 ft*", combines=(_BASELINE_FT, _RESNET152_FT))
_COMBINED_FT = TableRow("SPReID combined-ft", combines=(_phase_2(_WITH), _phase_2(_WITHOUT)))
_COMBINED_STAR = TableRow("SPReID combined-ft*", combines=(*_COMBINED_FT.combines, _RESNET152_FT))
# What is combined already as one of two: the cosine of ResNet-152 counts as much as the other two.
_NESTED = replace(_COMBINED_STAR, name=f"{_COMBINED_STAR.name} 1:1:2", weights=(1, 1, 2))


def _reranked(row: TableRow) -> TableRow:
    return replace(row, name=f"{row.name} + re-ranking", rerank=True, against=row.name)


TABLE_6 = Table(
    name="spreid/6",
    title="Combinations and re-ranking",
    source="SPReID, Table 6",
    columns=(_MAP, _R1, _R5, _R10),
    headline="rank-1",
    rows=(
        _BASELINE_FT,
        _BASELINE_STAR,
        _reranked(_BASELINE_STAR),
        _against(_COMBINED_FT, _BASELINE_FT),
        _COMBINED_STAR,
        _reranked(_COMBINED_STAR),
        _against(_NESTED, _COMBINED_STAR),
        _reranked(_NESTED),
    ),
    note=(
        f"{_JOINT} The paper does not say how much each model counts in combined-ft*: a third, or, "
        "with what is combined already as one of two, ¼ ¼ ½. Its figures stand beside the thirds; "
        "the rows 1:1:2 are the other way (tfreid.evaluate --run_weights). The paper's figures of "
        "other methods are left out."
    ),
)
