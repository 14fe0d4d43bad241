"""How near strangers come, against a plain loop."""

import numpy as np
import pytest

from tests.gallery.colourful import people
from tfreid.errors import UsageError
from tfreid.gallery import strangers


def test_each_person_in_turn_is_left_out(gallery, database, describer, monkeypatch):
    images = people(23, images=4)
    gallery.enrol(images, "me")
    monkeypatch.setattr(strangers, "_BLOCK_IMAGES", 7)  # Blocks end within persons.
    with database.connect() as connection:
        nearest, who, persons = strangers.nearest_persons(connection)
        names = dict(connection.execute("SELECT id, name FROM person").fetchall())
    assert (nearest.shape, persons) == ((92, 22), 22)
    found = describer.describe([i.file for i in images], [i.name for i in images])
    found = found.astype(np.float16).astype(np.float64)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    expected = []
    for place, image in enumerate(images):
        by_person: dict[str, float] = {}
        for other, descriptor in zip(images, found, strict=True):
            distance = 1 - descriptor @ found[place]
            if other.person != image.person:
                by_person[other.person] = min(distance, by_person.get(other.person, 9))
        expected.append((image.person, *sorted(by_person.values())))
    told = [(names[p], *row) for p, row in zip(who, nearest.tolist(), strict=True)]
    for (name, *row), (right, *values) in zip(sorted(told), sorted(expected), strict=True):
        assert name == right
        np.testing.assert_allclose(row, values, atol=1e-6)


def test_few_persons_say_nothing(gallery, database):
    gallery.enrol(people(19), "me")
    with database.connect() as connection, pytest.raises(UsageError, match="19 persons"):
        strangers.nearest_persons(connection)
