"""Enrolling, searching and forgetting, with PostgreSQL itself."""

import threading
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
import psycopg
import pytest

from tests.gallery.colourful import SIZE_PX, MeanColours, people, png
from tfreid.errors import MissingPathError, UsageError
from tfreid.gallery import Database, Gallery, NewImage, searching
from tfreid.gallery.database import SCHEMA
from tfreid.gallery.describing import ImageDescriber
from tfreid.gallery.indexing import make_index
from tfreid.gallery.log import log
from tfreid.gallery.searching import nearest
from tfreid.nn.network import Network
from tfreid.retrieval import OpenSetSearches
from tfreid.serving.refused import RefusedImagesError

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
HOSTILE = [
    "'; DROP TABLE image; --",
    '"; SELECT 1; --',
    "%s %(query)s {conditions}",
    "\\'; DELETE FROM person",
    "$$ || pg_sleep(10) || $$",
    "<img onerror=alert(1)>",
    "Ünïcödé 名前",
]


def test_a_search_finds_the_nearest_images_exactly(gallery, describer):
    images = people(12)
    assert gallery.enrol(images, "me") == len(images)
    query = describer.describe([png(5, 99)], ["query"])[0]
    stored = describer.describe([i.file for i in images], [i.name for i in images])
    distances = 1 - stored.astype(np.float16).astype(np.float64) @ query
    found = gallery.search([png(5, 99)], top=7, actor="me").matches
    assert [match.name for match in found] == [images[i].name for i in np.argsort(distances)[:7]]
    expected = np.sort(distances)[:7]
    np.testing.assert_allclose([match.distance for match in found], expected, atol=1e-3)
    assert {match.person for match in found[:3]} == {"p5"}


def test_several_pictures_are_searched_for_by_their_mean(gallery, describer):
    gallery.enrol(people(6), "me")
    files = [png(2, 50), png(4, 50)]
    mean = describer.describe(files, ["a", "b"]).mean(axis=0)
    found = gallery.search(files, top=1, actor="me").matches[0]
    stored = describer.describe([next(i.file for i in people(6) if i.name == found.name)], ["c"])
    cosine = stored[0] @ mean / np.linalg.norm(mean)
    assert found.person in ("p2", "p4")
    assert found.distance == pytest.approx(1 - cosine, abs=2e-3)


def test_filters_leave_only_what_was_asked_for(gallery):
    images = [
        NewImage(f"{n}.png", "anna", png(1, n), f"cam{n % 2}", NOON + timedelta(hours=n))
        for n in range(6)
    ]
    gallery.enrol([*images, NewImage("when.png", "ben", png(2))], "me")

    def names(**filters):
        return {m.name for m in gallery.search([png(1)], top=99, actor="me", **filters).matches}

    assert names() == {i.name for i in images} | {"when.png"}
    assert names(cameras=["cam1"]) == {"1.png", "3.png", "5.png"}
    assert names(cameras=["cam0", "cam1"]) == {i.name for i in images}
    assert names(since=NOON + timedelta(hours=2)) == {"2.png", "3.png", "4.png", "5.png"}
    assert names(until=NOON + timedelta(hours=2)) == {"0.png", "1.png"}
    assert names(cameras=["cam0"], since=NOON + timedelta(hours=1)) == {"2.png", "4.png"}
    with pytest.raises(UsageError, match="no stored image is of these cameras and times"):
        names(cameras=["elsewhere"])


def test_what_is_enrolled_comes_back_as_it_was(gallery):
    image = NewImage("a b/ü.png", "Anna", png(1), "Eingang 1", NOON)
    gallery.enrol([image], "me")
    (found,) = gallery.images("Anna")
    assert (found.name, found.person, found.camera) == ("a b/ü.png", "Anna", "Eingang 1")
    assert found.taken_at == NOON
    assert gallery.cameras() == ["Eingang 1"]
    assert gallery.persons() == [("Anna", 1)]
    assert gallery.thumbnail(found.image).startswith(b"\xff\xd8\xff")
    assert gallery.thumbnail(found.image + 1) is None


def test_an_enrolment_is_whole_or_absent(gallery):
    damaged = NewImage("bad.png", "p1", png(3)[:60])
    with pytest.raises(RefusedImagesError, match=r"bad\.png: "):
        gallery.enrol([*people(2), damaged], "me")
    assert gallery.status()["images"] == 0
    with pytest.raises(UsageError, match=r"two of the images have one name, p0/1\.png: give"):
        gallery.enrol([*people(2), *people(1)[1:]], "me")
    assert gallery.persons() == []


