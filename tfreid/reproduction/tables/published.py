"""Every figure that the four papers publish of their own methods, as printed there.

A block is a table or figure on one data set: its columns, then a line a row; `-` is not published.
Data sets are named as in `tfreid.convert --dataset`; `a→b` is trained on a and tested on b.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from tfreid.reproduction.table import Table

FIGURES = """
[pgp/1] cuhk03:classic          | Top-1  Top-5  Top-10  Top-20
PGP                             | 91.7 98.2 98.7 99.0
PGP w/ data aug.                | 92.5 98.4 98.9 99.5
[pgp/1] cuhk01:test_half          | Top-1  Top-5  Top-10  Top-20
PGP                             | 80.7 95.0 97.5 98.9
PGP w/ data aug.                | 82.5 96.1 98.2 99.0
[pgp/1] viper                   | Top-1  Top-5  Top-10  Top-20
PGP                             | 50.6 70.3 79.1 88.0
PGP w/ data aug.                | 51.9 74.4 84.8 90.2
[pgp/1] 3dpes                   | Top-1  Top-5  Top-10  Top-20
PGP                             | 64.1 87.4 90.4 93.7
PGP w/ data aug.                | 65.6 88.1 91.5 95.0
[pgp/1] market1501              | Top-1  Top-5  Top-10  Top-20
PGP                             | 80.5 94.3 96.8 98.2
PGP w/ data aug.                | 81.2 94.6 97.0 98.3

[pgp/2] cuhk03:classic          | Top-1  Top-5  Top-10
DGD original                    | 87.2 97.4 98.3
DGD mean-background             | 77.2 93.7 97.0
DGD random-background           | 64.0 85.5 91.7
PGP original                    | 92.5 98.4 98.9
PGP mean-background             | 91.7 97.7 98.6
PGP random-background           | 91.1 97.6 98.5
[pgp/2] market1501              | Top-1  Top-5  Top-10
DGD original                    | 79.1 94.1 96.6
DGD mean-background             | 71.1 90.3 94.2
DGD random-background           | 58.4 80.1 86.4
PGP original                    | 81.2 94.6 97.0
PGP mean-background             | 80.5 93.9 98.2
PGP random-background           | 79.8 93.5 98.0

[pgp/3] market1501              | Top-1  Top-5  Top-10  Top-20
Main-net only                   | 75.6 91.9 95.6 97.0
1-branch foreground             | 77.5 92.7 95.7 97.6
2-branch upper+lower            | 80.0 94.2 96.8 98.2
3-branch                        | 80.5 94.3 96.8 98.2

[pgp/4] market1501              | Top-1  Top-5  Top-10  Top-20
Main-net only                   | 75.6 91.9 95.6 97.0
online (0.25)                   | 79.2 93.7 96.3 97.9
online (0.5)                    | 79.5 93.9 96.5 98.1
online (0.75)                   | 78.8 93.6 96.5 98.1
offline (1:1)                   | 76.1 92.4 95.6 97.6
offline (1:2)                   | 77.3 93.1 96.0 97.7

# Printed as fractions of three decimals.
[pgp/5] human_parsing           | Acc.  Pre.  Rec.  F1
Foreground-background           | 97.6 96.5 96.9 96.7
Four-class                      | 96.5 91.9 89.1 90.4
[pgp/5] lip                     | Acc.  Pre.  Rec.  F1
Foreground-background           | 89.2 89.1 89.3 89.1
Four-class                      | 84.6 80.9 77.5 79.0
[pgp/5] coco_person             | Acc.  Pre.  Rec.  F1
Foreground-background           | 90.8 90.8 90.8 90.8

# Of Sections 2.2 and 2.3: the figure has curves alone.
[pgp/figure3] cuhk03:classic    | original  mean-background  random-background  background-only
trained on original             | -    -    -    5.3
trained on background-only      | 25.9 -    -    37.1

