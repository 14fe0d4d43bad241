"""A gallery of a model as FPR's, which compares images by reconstruction."""

import base64
import dataclasses

import numpy as np
import pytest

from tests.gallery.colourful import SIZE_PX, StripColours, people, png
from tfreid.errors import DataError, UsageError
from tfreid.evaluation import Descriptors
from tfreid.evaluation.ranker import no_announcement, plain_blocks
from tfreid.gallery import Database, Gallery, own_reconstructions
from tfreid.gallery.describing import ImageDescriber
from tfreid.nn.network import Network
from tfreid.retrieval import Identities, OpenSetSearches, ReconstructionMatching
from tfreid.retrieval.reconstruction import reconstruction_distance

SHORTLISTED = 100
MATCHING = ReconstructionMatching("shortlist", StripColours.beta, SHORTLISTED)


@pytest.fixture
def positions_gallery(database, position_describer) -> Gallery:
    return Gallery.create(database, position_describer, "strips", keep_images=True)


def described(describer: ImageDescriber, files: list[bytes], half: bool) -> Descriptors:
    """What `tfreid.evaluate` compares; positions in half precision, as it can store them."""
    found = describer.describe_positions(files, [""] * len(files))
    if half:
        found = dataclasses.replace(found, positions=found.positions.astype(np.float16))
    identities = Identities(np.ones(len(files), int), np.ones(len(files), int))
    return Descriptors(found.pooled, identities, np.array([""] * len(files)), True, found)


def evaluated(describer: ImageDescriber, pictures: list[bytes], files: list[bytes]) -> np.ndarray:
    """Distances as `tfreid.evaluate` computes them, `[pictures, files]`."""
    query, gallery = described(describer, pictures, False), described(describer, files, True)
    return np.concatenate([*plain_blocks(query, gallery, MATCHING, None, no_announcement)])


def test_answers_are_those_of_the_evaluation(positions_gallery, position_describer):
    images = people(50)
    positions_gallery.enrol(images, "me")
    for person in (7, 23, 300):
        picture = png(person, 99)
        distances = evaluated(position_describer, [picture], [i.file for i in images])[0]
        found = positions_gallery.search([picture], top=1000, actor="me").matches
        nearest = np.argsort(distances, kind="stable")[:SHORTLISTED]
        assert [match.name for match in found] == [images[n].name for n in nearest]
        np.testing.assert_allclose([m.distance for m in found], distances[nearest], atol=1e-5)
        first = positions_gallery.search([picture], top=3, actor="me").matches
        assert first == found[:3]


def test_positions_find_whom_descriptors_do_not(positions_gallery, position_describer):
    images = people(60)
    positions_gallery.enrol(images, "me")
    stored = position_describer.describe([i.file for i in images], [i.name for i in images])
    by_descriptor, by_position = 0, 0
    for person in range(60):
        query = position_describer.describe([png(person, 9)], ["query"])[0]
        by_descriptor += images[np.argmax(stored @ query)].person == f"p{person}"
        match = positions_gallery.search([png(person, 9)], top=1, actor="me").matches[0]
        by_position += match.person == f"p{person}"
    assert by_descriptor < 50
    assert by_position == 60


def test_of_several_pictures_the_mean_distance_counts(positions_gallery, position_describer):
    images = people(20)
    positions_gallery.enrol(images, "me")
    pictures = [png(3, 50), png(3, 51), png(8, 52)]
    distances = evaluated(position_describer, pictures, [i.file for i in images]).mean(axis=0)
    found = positions_gallery.search(pictures, top=60, actor="me").matches
    assert [match.name for match in found] == [images[n].name for n in np.argsort(distances)]
    np.testing.assert_allclose([m.distance for m in found], np.sort(distances), atol=1e-5)


def test_filters_choose_before_the_shortlist(positions_gallery):
    assert positions_gallery.search([png(1)], actor="me").matches == ()
    positions_gallery.enrol(people(50), "me")
    found = positions_gallery.search([png(1)], cameras=["cam1"], top=99, actor="me").matches
    assert len(found) == 50
    assert {match.camera for match in found} == {"cam1"}
    assert found[0].person == "p1"


def test_an_approximate_search_is_ranked_by_positions_too(positions_gallery):
    positions_gallery.enrol(people(20), "me")
    positions_gallery.index("me")
    exact = positions_gallery.search([png(7, 5)], top=5, actor="me").matches
    assert (
        positions_gallery.search([png(7, 5)], top=5, approximate=True, actor="me").matches == exact
    )