def test_what_is_stored_already_is_left_out(gallery):
    assert gallery.enrol(people(2), "me") == 6
    assert gallery.enrol(people(3), "me") == 3
    assert gallery.enrol(people(3), "me") == 0
    with pytest.raises(UsageError, match=r"p0/0\.png is the name of another stored image, of p0"):
        gallery.enrol([NewImage("p0/0.png", "p0", png(9))], "me")
    with pytest.raises(UsageError, match="of another stored image"):
        gallery.enrol([NewImage("p0/0.png", "p9", png(0, 0))], "me")


def test_a_picture_is_of_one_person(gallery):
    gallery.enrol(people(2), "me")
    ben, same = NewImage("b.png", "ben", png(9)), "is the same picture as"
    for images, text in [
        ([ben, NewImage("c.png", "p5", png(0, 1))], rf"c\.png of p5 {same} p0/1\.png of p0: a pic"),
        ([ben, NewImage("c.png", "p5", png(9))], rf"c\.png of p5 {same} b\.png of ben: a picture"),
        ([NewImage(f"{n}", "x", png(0, n % 3)) for n in range(8)], "4 of x .* of p0; and 3 more: "),
    ]:
        with pytest.raises(UsageError, match=text):
            gallery.enrol(images, "me")
    assert gallery.status()["images"] == 6
    # Of the same person it is one more picture, under its own name.
    assert gallery.enrol([NewImage("again.png", "p0", png(0)), *people(2)], "me") == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_field_is_taken_for_a_statement(gallery, text):
    gallery.enrol([NewImage(text, text, png(9), text, NOON), *people(2)], text)
    found = gallery.search([png(9)], cameras=[text], actor=text).matches
    assert [(m.name, m.person, m.camera) for m in found] == [(text, text, text)]
    assert gallery.stored(text)["images"][0]["name"] == text
    assert gallery.forget(image=text, actor=text) == 1
    assert gallery.forget(person=text, actor=text) == 0
    assert gallery.status()["images"] == 6


@pytest.mark.parametrize("name", ["", " ", "..", "a\0b", "a\nb", "x" * 501])
@pytest.mark.parametrize("field", ["name", "person", "camera"])
def test_a_name_that_cannot_be_stored_is_refused(gallery, field, name):
    image = {"name": "a.png", "person": "anna", "file": png(1), field: name}
    with pytest.raises(UsageError, match=f"{field}="):
        gallery.enrol([NewImage(**image)], "me")


@pytest.mark.parametrize("name", ["nobody", " Nobody", "Nobody we know", "It cannot be told"])
def test_no_person_is_called_what_searches_answer(gallery, name):
    images = [*people(1), NewImage("a.png", name, png(1))]
    with pytest.raises(UsageError, match=rf"a\.png: a person called '{name}' could not be told"):
        gallery.enrol(images, "me")
    assert gallery.enrol([NewImage("nobody", "Nobody Owens", png(1))], "me") == 1


def test_a_time_without_zone_is_refused(gallery):
    with pytest.raises(UsageError, match="no time zone"):
        gallery.enrol([NewImage("a.png", "anna", png(1), taken_at=datetime(2026, 1, 1))], "me")
    far = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))  # Year 10,000 in UTC.
    with pytest.raises(UsageError, match="expected the year of a picture"):
        gallery.enrol([NewImage("a.png", "anna", png(1), taken_at=far)], "me")


def test_the_log_says_who_did_what_without_names(gallery, database):
    gallery.enrol(people(2), "ann")
    gallery.search([png(0)], top=1, actor="bob")
    gallery.forget(person="p1", actor="cid")
    with database.connect() as connection:
        log = connection.execute("SELECT actor, action, details FROM log ORDER BY id").fetchall()
        assert [entry[:2] for entry in log] == [
            *[("ann", "enrol"), ("bob", "search"), ("cid", "forget")],
        ]
        assert "p1" not in str(log)
        for change in ("DELETE FROM log", "UPDATE log SET actor = ''", "TRUNCATE log"):
            with pytest.raises(psycopg.errors.RaiseException, match="only added to"):
                connection.execute(change)