[fanet/1] market1501            | R1  R5  R10  mAP
Baseline                        | 89.7 96.4 97.8 72.7
B/L+TEM                         | 90.9 96.5 97.7 73.5
B/L+TEM+BG                      | 92.5 97.1 97.9 79.3
B/L+TEM+BG+IA                   | 92.9 97.2 98.2 79.6
B/L+TEM+BG+IA+TAL               | 93.3 97.4 98.3 80.1
FA-Net                          | 95.0 97.9 98.6 84.6
[fanet/1] dukemtmc              | R1  R5  R10  mAP
Baseline                        | 77.9 88.9 91.6 60.1
B/L+TEM                         | 79.5 88.7 91.7 60.7
B/L+TEM+BG                      | 83.4 91.8 93.5 67.6
B/L+TEM+BG+IA                   | 84.3 92.0 94.6 67.7
B/L+TEM+BG+IA+TAL               | 85.2 91.9 94.0 67.9
FA-Net                          | 88.7 93.8 95.5 77.0
[fanet/1] msmt17                | R1  R5  R10  mAP
Baseline                        | 64.4 77.4 81.9 31.4
B/L+TEM                         | 65.4 78.3 82.8 33.0
B/L+TEM+BG                      | 70.8 82.9 86.8 41.1
B/L+TEM+BG+IA                   | 71.6 83.4 86.8 41.2
B/L+TEM+BG+IA+TAL               | 72.3 83.5 87.2 42.1
FA-Net                          | 76.8 86.8 89.8 51.0

[fanet/2] market1501            | R1  R5  R10  R20  mAP
B/L+TEM+BG+IA                   | 92.9 97.2 98.2 99.1 79.6
B/L+TEM+BG+IA+TALv1             | 92.6 97.3 98.5 99.2 79.7
B/L+TEM+BG+IA+TALv2             | 93.1 97.7 98.6 99.2 79.8
B/L+TEM+BG+IA+TAL               | 93.3 97.4 98.3 99.1 80.1
[fanet/2] dukemtmc              | R1  R5  R10  R20  mAP
B/L+TEM+BG+IA                   | 84.3 92.0 94.6 96.1 67.7
B/L+TEM+BG+IA+TALv1             | 82.8 91.8 93.5 95.4 68.5
B/L+TEM+BG+IA+TALv2             | 83.3 91.5 93.7 95.2 67.1
B/L+TEM+BG+IA+TAL               | 85.2 91.9 94.0 95.6 67.9
[fanet/2] msmt17                | R1  R5  R10  R20  mAP
B/L+TEM+BG+IA                   | 71.6 83.4 86.8 89.8 41.2
B/L+TEM+BG+IA+TALv1             | 68.9 81.1 85.1 88.5 39.1
B/L+TEM+BG+IA+TALv2             | 70.0 81.9 85.7 89.0 39.4
B/L+TEM+BG+IA+TAL               | 72.3 83.5 87.2 90.1 42.1

[fanet/3] market1501→dukemtmc   | R1  R5  R10  R20  mAP
Baseline                        | 28.5 43.5 50.3 56.8 13.9
B/L+TEM                         | 31.8 46.5 53.1 59.5 16.1
B/L+TEM+BG                      | 36.9 52.0 58.3 65.1 20.3
B/L+TEM+BG+IA                   | 38.0 53.7 60.2 66.1 20.7
B/L+TEM+BG+IA+TAL               | 39.4 54.9 60.6 66.0 21.5
FA-Net                          | 49.3 63.5 69.0 73.7 30.7
[fanet/3] dukemtmc→market1501   | R1  R5  R10  R20  mAP
Baseline                        | 50.4 67.4 74.2 80.8 21.5
B/L+TEM                         | 52.6 69.7 76.0 81.9 23.2
B/L+TEM+BG                      | 54.3 71.0 77.2 82.7 24.7
B/L+TEM+BG+IA                   | 55.1 72.0 78.3 83.8 25.3
B/L+TEM+BG+IA+TAL               | 56.2 73.0 78.5 83.0 25.5
FA-Net                          | 65.1 79.3 84.4 89.0 34.2

[fanet/4] market1501            | R1  mAP
FA-Net                          | 95.0 84.6
FA-Net+RK                       | 95.8 93.4
[fanet/4] dukemtmc              | R1  mAP
FA-Net                          | 88.7 77.0
FA-Net+RK                       | 91.5 88.9

[fanet/5] msmt17                | R1  R5  R10  mAP
FA-Net                          | 76.8 86.8 89.8 51.0

# The figure has curves alone; this is the same network in Table I.
[fanet/figure5] market1501      | R1
k=256                           | 95.0
[fanet/figure5] dukemtmc        | R1
k=256                           | 88.7

