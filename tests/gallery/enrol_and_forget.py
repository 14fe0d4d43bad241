"""Enrols and forgets until it is killed, and says what is done: `python … FOLDER FIRST`."""

import sys
from types import SimpleNamespace

import numpy as np

from tests.gallery.colourful import png
from tfreid.gallery import Database, Gallery, NewImage

IMAGES = 5


def describer() -> SimpleNamespace:
    """One without TensorFlow, which takes seconds to load."""
    fingerprint = np.eye(4, 64, dtype=np.float32)
    return SimpleNamespace(
        fingerprint=fingerprint,
        size=64,
        beta=None,
        searches=None,
        require=lambda *_: None,
        describe=lambda files, _: np.stack([np.frombuffer(f[-64:], np.uint8) for f in files]) + 1.0,
    )


def main(folder: str, first: int) -> None:
    gallery = Gallery(Database(folder), describer())
    for batch in range(first, first + 10_000):
        images = [NewImage(f"{batch}/{n}", f"p{batch}", png(batch, n)) for n in range(IMAGES)]
        gallery.enrol(images, "me")
        print("enrolled", batch, flush=True)
        if batch % 2:
            print("forgetting", batch - 1, flush=True)
            gallery.forget(person=f"p{batch - 1}", actor="me")
            print("forgotten", batch - 1, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
