"""The server: a gRPC port, a model and its worker, started and stopped together."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from tfreid.errors import UsageError, require
from tfreid.serving.decoding import MAX_IMAGE_MPX
from tfreid.serving.server.guard import Guard
from tfreid.serving.server.service import ModelService, PredictionService
from tfreid.serving.server.versions import Versions
from tfreid.serving.server.worker import Worker

_HEALTH_NAMES = ("", "tensorflow.serving.PredictionService")
_FAREWELL_S = 0.2
"""How long clients that send one request after the other are told of the shutdown."""

_Status = health_pb2.HealthCheckResponse


class LocalServer:
    """Serves the versions of a SavedModel over TensorFlow Serving's gRPC protocol.

    It is meant for laptops and tests. Use it as a context, or call `start` and `stop`.

    Args:
      model_base: folder of the version folders, or one of them; `Versions` says which serves.
      name: of the model, which requests must give.
      host: address to listen on; anybody who reaches it can send requests.
      port: 0 for a free one.
      max_queued_images: images that may wait, and that one request may hold.
      max_message_mib: largest request.
      max_image_mpx: megapixels of the largest image, up to the limit of exported models.
      poll_seconds: time between two looks for new versions.

    Attributes:
      port: where it listens once it is started.

    Raises:
      MissingPathError: if there is no such folder.
      UsageError: if the folder is of another kind, or images could be larger than models take.
    """

    def __init__(
        self,
        model_base: str | Path,
        *,
        name: str = "reid",
        host: str = "127.0.0.1",
        port: int = 0,
        max_queued_images: int = 1024,
        max_message_mib: int = 64,
        max_image_mpx: float = MAX_IMAGE_MPX,
        poll_seconds: float = 1.0,
    ):
        require(
            0 < max_image_mpx <= MAX_IMAGE_MPX,
            f"max_image_mpx={max_image_mpx:g}: expected above 0 and at most {MAX_IMAGE_MPX:g}, "
            "which exported models take",
        )
        self.port = port
        self._name = name
        self._host = host.strip("[]")
        self._max_message_bytes = max_message_mib << 20
        self._max_image_mpx = max_image_mpx
        self._poll_seconds = poll_seconds
        self._max_queued_images = max_queued_images
        self._versions = Versions(Path(model_base), self._on_serving)
        self._health = health.aio.HealthServicer()
        self._resources = contextlib.ExitStack()
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        """`host:port`, for clients; an address of IPv6 gets brackets."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    @property
    def version(self) -> int | None:
        """The version that serves, if any."""
        return self._versions.current and self._versions.current.version

    def start(self) -> "LocalServer":
        """Listens, then loads the highest version if there is one, and watches for others.

        Until a version is loaded requests are answered with UNAVAILABLE.

        Returns:
          Itself.

        Raises:
          UsageError: if the port is taken or the address is not this machine's.
        """
        with contextlib.ExitStack() as resources:
            self._worker = Worker(self._max_queued_images)
            resources.callback(self._worker.close)
            self._loop = resources.enter_context(_event_loop())
            self._wait_for(self._listen())
            resources.callback(self._versions.stop)
            self._resources = resources.pop_all()
        self._versions.check()
        self._versions.watch(self._poll_seconds)
        return self

    def stop(self, grace_s: float = 30.0) -> None:
        """Accepts no more requests, answers those that it has, and ends.

        Args:
          grace_s: after this many seconds the requests left are cancelled.
        """
        if self._server:
            self._wait_for(self._shut_down(self._server, grace_s))
            self._server = None
        self._resources.close()

    def __enter__(self) -> "LocalServer":
        """Starts."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops."""
        self.stop()

    async def _listen(self) -> None:
        server = grpc.aio.server(
            interceptors=[Guard()],
            options=[
                ("grpc.max_receive_message_length", self._max_message_bytes),
                # Else a second server could listen on the same port, and take half the requests.
                ("grpc.so_reuseport", 0),
            ],
        )
        self._service = PredictionService(
            self._name, self._versions, self._worker, self._max_image_mpx
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self._service, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(self._name, self._versions), server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        await self._set_health(_Status.NOT_SERVING)
        try:
            self.port = server.add_insecure_port(self.address)
        except RuntimeError:
            raise UsageError(
                f"cannot listen on {self.address}: the port is taken or the address is "
                "not this machine's; choose another"
            ) from None
        await server.start()
        self._server = server

    async def _shut_down(self, server: grpc.aio.Server, grace_s: float) -> None:
        await self._health.enter_graceful_shutdown()
        await self._service.drain(grace_s)
        await asyncio.sleep(_FAREWELL_S)
        await server.stop(None)

    async def _set_health(self, status: int) -> None:
        for name in _HEALTH_NAMES:
            await self._health.set(name, status)

    def _on_serving(self) -> None:
        self._wait_for(self._set_health(_Status.SERVING))

    def _wait_for(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@contextlib.contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="grpc", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
