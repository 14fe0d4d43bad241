"""PGP's tables (Tian et al., "Eliminating Background-bias for Robust Person Re-identification",
CVPR 2018)."""

from tfreid.reproduction.table import Column, Table, TableRow

_TOP1, _TOP5, _TOP10, _TOP20 = (Column(f"Top-{k}", f"{{variant}}.rank{k}") for k in (1, 5, 10, 20))

_JOINT = (
    "The paper trains on several data sets at once; for the same, give --data a joint set "
    "(tfreid.convert with several --dataset) and each data set to test on as --test_data."
)
_MAIN_NETWORK = {"branches": 0, "random_background_probability": 0.0}
_WITHOUT_AUGMENTATION = {"random_background_probability": 0.0}

TABLE_2 = Table(
    name="pgp/2",
    title="DGD and PGP when the background changes",
    source="PGP, Table 2",
    columns=(_TOP1, _TOP5, _TOP10),
    rows=(
        TableRow(
            "DGD original",
            "dgd",
            paper={"cuhk03": (87.2, 97.4, 98.3), "market1501": (79.1, 94.1, 96.6)},
        ),
        TableRow(
            "DGD mean-background",
            "dgd",
            variant="mean_background",
            paper={"cuhk03": (77.2, 93.7, 97.0), "market1501": (71.1, 90.3, 94.2)},
        ),
        TableRow(
            "DGD random-background",
            "dgd",
            variant="random_background",
            paper={"cuhk03": (64.0, 85.5, 91.7), "market1501": (58.4, 80.1, 86.4)},
        ),
        TableRow(
            "PGP original",
            "pgp",
            paper={"cuhk03": (92.5, 98.4, 98.9), "market1501": (81.2, 94.6, 97.0)},
        ),
        TableRow(
            "PGP mean-background",
            "pgp",
            variant="mean_background",
            paper={"cuhk03": (91.7, 97.7, 98.6), "market1501": (80.5, 93.9, 98.2)},
        ),
        TableRow(
            "PGP random-background",
            "pgp",
            variant="random_background",
            paper={"cuhk03": (91.1, 97.6, 98.5), "market1501": (79.8, 93.5, 98.0)},
        ),
    ),
    note=_JOINT,
)

TABLE_3 = Table(
    name="pgp/3",
    title="Branches of guided pooling",
    source="PGP, Table 3",
    columns=(_TOP1, _TOP5, _TOP10, _TOP20),
    rows=(
        TableRow(
            "Main-net only",
            "pgp",
            _WITHOUT_AUGMENTATION | {"branches": 0},
            paper={"market1501": (75.6, 91.9, 95.6, 97.0)},
        ),
        TableRow(
            "1-branch foreground",
            "pgp",
            _WITHOUT_AUGMENTATION | {"branches": 1},
            paper={"market1501": (77.5, 92.7, 95.7, 97.6)},
        ),
        TableRow(
            "2-branch upper+lower",
            "pgp",
            _WITHOUT_AUGMENTATION | {"branches": 2},
            paper={"market1501": (80.0, 94.2, 96.8, 98.2)},
        ),
        TableRow(
            "3-branch",
            "pgp",
            _WITHOUT_AUGMENTATION | {"branches": 3},
            paper={"market1501": (80.5, 94.3, 96.8, 98.2)},
        ),
    ),
    note=f"Trained without random backgrounds. {_JOINT}",
)

TABLE_4 = Table(
    name="pgp/4",
    title="Ways of augmenting with random backgrounds",
    source="PGP, Table 4",
    columns=(_TOP1, _TOP5, _TOP10, _TOP20),
    rows=(
        TableRow(
            "Main-net only",
            "pgp",
            _MAIN_NETWORK,
            paper={"market1501": (75.6, 91.9, 95.6, 97.0)},
        ),
        TableRow(
            "online (0.25)",
            "pgp",
            _MAIN_NETWORK | {"random_background_probability": 0.25},
            paper={"market1501": (79.2, 93.7, 96.3, 97.9)},
        ),
        TableRow(
            "online (0.5)",
            "pgp",
            _MAIN_NETWORK | {"random_background_probability": 0.5},
            paper={"market1501": (79.5, 93.9, 96.5, 98.1)},
        ),
        TableRow(
            "online (0.75)",
            "pgp",
            _MAIN_NETWORK | {"random_background_probability": 0.75},
            paper={"market1501": (78.8, 93.6, 96.5, 98.1)},
        ),
        TableRow(
            "offline (1:1)",
            "pgp",
            _MAIN_NETWORK,
            copies=1,
            paper={"market1501": (76.1, 92.4, 95.6, 97.6)},
        ),
        TableRow(
            "offline (1:2)",
            "pgp",
            _MAIN_NETWORK,
            copies=2,
            paper={"market1501": (77.3, 93.1, 96.0, 97.7)},
        ),
    ),
    note=f"The main network alone. {_JOINT}",
)

TABLE_5 = Table(
    name="pgp/5",
    title="Parsing networks",
    source="PGP, Table 5",
    columns=(
        Column("Acc.", "accuracy"),
        Column("Pre.", "precision"),
        Column("Rec.", "recall"),
        Column("F1", "f1"),
    ),
    data="parsing",
    rows=(
        TableRow(
            "Foreground-background",
            "parsing",
            {"vocabulary": "binary"},
            paper={
                "human_parsing": (97.6, 96.5, 96.9, 96.7),
                "lip": (89.2, 89.1, 89.3, 89.1),
                "coco_person": (90.8, 90.8, 90.8, 90.8),
            },
        ),
        TableRow(
            "Four-class",
            "parsing",
            {"vocabulary": "regions4"},
            paper={
                "human_parsing": (96.5, 91.9, 89.1, 90.4),
                "lip": (84.6, 80.9, 77.5, 79.0),
            },
        ),
    ),
    note=(
        "The paper tests on a random tenth of the images, here it is the split val. Its networks "
        "learn from LIP and HumanParsing, the binary one from MS-COCO too: give such a joint set "
        "as --parsing_data and each data set to test on as --test_data. Acc. is the share of "
        "pixels labelled right; the others are means over classes."
    ),
)

FIGURE_3 = Table(
    name="pgp/figure3",
    title="Trained on one kind of background, tested on each; rank-1",
    source="PGP, Figure 3",
    columns=(
        Column("original", "original.rank1"),
        Column("mean-background", "mean_background.rank1"),
        Column("random-background", "random_background.rank1"),
        Column("background-only", "background_only.rank1"),
    ),
    rows=(
        TableRow(
            "trained on original",
            "dgd",
            {"variant": "original"},
            paper={"cuhk03": (None, None, None, 5.3)},
        ),
        TableRow(
            "trained on background-only",
            "dgd",
            {"variant": "background_only"},
            paper={"cuhk03": (25.9, None, None, 37.1)},
        ),
        TableRow("trained on mean-background", "dgd", {"variant": "mean_background"}),
        TableRow("trained on random-background", "dgd", {"variant": "random_background"}),
    ),
    note=(
        "The paper draws curves and gives few figures in its text. Besides those beside ours: on "
        "CUHK03 the first row falls by 10.3 points with mean and by 28.4 with random backgrounds; "
        "on the original images the last row is 2 to 3 points below the first. The paper trains "
        "on CUHK03 and Market-1501 together: give --data such a joint set and each data set to "
        "test on as --test_data. Random backgrounds of training images are drawn anew at each "
        "step."
    ),
)
