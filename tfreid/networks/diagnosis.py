"""Finds the mistakes that are made most often where somebody else's network is measured.

What is found rests on few images and on thresholds that nobody but this file chose: it names what
looks wrong, and changes nothing.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tfreid.errors import DataError
from tfreid.inputs import resize_image
from tfreid.networks.foreign import ForeignNetwork
from tfreid.networks.presentation import PRESETS, Presentation
from tfreid.nn.network import Network
from tfreid.retrieval.distances import normalise

MOST_IMAGES = 64
"""That are looked at."""

IMAGES_OF_A_PERSON = 4
"""That are looked at, or more where there are few persons."""

FEWEST_PAIRS = 20
"""Of images of one person, to compare presentations by; fewer say too little."""

SAME = 1e-6
"""Values of descriptors that differ by less, as a share of the largest one, are the same."""

NEARLY_SAME = 0.999
"""Mean cosine of the descriptors of different images that leaves little to tell them apart by."""

DEAD = 0.5
"""Share of a descriptor's values that are the same for all images."""

ERROR_RATIO, GAIN = 2 / 3, 0.01
"""A presentation fits far better than another if pairs are confused at most this often as with the
other, and at least this much less. On real crops, an ImageNet network that was given 0 to 255
had a ratio of 0.62 to what it was trained with; of a right way no other was below 0.86."""

CLASSES = {
    1000: "ImageNet has classes",
    1001: "ImageNet has classes, with one for the background",
    751: "Market-1501 has persons for training",
    702: "DukeMTMC-reID has persons for training",
    1041: "MSMT17 has persons for training",
    767: "CUHK03 has persons for training",
}
"""Number of values -> why it may be that of classes and not of a descriptor."""

Describe = Callable[[Presentation], np.ndarray]


def diagnose(network: Network, images: np.ndarray, persons: np.ndarray | None = None) -> list[str]:
    """Looks for the classic mistakes.

    Of networks that are not ours, the presets, and the other order of colours, are compared with
    the presentation that it has: by how often a pair of images of one person has a smaller cosine
    than one of two persons; without `FEWEST_PAIRS` such pairs, an image and its mirrored, narrower
    cut take the place of one person's images.

    Args:
      network: any.
      images: uint8 `[n, height, width, 3]` of any size, RGB; at most `MOST_IMAGES` are taken.
      persons: int `[n]`, who is on them; nobody where it is not above 0.

    Returns:
      A line for each thing that looks wrong.

    Raises:
      DataError: if descriptors are not finite, or the same for every image.
    """
    persons = None if persons is None else np.asarray(persons)
    chosen = _sample(len(images), persons)
    resized = _resized(network, images[chosen])
    describe = _describer(network)
    found = describe(None, resized)
    _refuse_unusable(network, found, lambda other: describe(other, resized))
    warnings = [*_of_descriptors(network, found), *_of_batches(network)]
    if isinstance(network, ForeignNetwork) and len(chosen) > 1:
        pairs = np.eye(len(chosen), dtype=bool)
        copies = None
        if persons is not None and _enough_pairs(persons[chosen]):
            pairs = persons[chosen][:, None] == persons[chosen][None, :]
        else:
            copies = _copies(network, images[chosen])

        def confused(presentation: Presentation) -> float:
            left = describe(presentation, resized)
            right = left if copies is None else describe(presentation, copies)
            return _confusion(left, right, pairs, alone=copies is None)

        warnings += _of_presentation(network, confused, len(chosen), copies is None)
    return warnings


