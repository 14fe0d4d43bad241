"""Writes weights files as the two formats of Keras lay them out."""

import h5py
import numpy as np


def arrays_of(network, seed=0):
    """Random arrays for a built network: published name -> arrays in the order of its weights."""
    generator = np.random.default_rng(seed)
    return {
        name: [generator.uniform(0.5, 1.5, w.shape).astype("float32") for w in layer.weights]
        for name, layer in network.named_layers().items()
    }


def write_h5(path, layers):
    """Writes `.h5`, the format of Keras 1 and 2 and of the published files."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in ("input_1", *layers)]
        file.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for name, arrays in layers.items():
            names = [f"{name}/weight_{index}:0" for index in range(len(arrays))]
            group = file.create_group(name)
            group.attrs["weight_names"] = [weight.encode() for weight in names]
            for weight, array in zip(names, arrays, strict=True):
                group[weight] = array
    return path


def write_weights_h5(path, layers):
    """Writes `.weights.h5`, the format of Keras 3: keyed by class, the name an attribute."""
    counts = {}
    with h5py.File(path, "w") as file:
        file.create_group("layers/input_layer/vars").attrs["name"] = "input_1"
        for name, arrays in layers.items():
            stem = {4: "conv2d", 2: "dense", 1: "batch_normalization"}[arrays[0].ndim]
            count = counts[stem] = counts.get(stem, -1) + 1
            group = file.create_group(f"layers/{stem}_{count}" if count else f"layers/{stem}")
            variables = group.create_group("vars")
            variables.attrs["name"] = name
            for index, array in enumerate(arrays):
                variables[str(index)] = array
    return path
