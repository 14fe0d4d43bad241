"""A SavedModel that takes image files and gives descriptors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfreid.errors import DataError, UsageError
from tfreid.evaluation import Network
from tfreid.files import completed_folder, require_space, write_json
from tfreid.retrieval import OpenSetSearches
from tfreid.serving import warmup
from tfreid.serving.signatures import (
    DEFAULT,
    EMBED_IMAGES,
    EXPLAIN,
    PREPROCESSING,
    Signature,
    describe,
    input_size_px,
    make_signatures,
    maps,
    preprocess,
    resize,
)
from tfreid.serving.version_folders import MAX_VERSION, version_of

TOLERANCE = 1e-4
"""Largest difference between an exported output's value and the Keras model's."""

EXTRA = "assets.extra"
"""Folder of a SavedModel for files that TensorFlow does not read."""

RECIPE, FACTS, SEARCHES = "recipe.json", "serving.json", "searches.json"


def export(
    model: keras.Model,
    image_size_px: tuple[int, int],
    base: str | Path,
    sample: Sequence[bytes],
    **options: Any,
) -> Path:
    """Writes the next version of a SavedModel.

    Args:
      model: as for `write_saved_model`.
      image_size_px: height, width of its input.
      base: folder of the versions; the new one is a number above those that are there.
      sample: encoded images for the check.
      **options: of `write_saved_model`.

    Returns:
      The folder of the version.

    Raises:
      UsageError, DataError: as for `write_saved_model`.
    """
    path = next_version(base)
    write_saved_model(model, image_size_px, path, sample, **options)
    return path


def next_version(base: str | Path) -> Path:
    """Returns a folder under `base` whose number is above those that are there.

    Raises:
      UsageError: if there can be none above them.
    """
    versions = [version_of(path) or 0 for path in Path(base).glob("*")]
    # No server takes a higher one, so that it is nobody's version.
    number = 1 + max((version for version in versions if version <= MAX_VERSION), default=0)
    if number > MAX_VERSION:
        raise UsageError(
            f"{Path(base) / str(number - 1)} leaves no number for the next version, at most "
            f"{MAX_VERSION}: rename it"
        )
    return Path(base) / str(number)


def write_saved_model(
    model: keras.Model,
    image_size_px: tuple[int, int],
    path: str | Path,
    sample: Sequence[bytes],
    *,
    flip_averaging: bool = False,
    recipe: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Writes a SavedModel of one model; see `write_networks`.

    Args:
      model: has `embed` and `explain`.
      image_size_px: height, width of its input.
      path: folder to write; it appears when it is complete and checked.
      sample: encoded images for the check, at least one; none is stored.
      flip_averaging: average the descriptors of an image and of its mirror image; not of a model
        that is matched by reconstruction.
      recipe: contents of `recipe.json`, if there is one.
      facts: what `serving.json` says besides what the arguments tell.

    Raises:
      UsageError, DataError: as for `write_networks`.
    """
    network = Network("", model, image_size_px, flip_averaging)
    write_networks([network], path, sample, recipe=recipe, facts=facts)


def write_networks(
    networks: Sequence[Network],
    path: str | Path,
    sample: Sequence[bytes],
    *,
    recipe: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    searches: OpenSetSearches | None = None,
) -> None:
    """Writes a SavedModel and checks that it computes what the networks do.

    It has the signatures of `make_signatures`, and in `assets.extra/` warm-up requests for
    TensorFlow Serving, `serving.json` (what a user of the model must know) and `recipe.json`.

    Args:
      networks: one, or several whose descriptors are combined.
      path: folder to write; it appears when it is complete and checked.
      sample: encoded images for the check, at least one; none is stored.
      recipe: contents of `recipe.json`, if there is one.
      facts: what `serving.json` says besides what the arguments tell.
      searches: contents of `searches.json`, from which a gallery draws the line where nobody
        begins; if there are any.

    Raises:
      UsageError: if a model gives no descriptor, there is something at the path, or the position
        features of a network do not go with its flip averaging.
      DataError: if an exported output differs by more than `TOLERANCE`; nothing is written.
    """
    check_networks(networks)
    path = Path(path)
    signatures = make_signatures(networks)
    with completed_folder(path) as partial:
        _write_graph(signatures, partial)
        specs = _verify(networks, signatures, partial, tf.constant(list(sample)))
        own = {
            "signatures": specs,
            "preprocessing": PREPROCESSING,
            **_inputs(networks),
            "distance": "cosine",
            **_reconstruction(networks),
        }
        texts = {RECIPE: recipe, FACTS: own | dict(facts or {})}
        texts[SEARCHES] = searches.to_json() if searches else None
        _write_extra(partial / EXTRA, sample, texts)


