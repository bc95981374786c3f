"""The same as ``torch_batched``, by an expert who needs no gradient for its norm.

‖hᵀδ‖² = Σ (hhᵀ)∘(δδᵀ): inner products of a batch instead of a gradient of every weight
(Goodfellow 2015, arXiv:1510.01799).
"""

from functools import partial

import torch

from sweeps.contest import torch_batched


def by_inner_products(h: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
    """Norms of gradients that are never made."""
    products = torch.bmm(h, h.mT) * torch.bmm(delta, delta.mT)
    return products.sum((1, 2)).clamp(min=0).sqrt()


run = partial(torch_batched.run, norms=by_inner_products)
