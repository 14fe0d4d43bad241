"""Descriptors of any system as a network that is measured like others."""

from collections.abc import Mapping, Sequence

import numpy as np

from tfreid.errors import DataError, UsageError
from tfreid.evaluation.describer import DescribedNetwork
from tfreid.evaluation.descriptor_files import checked
from tfreid.evaluation.descriptors import Descriptors
from tfreid.evaluation.exchange import measured_records
from tfreid.evaluation.sets import SPLITS, EvaluationSet
from tfreid.retrieval import Identities


def described_network(
    name: str,
    descriptors: Mapping[tuple[str, str], np.ndarray],
    sets: Sequence[EvaluationSet],
) -> DescribedNetwork:
    """Makes a network of arrays of descriptors.

    Args:
      name: tells it from others.
      descriptors: variant and split (`("original", "query")`) -> `[n, d]` numbers, a row for each
        image, in the order of `listed_images`: that of the records, of variants without those that
        have no mask.
      sets: the images that were described, from `evaluation_sets`.

    Returns:
      The network, to be measured in these variants.

    Raises:
      UsageError: if a split of a variant is missing, or there is none.
      DataError: if an array is not one finite descriptor an image.
    """
    variants = list(dict.fromkeys(variant for variant, _ in descriptors))
    whole = {}
    for variant in variants or ["original"]:
        for split in SPLITS:
            if (variant, split) not in descriptors:
                raise UsageError(f"{name} has no descriptors of {variant} {split} images")
            whole[variant, split] = _placed(
                f"{name}, {variant} {split}", descriptors[variant, split], sets, variant, split
            )
        # Without the person all pictures may be alike to a model that sees nothing else.
        queries = descriptors["original", "query"] if variant == "original" else ()
        if len(queries) > 1 and np.ptp(queries, axis=0).max() == 0:
            raise DataError(f"{name} has the same descriptor for every query")
    if len({found.features.shape[1] for found in whole.values()}) > 1:
        sizes = {pair: found.features.shape[1] for pair, found in whole.items()}
        raise UsageError(f"{name} has descriptors of different sizes: {sizes}")
    return DescribedNetwork(name, None, None, descriptors=whole)


def _placed(
    name: str, values: np.ndarray, sets: Sequence[EvaluationSet], variant: str, split: str
) -> Descriptors:
    """Puts descriptors where their images are among all records of the split."""
    columns = sets[0].folder.store(split).columns(("person/id", "camera/id", "image/key"))
    keys = np.array([key.decode() for key in columns["image/key"]])
    shown = [records for _, records in measured_records(sets, variant, split)]
    places = np.concatenate([*shown, np.empty(0, np.int64)]).astype(np.int64)
    values = checked(np.asarray(values), name, keys[places], variant)
    features = np.zeros((len(keys), values.shape[1]), np.float32)
    features[places] = values
    return Descriptors(features, Identities(columns["person/id"], columns["camera/id"]), keys)
