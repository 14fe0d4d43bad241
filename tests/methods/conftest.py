import keras
import pytest


@pytest.fixture
def float64():
    """Computes in float64: batch normalisation magnifies the rounding of float32 a thousandfold."""
    _compute_in("float64")
    yield
    _compute_in("float32")


def _compute_in(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