def test_all_that_is_stored_on_a_person_is_told(gallery):
    gallery.enrol(people(2), "ann")
    gallery.search([png(0)], top=2, actor="bob")
    gallery.search([png(1)], top=2, actor="cid")
    told = gallery.stored("p1")
    assert [image["name"] for image in told["images"]] == ["p1/0.png", "p1/1.png", "p1/2.png"]
    assert len(told["images"][0]["descriptor"]) == 24
    assert [entry["actor"] for entry in told["log"]] == ["ann", "cid"]
    with pytest.raises(UsageError, match="nobody called 'p7'"):
        gallery.stored("p7")


def test_another_model_is_refused(gallery, database, other_describer):
    gallery.enrol(people(1), "me")
    with pytest.raises(UsageError, match="turned is another model"):
        Gallery(database, other_describer)


def named(answer):
    return {(match.name, round(match.distance, 3)) for match in answer.matches}


def test_a_gallery_that_keeps_its_images_can_be_described_anew(
    database, describer, other_describer
):
    gallery = Gallery.create(database, describer, "colours", keep_images=True)
    gallery.enrol(people(4), "me")
    before, done = named(gallery.search([png(2, 9)], top=12, actor="me")), []
    other = Gallery(database, describer)
    assert gallery.rebuild(other_describer, "turned", "me", done.append) == sum(done) == 12
    assert named(gallery.search([png(2, 9)], top=12, actor="me")) == before
    assert gallery.status()["model"] == "turned"
    assert Gallery(database, other_describer).stored("p2")["log"][-1]["action"] == "search"
    for act in (lambda: other.search([png(1)], actor="me"), lambda: other.enrol(people(9), "me")):
        with pytest.raises(UsageError, match="rebuilt with another model"):
            act()


class FewColours(MeanColours):
    """Describes by fewer values."""

    def embed(self, images):
        return super().embed(images)[:, :12]


def test_a_model_of_another_size_is_noticed_by_who_has_not_heard_of_it(database, describer):
    gallery = Gallery.create(database, describer, "colours", keep_images=True)
    gallery.enrol(people(22), "me")
    gallery.index("me")
    fewer = ImageDescriber(Network("few", FewColours(), SIZE_PX))
    other = Gallery(database, describer)
    gallery.rebuild(fewer, "few", "me", lambda _: None)
    with pytest.raises(UsageError, match="rebuilt with another model"):
        other.search([png(1)], actor="me")
    with pytest.raises(UsageError, match="has no index"):  # It was of the descriptors before.
        gallery.search([png(1)], approximate=True, actor="me")


def test_others_may_calibrate_and_enrol_while_a_gallery_is_rebuilt(
    database, describer, other_describer
):
    gallery = Gallery.create(database, describer, "colours", keep_images=True)
    gallery.enrol(people(22), "me")
    other = Gallery(database, describer)
    told = []

    def enrol():
        try:
            other.enrol([NewImage("new", "anna", png(99))], "me")
        except UsageError as error:
            told.append(str(error))

    enrolling = threading.Thread(target=enrol)

    def meanwhile(_):
        if not enrolling.ident:
            other.calibrate("me")
            enrolling.start()
            time.sleep(0.5)

    assert gallery.rebuild(other_describer, "turned", "me", meanwhile) == 66
    enrolling.join(timeout=30)
    assert "was rebuilt with another model" in told[0]  # It waited, and ended neither of the two.
    assert gallery.status()["model"] == "turned"


