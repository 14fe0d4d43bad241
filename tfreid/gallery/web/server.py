"""The server that runs a gallery's page."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from tfreid.errors import UsageError, require
from tfreid.gallery.gallery import Gallery
from tfreid.gallery.web.app import MAX_PICTURES, MAX_UPLOAD_MIB, create_app
from tfreid.gallery.web.guard import is_loopback

_MOST_CONNECTIONS = 200
_GRACE_S = 30


def _print_now(text: str) -> None:
    print(text, flush=True)


def serve(
    gallery: Gallery,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str | None = None,
    *,
    max_upload_mib: float = MAX_UPLOAD_MIB,
    max_pictures: int = MAX_PICTURES,
    announce: Callable[[str], None] = _print_now,
) -> None:
    """Serves a gallery's page and API until SIGTERM or Ctrl-C; answers then what it has accepted.

    Args:
      gallery: to search in.
      host: name or address to listen on; without a token only one of this machine's own.
      port: 0 finds one.
      token: as `create_app`, as are the limits.
      max_upload_mib: size of a request.
      max_pictures: that one request may hold.
      announce: is given the address once it listens.

    Raises:
      UsageError: if others could ask without a token, the token is short, or the address
        cannot be listened on.
    """
    require(
        token is not None or is_loopback(host),
        f"host={host} lets others ask, who could see and delete everybody: give a token, or keep "
        "to 127.0.0.1",
    )
    # Every malformed upload would be a line of the log.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    app = create_app(gallery, token, max_upload_mib=max_upload_mib, max_pictures=max_pictures)
    with contextlib.closing(_listening(host, port)) as listener:
        config = uvicorn.Config(
            app,
            access_log=False,
            limit_concurrency=_MOST_CONNECTIONS,
            log_level="warning",
            proxy_headers=False,  # They would let anyone choose the address that the log has.
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            ws="none",
        )
        server = uvicorn.Server(config)
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{listener.getsockname()[1]}")
        with _stopped_by_signals(server):
            server.run([listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_MOST_CONNECTIONS)
    except (OSError, UnicodeError) as error:  # A label of a name that is empty, or too long.
        reason = getattr(error, "strerror", None) or "it is no host name"
        raise UsageError(
            f"{host}:{port} cannot be listened on ({reason}): choose another host or port"
        ) from None


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Keeps the signals that stopped uvicorn, which it raises again, from ending the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, server.handle_exit) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