[spreid/1] lip                  | overall acc.  mean acc.  mean IoU
SPReID's parser                 | 85.07 60.54 48.16

[spreid/2] market1501           | mAP  rank-1  rank-10
Model-S                         | 64.45 84.06 95.55
Model-M                         | 72.14 88.18 96.64
Model-L                         | 73.06 88.87 97.00
Model-L ft                      | 76.56 90.8  97.71
[spreid/2] cuhk03:labeled,classic | mAP  rank-1  rank-10
Model-S                         | -     81.78 98.12
Model-M                         | -     85.66 98.90
Model-L                         | -     87.91 98.41
Model-L ft                      | -     88.73 98.94
[spreid/2] dukemtmc             | mAP  rank-1  rank-10
Model-S                         | 53.73 74.87 88.51
Model-M                         | 59.98 79.85 90.89
Model-L                         | 59.87 79.08 90.26
Model-L ft                      | 63.27 80.48 91.65

[spreid/3] market1501           | mAP  rank-1  rank-10
Inception-V3                    | 73.06 88.87 97.00
ResNet-50                       | 66.32 85.10 95.75
ResNet-152                      | 72.95 88.33 96.88
Inception-V3 ft                 | 76.56 90.80 97.71
ResNet-50 ft                    | 72.97 87.92 96.76
ResNet-152 ft                   | 77.96 90.71 97.65
[spreid/3] cuhk03:labeled,classic | mAP  rank-1  rank-10
Inception-V3                    | -     87.91 98.41
ResNet-50                       | -     85.88 99.19
ResNet-152                      | -     88.01 99.27
Inception-V3 ft                 | -     88.73 98.94
ResNet-50 ft                    | -     89.08 99.15
ResNet-152 ft                   | -     90.38 99.46
[spreid/3] dukemtmc             | mAP  rank-1  rank-10
Inception-V3                    | 59.87 79.08 90.26
ResNet-50                       | 54.77 73.70 88.02
ResNet-152                      | 62.42 79.62 90.80
Inception-V3 ft                 | 63.27 80.48 91.65
ResNet-50 ft                    | 59.72 77.74 90.84
ResNet-152 ft                   | 67.02 83.26 92.95

[spreid/4] market1501           | mAP  rank-1  rank-10
Inception-V3                    | 73.06 88.87 97.00
SPReID w/fg                     | 78.66 90.97 97.71
SPReID wo/fg                    | 78.06 90.74 97.80
SPReID combined                 | 79.67 91.45 98.1
[spreid/4] cuhk03:labeled,classic | mAP  rank-1  rank-10
Inception-V3                    | -     87.91 98.41
SPReID w/fg                     | -     89.57 99.19
SPReID wo/fg                    | -     91.29 98.93
SPReID combined                 | -     91.21 99.2
[spreid/4] dukemtmc             | mAP  rank-1  rank-10
Inception-V3                    | 59.87 79.08 90.26
SPReID w/fg                     | 67.20 82.32 92.32
SPReID wo/fg                    | 67.11 82.14 92.24
SPReID combined                 | 68.78 83.3  92.91

[spreid/5] market1501           | mAP  rank-1
SPReID w/fg                     | 78.66 90.97
SPReID w/fg shared              | 77.62 90.88
SPReID w/fg ft                  | 80.68 92.40
SPReID w/fg shared ft           | 80.54 92.34
[spreid/5] cuhk03:labeled,classic | mAP  rank-1
SPReID w/fg                     | -     89.57
SPReID w/fg shared              | -     87.69
SPReID w/fg ft                  | -     92.57
SPReID w/fg shared ft           | -     89.68
[spreid/5] dukemtmc             | mAP  rank-1
SPReID w/fg                     | 67.20 82.32
SPReID w/fg shared              | 65.66 81.73
SPReID w/fg ft                  | 69.79 84.02
SPReID w/fg shared ft           | 69.29 83.80

