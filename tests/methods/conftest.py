import pytest
import tensorflow as tf


@pytest.fixture
def without_graphs():
    """Runs functions eagerly: to make the graph of a large network takes longer than one step."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
