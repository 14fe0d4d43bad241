"""Uploads that stay in memory: no picture of a request is ever written to a disk."""

from collections.abc import Callable
from email.message import Message
from typing import Any

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from tfreid.gallery.web.fields import check_form, check_request, form_fields

_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 10_000


class _MemoryParser(MultiPartParser):
    spool_max_size = 2**62  # Never spooled; the guard limits the whole request.


class _MemoryRequest(Request):
    max_pictures: int
    fields: dict[str, bool]

    async def form(self) -> FormData:
        header = Message()
        header["content-type"] = self.headers.get("content-type", "")
        if header.get_content_type() != "multipart/form-data":
            return FormData()
        if header.get_content_charset("utf-8") not in ("utf-8", "utf8"):
            raise HTTPException(415, "the form is in another charset: send it in UTF-8")
        parser = _MemoryParser(
            self.headers,
            self.stream(),
            max_files=self.max_pictures,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_FIELD_BYTES,
        )
        try:
            form = await parser.parse()
        except MultiPartException as error:
            if error.message.startswith("Too many files"):
                text = f"there are more than {self.max_pictures} pictures: send less at once"
                raise HTTPException(413, text) from None
            text = f"the form cannot be read ({error.message.rstrip('.')}): send it as curl -F does"
            raise HTTPException(400, text) from None
        check_form(form, self.fields)
        return form


def memory_route(max_pictures: int) -> type[APIRoute]:
    """Returns a class of routes that read forms into memory, and refuse what would have no effect.

    Args:
      max_pictures: that one request may hold.
    """

    class MemoryRoute(APIRoute):
        """Hands requests on whose forms stay in memory."""

        def get_route_handler(self) -> Callable[[Request], Any]:
            """Returns what answers a request."""
            handle, fields = super().get_route_handler(), form_fields(self.dependant)

            async def handle_in_memory(request: Request) -> Any:
                request = _MemoryRequest(request.scope, request.receive)
                request.max_pictures, request.fields = max_pictures, fields
                check_request(request, fields)
                return await handle(request)

            return handle_in_memory

    return MemoryRoute
