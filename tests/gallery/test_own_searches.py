"""How searches fare in a gallery, against a plain loop."""

from datetime import datetime, timezone

import numpy as np
import pytest

from tests.gallery.colourful import people, png
from tfreid.errors import DataError, UsageError
from tfreid.gallery import Gallery, NewImage, own_reconstructions, own_searches


def test_each_image_is_searched_for_among_all_others(gallery, database, describer, monkeypatch):
    images = [*people(23, images=4), NewImage("alone.png", "alone", png(99), "cam1")]
    gallery.enrol(images, "me")
    monkeypatch.setattr(own_searches, "_BLOCK_IMAGES", 7)  # Blocks end within persons.
    with database.connect() as connection:
        found = own_searches.search_own_images(connection)
        names = dict(connection.execute("SELECT id, name FROM person").fetchall())
    assert (found.nearest.shape, found.persons) == ((93, 16), 23)
    units = describer.describe([i.file for i in images], [i.name for i in images])
    units = units.astype(np.float16).astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    expected = []
    for place, image in enumerate(images):
        others, own = {}, np.inf
        for other, unit in zip(images, units, strict=True):
            distance = 1 - unit @ units[place]
            if other.person != image.person:
                others[other.person] = min(distance, others.get(other.person, 9))
            elif other.camera != image.camera:
                own = min(own, distance)
        nearest = sorted(others.items(), key=lambda item: item[1])[:16]
        expected.append((image.person, own, nearest))
    for mine, right in zip(
        sorted(
            zip(found.person, found.own, found.nearest, found.whose, strict=True),
            key=lambda row: (names[row[0]], row[2][0]),
        ),
        sorted(expected, key=lambda row: (row[0], row[2][0][1])),
        strict=True,
    ):
        person, own, nearest, whose = mine
        assert names[person] == right[0]
        assert own == pytest.approx(right[1], abs=1e-6)
        np.testing.assert_allclose(nearest, [d for _, d in right[2]], atol=1e-6)
        assert [names[p] for p in whose[:3]] == [name for name, _ in right[2][:3]]


@pytest.mark.parametrize(
    ("module", "step", "kind"),
    [
        (own_searches, "require_persons", "describer"),
        (own_searches, "drawn", "describer"),
        (own_reconstructions, "require_persons", "position_describer"),
        (own_reconstructions, "drawn", "position_describer"),
        (own_reconstructions, "_reached", "position_describer"),
    ],
)
def test_what_others_forget_meanwhile_is_said(database, monkeypatch, request, module, step, kind):
    gallery = Gallery.create(database, request.getfixturevalue(kind), "any")
    gallery.enrol(people(20, images=1), "me")
    take = getattr(module, step)

    def take_and_forget(*given):
        taken = take(*given)
        Gallery(database).forget(older_than=datetime.now(timezone.utc), actor="another")
        return taken

    monkeypatch.setattr(module, step, take_and_forget)
    with pytest.raises(DataError, match="another process forgot so many"):
        gallery.calibrate("me")


def test_positions_that_are_gone_meanwhile_are_nobodys(database, monkeypatch, position_describer):
    gallery = Gallery.create(database, position_describer, "strips")
    gallery.enrol(people(21, images=1), "me")
    take = own_reconstructions._reached

    def take_and_forget(*given):
        gallery.forget(person="p3", actor="another")
        return take(*given)

    monkeypatch.setattr(own_reconstructions, "_reached", take_and_forget)
    with database.connect() as connection:
        assert len(own_reconstructions.search_own(connection, 0.01).person) == 20


def test_few_persons_say_nothing(gallery, database):
    gallery.enrol(people(19), "me")
    with database.connect() as connection, pytest.raises(UsageError, match="19 persons"):
        own_searches.search_own_images(connection)
