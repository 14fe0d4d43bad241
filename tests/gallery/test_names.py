"""Names that look alike are one name, whichever way Unicode writes them."""

import unicodedata

import pytest

from tests.gallery.colourful import people, png
from tfreid.errors import UsageError
from tfreid.gallery import Gallery, NewImage

COMPOSED = "Zoë"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def test_both_forms_are_one_person(gallery):
    gallery.enrol(people(2), "me")
    for seed, person in enumerate((COMPOSED, DECOMPOSED)):
        name, camera = f"{person} {seed}.png", f"{person}'s"
        assert gallery.enrol([NewImage(name, person, png(9, seed), camera)], "me") == 1
    assert (COMPOSED, 2) in gallery.persons()
    assert gallery.cameras() == [f"{COMPOSED}'s", "cam0", "cam1", "cam2"]
    assert gallery.stored(DECOMPOSED) == gallery.stored(COMPOSED)
    assert len(gallery.stored(COMPOSED)["images"]) == len(gallery.images(DECOMPOSED)) == 2
    found = gallery.search([png(9)], cameras=[f"{DECOMPOSED}'s"], actor="me")
    assert [match.person for match in found.matches] == [COMPOSED] * 2
    assert gallery.forget(image=f"{DECOMPOSED} 0.png", actor="me") == 1
    assert gallery.forget(person=DECOMPOSED, actor="me") == 1
    assert [name for name, _ in gallery.persons()] == ["p0", "p1"]


def test_both_forms_of_an_image_are_one_name(gallery):
    twins = [NewImage(name, "z", png(9, seed)) for seed, name in enumerate((COMPOSED, DECOMPOSED))]
    with pytest.raises(UsageError, match="two of the images have one name"):
        gallery.enrol(twins, "me")
    assert gallery.enrol(twins[:1], "me") == 1
    with pytest.raises(UsageError, match=r"is the name of another stored image, of z"):
        gallery.enrol(twins[1:], "me")


@pytest.mark.parametrize("taken", [False, True])
def test_an_older_gallery_gets_one_form_of_each(gallery, database, describer, taken):
    images = [NewImage(name, name, png(9, seed)) for seed, name in enumerate("abcd")]
    gallery.enrol(images, "me")
    alone = unicodedata.normalize("NFD", "José")
    former = {"a": DECOMPOSED, "b": COMPOSED, "c": alone}
    with database.connect() as connection:
        connection.execute("DELETE FROM migration WHERE number > 3")
        for new, old in former.items():
            connection.execute("UPDATE person SET name = %s WHERE name = %s", [old, new])
            connection.execute("UPDATE image SET name = %s WHERE name = %s", [old, new])
        connection.execute("UPDATE image SET camera = %s WHERE name = 'd'", [DECOMPOSED])
        if taken:  # The name that the second of two images would get.
            number = "(SELECT id FROM image WHERE name = %s)"
            renamed = f"UPDATE image SET name = %s || ' ' || {number} WHERE name = 'd'"
            connection.execute(renamed, [DECOMPOSED, DECOMPOSED])
    newer = Gallery(database, describer)
    assert newer.persons() == [("José", 1), (COMPOSED, 2), ("d", 1)]
    first, second = newer.images(COMPOSED)
    assert first.name.startswith(f"{COMPOSED} ")
    assert (first.name == f"{COMPOSED} {first.image}") == (not taken)
    assert second.name == COMPOSED
    assert [image.name for image in newer.images(alone)] == ["José"]
    assert newer.cameras() == [COMPOSED]
    assert newer.forget(image=first.name, actor="me") == 1
