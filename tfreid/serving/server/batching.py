"""Joins concurrent requests into batches, within a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import numpy as np
import tensorflow as tf

from tfreid.serving.refused import fault_of
from tfreid.serving.server.metrics import Metrics
from tfreid.serving.server.refusal import Refusal, invalid
from tfreid.serving.server.servable import Servable, faults

Arrays = Mapping[str, np.ndarray]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


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


class Batcher:
    """Computes what is queued, oldest request first, in one thread.

    A batch is the oldest request and what else waits for the same signature and version, up to
    `max_batch_images`; a request that has more images by itself is a batch of its own. The thread,
    when it is free, waits up to `timeout_s` for a batch to become full: clients that it has just
    answered need that time to come back. A client that is alone is not kept waiting.

    Args:
      max_batch_images: images that are joined at most.
      timeout_s: how long the thread waits for more requests.
      max_queued_images: images that may wait; more are refused.
      metrics: told of every batch.
    """

    def __init__(
        self, max_batch_images: int, timeout_s: float, max_queued_images: int, metrics: Metrics
    ):
        self.max_queued_images = max_queued_images
        self._max_batch_images = max_batch_images
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._queue: deque[Request] = deque()
        self._queued_images = 0
        self._closed = False
        self._had_company = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    @property
    def queued_images(self) -> int:
        """Images that wait; those being computed do not count."""
        return self._queued_images

    def submit(self, servable: Servable, signature: str, inputs: Arrays) -> "Future[Arrays]":
        """Queues a request.

        Args:
          servable: version that shall answer.
          signature: name of one of its signatures.
          inputs: arrays `[images, ...]` by name, as `Servable.read` gives them.

        Returns:
          The answer to come, arrays `[images, ...]` by name of the output; cancelling it takes
          the request out of the queue. Its exception is a `Refusal`.

        Raises:
          Refusal: RESOURCE_EXHAUSTED if the queue is full.
        """
        request = Request(servable, signature, inputs)
        with self._changed:
            if self._queued_images + request.images > self.max_queued_images:
                raise Refusal(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"{self._queued_images:,} images wait already, and at most "
                    f"{self.max_queued_images:,} may: try again later",
                )
            self._queue.append(request)
            self._queued_images += request.images
            # The worker sleeps until there is something to wait for, then until it is enough.
            if len(self._queue) == 1 or self._queued_images >= self._max_batch_images:
                self._changed.notify()
        request.answer.add_done_callback(self._forget_if_cancelled)
        return request.answer

    def close(self) -> None:
        """Computes what is queued and ends the thread; nothing may be submitted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _forget_if_cancelled(self, answer: "Future[Arrays]") -> None:
        if answer.cancelled():
            with self._changed:
                self._take([request for request in self._queue if request.answer is answer])

    def _take(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._queue.remove(request)
            self._queued_images -= request.images

    def _work(self) -> None:
        while self._wait_for_requests():
            running = [r for r in self._next_batch() if r.answer.set_running_or_notify_cancel()]
            if running:
                self._compute(running)
            del running  # while it waits, it would keep a version from being unloaded

    def _wait_for_requests(self) -> bool:
        """Returns whether there are any; if not, there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            return bool(self._queue)

    def _next_batch(self) -> list[Request]:
        """Waits for company and takes a batch; it is empty if all were cancelled meanwhile."""
        deadline_s = time.monotonic() + self._timeout_s
        with self._changed:
            while self._queue:
                batch, full = self._gather()
                alone = len(self._queue) == 1 and not self._had_company
                left_s = deadline_s - time.monotonic()
                if full or alone or self._closed or left_s <= 0:
                    self._take(batch)
                    self._had_company = len(batch) > 1
                    return batch
                self._changed.wait(left_s)
        return []

    def _gather(self) -> tuple[list[Request], bool]:
        """Returns the batch of the oldest request as far as it is there, and if it is full."""
        batch = [self._queue[0]]
        images = batch[0].images
        for request in list(self._queue)[1:]:
            if not request.joins(batch[0]):
                continue
            if images + request.images > self._max_batch_images:
                return batch, True
            batch.append(request)
            images += request.images
        return batch, images >= self._max_batch_images

    def _compute(self, batch: Sequence[Request]) -> None:
        first = batch[0]
        joined = {
            name: np.concatenate([request.inputs[name] for request in batch])
            for name in first.inputs
        }
        try:
            outputs = first.servable.compute(first.signature, joined)
        except tf.errors.OpError as error:
            self._find_culprits(batch, error)
        except Exception as error:  # a bug must not end the thread that answers everyone
            text = f"{type(error).__name__}: {error}"
            for request in batch:
                request.answer.set_exception(Refusal(grpc.StatusCode.INTERNAL, text))
        else:
            self._metrics.count_batch(len(batch), sum(request.images for request in batch))
            self._answer(batch, outputs)

    def _answer(self, batch: Sequence[Request], outputs: Arrays) -> None:
        start = 0
        for request in batch:
            stop = start + request.images
            request.answer.set_result({name: array[start:stop] for name, array in outputs.items()})
            start = stop

    def _find_culprits(self, batch: Sequence[Request], error: tf.errors.OpError) -> None:
        """Refuses the requests with undecodable images and computes the others again.

        Looking only after a failure spares decoding every image twice.
        """
        complaints = [faults(request.inputs, fault_of) for request in batch]
        good = [request for request, text in zip(batch, complaints, strict=True) if not text]
        for request, text in zip(batch, complaints, strict=True):
            if text:
                request.answer.set_exception(invalid(text))
        if len(good) < len(batch):
            if good:
                self._compute(good)
        elif len(batch) > 1:
            for request in batch:
                self._compute([request])
        else:
            code = _CODES.get(error.error_code, grpc.StatusCode.INTERNAL)
            batch[0].answer.set_exception(Refusal(code, error.message))