def _inputs(networks: Sequence[Network]) -> dict[str, Any]:
    """Returns size and flip averaging for `serving.json`; of several networks those of each."""
    inputs: dict[str, Any] = {"image_size_px": list(input_size_px(networks))}
    if len(networks) > 1:
        return inputs | {"combined": [network.to_json() for network in networks]}
    return inputs | {"flip_averaging": networks[0].flip_averaging}


def _reconstruction(networks: Sequence[Network]) -> dict[str, Any]:
    """Returns how `positions` are compared, for `serving.json`; nothing where there are none."""
    if len(networks) > 1 or not networks[0].has_positions:
        return {}
    model, size_px = networks[0].model, networks[0].image_size_px
    return {
        "matching": {
            "distance": "reconstruction",
            "beta": model.beta,
            "features": "positions",
            "weights": "foreground",
            "patches": np.asarray(model.patches(size_px)).tolist(),
        }
    }


def check_networks(networks: Sequence[Network]) -> None:
    """Raises a UsageError if networks cannot be exported as one model."""
    for network in networks:
        require_descriptor(network.model)
    first = networks[0]
    if len(networks) == 1 and first.flip_averaging and first.has_positions:
        raise UsageError(
            "the model is matched by its position features, which are not averaged with those of "
            "the mirror image: leave flip_averaging out"
        )


def require_room(networks: Sequence[Network], path: Path) -> None:
    """Raises a UsageError if the disk of a folder has no room for networks as one SavedModel."""
    variables = [weight.value for network in networks for weight in network.model.weights]
    size = sum(value.shape.num_elements() * value.dtype.size for value in variables)
    require_space(path, size, "the exported weights", "give another folder (out)")


def require_descriptor(model: keras.Model) -> None:
    """Raises a UsageError if a model has no descriptor."""
    if not hasattr(model, "embed"):
        raise UsageError(f"{type(model).__name__} gives no descriptor: there is nothing to export")


def _write_graph(signatures: Mapping[str, Signature], path: Path) -> None:
    # The archive finds the weights that the signatures use; a tracked model's it stores twice.
    archive = keras.export.ExportArchive()
    for name, signature in signatures.items():
        archive.add_endpoint(name, signature.function, input_signature=[signature.spec])
    archive.write_out(str(path), verbose=False)


def _verify(
    networks: Sequence[Network],
    signatures: Mapping[str, Signature],
    path: Path,
    sample: tf.Tensor,
) -> dict[str, Any]:
    """Compares what was written with the Keras models; returns inputs and outputs, for JSON."""
    sizes = [network.image_size_px for network in networks]
    *resized, images = preprocess(sample, [*sizes, input_size_px(networks)])
    inputs = {"image_bytes": sample, "images": images}
    of_files = describe(networks, resized)
    expected = {
        DEFAULT: of_files,
        EMBED_IMAGES: describe(networks, resize(images, sizes)),
        EXPLAIN: {"embedding": of_files["embedding"], **maps(networks[0].model, resized[0])},
    }
    loaded = tf.saved_model.load(str(path))
    specs = {}
    for name, signature in signatures.items():
        written = loaded.signatures[name]
        for output, values in written(**{signature.spec.name: inputs[signature.spec.name]}).items():
            difference = float(np.abs(values - expected[name][output]).max())
            if not difference <= TOLERANCE:
                raise DataError(
                    f"the exported model's {output} ({name}) differs from the trained model's by "
                    f"{difference:g}, more than {TOLERANCE:g}: nothing was written"
                )
        specs[name] = {
            "inputs": _specs_json([signature.spec]),
            "outputs": _specs_json(written.structured_outputs.values()),
        }
    return specs


def _specs_json(specs: Sequence[tf.TensorSpec]) -> dict[str, Any]:
    return {spec.name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for spec in specs}


def _write_extra(
    folder: Path,
    sample: Sequence[bytes],
    texts: Mapping[str, Mapping[str, Any] | None],
) -> None:
    folder.mkdir()
    warmup.write_warmup(folder / warmup.FILE_NAME, sample)
    for name, values in texts.items():
        if values is not None:
            write_json(folder / name, values, checksum=True)
