"""What gives the same bits in every run."""

import contextlib

import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tests.graphs import as_users_run
from tfreid.training.determinism import sums_in_order, without_deterministic_kernel


def additions(function):
    """Returns how many inputs each `AddN` of a function has that ran as users run it."""
    context.context().enable_graph_collection()
    with as_users_run():
        function()
        collected = context.context().export_run_metadata()
    context.context().disable_graph_collection()
    graphs = [each.post_optimization_graph for each in collected.function_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for each in graph.library.function for node in each.node_def]
    assert any(node.op == "MatMul" for node in nodes)
    return {node.attr["N"].i for node in nodes if node.op == "AddN"}


@pytest.mark.parametrize(("ordered", "wanted"), [(True, set()), (False, {4})])
def test_gradients_are_added_two_at_a_time(ordered, wanted):
    variable = tf.Variable(0, dtype=tf.int64)
    matrices = [tf.Variable(tf.random.stateless_normal((8, 8), (0, n))) for n in range(4)]

    @tf.function(autograph=False)
    def gradient(x):
        with sums_in_order(variable) if ordered else contextlib.nullcontext():
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = tf.add_n([tf.reduce_sum(tf.matmul(x, m) ** 2) for m in matrices])
            return tape.gradient(total, x)

    x = tf.ones((8, 8))
    assert additions(lambda: gradient(x)) - {1, 2} == wanted - {1, 2}
    expected = sum(2 * tf.matmul(tf.matmul(x, m), m, transpose_b=True) for m in matrices)
    tf.debugging.assert_near(gradient(x), expected, rtol=1e-5)


def test_it_ends_with_its_context():
    with sums_in_order(tf.Variable(0)):
        pass

    @tf.function(autograph=False)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.sin(x) + tf.cos(x) + tf.exp(x)
        return tape.gradient(total, x)

    graph = gradient.get_concrete_function(tf.TensorSpec(())).graph
    assert "AddN" in {operation.type for operation in graph.get_operations()}


def test_operations_of_inner_functions_are_seen():
    inner = tf.function(lambda x: tf.image.adjust_contrast(x, 0.5))
    outer = tf.function(lambda x: 2 * inner(x))
    traced = outer.get_concrete_function(tf.TensorSpec((2, 2, 3)))
    assert without_deterministic_kernel(traced) == ["AdjustContrastv2"]
