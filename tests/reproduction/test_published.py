"""Every published figure, typed from the papers' tables a second time, line by line as there.

Each line is a row of the printed table: our name of the row, then its figures of one data set after
the other, in the order of the title.
"""

import pytest

from tfreid.datasets import PROTOCOLS
from tfreid.reproduction import TABLES
from tfreid.reproduction.published_data import PublishedData

_OCCLUDED = "market1501→occluded_reid market1501→partial_reid:occluded market1501→partial_ilids"

PAPERS = {
    "pgp/1 cuhk03:classic cuhk01:test_half viper 3dpes market1501": """
PGP              | 91.7 98.2 98.7 99.0  80.7 95.0 97.5 98.9  50.6 70.3 79.1 88.0
                   64.1 87.4 90.4 93.7  80.5 94.3 96.8 98.2
PGP w/ data aug. | 92.5 98.4 98.9 99.5  82.5 96.1 98.2 99.0  51.9 74.4 84.8 90.2
                   65.6 88.1 91.5 95.0  81.2 94.6 97.0 98.3
""",
    "pgp/2 cuhk03:classic market1501": """
DGD original          | 87.2 97.4 98.3  79.1 94.1 96.6
DGD mean-background   | 77.2 93.7 97.0  71.1 90.3 94.2
DGD random-background | 64.0 85.5 91.7  58.4 80.1 86.4
PGP original          | 92.5 98.4 98.9  81.2 94.6 97.0
PGP mean-background   | 91.7 97.7 98.6  80.5 93.9 98.2
PGP random-background | 91.1 97.6 98.5  79.8 93.5 98.0
""",
    "pgp/3 market1501": """
Main-net only        | 75.6 91.9 95.6 97.0
1-branch foreground  | 77.5 92.7 95.7 97.6
2-branch upper+lower | 80.0 94.2 96.8 98.2
3-branch             | 80.5 94.3 96.8 98.2
""",
    "pgp/4 market1501": """
Main-net only | 75.6 91.9 95.6 97.0
online (0.25) | 79.2 93.7 96.3 97.9
online (0.5)  | 79.5 93.9 96.5 98.1
online (0.75) | 78.8 93.6 96.5 98.1
offline (1:1) | 76.1 92.4 95.6 97.6
offline (1:2) | 77.3 93.1 96.0 97.7
""",
    "pgp/5 human_parsing lip coco_person": """
Foreground-background | 97.6 96.5 96.9 96.7  89.2 89.1 89.3 89.1  90.8 90.8 90.8 90.8
Four-class            | 96.5 91.9 89.1 90.4  84.6 80.9 77.5 79.0
""",
    "pgp/figure3 cuhk03:classic": """
trained on original        | - - - 5.3
trained on background-only | 25.9 - - 37.1
""",
    "fanet/1 market1501 dukemtmc msmt17": """
Baseline          | 89.7 96.4 97.8 72.7  77.9 88.9 91.6 60.1  64.4 77.4 81.9 31.4
B/L+TEM           | 90.9 96.5 97.7 73.5  79.5 88.7 91.7 60.7  65.4 78.3 82.8 33.0
B/L+TEM+BG        | 92.5 97.1 97.9 79.3  83.4 91.8 93.5 67.6  70.8 82.9 86.8 41.1
B/L+TEM+BG+IA     | 92.9 97.2 98.2 79.6  84.3 92.0 94.6 67.7  71.6 83.4 86.8 41.2
B/L+TEM+BG+IA+TAL | 93.3 97.4 98.3 80.1  85.2 91.9 94.0 67.9  72.3 83.5 87.2 42.1
FA-Net            | 95.0 97.9 98.6 84.6  88.7 93.8 95.5 77.0  76.8 86.8 89.8 51.0
""",
    "fanet/2 market1501 dukemtmc msmt17": """
B/L+TEM+BG+IA | 92.9 97.2 98.2 99.1 79.6  84.3 92.0 94.6 96.1 67.7  71.6 83.4 86.8 89.8 41.2
B/L+TEM+BG+IA+TALv1 | 92.6 97.3 98.5 99.2 79.7  82.8 91.8 93.5 95.4 68.5
                      68.9 81.1 85.1 88.5 39.1
B/L+TEM+BG+IA+TALv2 | 93.1 97.7 98.6 99.2 79.8  83.3 91.5 93.7 95.2 67.1
                      70.0 81.9 85.7 89.0 39.4
B/L+TEM+BG+IA+TAL   | 93.3 97.4 98.3 99.1 80.1  85.2 91.9 94.0 95.6 67.9
                      72.3 83.5 87.2 90.1 42.1
""",
    "fanet/3 market1501→dukemtmc dukemtmc→market1501": """
Baseline          | 28.5 43.5 50.3 56.8 13.9  50.4 67.4 74.2 80.8 21.5
B/L+TEM           | 31.8 46.5 53.1 59.5 16.1  52.6 69.7 76.0 81.9 23.2
B/L+TEM+BG        | 36.9 52.0 58.3 65.1 20.3  54.3 71.0 77.2 82.7 24.7
B/L+TEM+BG+IA     | 38.0 53.7 60.2 66.1 20.7  55.1 72.0 78.3 83.8 25.3
B/L+TEM+BG+IA+TAL | 39.4 54.9 60.6 66.0 21.5  56.2 73.0 78.5 83.0 25.5
FA-Net            | 49.3 63.5 69.0 73.7 30.7  65.1 79.3 84.4 89.0 34.2
""",
    "fanet/4 market1501 dukemtmc": """
FA-Net    | 95.0 84.6  88.7 77.0
FA-Net+RK | 95.8 93.4  91.5 88.9
""",
    "fanet/5 msmt17": "FA-Net | 76.8 86.8 89.8 51.0",
    "fanet/figure5 market1501 dukemtmc": "k=256 | 95.0 88.7",
    "spreid/1 lip": "SPReID's parser | 85.07 60.54 48.16",
    "spreid/2 market1501 cuhk03:labeled,classic dukemtmc": """
Model-S    | 64.45 84.06 95.55  - 81.78 98.12  53.73 74.87 88.51
Model-M    | 72.14 88.18 96.64  - 85.66 98.90  59.98 79.85 90.89
Model-L    | 73.06 88.87 97.00  - 87.91 98.41  59.87 79.08 90.26
Model-L ft | 76.56 90.8 97.71   - 88.73 98.94  63.27 80.48 91.65
""",
    "spreid/3 market1501 cuhk03:labeled,classic dukemtmc": """
Inception-V3    | 73.06 88.87 97.00  - 87.91 98.41  59.87 79.08 90.26
ResNet-50       | 66.32 85.10 95.75  - 85.88 99.19  54.77 73.70 88.02
ResNet-152      | 72.95 88.33 96.88  - 88.01 99.27  62.42 79.62 90.80
Inception-V3 ft | 76.56 90.80 97.71  - 88.73 98.94  63.27 80.48 91.65
ResNet-50 ft    | 72.97 87.92 96.76  - 89.08 99.15  59.72 77.74 90.84
ResNet-152 ft   | 77.96 90.71 97.65  - 90.38 99.46  67.02 83.26 92.95
""",
    "spreid/4 market1501 cuhk03:labeled,classic dukemtmc": """
Inception-V3    | 73.06 88.87 97.00  - 87.91 98.41  59.87 79.08 90.26
SPReID w/fg     | 78.66 90.97 97.71  - 89.57 99.19  67.20 82.32 92.32
SPReID wo/fg    | 78.06 90.74 97.80  - 91.29 98.93  67.11 82.14 92.24
SPReID combined | 79.67 91.45 98.1   - 91.21 99.2   68.78 83.3 92.91
""",
    "spreid/5 market1501 cuhk03:labeled,classic dukemtmc": """
SPReID w/fg           | 78.66 90.97  - 89.57  67.20 82.32
SPReID w/fg shared    | 77.62 90.88  - 87.69  65.66 81.73
SPReID w/fg ft        | 80.68 92.40  - 92.57  69.79 84.02
SPReID w/fg shared ft | 80.54 92.34  - 89.68  69.29 83.80
""",
    "spreid/6 market1501 cuhk03:labeled,classic dukemtmc": """
Inception-V3 ft   | 76.56 90.8 96.35 97.71   - 88.73 97.82 98.94  63.27 80.48 88.78 91.65
Inception-V3 ft*  | 82.87 93.14 97.27 98.22  - 92.81 98.9 99.35   72 85.37 92.15 94.21
Inception-V3 ft* + re-ranking    | 90.66 94.21 96.76 97.3   - 95.18 99.18 99.6
                                   84.82 89.41 93.18 94.75
SPReID combined-ft               | 81.34 92.54 97.15 98.1   - 93.89 98.76 99.51
                                   70.97 84.43 91.88 93.72
SPReID combined-ft*              | 83.36 93.68 97.57 98.4   - 94.28 99.04 99.56
                                   73.34 85.95 92.95 94.52
SPReID combined-ft* + re-ranking | 90.96 94.63 96.82 97.65  - 96.22 99.34 99.7
                                   84.99 88.96 93.27 94.75
""",
    f"fpr/3 {_OCCLUDED}": """
DSR      | 72.80 62.83  73.67 68.07  64.29 58.12
Baseline | 42.12 37.24  53.33 50.20  52.94 43.53
FPR      | 78.30 68.00  81.00 76.60  68.08 61.78
""",
    "fpr/4 market1501 cuhk03:detected,new dukemtmc": """
DSR      | 94.71 85.78  75.24 71.15  88.14 77.07
Baseline | 94.06 84.62  73.57 69.35  87.30 76.18
FPR      | 95.42 86.58  76.08 72.31  88.64 78.42
""",
    f"fpr/figure7 {_OCCLUDED}": "alpha=0.02 tau=0.35 | 78.30 68.00  81.00 76.60  68.08 61.78",
}