[spreid/6] market1501           | mAP  rank-1  rank-5  rank-10
Inception-V3 ft                 | 76.56 90.8  96.35 97.71
Inception-V3 ft*                | 82.87 93.14 97.27 98.22
Inception-V3 ft* + re-ranking   | 90.66 94.21 96.76 97.3
SPReID combined-ft              | 81.34 92.54 97.15 98.1
SPReID combined-ft*             | 83.36 93.68 97.57 98.4
SPReID combined-ft* + re-ranking | 90.96 94.63 96.82 97.65
[spreid/6] cuhk03:labeled,classic | mAP  rank-1  rank-5  rank-10
Inception-V3 ft                 | -     88.73 97.82 98.94
Inception-V3 ft*                | -     92.81 98.9  99.35
Inception-V3 ft* + re-ranking   | -     95.18 99.18 99.6
SPReID combined-ft              | -     93.89 98.76 99.51
SPReID combined-ft*             | -     94.28 99.04 99.56
SPReID combined-ft* + re-ranking | -     96.22 99.34 99.7
[spreid/6] dukemtmc             | mAP  rank-1  rank-5  rank-10
Inception-V3 ft                 | 63.27 80.48 88.78 91.65
Inception-V3 ft*                | 72    85.37 92.15 94.21
Inception-V3 ft* + re-ranking   | 84.82 89.41 93.18 94.75
SPReID combined-ft              | 70.97 84.43 91.88 93.72
SPReID combined-ft*             | 73.34 85.95 92.95 94.52
SPReID combined-ft* + re-ranking | 84.99 88.96 93.27 94.75

# The text and the abstract print some of these otherwise than the table.
[fpr/3] market1501→partial_reid:occluded | R1  mAP
Baseline                        | 53.33 50.20
DSR                             | 73.67 68.07
FPR                             | 81.00 76.60
[fpr/3] market1501→partial_ilids | R1  mAP
Baseline                        | 52.94 43.53
DSR                             | 64.29 58.12
FPR                             | 68.08 61.78
[fpr/3] market1501→occluded_reid | R1  mAP
Baseline                        | 42.12 37.24
DSR                             | 72.80 62.83
FPR                             | 78.30 68.00

# Table 5 counts 7,365 / 1,400 / 5,332 images of CUHK03: the new protocol in detected boxes.
[fpr/4] market1501              | R1  mAP
Baseline                        | 94.06 84.62
DSR                             | 94.71 85.78
FPR                             | 95.42 86.58
[fpr/4] cuhk03:detected,new     | R1  mAP
Baseline                        | 73.57 69.35
DSR                             | 75.24 71.15
FPR                             | 76.08 72.31
[fpr/4] dukemtmc                | R1  mAP
Baseline                        | 87.30 76.18
DSR                             | 88.14 77.07
FPR                             | 88.64 78.42

# The figure has curves alone; these are the same network in Table 3.
[fpr/figure7] market1501→partial_reid:occluded | R1  mAP
alpha=0.02 tau=0.35             | 81.00 76.60
[fpr/figure7] market1501→partial_ilids | R1  mAP
alpha=0.02 tau=0.35             | 68.08 61.78
[fpr/figure7] market1501→occluded_reid | R1  mAP
alpha=0.02 tau=0.35             | 78.30 68.00
"""


def with_published(table: Table) -> Table:
    """Returns a table of the papers with the published figures beside its rows.

    Raises:
      ValueError: if a block is of other columns, or a line of no row of the table.
    """
    found: dict[str, dict[str, tuple[str | None, ...]]] = {row.name: {} for row in table.rows}
    headings = [column.heading for column in table.columns]
    for data, columns, rows in _blocks(table.name):
        if columns != headings or not rows.keys() <= found.keys():
            raise ValueError(f"{table.name} on {data}: {columns}, {[*rows]} are not the table's")
        for name, figures in rows.items():
            found[name][data] = figures
    return replace(table, rows=tuple(replace(row, paper=found[row.name]) for row in table.rows))


def _blocks(table: str) -> Iterator[tuple[str, list[str], dict[str, tuple[str | None, ...]]]]:
    """Yields the data set, the columns and the rows of each block of a table."""
    for block in re.split(r"^(?=\[)", FIGURES, flags=re.MULTILINE)[1:]:
        lines = [line.split("|") for line in block.splitlines() if "|" in line]
        (title, columns), *rows = ([part.strip() for part in line] for line in lines)
        name, data = re.fullmatch(r"\[(.+)\] (.+)", title).groups()
        if name == table:
            figures = {row: tuple(f if f != "-" else None for f in v.split()) for row, v in rows}
            yield data, re.split(r"\s{2,}", columns), figures
