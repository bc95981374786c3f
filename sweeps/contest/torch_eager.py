"""torch, eager, one network after the other: as tutorials write it."""

import torch
from torch import nn

from sweeps.contest.job import CLASSES, GAINS, HostArray, Job

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PHI = {"relu": torch.relu, "tanh": torch.tanh}


def initialize(weight: torch.Tensor, scheme: int, activation: str) -> None:
    """The scheme of that number, see ``Job.stds``."""
    gain = GAINS[activation]
    if scheme == 0:
        nn.init.normal_(weight, std=1.0)
    elif scheme == 1:
        nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    elif scheme == 2:
        nn.init.xavier_normal_(weight, gain=gain)
    else:
        nn.init.kaiming_normal_(weight, nonlinearity="relu")


def network(
    job: Job, activation: str, scheme: int, depth: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard deviations of the pre-activations and norms of the weight gradients."""
    torch.manual_seed(seed)
    layers = [nn.Linear(job.width, job.width, bias=False) for _ in range(depth)]
    readout = nn.Linear(job.width, CLASSES, bias=False)
    model = nn.ModuleList([*layers, readout]).to(DEVICE)
    for layer in (*layers, readout):
        initialize(layer.weight, scheme, activation)
    h = torch.randn(job.batch, job.width, device=DEVICE)
    labels = torch.randint(CLASSES, (job.batch,), device=DEVICE)

    stds = []
    for layer in layers:
        z = layer(h)
        stds.append(z.detach().std(correction=0))
        h = PHI[activation](z)
    loss = nn.functional.cross_entropy(readout(h), labels)
    model.zero_grad()
    loss.backward()
    norms = [torch.linalg.vector_norm(layer.weight.grad) for layer in layers]
    return torch.stack(stds), torch.stack(norms)


def run(job: Job) -> tuple[HostArray, HostArray]:
    """Both statistics [activation, scheme, depth, seed, layer], as log10."""
    stds, norms = job.empty(), job.empty()
    for a, activation in enumerate(job.activations):
        for s in range(4):
            for d, depth in enumerate(job.depths):
                for seed in range(job.seeds):
                    std, norm = network(job, activation, s, depth, seed)
                    stds[a, s, d, seed, :depth] = std.log10().cpu()
                    norms[a, s, d, seed, :depth] = norm.log10().cpu()
    return stds, norms
