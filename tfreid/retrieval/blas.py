"""Products of matrices whose rounding does not depend on the number of threads.

How a BLAS library divides a product among its threads decides which of its kernels computes an
element, and so how the element is rounded.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_LOCK = threading.Lock()
"""Held while the number of threads is changed, which is one number for the whole process."""


@contextmanager
def one_thread_a_product() -> Iterator[int]:
    """Lets every product be computed by the thread that asks for it.

    Yields:
      How many threads a product had before: as many can ask for products at the same time. 1 where
      the library is not known; it is then left as it is.
    """
    libraries = _libraries()
    with _LOCK:
        threads = max((library["num_threads"] for library in libraries.info()), default=1)
        with libraries.limit(limits=1):
            yield threads


@functools.cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries of the process, looked for once, as that takes longer than a product."""
    return ThreadpoolController().select(user_api="blas")