def test_the_line_is_drawn_in_the_two_steps_of_a_search(
    positions_gallery, position_describer, database, monkeypatch
):
    monkeypatch.setattr(own_reconstructions, "SHORTLIST", 12)
    images = people(23, images=4)
    positions_gallery.enrol(images, "me")
    with database.connect() as connection:
        found = own_reconstructions.search_own_positions(connection, StripColours.beta)
        names = dict(connection.execute("SELECT id, name FROM person").fetchall())
        numbers = connection.execute("SELECT name FROM image ORDER BY md5(id::text)").fetchall()
    expected = expected_searches(position_describer, images, 12)
    assert found.persons == 22
    for place, (name,) in enumerate(numbers):
        person, own, nearest = expected[name]
        assert names[found.person[place]] == person
        assert found.own[place] == pytest.approx(own, abs=1e-4)
        listed = [distance for _, distance in nearest] + [2.0] * (16 - len(nearest))
        np.testing.assert_allclose(found.nearest[place], listed, atol=1e-4)
        assert [names[n] for n in found.whose[place] if n][:2] == [p for p, _ in nearest][:2]


def expected_searches(describer: ImageDescriber, images: list, size: int) -> dict:
    """Of each image: its person, how far that one's nearest is, and the nearest others."""
    of = described(describer, [image.file for image in images], half=True)
    units = of.features.astype(np.float16).astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines, searches = 1 - units @ units.T, {}
    positions = of.positions.positions.reshape(len(images), 4, 12)
    weights = of.positions.weights.reshape(len(images), 4)

    def distance(one: int, other: int) -> float:
        beta = StripColours.beta
        return reconstruction_distance(positions[one], weights[one], positions[other], beta)

    for n, image in enumerate(images):
        others = [k for k, other in enumerate(images) if other.person != image.person]
        mates = [k for k in range(len(images)) if k not in others and k != n]  # Other cameras.
        nearest: dict[str, float] = {}
        for k in sorted(others, key=lambda k: cosines[n, k])[:size]:
            name = images[k].person
            nearest[name] = min(distance(n, k), nearest.get(name, 9))
        both = sorted(others + mates, key=lambda k: cosines[n, k])[:size]
        own = min((distance(n, k) for k in mates if k in both), default=2.0)
        ranked = sorted(nearest.items(), key=lambda item: item[1])[:16]
        searches[image.name] = (image.person, own, ranked)
    return searches


def test_a_calibrated_gallery_knows_its_own_and_strangers(positions_gallery):
    positions_gallery.enrol(people(40), "me")
    positions_gallery.calibrate("me", fpir=0.1)
    known = [positions_gallery.search([png(person, 9)], actor="me") for person in range(40)]
    assert [answer.person for answer in known] == [f"p{person}" for person in range(40)]
    strangers = [positions_gallery.search([png(n)], actor="me") for n in range(1000, 1060)]
    line = known[0].line
    assert line.low < sum(answer.person is not None for answer in strangers) / 60 < line.high


def test_a_line_of_descriptors_is_not_taken_for_one_of_positions(database, position_describer):
    measured = ImageDescriber(position_describer.network)
    measured.searches = OpenSetSearches(
        *(np.full((5, 2), 0.1, np.float32), np.ones((5, 2), int), np.arange(5), 9),
        np.full(5, 0.01, np.float32),
    )
    gallery = Gallery.create(database, measured, "strips")
    gallery.enrol(people(3), "me")
    answer = gallery.search([png(1)], actor="me")
    assert (answer.person, answer.line) == (None, None)
    assert "nothing is known of searches by positions" in answer.reason


def test_all_that_is_stored_names_the_positions(positions_gallery, position_describer):
    images = people(2)
    positions_gallery.enrol(images, "me")
    told = positions_gallery.stored("p1")["images"][0]
    found = position_describer.describe_positions([images[3].file], ["a"])
    positions = np.frombuffer(base64.b64decode(told["positions"]), "<f2").reshape(4, 12)
    np.testing.assert_allclose(positions, found.positions, atol=1e-3)
    weights = np.frombuffer(base64.b64decode(told["foreground"]), "<f4")
    np.testing.assert_allclose(weights, found.weights, rtol=1e-6)


