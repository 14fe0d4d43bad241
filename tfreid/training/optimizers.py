"""SGD as PyTorch, and as Caffe and Chainer define it, and Adam as PyTorch does."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfreid.methods.base import Group

_NORMALISATION_AND_BIASES = {"gamma", "beta", "bias"}
"""Names of the variables that a group with `decay_all=False` does not decay."""


class CoupledOptimizer(keras.Optimizer):
    """What the optimizers share: weight decay is part of the gradient, `g + weight_decay * w`."""

    def __init__(
        self,
        learning_rate: Callable[[], tf.Tensor] | float,
        momentum: float,
        weight_decay: float,
        name: str,
        decay_all: bool = True,
    ):
        """Stores the settings.

        Args:
          learning_rate: a rate, or a function that returns the rate of the current step. The
            function reads the run's own step, so that the schedules of all groups agree.
          momentum: in [0, 1).
          weight_decay: multiple of the weight that is added to its gradient.
          name: name of the optimizer.
          decay_all: as of `Group`.
        """
        super().__init__(learning_rate=learning_rate, name=name)
        self.momentum = momentum
        self.coupled_weight_decay, self.decay_all = weight_decay, decay_all
        self.weight_decays: list[float] = []
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
        self.weight_decays = [
            weight_decay_of(self.coupled_weight_decay, self.decay_all, v) for v in variables
        ]

    @property
    def state(self) -> list[keras.Variable]:
        """What an update changes beside the weights, for checkpoints."""
        return self.momentum_buffers

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable) -> tf.Tensor:
        """Returns the gradient with its weight decay."""
        weight_decay = self.weight_decays[self._get_variable_index(variable)]
        return gradient + weight_decay * variable if weight_decay else gradient

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "learning_rate": self._learning_rate
            if callable(self._learning_rate)
            else float(self._learning_rate.numpy()),
            "momentum": self.momentum,
            "weight_decay": self.coupled_weight_decay,
            "name": self.name,
            "decay_all": self.decay_all,
        }


class CoupledSGD(CoupledOptimizer):
    """SGD whose weight decay is part of the gradient, in the forms of the papers' frameworks.

    For a gradient g, a weight w and a momentum buffer v, which starts at 0::

        g = g + weight_decay * w

        v = momentum * v + g                     pytorch
        w = w - rate * v
        w = w - rate * (g + momentum * v)        instead, with nesterov

        v = momentum * v + rate * g              caffe (and Chainer)
        w = w - v
        w = w - (rate * g + momentum * v)        instead, with nesterov

    While the rate stays the same, so does what they do. After it falls, the first steps of `caffe`
    are larger, because its buffer holds steps of the former rate.

    `keras.optimizers.SGD` has the form of `caffe`, but does not add its weight decay to g.
    """

    def __init__(
        self,
        learning_rate: Callable[[], tf.Tensor] | float,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        name: str = "coupled_sgd",
        form: str = "pytorch",
        decay_all: bool = True,
    ):
        """Stores the settings.

        Args:
          learning_rate: as of `CoupledOptimizer`.
          momentum: in [0, 1).
          nesterov: whether the update looks ahead along the momentum.
          weight_decay: as of `CoupledOptimizer`.
          name: name of the optimizer.
          form: one of `SGD_FORMS`.
          decay_all: as of `Group`.
        """
        super().__init__(learning_rate, momentum, weight_decay, name, decay_all)
        self.nesterov, self.form = nesterov, form

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable and its momentum buffer.

        Args:
          gradient: of the objective, shaped like `variable`.
          variable: the variable to update.
          learning_rate: scalar.
        """
        # TensorFlow's kernels are these updates in one pass over the memory; that of Caffe's form
        # keeps the buffer with the other sign.
        kernels = {
            "pytorch": tf.raw_ops.ResourceApplyMomentum,
            "caffe": tf.raw_ops.ResourceApplyKerasMomentum,
        }
        kernels[self.form](
            var=variable.handle,
            accum=self.momentum_buffers[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=self.decayed(gradient, variable),
            momentum=self.momentum,
            use_nesterov=self.nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "nesterov": self.nesterov, "form": self.form}


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
        decay_all: bool = True,
    ):
        """Stores the settings; the arguments are those of `CoupledOptimizer`."""
        super().__init__(learning_rate, momentum, weight_decay, name, decay_all)
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
    settings = {
        "momentum": group.momentum,
        "weight_decay": group.weight_decay,
        "name": name,
        "decay_all": group.decay_all,
    }
    if group.optimizer == "adam":
        return CoupledAdam(learning_rate, **settings)
    return CoupledSGD(learning_rate, nesterov=group.nesterov, form=group.sgd_form, **settings)


def weight_decay_of(weight_decay: float, decay_all: bool, variable: keras.Variable) -> float:
    """Returns the weight decay of one variable, of a group with these settings."""
    return weight_decay if decay_all or variable.name not in _NORMALISATION_AND_BIASES else 0.0
