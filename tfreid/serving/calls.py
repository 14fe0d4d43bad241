"""Calls to a model server: one deadline, retries, and failures in the user's words."""

import itertools
import random
import time
from typing import Any

import grpc

from tfreid.errors import ServingError, UsageError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),  # gRPC's own limit is 4 MiB
    ("grpc.max_receive_message_length", -1),
    # A channel that found no server would wait for up to two minutes before it looks again.
    ("grpc.initial_reconnect_backoff_ms", int(1000 * _FIRST_PAUSE_S)),
    ("grpc.max_reconnect_backoff_ms", int(1000 * _LONGEST_PAUSE_S)),
]
_LARGER = "larger than max"
_THIS_MACHINE = ("127.", "localhost:", "[::1]:")


class RefusedRequestError(ServingError):
    """The server finds fault with the request itself (INVALID_ARGUMENT)."""


class TooLargeError(ServingError):
    """A message is larger than the server, or this machine's gRPC, takes."""


class Caller:
    """Calls a server, again and again if it is not available.

    Attributes:
      channel: the connection, for the stubs; it is made with the first call.
    """

    def __init__(self, address: str, timeout_s: float, retries: int) -> None:
        """Prepares a connection without encryption.

        Args:
          address: `host:port`.
          timeout_s: for a call, all its attempts and pauses together.
          retries: attempts after the first.
        """
        # Else gRPC would ask the proxy that http_proxy names for a server on this machine.
        by_proxy = ("grpc.enable_http_proxy", int(not address.startswith(_THIS_MACHINE)))
        self.channel = grpc.insecure_channel(address, [*_CHANNEL_OPTIONS, by_proxy])
        self._address, self._timeout_s, self._retries = address, timeout_s, retries

    def call(self, method: grpc.UnaryUnaryMultiCallable, request: Any) -> Any:
        """Returns the response to a request.

        Args:
          method: of a stub on `channel`.
          request: its message.

        Raises:
          RefusedRequestError: if the server answers INVALID_ARGUMENT.
          TooLargeError: if the request is larger than the server takes.
          ServingError: if it fails otherwise.
          UsageError: if the connection is closed.
        """
        deadline = time.monotonic() + self._timeout_s
        for attempt in itertools.count():
            try:
                return method(request, timeout=deadline - time.monotonic())
            except ValueError as error:  # gRPC's way to say that the channel is closed
                raise UsageError(f"client of {self._address}: {error}: make another") from error
            except grpc.RpcError as error:
                # Clients that failed together shall not come back together.
                longest = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
                pause_s = random.uniform(0.5, 1.0) * longest
                in_time = time.monotonic() + pause_s < deadline
                retried = error.code() == grpc.StatusCode.UNAVAILABLE and attempt < self._retries
                if not (retried and in_time):
                    raise self._explain(error) from error
            time.sleep(pause_s)

    def _explain(self, error: grpc.RpcError) -> ServingError:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            return RefusedRequestError(f"{self._address} refuses the request: {details}")
        if code == grpc.StatusCode.UNAVAILABLE:
            return ServingError(
                f"{self._address} is not available: is the server running, has it loaded its "
                f"model, and is this the address of its gRPC port? ({details})"
            )
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ServingError(
                f"{self._address} did not answer within {self._timeout_s:g} s: send fewer images "
                "in a request or wait longer (batch_size, timeout_s)"
            )
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            kind = TooLargeError if _LARGER in (details or "") else ServingError
            return kind(
                f"{self._address} takes no more: send less at a time (batch_size, "
                "max_request_mib, fewer clients, smaller files) or raise the server's limit "
                f"({details})"
            )
        if code == grpc.StatusCode.NOT_FOUND:
            return ServingError(f"{self._address} does not serve what was asked for: {details}")
        return ServingError(f"{self._address} failed with {code.name}: {details}")