def test_the_same_picture_by_two_at_a_time_is_of_one_person(database, describer):
    gallery = Gallery.create(database, describer, "colours")
    both, refused = threading.Barrier(2), []

    def enrol(person):
        own = Gallery(database, describer)
        both.wait(10)
        try:
            own.enrol([NewImage(person, person, png(5))], "me")
        except UsageError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=enrol, args=[person]) for person in ("anna", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(gallery.persons()) == 1
    assert "is the same picture as" in refused[0]


def test_without_image_files_a_gallery_is_not_rebuilt(gallery, other_describer):
    gallery.enrol(people(2), "me")
    with pytest.raises(UsageError, match="keeps no image files"):
        gallery.rebuild(other_describer, "turned", "me", lambda _: None)
    assert gallery.search([png(1)], actor="me").matches[0].person == "p1"


def test_pictures_are_kept_only_where_asked(folder, describer, database):
    kept = Gallery.create(database, describer, "colours", keep_images=True)
    kept.enrol(people(1), "me")
    assert kept.stored("p0")["images"][0]["file"] is not None
    if database.is_embedded:
        return
    other = Gallery.create(Database(folder), describer, "colours")
    other.enrol(people(1), "me")
    assert other.stored("p0")["images"][0]["file"] is None


def test_what_is_past_its_retention_is_forgotten_when_the_gallery_is_opened(database, describer):
    gallery = Gallery.create(database, describer, "colours", expire_days=30)
    gallery.enrol(people(2), "me")
    with database.connect() as connection:
        connection.execute(
            "UPDATE image SET enrolled_at = now() - interval '31 days' WHERE name LIKE 'p1/%'"
        )
    assert Gallery(database).persons() == [("p0", 3)]


def test_without_its_model_a_gallery_forgets_and_does_not_search(gallery, database):
    gallery.enrol(people(2), "me")
    opened = Gallery(database)
    assert opened.forget(older_than=datetime.now(timezone.utc), actor="me") == 6
    with pytest.raises(UsageError, match="opened without its model"):
        opened.search([png(1)], actor="me")


def test_there_must_be_a_picture(gallery):
    with pytest.raises(UsageError, match="no picture to search with"):
        gallery.search([], actor="me")


@pytest.mark.parametrize("what", [{}, {"person": "a", "image": "b"}])
def test_one_thing_is_forgotten_at_a_time(gallery, what):
    with pytest.raises(UsageError, match="give one of"):
        gallery.forget(**what, actor="me")


def test_a_second_gallery_in_one_place_is_refused(gallery, database, describer):
    with pytest.raises(UsageError, match="holds a gallery already"):
        Gallery.create(database, describer, "colours")


def test_where_there_is_no_gallery_none_is_made(folder):
    with pytest.raises(MissingPathError, match="holds no gallery"):
        Gallery(Database(folder))
    assert not folder.exists()


def test_an_approximate_search_says_what_it_misses(gallery):
    with pytest.raises(UsageError, match="the gallery is empty"):
        gallery.index("me")
    gallery.enrol(people(40), "me")
    with pytest.raises(UsageError, match="has no index"):
        gallery.search([png(7)], approximate=True, actor="me")
    recall = gallery.index("me")
    assert 0.9 < recall <= 1
    exact = gallery.search([png(7, 5)], actor="me")
    near = gallery.search([png(7, 5)], approximate=True, actor="me")
    assert (exact.recall, near.recall) == (None, recall)
    assert len({m.image for m in exact.matches} & {m.image for m in near.matches}) >= 8


def test_an_exact_search_does_not_use_the_index(gallery, database, describer):
    gallery.enrol(people(40), "me")
    gallery.index("me")
    query = describer.describe([png(7)], ["query"])[0]
    with database.connect() as connection, connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")  # So small a table needs no index.
        nearest(connection, query, 5, (), None, None, approximate=True)
        scans = index_scans(connection)
        assert scans > 0
        nearest(connection, query, 5, (), None, None)
        assert index_scans(connection) == scans


def test_an_index_is_measured_by_searches_that_use_it(gallery, database):
    gallery.enrol(people(40), "me")
    with database.connect() as connection, connection.transaction():
        make_index(connection)
        assert index_scans(connection) == 120  # One of each image.


def test_what_an_index_gives_up_on_is_looked_for_exactly(gallery, database, describer, monkeypatch):
    gallery.enrol([*people(40), NewImage("rare.png", "rare", png(99), "rare")], "me")
    gallery.index("me")
    query = -describer.describe([png(99)], ["query"])[0]
    monkeypatch.setattr(searching, "_BY_INDEX", searching._BY_INDEX.replace("200", "1"))
    with database.connect() as connection, connection.transaction():
        connection.execute("SET LOCAL hnsw.max_scan_tuples = 1")
        found = nearest(connection, query, 5, ["rare"], None, None, approximate=True)
        assert [match.name for match in found] == ["rare.png"]
        with pytest.raises(UsageError, match="no stored image is of these cameras"):
            nearest(connection, query, 5, ["none"], None, None, approximate=True)


def index_scans(connection: psycopg.Connection) -> int:
    statement = "SELECT pg_stat_get_xact_numscans('nearest'::regclass)"
    return connection.execute(statement).fetchone()[0]


def test_without_calibration_nobody_has_a_name(gallery):
    gallery.enrol(people(30), "me")
    answer = gallery.search([png(3, 9)], actor="me")
    assert (answer.person, answer.line) == (None, None)
    assert answer.matches[0].person == "p3"
    assert "python -m tfreid.gallery calibrate" in answer.reason


def test_a_calibrated_gallery_knows_its_own_and_strangers(gallery):
    gallery.enrol(people(60), "me")
    gallery.calibrate("me", fpir=0.05)
    known = [gallery.search([png(person, 9)], actor="me") for person in range(60)]
    assert [answer.person for answer in known] == [f"p{person}" for person in range(60)]
    strangers = [gallery.search([png(person)], actor="me") for person in range(1000, 1100)]
    named = sum(answer.person is not None for answer in strangers) / 100
    line = known[0].line
    assert line.persons == 60
    assert line.low < named < line.high


def test_a_rate_that_cannot_be_told_names_the_command_that_asks_for_another(gallery):
    gallery.enrol(people(20), "me")
    gallery.calibrate("me", fpir=0.0001)
    reason = gallery.search([png(3)], actor="me").reason
    assert reason.endswith("a higher rate: python -m tfreid.gallery calibrate --fpir=…")


def test_the_line_follows_the_number_of_persons(gallery):
    gallery.enrol(people(60), "me")
    gallery.calibrate("me", fpir=0.05)
    before = gallery.status()["line"]
    for person in range(40):
        gallery.forget(person=f"p{person}", actor="me")
    after = gallery.status()["line"]
    assert (before["persons"], after["persons"]) == (60, 20)
    assert after["distance"] > before["distance"]


def test_what_the_model_knows_of_searches_draws_the_line(database, describer):
    other = Gallery.create(database, describer, "colours")
    other.enrol(people(40), "me")
    other.calibrate("me", fpir=0.1)
    with database.connect() as connection:
        searches = OpenSetSearches.from_json(
            connection.execute("SELECT searches FROM gallery").fetchone()[0]
        )
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    measured = ImageDescriber(describer.network)
    measured.searches = searches
    gallery = Gallery.create(database, measured, "colours", fpir=0.1)
    assert gallery.line_in_words() == "where nobody begins cannot be told: nobody is enrolled"
    gallery.enrol(people(40), "me")
    assert gallery.status()["line"] == other_line(searches, 40)
    assert "about 0.1 of the searches for strangers get a name" in gallery.line_in_words()


@pytest.mark.parametrize("drawn", [False, True])
def test_searches_among_drawn_persons_draw_no_line(drawn):
    data = {"data": {"synthetic": drawn}}
    for facts in ({"open_set": None, **data}, {"open_set": data, "data": {}}):
        model = SimpleNamespace(facts=facts, searches="some")
        network = SimpleNamespace(model=model, in_graph=False)
        assert ImageDescriber(network).searches == (None if drawn else "some")


def other_line(searches: OpenSetSearches, persons: int) -> dict:
    return vars(searches.line(0.1, persons))


@pytest.mark.parametrize(
    "settings", [{"fpir": 0.0}, {"fpir": 1.0}, {"expire_days": 0}, {"expire_days": 10**12}]
)
def test_settings_without_meaning_are_refused_before_anything_is_made(
    database, describer, settings
):
    with pytest.raises(UsageError, match=f"{next(iter(settings))}="):
        Gallery.create(database, describer, "colours", **settings)
    with pytest.raises(MissingPathError):
        Gallery(database)


def test_what_a_person_is_told_says_nothing_of_others(gallery):
    gallery.enrol(people(3), "ann")
    gallery.search([png(1)], top=9, actor="bob")
    told = gallery.stored("p1")
    own = {image["id"] for image in told["images"]}
    assert [entry["action"] for entry in told["log"]] == ["enrol", "search"]
    assert set(told["log"][1]["details"]["images"]) == own
    assert told["log"][0]["details"] == {"count": 9}


def test_a_number_of_images_is_not_taken_for_the_number_of_an_image(gallery, database):
    gallery.enrol(people(2), "ann")
    with database.connect() as connection:
        for image in gallery.images("p1"):  # As releases before this one logged an enrolment.
            log(connection, "bob", "enrol", images=image.image, persons=[99])
    assert [entry["actor"] for entry in gallery.stored("p1")["log"]] == ["ann"]


def test_a_picture_that_is_refused_is_named(gallery):
    with pytest.raises(RefusedImagesError, match=r"mine\.jpg: an empty file"):
        gallery.search([b""], names=["mine.jpg"], actor="me")
