"""torch.nn.init, all kernels in one tensor; orthogonal ones one after the other."""

import torch
from torch.nn import init

from sweeps.contest.sample import Sample

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def run(sample: Sample) -> None:
    """Fill kernels that are made for the purpose."""
    kernels = torch.empty(sample.shape, device=DEVICE)
    if sample.law == "normal":
        init.normal_(kernels)
    elif sample.law == "truncated_normal":
        init.trunc_normal_(kernels)
    elif sample.law == "uniform":
        init.uniform_(kernels, -1.0, 1.0)
    else:
        for kernel in kernels:
            init.orthogonal_(kernel)
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