def typed(title):
    """Row and data set -> the printed figures, from the lines above."""
    table, *data = title.split()
    columns = len(TABLES[table].columns)
    lines = PAPERS[title].replace("\n    ", " ").strip().splitlines()
    found = {}
    for row, _, text in (line.partition("|") for line in lines):
        figures = text.split()
        for place in range(0, len(figures), columns):
            part = tuple(None if f == "-" else f for f in figures[place : place + columns])
            found[row.strip(), data[place // columns]] = part
    return found


@pytest.mark.parametrize("title", PAPERS)
def test_figures_are_those_of_the_papers_and_no_others(title):
    table = TABLES[title.split()[0]]
    assert {(row.name, data): row.paper[data] for row in table.rows for data in row.paper} == (
        typed(title)
    )


OWN = {"fanet/ladder"}
"""Tables of no paper."""


def test_every_table_has_its_figures():
    assert [title.split()[0] for title in PAPERS if "fpr" not in title] == [
        name
        for paper in ("pgp", "fanet", "spreid")
        for name in TABLES
        if name.startswith(paper) and name not in OWN
    ]
    assert {title.split()[0] for title in PAPERS} == set(TABLES) - OWN


def test_each_is_of_a_protocol_that_is_known():
    protocols = {
        key: PublishedData.of(key).protocol for table in TABLES.values() for key in table.published
    }
    assert set(protocols.values()) <= set(PROTOCOLS)
    assert protocols["cuhk03:labeled,classic"] == protocols["cuhk03:classic"] == "cuhk03_classic"
    assert protocols["cuhk03:detected,new"] == protocols["market1501"] == "market"
    assert protocols["viper"] == protocols["3dpes"] == "random_half"
    assert protocols["market1501→partial_ilids"] == "no_camera"
