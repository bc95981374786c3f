"""torch as an expert writes it: all seeds and schemes of one depth at once.

Unit weights are drawn once for all schemes and activations, since h (s W) = (s h) W,
so that a layer of all networks of a depth is one batched product. Autograd gives the
gradients at the pre-activations; with them, hᵀδ is the gradient of each weight.
"""

import shutil
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import torch

from sweeps.contest.job import CLASSES, HostArray, Job

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PHI = {"relu": torch.relu, "tanh": torch.tanh}

Norms: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From h and δ, each [network, batch, width], to ‖hᵀδ‖ [network]."""


def by_gradient(h: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
    """Norms of the gradients themselves."""
    return torch.linalg.vector_norm(torch.bmm(h.mT, delta), dim=(1, 2))


@cache
def compiled(norms: Norms) -> Norms:
    """Their passes over memory made one, where there is a compiler.

    The rest are products, and activations that are as large: nothing to gain.
    """
    able = DEVICE.type == "cuda" or shutil.which("c++")
    return torch.compile(norms, dynamic=False) if able else norms


def statistics(
    x: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor,
    readout: torch.Tensor,
    scale: torch.Tensor,
    activation: str,
    norms: Norms,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Both statistics [layer, seed, scheme] of networks of one depth.

    Args:
        x: [seed, scheme · batch, width], the same for every scheme.
        labels: [seed · scheme · batch].
        weights: Unit weights [layer, seed, width, width].
        readout: Unit weights [seed, width, classes].
        scale: Standard deviations [2, scheme · batch, 1] of all weights but the readout's,
            and of the readout's.
        activation: relu or tanh.
        norms: How the norm of a weight gradient is computed.
    """
    seeds, _, width = x.shape
    h, hs, zs = x.requires_grad_(), [], []
    for weight in weights:
        hs.append(h)
        zs.append(torch.bmm(h * scale[0], weight))
        h = PHI[activation](zs[-1])
    logits = torch.bmm(h * scale[1], readout).reshape(-1, CLASSES)
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    deltas = torch.autograd.grad(losses, zs)
    with torch.no_grad():
        one = (seeds * 4, -1, width)
        stds = [z.view(seeds, 4, -1).std(-1, correction=0) for z in zs]
        found = [
            compiled(norms)(h.reshape(one), delta.reshape(one)).view(seeds, 4)
            for h, delta in zip(hs, deltas, strict=True)
        ]
        batch = len(labels) // (seeds * 4)
        return torch.stack(stds), torch.stack(found) / batch


def run(job: Job, norms: Norms = by_gradient) -> tuple[HostArray, HostArray]:
    """Both statistics [activation, scheme, depth, seed, layer], as log10."""
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    found = job.empty(), job.empty()
    for d, depth in enumerate(job.depths):
        square = (job.seeds, job.width, job.width)
        weights = torch.randn(depth, *square, device=DEVICE)
        readout = torch.randn(job.seeds, job.width, CLASSES, device=DEVICE)
        x = torch.randn(job.seeds, 1, job.batch, job.width, device=DEVICE)
        labels = torch.randint(CLASSES, (job.seeds, 1, job.batch), device=DEVICE)
        x = x.expand(-1, 4, -1, -1).reshape(job.seeds, -1, job.width)
        labels = labels.expand(-1, 4, -1).reshape(-1)
        for a, activation in enumerate(job.activations):
            stds = (job.stds(activation), job.stds(activation, CLASSES))
            scale = torch.tensor(stds, device=DEVICE).repeat_interleave(job.batch, 1)
            both = statistics(
                x, labels, weights, readout, scale[..., None], activation, norms
            )
            for into, values in zip(found, both, strict=True):
                into[a, :, d, :, :depth] = values.log10().cpu().permute(2, 1, 0)
    return found