def _sample(count: int, persons: np.ndarray | None) -> np.ndarray:
    """The images to look at: evenly spread, or some persons' in turn."""
    if persons is None or not (persons > 0).any():
        return np.unique(np.linspace(0, count - 1, min(count, MOST_IMAGES)).astype(int))
    ids = np.unique(persons[persons > 0])
    chosen: list[int] = []
    of_each = max(IMAGES_OF_A_PERSON, MOST_IMAGES // len(ids))
    for person in np.random.default_rng(0).permutation(ids):
        places = np.flatnonzero(persons == person)
        spread = np.linspace(0, len(places) - 1, min(len(places), of_each))
        chosen += places[np.unique(spread.astype(int))].tolist()
    return np.array(chosen[:MOST_IMAGES])


def _resized(network: Network, images: np.ndarray) -> np.ndarray:
    return np.stack([resize_image(image, network.image_size_px).numpy() for image in images])


def _copies(network: Network, images: np.ndarray) -> np.ndarray:
    """The images as another camera may see them: mirrored, and cut closer at one side."""
    height, width = images.shape[1:3]
    return _resized(network, images[:, height // 16 :, ::-1][:, :, width // 12 :])


def _describer(network: Network) -> Callable[[Presentation | None, np.ndarray], np.ndarray]:
    """Returns the function from a presentation, or the network's own, and images to descriptors."""
    size = MOST_IMAGES // 4
    if isinstance(network, ForeignNetwork):
        compute = network.compute
        if network.in_graph:
            compute = tf.function(compute, reduce_retracing=True)

        def run(presentation: Presentation | None, part: np.ndarray) -> tf.Tensor:
            shown = network.presented(presentation) if presentation else network
            return compute(shown.presentation.present(tf.constant(part)))
    else:
        outputs = tf.function(network.outputs, reduce_retracing=True)

        def run(presentation: Presentation | None, part: np.ndarray) -> tf.Tensor:
            return outputs(tf.constant(part))["embedding"]

    def describe(presentation: Presentation | None, images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), size)
        return np.concatenate([run(presentation, images[s : s + size]).numpy() for s in starts])

    return describe


def _refuse_unusable(network: Network, found: np.ndarray, describe: Describe) -> None:
    bad = int((~np.isfinite(found)).any(axis=1).sum())
    if bad:
        raise DataError(
            f"{network.name}: the descriptors of {bad} of {len(found)} images are not finite (NaN "
            f"or infinite){_given(network)}"
        )
    if not _all_same(found):
        return
    better = []
    if isinstance(network, ForeignNetwork):
        others = _alternatives(network.presentation)
        better = [name for name, other in others.items() if not _all_same(describe(other))]
    raise DataError(
        f"{network.name} gives every image the same descriptor ({len(found)} images were compared)"
        + _given(network)
        + (f"; as {', '.join(better)} it tells them apart" if better else "")
    )


def _all_same(found: np.ndarray) -> bool:
    return len(found) > 1 and not _differing(found).any()


def _differing(found: np.ndarray) -> np.ndarray:
    """Which values of descriptors are not the same for all images."""
    return np.ptp(found, axis=0) > SAME * np.abs(found).max()


def _given(network: Network) -> str:
    """How images were given to a network, for a message that ends with it."""
    if not isinstance(network, ForeignNetwork):
        return ""
    own = network.presentation.normalises
    hint = "; a model that normalises by itself takes them as they are" if own else ""
    return f": it was given images as {network.presentation.words()} (presentation){hint}"


def _of_descriptors(network: Network, found: np.ndarray) -> Iterator[str]:
    size = found.shape[1]
    if found.min() >= 0 and np.abs(found.sum(axis=1) - 1).max() < 1e-3:
        yield (
            f"{network.name}: the {size} values of each image sum to 1, as class scores do and "
            "descriptors do not: take the layer before the classifier (output)"
        )
    elif size in CLASSES and isinstance(network, ForeignNetwork):
        yield (
            f"{network.name} gives {size} values, as many as {CLASSES[size]}: if these are class "
            "scores, take the layer before the classifier (output)"
        )
    if len(found) < 2:
        return
    units = normalise(found)
    cosine = (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()
    if cosine > NEARLY_SAME:
        yield (
            f"{network.name}: the descriptors of different images are nearly the same (mean cosine "
            f"{cosine:.5f}){_given(network)}"
        )
    dead = 1 - _differing(found).mean()
    if dead > DEAD:
        yield f"{network.name}: {dead:.0%} of the {size} values are the same for every image"


def _of_batches(network: Network) -> Iterator[str]:
    batch = getattr(network, "fixed_batch", None)
    if batch:
        yield (
            f"{network.name} takes {batch} image{'s' * (batch > 1)} at a time and no other number: "
            "it is given them in turn, which is slower than with a dynamic batch dimension"
        )


def _of_presentation(
    network: ForeignNetwork,
    confused: Callable[[Presentation], float],
    count: int,
    by_persons: bool,
) -> Iterator[str]:
    present = network.presentation
    error = confused(present)
    others = {name: (other, confused(other)) for name, other in _alternatives(present).items()}
    name, (best, least) = min(others.items(), key=lambda item: item[1][1])
    if least > ERROR_RATIO * error or least > error - GAIN:
        return
    what = "pairs of one person and of two" if by_persons else "pairs of one image and of two"
    yield (
        f"{network.name}: {_suspicion(present, best)} It is given images as {present.words()}; as "
        f"{best.words()} ({name}) it confuses {least:.1%} instead of {error:.1%} of {what}, of "
        f"{count} images (presentation)"
    )


def _alternatives(present: Presentation) -> dict[str, Presentation]:
    """The other presentations to compare: each way of giving pixels once, and the other colours."""
    other = "rgb" if present.colours == "bgr" else "bgr"
    turned = dataclasses.replace(
        present, colours=other, mean=present.mean[::-1], deviation=present.deviation[::-1]
    )
    found: dict[str, Presentation] = {}
    for name, preset in [*PRESETS.items(), (f"colours={other}", turned)]:
        if not any(preset.same_pixels_as(known) for known in (present, *found.values())):
            found[name] = preset
    return found


def _suspicion(present: Presentation, best: Presentation) -> str:
    """What is most probably wrong."""
    if present.normalises and not best.normalises:
        return "normalised twice?"
    if present.scale != best.scale:
        return "wrong range?"
    if present.normalises != best.normalises:
        return "not normalised?"
    return "wrong order of colours?" if present.colours != best.colours else "wrong mean?"


def _enough_pairs(persons: np.ndarray) -> bool:
    _, counts = np.unique(persons[persons > 0], return_counts=True)
    return int((counts * (counts - 1) // 2).sum()) >= FEWEST_PAIRS and len(counts) > 1


def _confusion(left: np.ndarray, right: np.ndarray, same: np.ndarray, alone: bool) -> float:
    """One minus the area under the ROC curve of the cosine, for pairs that are the same or not."""
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return 1.0
    cosines = normalise(left) @ normalise(right).T
    counted = np.triu(np.ones_like(same), 1) if alone else np.ones_like(same)
    of_same, of_others = cosines[counted & same], cosines[counted & ~same]
    if not len(of_same) or not len(of_others):
        return 1.0
    ranks = np.searchsorted(np.sort(of_others), of_same, side="left")
    ties = np.searchsorted(np.sort(of_others), of_same, side="right")
    return 1 - float((ranks + ties).mean()) / 2 / len(of_others)
