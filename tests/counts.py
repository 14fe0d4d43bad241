"""Parameter counts, worked out from the papers' shapes."""


def convolution(kernel, inputs, outputs, bias):
    """Weights of a convolution and of the batch normalisation (4 a channel) beside it."""
    return kernel * kernel * inputs * outputs + (outputs if bias else 0) + 4 * outputs


def inception(inputs, width, bias):
    """Weights of an Inception module."""
    wide = convolution(3, width, width, bias)
    block_a = 4 * convolution(1, inputs, width, bias) + 3 * wide
    return block_a + 2 * convolution(1, 4 * width, width, bias) + 3 * wide
