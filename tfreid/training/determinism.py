"""What gives the same bits in every run beyond what TensorFlow's deterministic mode cares for."""

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop

WITHOUT_DETERMINISTIC_KERNEL = frozenset(
    {
        "AdjustContrast",
        "AdjustContrastv2",
        "Bincount",
        "CropAndResizeGradBoxes",
        "CropAndResizeGradImage",
        "DebugNumericSummaryV2",
        "DenseBincount",
        "Dilation2DBackpropFilter",
        "Dilation2DBackpropInput",
        "FakeQuantWithMinMaxVarsGradient",
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        "FusedBatchNormGrad",
        "FusedBatchNormGradV2",
        "FusedBatchNormGradV3",
        "MaxPoolGradWithArgmax",
        "ResizeNearestNeighborGrad",
        "ScatterAdd",
        "ScatterUpdate",
        "SoftmaxCrossEntropyWithLogits",
        "SparseSoftmaxCrossEntropyWithLogits",
        "SparseTensorDenseMatMul",
        "Svd",
        "Timestamp",
    }
)
"""Operations that TensorFlow 2.16 and 2.21 refuse on a GPU after `enable_op_determinism`.

They are those that the messages of its kernels name. Some are refused in some forms alone
(`FusedBatchNormGrad` of layers in inference mode, `Svd` of one column): they are avoided in all.
Both losses from logits are in the graph only if determinism was not yet enabled when it was traced:
TensorFlow composes them of other operations then.
"""


def without_deterministic_kernel(function: tf.types.experimental.ConcreteFunction) -> list[str]:
    """Returns the operations of a traced function, and of those it calls, that a GPU refuses."""
    graph = function.graph.as_graph_def()
    inner = (node for each in graph.library.function for node in each.node_def)
    found = {node.op for node in itertools.chain(graph.node, inner)}
    return sorted(found & WITHOUT_DETERMINISTIC_KERNEL)


@contextlib.contextmanager
def sums_in_order(variable: tf.Variable) -> Iterator[None]:
    """Context in which the gradients that meet in one tensor are added up in their order.

    TensorFlow adds them by `AddN`, which writes into whichever of its inputs nobody else holds at
    that moment and begins the sum there: of three and more inputs the last bit then depends on the
    threads. Two at a time, it cannot. So that graphs are not rewritten to `AddN` again, each sum
    waits for something that is no part of it.

    Args:
      variable: any that is on the device, to be read.
    """

    def in_order(gradients: Sequence) -> tf.Tensor | tf.IndexedSlices:
        if len(gradients) < 3 or not all(isinstance(g, tf.Tensor) for g in gradients):
            return backprop._aggregate_grads(gradients)
        return functools.reduce(add, gradients)

    def add(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([variable.read_value()]):
            return tf.add(first, second)

    space = backprop._default_vspace
    pywrap_tfe.TFE_Py_RegisterVSpace(space._replace(aggregate_fn=in_order))
    try:
        yield
    finally:
        pywrap_tfe.TFE_Py_RegisterVSpace(space)
