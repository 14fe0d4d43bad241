import pytest
import tensorflow as tf


@pytest.fixture
def graphs_as_traced():
    """Does not rewrite graphs: for those of large networks it takes longer than to run them."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
