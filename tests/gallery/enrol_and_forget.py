"""Enrols and forgets until it is killed, and says what is done: `python … FOLDER FIRST HOW`.

HOW is `forget`, or `expire`: then images are made old, and the gallery is opened anew.
"""

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


def main(folder: str, first: int, how: str) -> None:
    gallery = Gallery(Database(folder), describer())
    for batch in range(first, first + 10_000):
        images = [NewImage(name(batch, n), f"p{batch}", png(batch, n)) for n in range(IMAGES)]
        gallery.enrol(images, "me")
        print("enrolled", batch, flush=True)
        if batch % 2:
            print("forgetting", batch - 1, flush=True)
            if how == "expire":
                make_old(Database(folder), batch - 1)
                print("old", batch - 1, flush=True)
                gallery = Gallery(Database(folder), describer())
            else:
                gallery.forget(person=f"p{batch - 1}", actor="me")
            print("forgotten", batch - 1, flush=True)


def name(batch: int, n: int) -> str:
    """Found nowhere by chance."""
    return f"image {n} of batch {batch}."


def make_old(database: Database, batch: int) -> None:
    with database.connect() as connection:
        connection.execute(
            "UPDATE image SET enrolled_at = now() - interval '31 days' WHERE person = "
            "(SELECT id FROM person WHERE name = %s)",
            [f"p{batch}"],
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
