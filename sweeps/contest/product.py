"""The ceiling: large square products of float32, the fastest work of their kind."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """Products of two square matrices.

    Attributes:
        count: Number of products, one after the other.
        side: Rows and columns.
    """

    count: int = 10
    side: int = 2048

    def flops(self) -> float:
        """Floating-point operations of all."""
        return 2.0 * self.count * self.side**3
