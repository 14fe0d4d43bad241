"""What the server counts, as a page for Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from tfreid.errors import UsageError

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Counters of one server, in a registry of their own.

    Attributes:
      registry: holds `tfreid_requests_total` by signature and code, `tfreid_request_seconds` by
        signature, and what `watch` adds.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = {"registry": self.registry}
        self._requests = Counter(
            "tfreid_requests", "Predict requests answered", ["signature", "code"], **own
        )
        self._seconds = Histogram(
            "tfreid_request_seconds",
            "Time from a Predict request's arrival to its answer",
            ["signature"],
            buckets=_SECONDS,
            **own,
        )

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Adds a figure that is asked for whenever the page is.

        Args:
          name: in Prometheus' manner.
          meaning: one line.
          value: gives the figure.
        """
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def count_request(self, signature: str, code: grpc.StatusCode, seconds: float) -> None:
        """Counts a request that was answered, or refused.

        Args:
          signature: name of a signature that exists.
          code: gRPC status.
          seconds: from its arrival.
        """
        self._requests.labels(signature, code.name).inc()
        self._seconds.labels(signature).observe(seconds)

    @contextmanager
    def page(self, host: str, port: int) -> Iterator[int]:
        """Context in which the figures can be read at `http://host:port/metrics`.

        Args:
          host: address to bind to.
          port: 0 for a free one.

        Yields:
          The port.

        Raises:
          UsageError: if the port is taken or the address is not this machine's.
        """
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise UsageError(
                f"cannot serve metrics on {joined(host, port)}: {error.strerror}; choose another "
                "port"
            ) from None
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def joined(host: str, port: int) -> str:
    """Returns `host:port`; an address of IPv6 gets brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
