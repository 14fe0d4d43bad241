import tempfile
import threading
import time
from datetime import datetime, timezone

import pytest
from fastapi.testclient import TestClient

from tests.gallery.colourful import people, png
from tests.gallery.fake_gallery import FakeGallery
from tfreid.errors import DataError, ServingError, UsageError
from tfreid.gallery import NewImage
from tfreid.gallery.web import app as app_module
from tfreid.gallery.web import create_app


@pytest.fixture
def gallery():
    made = FakeGallery()
    made.enrol(people(3), "test")
    return made


@pytest.fixture
def client(gallery):
    app = create_app(gallery, max_upload_mib=1, max_pictures=3)
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as made:
        yield made


def pictures(*files: bytes) -> list:
    return [("pictures", (f"{place}.png", file)) for place, file in enumerate(files)]


def test_a_search_names_the_person_and_lists_the_matches(client):
    found = client.post("/search", files=pictures(png(1, 7)), data={"top": 4}).json()
    assert found["person"] == "p1"
    assert [one["person"] for one in found["matches"]] == ["p1", "p1", "p1", "p0"]
    assert found["line"]["distance"] == 0.05
    assert found["matches"][0]["name"].startswith("p1/")


def test_a_search_hands_its_filters_on(client, gallery):
    filters = {"camera": ["cam1", "cam2"], "since": "2024-01-01T00:00:00+01:00"}
    client.post("/search", files=pictures(png(1), png(1, 1)), data=filters)
    asked = gallery.searches[0]
    assert (asked["files"], asked["cameras"]) == (2, ["cam1", "cam2"])
    assert asked["since"] == datetime(2023, 12, 31, 23, tzinfo=timezone.utc)
    assert (asked["until"], asked["actor"]) == (None, "web testclient")


def test_pictures_are_enrolled_under_their_names(client, gallery):
    taken = {"camera": "door", "taken_at": "2024-05-01T12:00:00Z"}
    answer = client.post("/persons/Ann%20%2F%20B/images", files=pictures(png(8)), data=taken)
    assert (answer.status_code, answer.json()) == (201, {"images": 1})
    found = client.post("/search", files=pictures(png(8))).json()["matches"][0]
    assert (found["name"], found["person"], found["camera"]) == ("0.png", "Ann / B", "door")
    assert found["taken_at"] == "2024-05-01T12:00:00Z"


def test_nobody_is_no_name(client):
    answer = client.post("/persons/Nobody/images", files=pictures(png(8)))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("0.png: a person called 'Nobody' could not be")


def test_persons_can_be_listed_shown_and_forgotten(client):
    assert client.get("/persons").json()[1] == {"name": "p1", "images": 3}
    assert client.get("/persons/p1").json()["images"] == ["p1/0.png", "p1/1.png", "p1/2.png"]
    assert client.delete("/images/p1/0.png").json() == {"images": 1}
    assert client.delete("/persons/p1").json() == {"images": 2}
    for path in ("/persons/p1", "/images/p1/0.png"):
        answer = client.delete(path)
        assert (answer.status_code, "is called" in answer.json()["error"]) == (404, True)
    assert client.get("/persons/p1").status_code == 404


def test_pictures_are_not_cached(client):
    answer = client.get("/images/0/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/images/99/thumbnail").status_code == 404


def test_an_overlay_is_a_picture_or_a_reason(client):
    found = client.post("/overlay", files={"picture": png(1)})
    assert found.headers["content-type"] == "image/png"
    jpeg = client.get("/images/0/thumbnail").content
    answer = client.post("/overlay", files={"picture": jpeg})
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "this model cannot tell where it looks"},
    )


