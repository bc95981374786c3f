"""Initialization alone: unit kernels of one law."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Square kernels of unit scale.

    Attributes:
        law: normal, truncated_normal, uniform or orthogonal.
        count: Number of kernels.
        side: Rows and columns of each.
    """

    law: str
    count: int
    side: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of all kernels together."""
        return self.count, self.side, self.side

    def flops(self) -> float:
        """Operations of a Householder QR, 4n³/3 for R and as many for Q; nan for others."""
        return 8 / 3 * self.count * self.side**3 if self.law == "orthogonal" else math.nan
