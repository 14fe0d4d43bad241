"""Input normalisation, and the convolution and fully connected units with batch normalisation."""

import contextlib
import contextvars
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import keras


def scaled(channels: int, width: float) -> int:
    """Returns `channels` times `width`, rounded, at least 1."""
    return max(1, round(channels * width))


_settings: contextvars.ContextVar[Mapping[str, float]] = contextvars.ContextVar(
    "settings", default=MappingProxyType({})
)


@contextlib.contextmanager
def normalisation_settings(**settings: float | None) -> Iterator[None]:
    """Gives the batch normalisation that is made in this context other settings than its own.

    Args:
      **settings: `momentum` and `epsilon` of `keras.layers.BatchNormalization`; None for its own.
    """
    token = _settings.set({name: value for name, value in settings.items() if value is not None})
    try:
        yield
    finally:
        _settings.reset(token)


def batch_normalisation(name: str | None = None, **options) -> keras.layers.Layer:
    """Returns batch normalisation whose statistics are those of the global batch.

    Args:
      name: of the layer.
      **options: others of `keras.layers.BatchNormalization`, such as `epsilon`; those of
        `normalisation_settings` go before them.
    """
    settings = options | _settings.get()
    return keras.layers.BatchNormalization(synchronized=True, name=name, **settings)


class Normalise(keras.layers.Layer):
    """Maps pixels in [0, 255] to about [-1, 1]: `(image - mean_pixel) / 128`.

    The mean pixel is a weight, so it travels with the model.

    Args:
      mean_pixel: RGB mean of the training images, in [0, 255].
    """

    def __init__(self, mean_pixel: Sequence[float], **kwargs):
        super().__init__(**kwargs)
        self.mean_pixel = tuple(float(value) for value in mean_pixel)
        self._mean = self.add_weight(
            name="mean_pixel",
            shape=(3,),
            initializer=lambda shape, dtype: keras.ops.cast(self.mean_pixel, dtype),
            trainable=False,
        )

    def call(self, images):
        """Normalises float images `[batch, height, width, 3]`."""
        return (images - self._mean) / 128.0

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "mean_pixel": self.mean_pixel}


class _Unit(keras.layers.Layer):
    """A linear layer with ReLU and batch normalisation, in either order."""

    def __init__(self, linear: keras.layers.Layer, normalise_last: bool, **kwargs):
        super().__init__(**kwargs)
        self.linear, self.normalise_last = linear, normalise_last
        self.normalisation = batch_normalisation()

    def build(self, input_shape):
        self.linear.build(input_shape)
        self.normalisation.build(self.linear.compute_output_shape(input_shape))

    def call(self, x, training=None):
        x = self.linear(x)
        if self.normalise_last:
            return self.normalisation(keras.ops.relu(x), training=training)
        return keras.ops.relu(self.normalisation(x, training=training))


class ConvUnit(_Unit):
    """Same-padded convolution with ReLU and batch normalisation.

    Maps `[batch, height, width, channels]` to `[batch, ⌈height / s⌉, ⌈width / s⌉, filters]`.

    Args:
      filters: output channels.
      kernel_size: height and width of the kernel.
      strides: spatial stride s.
      normalise_last: True puts batch normalisation after ReLU (PGP: "Batch Normalization
        following each nonlinear operation"), False before it, without a bias (DGD).
      dilation: distance of the positions under the kernel.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        normalise_last: bool = True,
        dilation: int = 1,
        **kwargs,
    ):
        convolution = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding="same",
            dilation_rate=dilation,
            use_bias=normalise_last,
            kernel_initializer="he_normal",
        )
        super().__init__(convolution, normalise_last, **kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides
        self.dilation = dilation

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "normalise_last": self.normalise_last,
            "dilation": self.dilation,
        }


class FeatureUnit(_Unit):
    """Fully connected layer with ReLU and batch normalisation, which yields a descriptor.

    Maps `[batch, channels]` to `[batch, units]`.

    Args:
      units: length of the descriptor.
      normalise_last: as in `ConvUnit`.
    """

    def __init__(self, units: int, normalise_last: bool = True, **kwargs):
        dense = keras.layers.Dense(units, use_bias=normalise_last, kernel_initializer="he_normal")
        super().__init__(dense, normalise_last, **kwargs)
        self.units = units

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "normalise_last": self.normalise_last,
        }
