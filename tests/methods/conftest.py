import keras
import pytest
import tensorflow as tf


@pytest.fixture
def float64():
    """Computes in float64: batch normalisation magnifies the rounding of float32 a thousandfold."""
    _compute_in("float64")
    yield
    _compute_in("float32")


@pytest.fixture
def graphs_as_traced():
    """Does not rewrite graphs: for those of two devices it takes longer than to run them."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


def _compute_in(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
