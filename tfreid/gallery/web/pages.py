"""What of the site holds nothing of the gallery: the page and the API's reference."""

from importlib import resources

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from tfreid.gallery.web.reference import reference_page

_FILES = {
    "/": ("page.html", "text/html"),
    "/asking.js": ("asking.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
PUBLIC = frozenset({*_FILES, "/docs", "/openapi.json"})
"""Paths that may be had without a token."""


def add_pages(app: FastAPI) -> None:
    """Has an app answer for the page, its files and `/docs`."""
    folder = resources.files("tfreid.gallery.web")
    for path, (name, kind) in _FILES.items():
        answer = Response(folder.joinpath(name).read_bytes(), media_type=kind)
        app.add_route(path, lambda request, answer=answer: answer)
    app.add_route("/docs", lambda request: HTMLResponse(reference_page(app.openapi())))
