"""What a database can do to a gallery, and what others do at the same time."""

import re
import threading

import psycopg
import pytest

from tests.gallery.colourful import people, png
from tfreid.errors import DataError, MissingPathError, ServingError, UsageError
from tfreid.gallery import Database, Gallery, NewImage
from tfreid.gallery.embedded import start


def test_a_gallery_of_a_newer_release_is_refused(gallery, database):
    with database.connect() as connection:
        connection.execute("INSERT INTO migration VALUES (999)")
    with pytest.raises(UsageError, match=r"written by a newer release.*number 999"):
        Gallery(database)


def test_a_server_that_is_not_there_is_named_without_its_password():
    database = Database("postgresql://me:secret@127.0.0.1:1/people")
    with pytest.raises(ServingError, match=r"postgresql://me:…@127\.0\.0\.1:1/people: ") as error:
        Gallery(database)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("rest", ["localhost/db?foo=bar", "[::1", "a%zz@localhost/db"])
def test_what_is_no_address_is_misuse(rest):
    with pytest.raises(UsageError, match="is no address"):
        Gallery(Database(f"postgresql://{rest}"))


def test_a_password_among_the_options_is_not_shown():
    place = Database("postgresql://me@localhost/db?password=secret&sslmode=require")
    assert str(place) == "postgresql://me@localhost/db?password=…&sslmode=require"


@pytest.mark.parametrize("text", ["a\0", "a\udcff"])
def test_texts_that_are_none_are_refused(gallery, text):
    gallery.enrol(people(1), "me")
    acts = (
        lambda: gallery.forget(person=text, actor="me"),
        lambda: gallery.stored(text),
        lambda: gallery.search([png(0)], cameras=[text], actor="me"),
    )
    for act in acts:
        with pytest.raises(UsageError, match="cannot take that"):
            act()


def test_a_database_of_another_encoding_keeps_names_as_they_are(shared_folder, describer):
    with Database(shared_folder).connect() as connection:
        connection.execute(
            "CREATE DATABASE western ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
    database = Database(start(shared_folder).replace("/postgres?", "/western?"))
    gallery = Gallery.create(database, describer, "colours")
    gallery.enrol([NewImage("ü.png", "Zoë", png(1), "Café")], "me")
    (found,) = gallery.images("Zoë")
    assert (found.name, found.person, found.camera) == ("ü.png", "Zoë", "Café")
    with pytest.raises(UsageError, match="cannot take that"):
        gallery.enrol([NewImage("b.png", "名前", png(2))], "me")


def test_an_empty_database_holds_no_gallery(database):
    with database.connect():
        pass
    with pytest.raises(MissingPathError, match="holds no gallery"):
        Gallery(database)


def test_a_long_path_has_no_room_for_a_socket(tmp_path, describer):
    with pytest.raises(UsageError, match="too long a path for the socket"):
        Gallery.create(Database(tmp_path / ("x" * 90)), describer, "colours")


@pytest.mark.parametrize("name", [",", '"b', "$a", "a`", "\\b"])
def test_a_path_that_the_server_does_not_take_is_refused(folder, describer, name):
    place = folder.parent / name
    with pytest.raises(UsageError, match=f"as its path has {re.escape(name.strip('ab'))}: choose"):
        Gallery.create(Database(place), describer, "colours")
    assert not place.exists()


def test_a_folder_that_others_may_write_to_is_refused(folder, describer):
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(UsageError, match="open to others"):
        Gallery.create(Database(folder), describer, "colours")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (psycopg.errors.DiskFull("No space left on device"), "No space left.*nothing was changed"),
        (psycopg.errors.DataCorrupted("invalid page"), "is damaged: invalid page"),
    ],
)
def test_what_the_disk_does_is_said(database, error, text):
    with pytest.raises(DataError, match=text), database.connect():
        raise error


def test_of_two_that_store_one_name_at_a_time_one_is_told(gallery, database, describer):
    both_ready, errors = threading.Barrier(2), []

    def enrol(person: int) -> None:
        mine = Gallery(database, describer)
        images = [
            NewImage("same.png", f"q{person}", png(50 + person)),
            *people(20)[20 * person :][:20],
        ]
        both_ready.wait()
        try:
            mine.enrol(images, "me")
        except UsageError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=enrol, args=(person,)) for person in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 1
    assert "same.png" in errors[0]
    assert gallery.status()["images"] == 21


def test_many_search_while_one_enrols_and_forgets(gallery, describer):
    gallery.enrol(people(5), "me")
    stop, failures = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            found = gallery.search([png(3, 7)], top=3, actor="me").matches
            if {match.person for match in found} != {"p3"}:
                failures.append(found)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(5):
        gallery.enrol([NewImage(f"x{turn}", "x", png(100 + turn))], "me")
        gallery.forget(person="x", actor="me")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
