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


_INCEPTION = _baseline("Inception-V3", "inception_v3")
_RESNET50 = _baseline("ResNet-50", "resnet50")
_RESNET152 = _baseline("ResNet-152", "resnet152")
_WITH = _spreid("SPReID w/fg", "with_foreground")
_WITHOUT = _spreid("SPReID wo/fg", "without_foreground")
_SHARED = TableRow("SPReID w/fg shared", "spreid", {**_WITH.recipe, "shared_backbone": True})
_COMBINED = TableRow("SPReID combined", combines=(_WITH, _WITHOUT))


def _published(row: TableRow, **figures: tuple[float | None, ...]) -> TableRow:
    return replace(row, paper=figures)


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
            paper={"lip": (85.07, 60.54, 48.16)},
        ),
    ),
    note="Tested on the split val. Mean acc. is the mean over classes of the recall.",
)

_SIZES = {"Model-S": (246, 82), "Model-M": (375, 125), "Model-L": (492, 164)}
_BY_SIZE = {
    name: TableRow(name, "spreid", {**_INCEPTION.recipe, "image_size_px": size})
    for name, size in _SIZES.items()
}

TABLE_2 = Table(
    name="spreid/2",
    title="Image sizes, of the baseline",
    source="SPReID, Table 2",
    columns=(_MAP, _R1, _R10),
    extra=(_NEW_BACKGROUND,),
    rows=(
        _published(_BY_SIZE["Model-S"], dukemtmc=(53.73, 74.87, 88.51)),
        _published(_BY_SIZE["Model-M"], dukemtmc=(59.98, 79.85, 90.89)),
        _published(_BY_SIZE["Model-L"], dukemtmc=(59.87, 79.08, 90.26)),
        _published(_phase_2(_BY_SIZE["Model-L"]), dukemtmc=(63.27, 80.48, 91.65)),
    ),
    note=f"{_JOINT} At demo scale the sizes are the paper's nevertheless. {_NEW}",
)

_BASELINE = _published(
    _INCEPTION,
    market1501=(73.06, 88.87, 97.00),
    cuhk03=(None, 87.91, 98.41),
    dukemtmc=(59.87, 79.08, 90.26),
)

TABLE_3 = Table(
    name="spreid/3",
    title="Backbones, of the baseline",
    source="SPReID, Table 3",
    columns=(_MAP, _R1, _R10),
    extra=(_NEW_BACKGROUND,),
    rows=(
        _BASELINE,
        _published(
            _RESNET50,
            market1501=(66.32, 85.10, 95.75),
            cuhk03=(None, 85.88, 99.19),
            dukemtmc=(54.77, 73.70, 88.02),
        ),
        _published(
            _RESNET152,
            market1501=(72.95, 88.33, 96.88),
            cuhk03=(None, 88.01, 99.27),
            dukemtmc=(62.42, 79.62, 90.80),
        ),
        _published(
            _phase_2(_INCEPTION),
            market1501=(76.56, 90.80, 97.71),
            cuhk03=(None, 88.73, 98.94),
            dukemtmc=(63.27, 80.48, 91.65),
        ),
        _published(
            _phase_2(_RESNET50),
            market1501=(72.97, 87.92, 96.76),
            cuhk03=(None, 89.08, 99.15),
            dukemtmc=(59.72, 77.74, 90.84),
        ),
        _published(
            _phase_2(_RESNET152),
            market1501=(77.96, 90.71, 97.65),
            cuhk03=(None, 90.38, 99.46),
            dukemtmc=(67.02, 83.26, 92.95),
        ),
    ),
    note=f"{_JOINT} {_NEW}",
)

