import shutil
import tempfile
from pathlib import Path

import pytest

from tests.gallery.colourful import SIZE_PX, MeanColours
from tfreid.gallery import Database, Gallery
from tfreid.nn.network import Network


@pytest.fixture(scope="session")
def describer():
    from tfreid.gallery.describing import ImageDescriber

    return ImageDescriber(Network("colours", MeanColours(), SIZE_PX))


@pytest.fixture(scope="session")
def other_describer():
    from tfreid.gallery.describing import ImageDescriber

    return ImageDescriber(Network("turned", MeanColours(turned=True), SIZE_PX))


@pytest.fixture
def place(tmp_path_factory):
    """A short path for a gallery, which the socket's limit allows."""
    folder = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    yield folder / "gallery"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def gallery(place, describer):
    return Gallery.create(Database(place), describer, "colours")
