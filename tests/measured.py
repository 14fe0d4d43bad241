"""For the tests of `evaluation` and of `report`: audits, and sets of several data sets."""

import shutil
import zlib
from dataclasses import replace

import pytest

from tests.edited_json import edited
from tfreid.datasets import Reading, Split, rows_of
from tfreid.records import Records


class RecordingProgress:
    """Keeps what an audit tells a `tfreid.progress.Progress`."""

    def __init__(self):
        self.done, self.notes, self.said = 0, [], []

    def advance(self, count=1, note=None):
        self.done += count

    def note(self, text):
        self.notes.append(text)

    def say(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def person():
    """The network of the second one of `audits`, by itself."""
    from toy_models import SIZE_PX, PersonModel

    from tfreid.evaluation import Network

    return [Network("person", PersonModel(), SIZE_PX)]


@pytest.fixture(scope="session")
def audits(reid_folder):
    """Two models on all four variants."""
    from toy_models import SIZE_PX, PersonModel, SceneryModel

    from tfreid.evaluation import Measurement, Network, audit, evaluation_sets

    (tested,) = evaluation_sets(reid_folder)
    measurement = Measurement(batch_size=16)
    return [
        audit([Network(name, model(), SIZE_PX)], tested, measurement)
        for name, model in (("scenery <1>", SceneryModel), ("person", PersonModel))
    ]


@pytest.fixture(scope="session")
def folder_without_masks(reid_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "reid"
    shutil.copytree(reid_folder.path, path)
    with edited(path / "dataset.json") as values:
        for counts in values["splits"].values():
            counts["with_mask"] = 0
    return Records(path)


@pytest.fixture(scope="session")
def market_folder(raw_data, tmp_path_factory):
    """Converts some rows of the tiny Market-1501, by a function of its rows."""
    from tfreid.records import ImageSet, conversion, sources

    def convert(change):
        rows = change(rows_of("market1501", raw_data / "market1501", raw_data / "masks"))
        source = ImageSet("market1501", given=Reading(rows), mask_vocabulary="lip20")
        plan = sources.plan([source], shards=2, copies=0, seed=0)
        options = conversion.ConversionOptions(
            backgrounds_root=raw_data / "backgrounds", synthetic=True
        )
        out = tmp_path_factory.mktemp("market") / "reid"
        conversion.convert(plan, out, options)
        return Records(out)

    return convert


def lacks_mask(row):
    """Which test images of `partly_masked_folder` have no mask: some of each split."""
    return row.split != "train" and zlib.crc32(row.key.encode()) % 3 == 0


@pytest.fixture(scope="session")
def partly_masked_folder(market_folder):
    """The tiny Market-1501, of which every third test image has no mask."""
    return market_folder(
        lambda rows: [replace(row, mask_path=None) if lacks_mask(row) else row for row in rows]
    )


SHOTS = Reading(
    rows=[],
    protocol="random_half",
    split=Split(index=2, of=10, seed=7, test_persons=(9, 10, 11, 12)),
    excluded={"persons seen by one camera": 5},
)
"""How the second data set of `joint_folder` says that it was read."""


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    """Converts some sources into a new folder."""
    from tfreid.records import conversion, sources

    def convert(*given):
        plan = sources.plan(given, shards=2, copies=0, seed=0)
        out = tmp_path_factory.mktemp("joint") / "reid"
        conversion.convert(plan, out, conversion.ConversionOptions(synthetic=True))
        return Records(out)

    return convert


@pytest.fixture(scope="session")
def shots_source(raw_data):
    """Four of the tiny test persons as a data set `shots` of two cameras, without masks."""
    from tfreid.records import ImageSet

    rows = [
        replace(row, key=row.key.replace("market1501/", "shots/"))
        for row in rows_of("market1501", raw_data / "market1501")
        if row.split != "train" and row.person_id in (0, 9, 10, 11, 12)
    ]
    return ImageSet("shots", given=replace(SHOTS, rows=rows))


@pytest.fixture(scope="session")
def joint_folder(raw_data, shots_source, converted):
    """The tiny Market-1501 and `shots` in one folder, without masks."""
    from tfreid.records import ImageSet

    rows = rows_of("market1501", raw_data / "market1501")
    folder = converted(ImageSet("market1501", given=Reading(rows)), shots_source)
    sources = dict(folder.info.sources)
    sources["shots"] = replace(sources["shots"], options={"images": "all"})
    replace(folder.info, sources=sources).write(folder.path)  # As of a reader that has options.
    return Records(folder.path)
