"""Products of matrices whose rounding does not depend on the number of threads.

How a BLAS library divides a product among its threads decides which of its kernels computes an
element, and so how the element is rounded. NumPy has no call for the number of these threads, so
this asks the library behind NumPy, as far as it is OpenBLAS, as in NumPy's packages on PyPI.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy.linalg.lapack_lite as linked

_PREFIXES_AND_SUFFIXES = (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", ""))
"""Of the function names in the builds of OpenBLAS that NumPy is linked to."""

_LOCK = threading.Lock()
"""Held while the number of threads is changed, which is one number for the whole process."""


@contextmanager
def one_thread_a_product() -> Iterator[int]:
    """Lets every product be computed by the thread that asks for it.

    Yields:
      How many threads a product had before: as many can ask for products at the same time. 1 where
      the library is not known; it is then left as it is.
    """
    get, set_number = _function("get_num_threads"), _function("set_num_threads")
    if get is None or set_number is None:
        yield 1
        return
    with _LOCK:
        threads = get()
        set_number(1)
        try:
            yield threads
        finally:
            set_number(threads)


def _function(name: str):
    library = ctypes.CDLL(linked.__file__)
    for prefix, suffix in _PREFIXES_AND_SUFFIXES:
        function = getattr(library, f"{prefix}openblas_{name}{suffix}", None)
        if function is not None:
            return function
    return None
