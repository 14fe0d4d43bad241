"""What is forgotten is gone from the files, whatever happens on the way."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.colourful import people, png
from tfreid.errors import ServingError
from tfreid.gallery import Database, Gallery, NewImage, emptying
from tfreid.gallery import gallery as module
from tfreid.gallery.embedded import start
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

    monkeypatch.setattr(module, "require_wiped", killed)
    with pytest.raises(KeyboardInterrupt):
        gallery.forget(person=SECRET.person, actor="me")
    assert SECRET.person not in dict(gallery.persons())
    assert "descriptor" in traces(folder, descriptor)
    monkeypatch.undo()
    Gallery(Database(folder))
    assert traces(folder, descriptor) == set()


@pytest.mark.parametrize(
    "begun",
    ["SELECT pg_current_xact_id()", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1"],
)
def test_who_may_still_see_what_is_forgotten_is_waited_for(folder, filled, monkeypatch, begun):
    gallery, descriptor = filled
    monkeypatch.setattr(emptying, "_PATIENCE_S", 0.3)
    with Database(folder).connect() as other, other.transaction():
        other.execute(begun)
        with pytest.raises(ServingError, match="the images are deleted, and their bytes are still"):
            gallery.forget(person=SECRET.person, actor="me")
        assert SECRET.person not in dict(gallery.persons())
    assert "descriptor" in traces(folder, descriptor)
    Gallery(Database(folder))
    assert traces(folder, descriptor) == set()


def test_who_may_not_write_the_tables_anew_is_told_that_the_bytes_are_there(folder, filled):
    _, descriptor = filled
    with Database(folder).connect() as connection:
        connection.execute("CREATE ROLE app LOGIN IN ROLE pg_read_all_data, pg_write_all_data")
    database = Database(start(folder).replace("postgres@", "app@"))
    with pytest.raises(ServingError, match=r"still in its files.*permission denied.*MAINTAIN"):
        Gallery(database).forget(person=SECRET.person, actor="app")
    assert SECRET.person not in dict(Gallery(database).persons())  # It can be worked with.
    assert "descriptor" in traces(folder, descriptor)
    Gallery(Database(folder))
    assert traces(folder, descriptor) == set()


def test_wiping_for_one_does_not_call_the_work_of_another_done(folder, filled, monkeypatch):
    gallery, descriptor = filled
    rewrite, deleted = emptying._kept, []

    def meanwhile(connection, table):
        if table == emptying._TABLES[-1]:  # Another process deletes, and is killed.
            with Database(folder).connect() as other, other.transaction():
                deleted.append(emptying.delete(other, SECRET.person, None, None))
            return ""
        return rewrite(connection, table)

    monkeypatch.setattr(emptying, "_kept", meanwhile)
    gallery.forget(person="p1", actor="me")
    assert len(deleted) == 1
    monkeypatch.undo()
    Gallery(Database(folder))
    assert traces(folder, descriptor) == set()
