"""Tiny ONNX files, made in a moment, whose answers are known."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, save


def write(
    path: Path,
    nodes: list,
    shape=("n", 3, 8, 4),
    outputs=("y",),
    inputs=("x",),
    kind=TensorProto.FLOAT,
    weights=None,
    **options,
) -> Path:
    """Writes a model of opset 13 and returns its path."""
    made = [helper.make_tensor_value_info(name, kind, shape) for name in inputs]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    stored = [
        helper.make_tensor(
            name, TensorProto.FLOAT, values.shape, values.astype("float32").tobytes(), raw=True
        )
        for name, values in (weights or {}).items()
    ]
    graph = helper.make_graph(nodes, "graph", made, given, stored)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.acme", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, options.pop("metadata", {}))
    save(model, str(path), **options)
    return path


def mean_colours(path: Path, **options) -> Path:
    """The mean of each channel, `[n, 3, 1, 1]`, of pictures of 8x4 px; `[n, 3, 8, 4]` first."""
    return write(path, [helper.make_node("GlobalAveragePool", ["x"], ["y"])], **options)


def flat(path: Path, size: int = 5, **options) -> Path:
    """A matrix product of all pixels, `[n, size]`."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"], axis=1),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    weights = np.random.default_rng(0).normal(0, 1 / 255, (96, size))
    return write(path, nodes, weights={"w": weights}, **options)
