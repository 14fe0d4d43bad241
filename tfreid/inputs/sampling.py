"""Which records make up a batch: pure functions of (seed, step), so that a run resumes exactly.

Both samplers cut one kind of endless sequence into windows: permutation after permutation of all
items. Random batches are windows over the records. Person-by-image batches are windows over the
persons, and for each person a window over that person's images.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """Separates the random streams that one seed feeds."""

    RECORDS = 0
    PERSONS = 1
    IMAGES = 2
    AUGMENTATION = 3
    EVALUATION = 4


class Windows:
    """Windows of an endless sequence of permutations of `range(count)`.

    Every item comes up equally often: the sequence visits each once before any comes again. No
    item comes twice in one window if `count >= 2 * size - 1`; in a smaller set that may happen
    where one permutation ends and the next begins.

    Args:
      count: number of items, at least 1.
      size: items in a window, at least 1; may exceed `count`.
      seed: non-negative integers that determine the sequence.
    """

    def __init__(self, count: int, size: int, seed: tuple[int, ...]):
        self.count, self.size, self.seed = count, size, seed
        self._latest = (-1, np.empty(0, np.int64))

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns the items of the window with this index, int64 `[size]`."""
        start, stop = index * self.size, (index + 1) * self.size
        epochs = range(start // self.count, (stop - 1) // self.count + 1)
        first = start - epochs[0] * self.count
        return np.concatenate([self._order(e) for e in epochs])[first : first + self.size]

    def _order(self, epoch: int) -> np.ndarray:
        """Returns the permutation that the sequence holds in this epoch, int64 `[count]`."""
        latest_epoch, order = self._latest
        if latest_epoch != epoch:
            order = self._avoid_repeats(epoch, self._permutation(epoch))
            self._latest = (epoch, order)
        return order

    def _avoid_repeats(self, epoch: int, order: np.ndarray) -> np.ndarray:
        """Delays the items that the previous epoch left in the window that both epochs share.

        This epoch's own tail stays where it is, so that no epoch depends on more than one other.
        """
        shared = epoch * self.count % self.size
        if epoch == 0 or shared == 0:
            return order
        tail = (epoch + 1) * self.count % self.size
        body, tail = np.split(order, [max(self.count - tail, 0)])
        repeated = np.isin(body, self._permutation(epoch - 1)[-shared:])
        return np.concatenate([body[~repeated], body[repeated], tail])

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([*self.seed, epoch]).permutation(self.count)


class RandomSampler:
    """Batches of records drawn without replacement, epoch after epoch.

    Args:
      count: number of records.
      batch_size: records in a batch; a batch larger than `count` holds records more than once.
      seed: of the run.
    """

    def __init__(self, count: int, batch_size: int, seed: int):
        self._windows = Windows(count, batch_size, (seed, Purpose.RECORDS))

    def __call__(self, step: int) -> np.ndarray:
        """Returns the indices of the records in the batch of this step, int64 `[batch]`."""
        return self._windows[step]


class PersonSampler:
    """Batches of P persons with K images each, a person's images side by side.

    Every person is seen equally often, and so is every image among the images of its person. A
    person with fewer than K images shows each once before any comes again.

    Args:
      labels: person label of every record, int `[records]`.
      persons_per_batch: P; where there are fewer persons, a batch shows some more than once.
      images_per_person: K.
      seed: of the run.
    """

    def __init__(
        self, labels: np.ndarray, persons_per_batch: int, images_per_person: int, seed: int
    ):
        by_person = np.argsort(labels, kind="stable")
        persons, starts = np.unique(labels[by_person], return_index=True)
        self._records = np.split(by_person, starts[1:])
        self._persons = Windows(len(persons), persons_per_batch, (seed, Purpose.PERSONS))
        self._images = [
            Windows(len(records), images_per_person, (seed, Purpose.IMAGES, int(person)))
            for person, records in zip(persons, self._records, strict=True)
        ]

    def __call__(self, step: int) -> np.ndarray:
        """Returns the indices of the records in the batch of this step, int64 `[P * K]`."""
        first = step * self._persons.size
        visits = (first + np.arange(self._persons.size)) // self._persons.count
        return np.concatenate(
            [
                self._records[person][self._images[person][visit]]
                for person, visit in zip(self._persons[step], visits.tolist(), strict=True)
            ]
        )
