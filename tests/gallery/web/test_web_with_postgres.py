"""The API on a gallery in PostgreSQL: what the one in memory pretends."""

from fastapi.testclient import TestClient

from tests.gallery.colourful import people, png
from tfreid.gallery.web import create_app


def test_the_api_enrols_searches_shows_and_forgets(gallery):
    gallery.enrol(people(2), "test")
    with TestClient(create_app(gallery), "http://localhost") as client:
        files = [("pictures", ("a/1.png", png(7))), ("pictures", ("a/2.png", png(7, 1)))]
        taken = {"camera": "door", "taken_at": "2024-05-01T12:00:00+02:00"}
        answer = client.post("/persons/Ann%20%2F%20B/images", files=files, data=taken)
        assert (answer.status_code, answer.json()) == (201, {"images": 2})
        again = client.post("/persons/else/images", files=files)
        assert (again.status_code, "a/1.png" in again.json()["error"]) == (400, True)
        again = client.post("/persons/else/images", files=[("pictures", ("b.png", png(7)))])
        said = "b.png of else is the same picture as a/1.png of Ann / B: a picture is of one person"
        assert (again.status_code, again.json()["error"][: len(said)]) == (400, said)

        found = client.post(
            "/search",
            files=[("pictures", png(7, 2))],
            data={"top": 2, "camera": "door", "since": "2024-05-01T10:00:00Z"},
        ).json()
        assert {one["name"] for one in found["matches"]} == {"a/1.png", "a/2.png"}
        assert found["matches"][0]["taken_at"] == "2024-05-01T10:00:00Z"
        refused = client.post("/search", files=[("pictures", b"garbage")])
        assert (refused.status_code, "picture 1: " in refused.json()["error"]) == (400, True)

        image = found["matches"][0]["image"]
        assert client.get(f"/images/{image}/thumbnail").content.startswith(b"\xff\xd8")
        assert client.get("/cameras").json() == ["cam0", "cam1", "cam2", "door"]
        stored = client.get("/persons/Ann%20%2F%20B").json()
        assert [one["name"] for one in stored["images"]] == ["a/1.png", "a/2.png"]
        assert stored["log"][0]["actor"] == "web testclient"
        assert client.delete("/images/a%2F1.png").json() == {"images": 1}
        assert client.delete("/persons/Ann%20%2F%20B").json() == {"images": 1}
        assert client.get("/persons/Ann%20%2F%20B").status_code == 404
        assert client.get("/status").json()["persons"] == 2
