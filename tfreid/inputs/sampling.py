"""Which records make up a batch: pure functions of (seed, step), so that a run resumes exactly.

Both samplers cut one kind of endless sequence into windows: permutation after permutation of all
items. Random batches are windows over the records. Person-by-image batches are windows over the
persons, and for each person a window over that person's images or over those of each camera.
"""

import math
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

    Every item comes up equally often: the sequence visits each once before any comes again, and so
    does every window. No item comes twice in one window if `count >= size`.

    Where `count < 2 * size - 1`, a new permutation in the middle of a window would bring repeats:
    there the sequence goes round and round in one permutation until it ends where a window ends.

    Args:
      count: number of items, at least 1.
      size: items in a window, at least 1; may exceed `count`.
      seed: non-negative integers that determine the sequence.
    """

    def __init__(self, count: int, size: int, seed: tuple[int, ...]):
        self.count, self.size, self.seed = count, size, seed
        self._latest = (-1, np.empty(0, np.int64))
        self._small = count < 2 * size - 1

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns the items of the window with this index, int64 `[size]`."""
        start, stop = index * self.size, (index + 1) * self.size
        if self._small:
            rounds, first = divmod(start, math.lcm(self.count, self.size))
            return self._order(rounds).take(np.arange(first, first + self.size), mode="wrap")
        epochs = range(start // self.count, (stop - 1) // self.count + 1)
        first = start - epochs[0] * self.count
        orders = [self._order(epoch) for epoch in epochs]
        order = orders[0] if len(orders) == 1 else np.concatenate(orders)
        return order[first : first + self.size]

    def _order(self, epoch: int) -> np.ndarray:
        """Returns the permutation of an epoch, of rounds in a small set, int64 `[count]`."""
        latest_epoch, order = self._latest
        if latest_epoch != epoch:
            order = self._permutation(epoch)
            order = order if self._small else self._avoid_repeats(epoch, order)
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
        body, tail = np.split(order, [self.count - tail])
        repeated = np.isin(body, self._permutation(epoch - 1)[-shared:])
        return np.concatenate([body[~repeated], body[repeated], tail])

    def _permutation(self, epoch: int) -> np.ndarray:
        words = [*self.seed, epoch]
        if max(words) < 2**32:  # The generator is the same, and made in two thirds of the time.
            words = np.array(words, np.uint32)
        return np.random.default_rng(words).permutation(self.count)


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


class CameraWindows:
    """Windows of one person's images, spread over the person's cameras as evenly as they allow.

    "The images of each pedestrian are taken from different cameras as much as possible" (FA-Net,
    section IV-B): a camera shows fewer images in a window of K than another only by one, or where
    it has no more. A person with fewer than K images shows each `K // images` times, and the rest
    of the window is spread.

    Cameras that have more than they can show are given the places of one window after another in
    turn, like players the cards of a deck. In the long run each of them shows equally many
    images, and each of its images before any comes again.

    Args:
      cameras: camera label of each of the person's images, int `[images]`, at least 0.
      size: K.
      seed: non-negative integers that determine the sequence.
    """

    def __init__(self, cameras: np.ndarray, size: int, seed: tuple[int, ...]):
        repeats, places = divmod(size, len(cameras))
        labels, counts = np.unique(cameras, return_counts=True)
        level = _water_level(counts, places)
        scarce = np.isin(cameras, labels[counts <= level])
        every = np.tile(np.arange(len(cameras)), repeats)
        self._fixed = np.concatenate([every, np.flatnonzero(scarce)])
        self._dealt = size - len(self._fixed)
        self._latest = (-1, self._fixed)

        # The deck lasts until each of the cameras that are dealt to has had as many places.
        players = labels[counts > level]
        share = math.gcd(self._dealt, len(players))
        self._windows_per_deck = len(players) // share
        self._turns = Windows(len(players), len(players), (*seed, 0))
        self._images = [np.flatnonzero(cameras == label) for label in players]
        self._hands = [
            Windows(len(images), self._dealt // share, (*seed, 1 + int(label)))
            for label, images in zip(players, self._images, strict=True)
        ]

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns the images of the window with this index, int64 `[size]`."""
        if self._dealt == 0:
            return self._fixed
        number, window = divmod(index, self._windows_per_deck)
        dealt = self._deck(number)[window * self._dealt :][: self._dealt]
        return np.concatenate([self._fixed, dealt])

    def _deck(self, number: int) -> np.ndarray:
        """Returns the images of the deck with this number in the order in which they are dealt."""
        latest, deck = self._latest
        if latest != number:
            hands = [self._images[i][self._hands[i][number]] for i in self._turns[number]]
            deck = np.array(hands).T.ravel()
            self._latest = (number, deck)
        return deck


def _water_level(counts: np.ndarray, places: int) -> int:
    """Returns the most images that each camera, or as many as it has, can show in these places."""
    levels = np.arange(places + 1)
    return levels[np.minimum.outer(levels, counts).sum(axis=1) <= places][-1]


class PersonSampler:
    """Batches of P persons with K images each, a person's images side by side.

    Every person is seen equally often, and so is every image among the images of its person, or
    of its person and camera. No image comes twice among a person's K if the person has as many.

    Args:
      labels: person label of every record, int `[records]`.
      persons_per_batch: P; where there are fewer persons, a batch shows some more than once.
      images_per_person: K.
      seed: of the run.
      cameras: camera label of every record, int `[records]`, to spread each person's images over
        the person's cameras; None to draw them from all alike.
    """

    def __init__(
        self,
        labels: np.ndarray,
        persons_per_batch: int,
        images_per_person: int,
        seed: int,
        cameras: np.ndarray | None = None,
    ):
        by_person = np.argsort(labels, kind="stable")
        persons, starts = np.unique(labels[by_person], return_index=True)
        self._records = np.split(by_person, starts[1:])
        self._persons = Windows(len(persons), persons_per_batch, (seed, Purpose.PERSONS))
        self._images = []
        for person, records in zip(persons, self._records, strict=True):
            words = (seed, Purpose.IMAGES, int(person))
            self._images.append(
                Windows(len(records), images_per_person, words)
                if cameras is None
                else CameraWindows(cameras[records], images_per_person, words)
            )

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
