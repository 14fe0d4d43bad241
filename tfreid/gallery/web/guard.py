"""Who may ask, and how much may be sent: settled before a request's body is read."""

import asyncio
import hmac
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BODIES_AT_ONCE = 4  # What is being uploaded lies in memory: others wait, unread.
_BODY_SECONDS = 60
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RequestGuard:
    """Middleware that refuses what is not allowed, and says what browsers may do with answers.

    With a token, whoever sends it may do everything. Without one, this machine's users may; pages
    of others that their browsers show may not: they have another origin, and a name of theirs that
    leads here (DNS rebinding) is no name of this machine.

    Args:
      app: what answers.
      token: that requests must send (`Authorization: Bearer`).
      public: paths that need none.
      max_body_bytes: of a request, counted while it is read.
    """

    def __init__(
        self, app: ASGIApp, token: str | None, public: Collection[str], max_body_bytes: int
    ):
        self._app, self._token, self._public = app, token, public
        self._max_body_bytes = max_body_bytes
        self._bodies = asyncio.Semaphore(_BODIES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or has the app answer, one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if refusal := self._refusal(scope):
            return await refusal(scope, receive, send_guarded)
        if scope["method"] in _SAFE_METHODS:
            return await self._app(scope, receive, send_guarded)
        async with self._bodies:
            await self._app(scope, self._limited(receive), send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        if self._token is not None:
            expected = f"Bearer {self._token}".encode()
            sent = headers.get("authorization", "").encode("latin-1")
            if scope["path"] in self._public or hmac.compare_digest(sent, expected):
                return None
            text = "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'"
            return JSONResponse({"error": text}, 401, {"WWW-Authenticate": "Bearer"})
        host, origin = headers.get("host", ""), headers.get("origin")
        if not is_loopback(_name_of(f"//{host}")):
            text = f"host {host!r} is no name of this machine: use 127.0.0.1 or localhost"
            return JSONResponse({"error": text}, 403)
        if scope["method"] not in _SAFE_METHODS and origin not in (None, f"http://{host}"):
            return JSONResponse({"error": f"pages of {origin!r} may not change anything"}, 403)
        return None

    def _limited(self, receive: Receive) -> Receive:
        """A `receive` that raises once a body is too large or takes too long."""
        read_bytes, is_complete = 0, False
        deadline = asyncio.get_running_loop().time() + _BODY_SECONDS

        async def limited() -> Message:
            nonlocal read_bytes, is_complete
            if is_complete:  # What comes now is only that the client has gone.
                return await receive()
            left = deadline - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), left)
            except asyncio.TimeoutError:
                text = f"the upload took more than {_BODY_SECONDS} seconds"
                raise HTTPException(408, text) from None
            read_bytes += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if read_bytes > self._max_body_bytes:
                most = f"{self._max_body_bytes / 2**20:g} MiB"
                raise HTTPException(413, f"the upload is larger than {most}: send less at once")
            return message

        return limited


def is_loopback(host: str) -> bool:
    """Returns whether only this machine can reach a host, a name or an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name_of(address: str) -> str:
    """The host of an address, without a port; nothing if it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