TABLE_4 = Table(
    name="spreid/4",
    title="Aggregation by the regions of the body",
    source="SPReID, Table 4",
    columns=(_MAP, _R1, _R10),
    extra=(_NEW_BACKGROUND,),
    rows=(
        _BASELINE,
        _published(
            _WITH,
            market1501=(78.66, 90.97, 97.71),
            cuhk03=(None, 89.57, 99.19),
            dukemtmc=(67.20, 82.32, 92.32),
        ),
        _published(
            _WITHOUT,
            market1501=(78.06, 90.74, 97.80),
            cuhk03=(None, 91.29, 98.93),
            dukemtmc=(67.11, 82.14, 92.24),
        ),
        _published(
            _COMBINED,
            market1501=(79.67, 91.45, 98.1),
            cuhk03=(None, 91.21, 99.2),
            dukemtmc=(68.78, 83.3, 92.91),
        ),
    ),
    note=f"{_JOINT} {_NEW}",
)

TABLE_5 = Table(
    name="spreid/5",
    title="One backbone for both heads, or one each",
    source="SPReID, Table 5",
    columns=(_MAP, _R1),
    extra=(_NEW_BACKGROUND,),
    rows=(
        _published(_WITH, market1501=(78.66, 90.97), cuhk03=(None, 89.57), dukemtmc=(67.20, 82.32)),
        _published(
            _SHARED, market1501=(77.62, 90.88), cuhk03=(None, 87.69), dukemtmc=(65.66, 81.73)
        ),
        _published(
            _phase_2(_WITH),
            market1501=(80.68, 92.40),
            cuhk03=(None, 92.57),
            dukemtmc=(69.79, 84.02),
        ),
        _published(
            _phase_2(_SHARED),
            market1501=(80.54, 92.34),
            cuhk03=(None, 89.68),
            dukemtmc=(69.29, 83.80),
        ),
    ),
    note=f"{_JOINT} {_NEW}",
)

_BASELINE_FT, _RESNET152_FT = _phase_2(_INCEPTION), _phase_2(_RESNET152)
_BASELINE_STAR = TableRow("Inception-V3 ft*", combines=(_BASELINE_FT, _RESNET152_FT))
_COMBINED_FT = TableRow("SPReID combined-ft", combines=(_phase_2(_WITH), _phase_2(_WITHOUT)))
_COMBINED_STAR = TableRow("SPReID combined-ft*", combines=(*_COMBINED_FT.combines, _RESNET152_FT))


def _reranked(row: TableRow) -> TableRow:
    return replace(row, name=f"{row.name} + re-ranking", rerank=True)


TABLE_6 = Table(
    name="spreid/6",
    title="Combinations and re-ranking",
    source="SPReID, Table 6",
    columns=(_MAP, _R1, _R5, _R10),
    rows=(
        _published(
            _BASELINE_FT,
            market1501=(76.56, 90.8, 96.35, 97.71),
            cuhk03=(None, 88.73, 97.82, 98.94),
            dukemtmc=(63.27, 80.48, 88.78, 91.65),
        ),
        _published(
            _BASELINE_STAR,
            market1501=(82.87, 93.14, 97.27, 98.22),
            cuhk03=(None, 92.81, 98.9, 99.35),
            dukemtmc=(72.0, 85.37, 92.15, 94.21),
        ),
        _published(
            _reranked(_BASELINE_STAR),
            market1501=(90.66, 94.21, 96.76, 97.3),
            cuhk03=(None, 95.18, 99.18, 99.6),
            dukemtmc=(84.82, 89.41, 93.18, 94.75),
        ),
        _published(
            _COMBINED_FT,
            market1501=(81.34, 92.54, 97.15, 98.1),
            cuhk03=(None, 93.89, 98.76, 99.51),
            dukemtmc=(70.97, 84.43, 91.88, 93.72),
        ),
        _published(
            _COMBINED_STAR,
            market1501=(83.36, 93.68, 97.57, 98.4),
            cuhk03=(None, 94.28, 99.04, 99.56),
            dukemtmc=(73.34, 85.95, 92.95, 94.52),
        ),
        _published(
            _reranked(_COMBINED_STAR),
            market1501=(90.96, 94.63, 96.82, 97.65),
            cuhk03=(None, 96.22, 99.34, 99.7),
            dukemtmc=(84.99, 88.96, 93.27, 94.75),
        ),
    ),
    note=f"{_JOINT} The paper's figures of other methods are left out.",
)
