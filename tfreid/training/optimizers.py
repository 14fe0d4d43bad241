"""SGD as Caffe, Chainer and PyTorch define it, and Adam as PyTorch does."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfreid.methods.base import Group


class CoupledOptimizer(keras.Optimizer):
    """What the optimizers share: weight decay is part of the gradient, `g + weight_decay * w`."""

    def __init__(
        self,
        learning_rate: Callable[[], tf.Tensor] | float,
        momentum: float,
        weight_decay: float,
        name: str,
    ):
        """Stores the settings.

        Args:
          learning_rate: a rate, or a function that returns the rate of the current step. The
            function reads the run's own step, so that the schedules of all groups agree.
          momentum: in [0, 1).
          weight_decay: multiple of the weight that is added to its gradient.
          name: name of the optimizer.
        """
        super().__init__(learning_rate=learning_rate, name=name)
        self.momentum = momentum
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

    @property
    def state(self) -> list[keras.Variable]:
        """What an update changes beside the weights, for checkpoints."""
        return self.momentum_buffers

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable) -> tf.Tensor:
        """Returns the gradient with its weight decay."""
        if self.coupled_weight_decay:
            gradient += self.coupled_weight_decay * variable
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "learning_rate": self._learning_rate
            if callable(self._learning_rate)
            else float(self._learning_rate.numpy()),
            "momentum": self.momentum,
            "weight_decay": self.coupled_weight_decay,
            "name": self.name,
        }


class CoupledSGD(CoupledOptimizer):
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
          learning_rate: as of `CoupledOptimizer`.
          momentum: in [0, 1).
          nesterov: whether the update looks ahead along the momentum.
          weight_decay: as of `CoupledOptimizer`.
          name: name of the optimizer.
        """
        super().__init__(learning_rate, momentum, weight_decay, name)
        self.nesterov = nesterov

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable and its momentum buffer.

        Args:
          gradient: of the objective, shaped like `variable`.
          variable: the variable to update.
          learning_rate: scalar.
        """
        buffer = self.momentum_buffers[self._get_variable_index(variable)]
        # TensorFlow's kernel is this update in one pass over the memory.
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=buffer.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=self.decayed(gradient, variable),
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "nesterov": self.nesterov}


class CoupledAdam(CoupledOptimizer):
    """Adam whose weight decay is part of the gradient.

    For a gradient g, a weight w, and the means m of g and s of g^2, which start at 0, in update t,
    counted from 1::

        g = g + weight_decay * w
        m = momentum * m + (1 - momentum) * g
        s = 0.999 * s + 0.001 * g^2
        w = w - rate * m / (1 - momentum^t) / (sqrt(s / (1 - 0.999^t)) + 1e-8)

    `keras.optimizers.Adam` differs: its weight decay is not part of the gradient, and its small
    constant is added before the correction of s.
    """

    square_momentum = 0.999
    epsilon = 1e-8

    def __init__(
        self,
        learning_rate: Callable[[], tf.Tensor] | float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        name: str = "coupled_adam",
    ):
        """Stores the settings; the arguments are those of `CoupledOptimizer`."""
        super().__init__(learning_rate, momentum, weight_decay, name)
        self.square_buffers: list[keras.Variable] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the two means for each variable.

        Args:
          variables: all variables that `apply` will be called with.
        """
        if self.built:
            return
        super().build(variables)
        self.square_buffers = self.add_optimizer_variables(variables, "square")

    @property
    def state(self) -> list[keras.Variable]:
        """What an update changes beside the weights; the updates are counted, too."""
        return [*self.momentum_buffers, *self.square_buffers, self.iterations]

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable and its means.

        Args:
          gradient: of the objective, shaped like `variable`.
          variable: the variable to update.
          learning_rate: scalar.
        """
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        count = tf.cast(self.iterations.value + 1, dtype)
        momentum, square_momentum = (
            tf.constant(value, dtype) for value in (self.momentum, self.square_momentum)
        )
        square_power = tf.pow(square_momentum, count)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self.momentum_buffers[index].value.handle,
            v=self.square_buffers[index].value.handle,
            beta1_power=tf.pow(momentum, count),
            beta2_power=square_power,
            lr=tf.cast(learning_rate, dtype),
            beta1=momentum,
            beta2=square_momentum,
            # The kernel adds it to the root of s that is not corrected yet.
            epsilon=self.epsilon * tf.sqrt(1 - square_power),
            grad=self.decayed(gradient, variable),
        )


def make_optimizer(
    group: Group, learning_rate: Callable[[], tf.Tensor], name: str
) -> CoupledOptimizer:
    """Makes the optimizer that a group asks for, not yet built.

    Args:
      group: of a stage.
      learning_rate: function that returns the rate of the current step.
      name: name of the optimizer.
    """
    settings = {"momentum": group.momentum, "weight_decay": group.weight_decay, "name": name}
    if group.optimizer == "adam":
        return CoupledAdam(learning_rate, **settings)
    return CoupledSGD(learning_rate, nesterov=group.nesterov, **settings)
