"""Evaluation protocols by name: which gallery images a query is compared with, and how often."""

from collections.abc import Iterable
from dataclasses import dataclass

from tfreid.datasets.row import Row, cameras_known


@dataclass(frozen=True)
class Protocol:
    """How queries are compared with the gallery.

    Attributes:
        name: Key of `PROTOCOLS`.
        summary: What it means, in one line.
        camera_filter: Leave out, for each query, gallery images of its person from its camera.
        gallery_draws: 0 compares with the whole gallery; n draws one gallery image a person, n
            times, and averages (single gallery shot).
        num_splits: Splits into training and test persons over which published figures are
            averaged; 1 where the data set fixes the split.
    """

    name: str
    summary: str
    camera_filter: bool = True
    gallery_draws: int = 0
    num_splits: int = 1


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "market",
            "single query; matches by the query's own camera and junk are left out",
        ),
        Protocol(
            "cuhk03_classic",
            "one gallery image a person, mean of 100 draws, over the 20 published splits",
            gallery_draws=100,
            num_splits=20,
        ),
        Protocol(
            "random_half",
            "one gallery image a person, mean of 100 draws, over 10 drawn splits",
            gallery_draws=100,
            num_splits=10,
        ),
        Protocol(
            "no_camera",
            "single query; cameras are not known, so every image of the person is a match",
            camera_filter=False,
        ),
    )
}


def protocol_for(rows: Iterable[Row]) -> str:
    """Returns the key of the protocol for a user's own data: that of the knowledge of cameras."""
    return "market" if cameras_known(rows) else "no_camera"
