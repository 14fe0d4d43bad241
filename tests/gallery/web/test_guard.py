import asyncio

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from tests.gallery.colourful import people, png
from tests.gallery.fake_gallery import FakeGallery
from tfreid.errors import UsageError
from tfreid.gallery.web import create_app, guard, serve
from tfreid.gallery.web.guard import RequestGuard, is_loopback
from tfreid.gallery.web.pages import PUBLIC

TOKEN = "correct-horse-battery"


def client(token: str | None = None, address: str = "http://localhost:8080") -> TestClient:
    gallery = FakeGallery()
    gallery.enrol(people(2), "test")
    return TestClient(create_app(gallery, token), address)


@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "ä"])
def test_nothing_of_the_gallery_is_told_without_the_token(sent):
    headers = {} if sent is None else {"Authorization": sent.encode("latin-1")}
    asking = client(TOKEN, "http://gallery.example")
    paths = asking.get("/openapi.json").json()["paths"]
    assert len(paths) > 8
    for path, methods in paths.items():
        for method in methods:
            answer = asking.request(method, path.format(name="p0", image=0), headers=headers)
            assert (path, answer.status_code) == (path, 401)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens_everything():
    asking = client(TOKEN, "http://gallery.example")
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://gallery.example"}
    assert asking.get("/status", headers=headers).json()["persons"] == 2
    assert asking.delete("/persons/p0", headers=headers).json() == {"images": 3}


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_the_page_itself_needs_no_token_and_takes_nothing_from_elsewhere(path):
    answer = client(TOKEN).get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8080", "localhost:9"])
def test_without_a_token_this_machine_may_ask(host):
    assert client().get("/persons", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[", "10.0.0.1", ""])
def test_a_name_that_leads_here_is_refused_without_a_token(host):
    answer = client().get("/persons", headers={"Host": host})
    assert (answer.status_code, "no name of this machine" in answer.json()["error"]) == (403, True)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1234"])
def test_pages_of_others_change_nothing(origin):
    asking = client()
    for method, path in (("DELETE", "/persons/p0"), ("POST", "/persons/p0/images")):
        answer = asking.request(method, path, headers={"Origin": origin})
        assert answer.status_code == 403
    assert asking.get("/status").json()["images"] == 6
    own = {"Origin": "http://localhost:8080"}
    assert asking.post("/search", files={"pictures": png(1)}, headers=own).status_code == 200


POST = {
    "type": "http",
    "method": "POST",
    "path": "/search",
    "headers": [(b"host", b"localhost")],
}


def test_an_upload_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.05)

    async def app(scope, receive, send):
        await receive()

    async def nothing():
        await asyncio.sleep(60)

    with pytest.raises(HTTPException) as told:
        asyncio.run(RequestGuard(app, None, (), 100)(POST, nothing, None))
    assert told.value.status_code == 408


def test_few_uploads_are_taken_at_once():
    there = most = 0

    async def app(scope, receive, send):
        nonlocal there, most
        there += 1
        most = max(most, there)
        await asyncio.sleep(0.01)
        there -= 1

    async def ask_often():
        guarding = RequestGuard(app, None, (), 100)
        await asyncio.gather(*(guarding(POST, None, None) for _ in range(10)))

    asyncio.run(ask_often())
    assert (there, most) == (0, 4)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", "")],
)
def test_loopback_is_told_from_the_rest(host, expected):
    assert is_loopback(host) == expected


def test_others_are_not_served_without_a_token():
    with pytest.raises(UsageError, match=r"host=0\.0\.0\.0 lets others ask.*give a token"):
        serve(FakeGallery(), "0.0.0.0", port=0, announce=pytest.fail)
    with pytest.raises(UsageError, match="16 or more"):
        serve(FakeGallery(), "0.0.0.0", port=0, token="1234", announce=pytest.fail)