def test_faults_are_named(client):
    answer = client.post("/search", files=pictures(b"garbage"))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("picture 1: no image file")
    answer = client.post("/search", files=pictures(png(1)), data={"top": 0, "since": "noon"})
    assert answer.status_code == 422
    assert answer.json()["error"] == (
        "top: expected 1 or more; since: 'noon' is no time: expected one such as 2026-01-31T12:00"
    )
    assert client.post("/search").json() == {"error": "pictures: must be given"}


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "text"),
    [
        ("GET", "/nothing", {}, 404, "there is nothing at /nothing: /docs lists"),
        ("PATCH", "/status", {}, 405, "/status cannot be asked by PATCH: /docs lists"),
        ("GET", "/images/x/thumbnail", {}, 422, "image: expected a whole number"),
        ("GET", "/images/-1/thumbnail", {}, 422, "image: expected 0 or more"),
        ("GET", f"/images/{2**63}/thumbnail", {}, 422, f"image: expected less than {2**63}"),
        ("POST", "/search", {"top": "1001"}, 422, "top: expected 1000 or less"),
        ("POST", "/search", {"top": "x"}, 422, "top: expected a whole number"),
        ("POST", "/search", {"pictures": "x"}, 422, "pictures.0: not as /docs describes it"),
    ],
)
def test_what_the_framework_refuses_is_said_in_our_words(client, method, path, data, status, text):
    files = pictures(png(1)) if method == "POST" else None
    answer = client.request(method, path, files=files, data=data)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(text)


@pytest.mark.parametrize(
    ("path", "sent", "text"),
    [
        ("/search", {"tops": 3}, "tops: no field of this request; did you mean top?"),
        ("/search", {"x" * 99: 3}, f"{'x' * 40}…: no field of this request; /docs lists"),
        ("/search", {"top": [3, 4]}, "top: takes one value and is given 2 times: give it once"),
        ("/search", {"until": [""] * 3, "cam": "a"}, "until: takes one value and is given 3 times"),
        ("/search?top=3", {}, "top: the address takes no parameters; send it in the form"),
        ("/search?since=&to=3", {}, "since: the address takes no parameters"),
        (
            "/persons/a/images",
            {"taken": "x"},
            "taken: no field of this request; did you mean taken_",
        ),
        (
            "/persons/a/images",
            {"camera": ["a", "b"]},
            "camera: takes one value and is given 2 times",
        ),
    ],
)
def test_what_would_have_no_effect_is_refused(client, gallery, path, sent, text):
    answer = client.post(path, files=pictures(png(1)), data=sent)
    assert (answer.status_code, answer.json()["error"][: len(text)]) == (422, text)
    assert (gallery.searches, len(gallery.persons())) == ([], 3)


def test_one_picture_is_one(client):
    answer = client.post("/overlay", files=[("picture", png(1))] * 2)
    assert answer.json() == {"error": "picture: takes one value and is given 2 times: give it once"}


@pytest.mark.parametrize("body", [b'{"image": "p1/0.png"}', iter([b"x"])])
def test_what_takes_no_body_gets_none(client, gallery, body):
    answer = client.request("DELETE", "/persons/p1", content=body)
    assert (answer.status_code, "takes no body" in answer.json()["error"]) == (422, True)
    answer = client.get("/persons", params={"name": "p1"})
    assert answer.json()["error"].startswith("name: the address takes no parameters; /docs lists")
    assert ("p1", 3) in gallery.persons()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *((method, "/persons/p1/images", "POST") for method in ("GET", "DELETE", "PUT")),
        *((method, "/persons/p1", "DELETE, GET") for method in ("POST", "PATCH")),
        *((method, "/images/0/thumbnail", "GET") for method in ("DELETE", "POST")),
        *((method, "/images/p1/0.png", "DELETE") for method in ("GET", "PUT")),
        *((method, "/search", "POST") for method in ("GET", "DELETE")),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client, method, path, allowed):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert ", ".join(sorted(answer.headers["allow"].split(", "))) == allowed
    assert answer.json()["error"].startswith(f"{path} cannot be asked by {method}: /docs lists")


def test_names_that_look_like_other_addresses_are_reached(client, gallery):
    gallery.enrol([NewImage("7/thumbnail", "p7/images", png(7))], "me")
    assert client.get("/persons/p7%2Fimages").json()["images"] == ["7/thumbnail"]
    assert client.delete("/images/7%2Fthumbnail").json() == {"images": 1}
    assert client.delete("/persons/p7%2Fimages").status_code == 405  # There is none any more.


def test_times_without_a_zone_are_local_as_on_the_command_line(client, gallery):
    for sent in ("2024-01-01T12:00", "2024-01-01"):
        client.post("/search", files=pictures(png(1)), data={"since": sent})
        assert gallery.searches.pop()["since"] == datetime.fromisoformat(sent).astimezone()
    answer = client.post("/search", files=[*pictures(png(1)), ("until", ("a", png(1)))])
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "until: not as /docs describes it"},
    )


