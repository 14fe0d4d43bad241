"""How searches fare in a gallery, against a plain loop."""

import numpy as np
import pytest

from tests.gallery.colourful import people, png
from tfreid.errors import UsageError
from tfreid.gallery import NewImage, own_searches


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


def test_few_persons_say_nothing(gallery, database):
    gallery.enrol(people(19), "me")
    with database.connect() as connection, pytest.raises(UsageError, match="19 persons"):
        own_searches.search_own_images(connection)
