"""From a fresh installation to an answer: drawn persons, and the model that comes along."""

import re

import pytest

from tests.commands import Command
from tests.drawn_people import drawn_files

KNOWN = range(1, 25)
STRANGERS = range(25, 31)


@pytest.mark.slow
def test_the_starter_knows_drawn_persons_and_names_few_strangers(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for person in (*KNOWN, *STRANGERS):
        *known, asked = drawn_files(person, cameras=4)
        (tmp_path / f"{person}.jpg").write_bytes(asked)
        for camera, file in enumerate(known if person in KNOWN else ()):
            place = tmp_path / "people" / f"person {person}" / f"camera {camera}"
            place.mkdir(parents=True)
            (place / "1.jpg").write_bytes(file)

    def call(verb: str, *arguments: str) -> str:
        done = Command("tfreid.gallery", verb, *arguments, f"--gallery={folder}").finish()
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = call("create", "--fpir=0.05")
    assert "descriptors of starter, trained on drawn people: a start (python -m tfreid.zoo)" in made
    enrolled = call("enrol", "--folder=people").splitlines()
    assert enrolled[0].endswith(" images of 24 persons enrolled")
    assert enrolled[1].startswith("nobody begins beyond the distance 0.")
    pictures = [f"{person}.jpg" for person in (*KNOWN, *STRANGERS)]
    found = dict(re.findall(r"^(\d+)\.jpg: (.*)$", call("search", *pictures), re.MULTILINE))
    print(found, call("search", *pictures, "--top=1"))
    right = sum(found[str(person)] == f"person {person}" for person in KNOWN)
    assert right >= len(KNOWN) // 2
    assert {found[str(person)] for person in KNOWN} <= {"nobody", *(f"person {n}" for n in KNOWN)}
    assert sum(found[str(person)] != "nobody" for person in STRANGERS) <= 1
