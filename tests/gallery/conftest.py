import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.colourful import SIZE_PX, MeanColours, StripColours
from tests.gallery.debian_server import debian_server
from tfreid.gallery import Database, Gallery
from tfreid.gallery.database import SCHEMA
from tfreid.gallery.describing import ImageDescriber
from tfreid.gallery.embedded import stop
from tfreid.nn.network import Network


@pytest.fixture(scope="session")
def describer() -> ImageDescriber:
    return ImageDescriber(Network("colours", MeanColours(), SIZE_PX))


@pytest.fixture(scope="session")
def other_describer() -> ImageDescriber:
    return ImageDescriber(Network("turned", MeanColours(turned=True), SIZE_PX))


@pytest.fixture(scope="session")
def position_describer() -> ImageDescriber:
    return ImageDescriber(Network("strips", StripColours(), SIZE_PX))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server of Debian's; the test is skipped where there is none."""
    with debian_server() as address:
        yield address


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A short path for a gallery, as the socket in it needs, not only of letters."""
    place = Path(tempfile.mkdtemp(prefix="gallery", dir="/tmp"))
    folder = place / "Zoë's %41"
    yield folder
    stop(folder)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as place:
        yield place


@pytest.fixture(scope="session")
def shared_folder() -> Iterator[Path]:
    """Of one server for the galleries of many tests: making the files of one takes seconds."""
    with short_folder() as place:
        yield place


@pytest.fixture(params=["embedded", "server"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty place for a gallery, of both kinds."""
    kinds = {"embedded": "shared_folder", "server": "server"}
    database = Database(request.getfixturevalue(kinds[request.param]))
    with database.connect() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    return database


@pytest.fixture
def gallery(database: Database, describer: ImageDescriber) -> Gallery:
    return Gallery.create(database, describer, "colours")
