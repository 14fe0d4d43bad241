"""Stochastic gradient descent as Caffe, Chainer and PyTorch define it."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


class CoupledSGD(keras.Optimizer):
    """SGD whose weight decay is part of the gradient and whose rate is outside the momentum.

    For a gradient g, a weight w and a momentum buffer v, which starts at 0::

        g = g + weight_decay * w
        v = momentum * v + g
        w = w - rate * (g + momentum * v)   with nesterov
        w = w - rate * v                    without

    `keras.optimizers.SGD` differs as soon as the rate changes, because it multiplies the rate
    into the buffer, and its weight decay is not part of the gradient.
    """

    def __init__(
        self,
        learning_rate: Callable[[], tf.Tensor] | float,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        name: str = "coupled_sgd",
    ):
        """Stores the settings.

        Args:
          learning_rate: a rate, or a function that returns the rate of the current step. The
            function reads the run's own step, so that the schedules of all groups agree.
          momentum: in [0, 1).
          nesterov: whether the update looks ahead along the momentum.
          weight_decay: multiple of the weight that is added to its gradient.
          name: name of the optimizer.
        """
        super().__init__(learning_rate=learning_rate, name=name)
        self.momentum = momentum
        self.nesterov = nesterov
        self.coupled_weight_decay = weight_decay
        self.momentum_buffers: list[keras.Variable] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes one momentum buffer for each variable.

        Args:
          variables: all variables that `apply` will be called with.
        """
        if self.built:
            return
        super().build(variables)
        self.momentum_buffers = self.add_optimizer_variables(variables, "momentum")

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable and its momentum buffer.

        Args:
          gradient: of the objective, shaped like `variable`.
          variable: the variable to update.
          learning_rate: scalar.
        """
        if self.coupled_weight_decay:
            gradient += self.coupled_weight_decay * variable
        buffer = self.momentum_buffers[self._get_variable_index(variable)]
        # TensorFlow's kernel is this update in one pass over the memory.
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=buffer.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "learning_rate": self._learning_rate
            if callable(self._learning_rate)
            else float(self._learning_rate.numpy()),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "weight_decay": self.coupled_weight_decay,
            "name": self.name,
        }
