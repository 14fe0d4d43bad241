"""Computes requests, those that wait together, within a bounded queue."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import numpy as np
import tensorflow as tf

from tfreid.serving.refused import fault_of
from tfreid.serving.server.refusal import Refusal, invalid
from tfreid.serving.server.servable import Servable, faults

Arrays = Mapping[str, np.ndarray]
_CODES = {code.value[0]: code for code in grpc.StatusCode}

MAX_JOINED_IMAGES = 32
"""Images of several requests in one call of the model."""


@dataclass(frozen=True, eq=False)
class Request:
    """Images that wait for one signature of one version.

    Attributes:
      servable: the version.
      signature: name of the signature.
      inputs: arrays `[images, ...]` by name.
      answer: gets arrays `[images, ...]` by name of the output, or a `Refusal`.
    """

    servable: Servable
    signature: str
    inputs: Arrays
    answer: "Future[Arrays]" = field(default_factory=Future)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(next(iter(self.inputs.values())))

    def joins(self, other: "Request") -> bool:
        """Whether one call can compute both."""
        return self.servable is other.servable and self.signature == other.signature


class Worker:
    """A thread that computes what is queued, oldest first.

    The oldest request is computed with those that follow it for the same signature and version, up
    to `MAX_JOINED_IMAGES`: a small model takes little longer for several images than for one.

    Args:
      max_queued_images: images that may wait; more are refused.
    """

    def __init__(self, max_queued_images: int):
        self.max_queued_images = max_queued_images
        self._queue: list[Request] = []
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    @property
    def queued_images(self) -> int:
        """Images that wait, without those that are being computed or are cancelled."""
        with self._changed:
            self._queue = [r for r in self._queue if not r.answer.cancelled()]
            return sum(r.images for r in self._queue)

    def submit(self, servable: Servable, signature: str, inputs: Arrays) -> "Future[Arrays]":
        """Queues a request.

        Args:
          servable: version that shall answer.
          signature: name of one of its signatures.
          inputs: arrays `[images, ...]` by name, as `Servable.read` gives them.

        Returns:
          The answer to come, arrays `[images, ...]` by name of the output; it may be cancelled
          while it waits, and is not computed then. Its exception is a `Refusal`.

        Raises:
          Refusal: RESOURCE_EXHAUSTED if the queue is full.
        """
        request = Request(servable, signature, inputs)
        with self._changed:
            if (waiting := self.queued_images) + request.images > self.max_queued_images:
                raise Refusal(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"{waiting:,} images wait already, and at most "
                    f"{self.max_queued_images:,} may: try again later",
                )
            self._queue.append(request)
            self._changed.notify()
        return request.answer

    def close(self) -> None:
        """Computes what is queued and ends the thread; nothing may be submitted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while requests := self._next():
            running = [r for r in requests if r.answer.set_running_or_notify_cancel()]
            if running:
                _compute(running)
            del requests, running  # while it waits, it would keep a version from being unloaded

    def _next(self) -> list[Request]:
        """Waits for requests and takes those of one call; none if there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            taken: list[Request] = []
            images = 0
            for request in self._queue:
                images += request.images
                if taken and (images > MAX_JOINED_IMAGES or not request.joins(taken[0])):
                    break
                taken.append(request)
            del self._queue[: len(taken)]
            return taken


def _compute(requests: Sequence[Request]) -> None:
    """Answers requests of one signature; those that fail together are tried by halves."""
    first = requests[0]
    joined = {name: np.concatenate([r.inputs[name] for r in requests]) for name in first.inputs}
    try:
        outputs = first.servable.compute(first.signature, joined)
    except Exception as error:  # a bug must not end the thread, either
        if half := len(requests) // 2:
            _compute(requests[:half])
            _compute(requests[half:])
        else:
            first.answer.set_exception(_refusal(first, error))
        return
    start = 0
    for request in requests:
        stop = start + request.images
        request.answer.set_result({name: array[start:stop] for name, array in outputs.items()})
        start = stop


def _refusal(request: Request, error: Exception) -> Refusal:
    """Looks at images only now, which spares decoding every one of them twice."""
    if not isinstance(error, tf.errors.OpError):
        return Refusal(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")
    if text := faults(request.inputs, fault_of):
        return invalid(text)
    return Refusal(_CODES.get(error.error_code, grpc.StatusCode.INTERNAL), error.message)