def test_errors_are_described_as_they_are_sent(client):
    described = client.get("/openapi.json").json()
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert len(operations) == 10
    for operation in operations:
        codes = [code for code in operation["responses"] if not code.startswith("2")]
        assert codes == ["4XX", "5XX"]
        for code in codes:
            [sent] = operation["responses"][code]["content"].items()
            assert sent == (
                "application/json",
                {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}},
            )
    assert not {"HTTPValidationError", "ValidationError"} & {*described["components"]["schemas"]}
    form = described["components"]["schemas"]["ErrorAnswer"]
    answer = client.post("/search")
    assert [*answer.json()] == [*form["properties"]] == form["required"] == ["error"]


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (DataError("no room"), 500, "no room"),
        (ServingError("the server went away"), 503, "the server went away"),
        (RuntimeError("secret"), 500, "the server failed"),
    ],
)
def test_what_fails_is_no_traceback(client, gallery, monkeypatch, error, status, text):
    monkeypatch.setattr(gallery, "persons", lambda: (_ for _ in ()).throw(error))
    answer = client.get("/persons")
    assert answer.status_code == status
    assert answer.json()["error"].startswith(text)


def test_uploads_have_limits(client, gallery):
    assert client.post("/search", files=pictures(bytes(2**20))).status_code == 413

    def parts():  # Its length is not told beforehand.
        yield b"--x\r\nContent-Disposition: form-data; name=pictures; filename=a\r\n\r\n"
        for _ in range(2000):
            yield bytes(1000)

    form = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/search", content=parts(), headers=form)
    assert (answer.status_code, "larger than 1 MiB" in answer.json()["error"]) == (413, True)
    answer = client.post("/search", files=pictures(*[png(1)] * 4))
    assert (answer.status_code, "more than 3 pictures" in answer.json()["error"]) == (413, True)
    assert client.post("/search", content=b"x" * 50, headers=form).status_code == 400
    assert gallery.searches == []


@pytest.mark.parametrize("charset", ["unicode_escape", "idna", "hex", "none"])
def test_forms_are_in_utf_8(client, charset):
    part = b'--x\r\nContent-Disposition: form-data; name="person"\r\n\r\n\\udc80\r\n--x--\r\n'
    form = {"content-type": f"multipart/form-data; charset={charset}; boundary=x"}
    answer = client.post("/search", content=part, headers=form)
    assert (answer.status_code, "send it in UTF-8" in answer.json()["error"]) == (415, True)


def test_the_type_of_a_form_may_be_in_capitals(client):
    part = b"--x\r\nContent-Disposition: form-data; name=pictures; filename=a\r\n\r\n%b\r\n--x--"
    form = {"content-type": 'Multipart/Form-Data; Charset="UTF-8"; boundary=x'}
    answer = client.post("/search", content=part % png(1), headers=form)
    assert (answer.status_code, answer.json()["person"]) == (200, "p1")


def test_pictures_of_a_request_stay_in_memory(gallery, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # What a spooled file rolls over to.
    with TestClient(create_app(gallery), "http://localhost") as client:
        large = png(1) + bytes(5 * 2**20)
        assert client.post("/search", files=pictures(large)).json()["person"] == "p1"


def test_what_is_past_its_retention_is_forgotten_while_serving(client, gallery):
    deadline = time.monotonic() + 10
    while not gallery.expired and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gallery.expired == 1


@pytest.mark.parametrize("error", [DataError("kept"), UsageError("rebuilt"), RuntimeError("lost")])
def test_what_could_not_be_forgotten_is_tried_again(gallery, monkeypatch, caplog, error):
    tries, found = iter([error, error, 0]), threading.Event()

    def expire(_):
        if isinstance(found_now := next(tries), Exception):
            raise found_now
        found.set()

    monkeypatch.setattr(gallery, "expire", expire)
    monkeypatch.setattr(app_module, "_HOUR_S", 0)
    with TestClient(create_app(gallery), "http://localhost"):
        assert found.wait(10)
    assert [str(error) in record.getMessage() for record in caplog.records] == [True, True]


def test_the_reference_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    assert "//" not in page.replace("<!DOCTYPE html>", "")
    for operation in ("POST /search", "DELETE /persons/{name}", "GET /images/{image}/thumbnail"):
        assert operation in page
    assert "list of file" in page
