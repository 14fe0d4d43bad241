"""How updates are computed: what of it decides the bits is part of what a run is."""

from dataclasses import dataclass

from tfreid.errors import require, require_known

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Arithmetic:
    """How updates are computed.

    Attributes:
      precision: one of `PRECISIONS`; variables are float32 in all of them.
      accumulate_steps: parts of a batch that an update computes one after the other, adding up
        their gradients, to hold the activations of one part only.
      deterministic: whether operations give the same bits in every run.
    """

    precision: str = "float32"
    accumulate_steps: int = 1
    deterministic: bool = True

    def __post_init__(self) -> None:
        """Refuses what is not known."""
        require_known(self, precision=PRECISIONS)
        require(
            self.accumulate_steps >= 1,
            f"accumulate_steps={self.accumulate_steps}: expected 1 or more parts of a batch",
        )


DEFAULT = Arithmetic()
