"""Networks that are not ours describe records as ours do."""

import numpy as np
import pytest
import tensorflow as tf

from tests.toy_models import SIZE_PX, PersonModel
from tfreid.errors import DataError
from tfreid.evaluation import Describer, Network
from tfreid.networks import callable_network


def test_records_are_described_as_by_a_network_of_ours(reid_folder):
    model = PersonModel()
    ours = Describer([Network("ours", model, SIZE_PX)], 4).describe(reid_folder, "query")
    theirs = callable_network(lambda images: model.embed(tf.constant(images)), SIZE_PX)
    found = Describer([theirs], 4).describe(reid_folder, "query", indices=np.arange(5))
    np.testing.assert_allclose(found.features, ours.features[:5], rtol=1e-5, atol=1e-4)
    assert found.keys.tolist() == ours.keys[:5].tolist()


def test_a_network_that_fails_in_the_middle_is_one_line(reid_folder):
    def function(images):
        if len(images) == 4:
            raise RuntimeError("no\nmore")
        return images.mean((1, 2))

    theirs = callable_network(function, SIZE_PX, name="theirs")
    with pytest.raises(DataError, match=r"^theirs failed: no more$"):
        Describer([theirs], 4).describe(reid_folder, "query")
