"""What is forgotten is gone from the files, whatever happens on the way."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.colourful import people, png
from tfreid.gallery import Database, Gallery, NewImage
from tfreid.gallery import gallery as module
from tfreid.gallery.thumbnails import thumbnail

SECRET = NewImage("zebra-crossing.png", "Annabelle Zebra", png(777), "cam-zebra")


def traces(folder: Path, descriptor: np.ndarray) -> set[str]:
    """What of the secret image is anywhere in the files of a gallery."""
    needles = {
        "name": SECRET.name.encode(),
        "person": SECRET.person.encode(),
        "camera": SECRET.camera.encode(),
        "digest": hashlib.sha256(SECRET.file).digest(),
        "descriptor": descriptor.astype("<f2").tobytes(),
        "thumbnail": thumbnail(SECRET.file)[-60:],
        "file": SECRET.file[-60:],
    }
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {what for what, needle in needles.items() if any(needle in file for file in files)}


@pytest.fixture
def filled(folder, describer):
    gallery = Gallery.create(Database(folder), describer, "colours", keep_images=True)
    gallery.enrol([*people(3), SECRET], "me")
    descriptor = describer.describe([SECRET.file], ["secret"])[0]
    assert len(traces(folder, descriptor)) == 7
    return gallery, descriptor


def test_nothing_of_a_forgotten_person_remains_in_the_files(folder, filled):
    gallery, descriptor = filled
    gallery.search([SECRET.file], actor="me")
    with pytest.raises(ValueError, match="is the name of another"):
        gallery.enrol([NewImage(SECRET.name, SECRET.person, png(1))], "me")
    with Database(folder).connect() as connection:
        connection.execute("ANALYZE")  # As the server does by itself, of samples of the tables.
    assert gallery.forget(person=SECRET.person, actor="me") == 1
    assert traces(folder, descriptor) == set()
    assert gallery.status()["images"] == 9


def test_the_next_process_finishes_what_a_killed_one_began(folder, filled, monkeypatch):
    gallery, descriptor = filled

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "wipe", killed)
    with pytest.raises(KeyboardInterrupt):
        gallery.forget(person=SECRET.person, actor="me")
    assert SECRET.person not in dict(gallery.persons())
    assert "descriptor" in traces(folder, descriptor)
    monkeypatch.undo()
    Gallery(Database(folder))
    assert traces(folder, descriptor) == set()
