"""Inputs and weights for which two networks agree only if they are the same."""

import keras
import numpy as np


def images(height, width, seed=0):
    pixels = np.random.default_rng(seed).uniform(0, 255, (2, height, width, 3))
    return pixels.astype("float32")


def randomised(layers):
    """Sets every weight, batch-normalisation statistics too, to values that keep signals sane."""
    generator = np.random.default_rng(0)
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            ranges = {"gamma": (0.2, 0.6), "beta": (-0.5, 0.5), "moving_mean": (-0.5, 0.5)}
            for weight in layer.weights:
                low, high = ranges.get(weight.name, (0.5, 2.0))
                weight.assign(generator.uniform(low, high, weight.shape))
        elif layer.weights:
            kernel, *biases = layer.weights
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = np.prod(kernel.shape[: 2 if depthwise else -1])
            kernel.assign(generator.normal(0, np.sqrt(2 / fan_in), kernel.shape))
            for bias in biases:
                bias.assign(generator.uniform(-0.5, 0.5, bias.shape))
