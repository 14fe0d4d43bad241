"""The REST API of a gallery, and its page."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    FastAPI,
    File,
    Form,
    HTTPException,
    Path,
    Request,
    Response,
    UploadFile,
)
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, BeforeValidator

from tfreid.datasets.files import DECODED_FORMATS
from tfreid.errors import UsageError, require
from tfreid.gallery.answers import Answer, NewImage
from tfreid.gallery.gallery import Gallery
from tfreid.gallery.sources import moment_of
from tfreid.gallery.web.failures import RESPONSES, answer_failures
from tfreid.gallery.web.guard import RequestGuard
from tfreid.gallery.web.pages import PUBLIC, add_pages
from tfreid.gallery.web.uploads import memory_route

MAX_UPLOAD_MIB = 32
MAX_PICTURES = 20
_DAY_S, _HOUR_S = 24 * 3600, 3600
_LOG = logging.getLogger(__name__)

Pictures = Annotated[list[UploadFile], File(description=f"{DECODED_FORMATS} files.")]
Time = Annotated[
    datetime | None,
    # A file in its place is none, which pydantic says.
    BeforeValidator(lambda sent: moment_of(sent) if isinstance(sent, str) else sent),
    Form(description="ISO 8601; the server's local time unless it has a time zone."),
]


class PersonCount(BaseModel):
    """A person and the number of her images."""

    name: str
    images: int


class ImageCount(BaseModel):
    """How many images were stored or deleted."""

    images: int


def create_app(
    gallery: Gallery,
    token: str | None = None,
    *,
    max_upload_mib: float = MAX_UPLOAD_MIB,
    max_pictures: int = MAX_PICTURES,
) -> FastAPI:
    """Makes the application; it forgets daily what is past the gallery's retention.

    Args:
      gallery: to search in; its methods are called in several threads.
      token: that requests must send; without one only this machine's users are answered.
      max_upload_mib: size of a request; up to four are held in memory at once.
      max_pictures: that one request may hold.

    Raises:
      UsageError: if the token is short, or cannot be sent.
    """
    require(
        token is None or re.fullmatch(r"[!-~]{16,}", token) is not None,
        "the token is not one of 16 or more ASCII characters without spaces: make one with "
        "openssl rand -hex 24",
    )
    app = FastAPI(
        title="tfreid gallery",
        description="Who is this, or nobody? Enrol persons, search for them, forget them. "
        'Errors are {"error": what is wrong and what to do}.',
        docs_url=None,  # It loads scripts from elsewhere; `reference` does not.
        redoc_url=None,
        lifespan=lambda app: _expiring(gallery),
    )
    app.add_middleware(
        RequestGuard, token=token, public=PUBLIC, max_body_bytes=int(max_upload_mib * 2**20)
    )
    router = APIRouter(route_class=memory_route(max_pictures), responses=RESPONSES)
    answer_failures(app, router)
    _add_searching(router, gallery)
    _add_persons(router, gallery)
    _add_images(router, gallery)

    @router.get("/status")
    def status() -> dict[str, Any]:
        """What the gallery is, and what one request may hold."""
        limits = {"max_upload_mib": max_upload_mib, "max_pictures": max_pictures}
        return {**gallery.status(), **limits}

    app.include_router(router)
    add_pages(app)
    return app


def _add_searching(router: APIRouter, gallery: Gallery) -> None:
    @router.post("/search")
    def search(
        request: Request,
        pictures: Pictures,
        camera: Annotated[
            list[str], Form(default_factory=list, description="Only images of these.")
        ],
        top: Annotated[int, Form(ge=1, le=1000, description="Matches to list.")] = 10,
        since: Time = None,
        until: Time = None,
    ) -> Answer:
        """Who is on a picture, or on several of one person; null for nobody."""
        return gallery.search(
            [picture.file.read() for picture in pictures],
            top=top,
            cameras=camera,
            since=since,
            until=until,
            actor=_actor(request),
        )

    @router.post(
        "/overlay", response_class=Response, responses={200: {"content": {"image/png": {}}}}
    )
    def overlay(picture: Annotated[UploadFile, File()]) -> Response:
        """A PNG of where the model looks on a picture; 404 where it cannot tell."""
        found = gallery.overlay(picture.file.read())
        if found is None:
            raise HTTPException(404, "this model cannot tell where it looks")
        return Response(found, media_type="image/png")


def _add_persons(router: APIRouter, gallery: Gallery) -> None:
    @router.get("/persons")
    def persons() -> list[PersonCount]:
        """All persons, by name."""
        return [PersonCount(name=name, images=images) for name, images in gallery.persons()]

    @router.post("/persons/{name:path}/images", status_code=201)
    def enrol(
        request: Request,
        name: str,
        pictures: Pictures,
        camera: Annotated[str | None, Form(description="That took them.")] = None,
        taken_at: Time = None,
    ) -> ImageCount:
        """Stores pictures of a person, all or none, each under its file's name."""
        images = [
            NewImage(one.filename or "", name, one.file.read(), camera, taken_at)
            for one in pictures
        ]
        return ImageCount(images=gallery.enrol(images, _actor(request)))

    @router.get("/persons/{name:path}")
    def stored(name: str) -> dict[str, Any]:
        """All that is stored on a person."""
        try:
            return gallery.stored(name)
        except UsageError as error:
            raise _not_there(name, "/images", str(error)) from None

    @router.delete("/persons/{name:path}")
    def forget_person(request: Request, name: str) -> ImageCount:
        """Deletes a person with all images, descriptors and thumbnails."""
        images = gallery.forget(person=name, actor=_actor(request))
        if not images:
            raise _not_there(name, "/images", f"nobody is called {name!r}")
        return ImageCount(images=images)


def _add_images(router: APIRouter, gallery: Gallery) -> None:
    @router.get("/cameras")
    def cameras() -> list[str]:
        """The names of all cameras."""
        return gallery.cameras()

    @router.get(
        "/images/{image}/thumbnail",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
    )
    def thumbnail(image: Annotated[int, Path(ge=0, lt=2**63)]) -> Response:
        """A small JPEG of a stored image, by its number."""
        found = gallery.thumbnail(image)
        if found is None:
            raise HTTPException(404, f"there is no image {image}")
        return Response(found, media_type="image/jpeg")

    @router.delete("/images/{name:path}")
    def forget_image(request: Request, name: str) -> ImageCount:
        """Deletes an image, by its name, with its descriptor and thumbnail."""
        images = gallery.forget(image=name, actor=_actor(request))
        if not images:
            raise _not_there(name, "/thumbnail", f"no image is called {name!r}")
        return ImageCount(images=images)


def _not_there(name: str, end: str, text: str) -> HTTPException:
    """That nothing has a name; with this end it is an address of its own, of other methods."""
    return HTTPException(405) if name.endswith(end) else HTTPException(404, text)


def _actor(request: Request) -> str:
    return f"web {request.client.host if request.client else '?'}"


@contextlib.asynccontextmanager
async def _expiring(gallery: Gallery) -> AsyncIterator[None]:
    task = asyncio.create_task(_expire_daily(gallery))
    yield
    task.cancel()


async def _expire_daily(gallery: Gallery) -> None:
    while True:
        try:
            await run_in_threadpool(gallery.expire, "retention")
            pause_s = _DAY_S
        except Exception as error:  # Whatever it is: the next try must come.
            _LOG.warning("what is past its retention is still there: %s", error)
            pause_s = _HOUR_S
        await asyncio.sleep(pause_s)
