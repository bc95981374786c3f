"""The ceiling by torch: a product of large square matrices."""

from collections.abc import Callable

import torch

from sweeps.contest.product import Product

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def prepare(work: Product) -> Callable[[], object]:
    """One product, repeated."""
    matrix = torch.ones(work.side, work.side, device=DEVICE) / work.side

    def run() -> None:
        product = matrix
        for _ in range(work.count):
            product = product @ matrix
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return run