def traces(folder, stored) -> list[bool]:
    """Whether the positions and weights of an image are anywhere in the files of a gallery."""
    needles = [base64.b64decode(stored[name]) for name in ("positions", "foreground")]
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return [any(needle in file for file in files) for needle in needles]


def test_forgotten_positions_are_in_no_file(folder, position_describer, other_describer):
    gallery = Gallery.create(Database(folder), position_describer, "strips", keep_images=True)
    images = people(3)
    gallery.enrol(images, "me")
    of = {name: gallery.stored(name)["images"][0] for name in ("p1", "p2")}
    assert traces(folder, of["p1"]) == [True, True]
    with Database(folder).connect() as connection:
        connection.execute("ANALYZE")
    gallery.forget(person="p1", actor="me")
    assert traces(folder, of["p1"]) == [False, False]
    assert traces(folder, of["p2"]) == [True, True]
    gallery.rebuild(other_describer, "turned", "me", lambda _: None)
    assert traces(folder, of["p2"]) == [False, False]


def test_a_rebuild_brings_positions_and_takes_them(
    database, describer, position_describer, position_rows
):
    gallery = Gallery.create(database, describer, "colours", keep_images=True)
    images = people(10)
    gallery.enrol(images, "me")
    assert position_rows() == 0
    gallery.rebuild(position_describer, "strips", "me", lambda _: None)
    distances = evaluated(position_describer, [png(2, 9)], [i.file for i in images])[0]
    found = gallery.search([png(2, 9)], actor="me").matches[0]
    assert (found.person, found.distance) == ("p2", pytest.approx(distances.min(), abs=1e-5))
    assert Gallery(database, position_describer).search([png(2)], actor="me").matches
    assert position_rows() == 30
    gallery.rebuild(describer, "colours", "me", lambda _: None)
    assert position_rows() == 0
    assert gallery.search([png(2, 9)], actor="me").matches[0].person == "p2"


@pytest.fixture
def position_rows(database):
    def count() -> int:
        with database.connect() as connection:
            return connection.execute("SELECT count(*) FROM positions").fetchone()[0]

    return count


def test_an_older_gallery_of_such_a_model_asks_for_a_rebuild(
    positions_gallery, database, position_describer
):
    positions_gallery.enrol(people(2), "me")
    with database.connect() as connection:
        connection.execute("DROP TABLE positions")
        connection.execute("ALTER TABLE gallery DROP beta")
        connection.execute("DELETE FROM migration WHERE number > 1")
    with pytest.raises(UsageError, match=r"has no positions.*earlier release.*rebuild"):
        Gallery(database, position_describer)
    older = Gallery(database)
    assert older.forget(person="p0", actor="me") == 3
    older.rebuild(position_describer, "strips", "me", lambda _: None)
    found = Gallery(database, position_describer).search([png(1)], actor="me").matches
    assert [match.person for match in found] == ["p1"] * 3


@pytest.mark.parametrize(
    ("change", "text"),
    [({"embed": "embedding"}, "does not give in this format"), ({"beta": 0.1}, "beta=0.01")],
)
def test_a_model_that_compares_otherwise_is_refused(positions_gallery, database, change, text):
    model = StripColours()
    if "beta" in change:
        model.beta = change["beta"]
    else:
        model.embed = lambda images: StripColours().embed(images)["embedding"]
    with pytest.raises(UsageError, match=text):
        Gallery(database, ImageDescriber(Network("strips", model, SIZE_PX)))


def test_positions_of_many_images_are_the_same_from_a_file(position_describer):
    images = people(40)
    files, names = [i.file for i in images], [i.name for i in images]
    many = position_describer.describe_positions(files, names)
    few = [position_describer.describe_positions([file], ["a"]).positions for file in files]
    assert many.positions.dtype == np.float16
    np.testing.assert_allclose(many.positions, np.concatenate(few), atol=1e-3)


def test_positions_that_are_no_numbers_are_refused():
    model = StripColours()
    model.embed = lambda images: {
        **(found := StripColours().embed(images)),
        "positions": found["positions"] * np.nan,
    }
    describer = ImageDescriber(Network("strips", model, SIZE_PX))
    with pytest.raises(DataError, match=r"b\.png: the model gives positions that are not finite"):
        describer.describe_positions([png(1)], ["b.png"])
