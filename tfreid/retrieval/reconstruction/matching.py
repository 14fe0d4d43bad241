"""Which images are matched by reconstruction, and with which parameters."""

from dataclasses import dataclass

from tfreid.errors import UsageError

MODES = ("exact", "shortlist", "blend")


@dataclass(frozen=True)
class ReconstructionMatching:
    """How to match by reconstruction.

    With `r` the reconstruction distance of a query from a gallery image (FPR, eq. 5) and `c` one
    minus the cosine of their pooled descriptors, the distance is

    - `exact`: r;
    - `shortlist`: r for the `shortlist_size` gallery images nearest by c and for those that tie
      with the last of them; R + 1 + c for all others, where R is the largest r that the query
      could have, 1 for positions of unit length. So the others follow, in the order of c;
    - `blend`: as `shortlist`, but (1 - blend_weight) r + blend_weight c for the nearest.

    The paper computes r for all images. The authors' later code computes it for the 100 nearest by
    their global descriptors and adds the two; how much of each is our choice.

    Attributes:
      mode: `"exact"`, `"shortlist"` or `"blend"`.
      beta: weight of the penalty on the coefficients (FPR, eq. 1).
      shortlist_size: k of `shortlist` and `blend`.
      blend_weight: lambda, the share of c in `blend`.
      memory_budget_gib: memory that may be held at the same time, of the features what does not
        lie in mapped files included; no distance depends on it.
    """

    mode: str = "exact"
    beta: float = 0.01
    shortlist_size: int = 100
    blend_weight: float = 0.5
    memory_budget_gib: float = 2.0

    def __post_init__(self):
        """Refuses parameters that mean nothing."""
        if self.mode not in MODES:
            raise UsageError(f"matching mode {self.mode!r}; expected one of {', '.join(MODES)}")
        if not (0 < self.beta < float("inf")):
            raise UsageError(f"beta is {self.beta}; expected a number above 0")
        if self.shortlist_size < 1 or not 0 <= self.blend_weight <= 1:
            raise UsageError(
                f"shortlist_size is {self.shortlist_size}, blend_weight {self.blend_weight}; "
                "expected an integer from 1 and a number from 0 to 1"
            )
        if not self.memory_budget_gib > 0:
            raise UsageError(f"memory_budget_gib is {self.memory_budget_gib}; expected more than 0")

    @property
    def pooled_weight(self) -> float:
        """The share of c in the distance of the images that are reconstructed."""
        return self.blend_weight if self.mode == "blend" else 0.0

    @property
    def memory_budget_bytes(self) -> int:
        """The memory that may be held."""
        return int(self.memory_budget_gib * 2**30)
