import keras
import pytest


@pytest.fixture
def float64():
    """Computes in float64: batch normalisation magnifies the rounding of float32 a thousandfold."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
