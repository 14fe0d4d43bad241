"""Which operations have no GPU kernel that gives the same bits in every run."""

import itertools

import tensorflow as tf

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
