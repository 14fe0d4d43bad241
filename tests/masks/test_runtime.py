"""Running networks of files."""

import numpy as np
import pytest
import tensorflow as tf

from tests.masks.networks import write_lite
from tfreid.errors import DataError
from tfreid.masks import runtime
from tfreid.masks.pictures import enlarged, largest


def test_outputs_come_by_name_and_a_changed_file_is_opened_anew(tmp_path):
    path = write_lite(tmp_path / "net.tflite", lambda x: (x + 1.0, tf.reduce_sum(x)), (1, 2, 2, 3))
    network = runtime.file_network(str(path))
    assert network.input_shape == (1, 2, 2, 3)
    assert sorted(map(len, network.outputs.values())) == [0, 4]
    found = network(np.ones((1, 2, 2, 3), np.float32))
    assert {float(np.ravel(values)[0]) for values in found.values()} == {2.0, 12.0}
    assert runtime.file_network(str(path)) is network
    write_lite(path, lambda x: x, (1, 4, 4, 3))
    assert runtime.file_network(str(path)).input_shape == (1, 4, 4, 3)


def test_what_takes_no_image_is_named(tmp_path):
    path = write_lite(tmp_path / "net.tflite", lambda x: x, (1, 2, 2, 3))
    with pytest.raises(DataError, match=r"net\.tflite fails: "):
        runtime.file_network(str(path))(np.ones((1, 9, 9, 3), np.float32))


def test_the_largest_map_is_found_one_by_one():
    maps = np.random.default_rng(0).normal(size=(5, 6, 4)).astype(np.float32)
    maps[3] = maps[1]  # Of equal ones the first.
    size, box = (30, 20), (0.5, 1, 3, 5)
    expected = np.argmax([enlarged(each, size, box) for each in maps], axis=0)
    found = largest(maps, size, box)
    assert (found.dtype, found.shape) == (np.uint8, (20, 30))
    np.testing.assert_array_equal(found, expected)
