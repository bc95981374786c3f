"""Residual streams: how large their branches are, and how to make them small."""

import math

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.finding import Remedy
from initjax.checkup.leaves import pattern_of
from initjax.checkup.trunk import kernel_of, nearest_layers
from initjax.recipes.actions import scale

_ALIKE = 1.5


def branch_ratio(case: Case) -> float:
    """Median of rms(branch) / rms(skip) over the sums of the trunk; nan without any."""
    ratios = case.trace.site_values["branch_log10_ratio"][:, list(case.trunk.levels)]
    known = ratios[np.isfinite(ratios)]
    return float(10 ** np.median(known)) if len(known) else float("nan")


def scaled_branches(case: Case) -> Remedy | None:
    """Scale the last kernel of every branch, so that the stream at most triples.

    With L branches 1/√L as large as the skip, its second moment grows by (1 + 1/L)^L < e.
    None where no branch ends in a kernel.
    """
    sites = case.trace.sites
    ends = [i for level in case.trunk.levels for i in sites[level].branch]
    found = (kernel_of(sites[i]) for i in nearest_layers(sites, tuple(ends)))
    kernels = list(dict.fromkeys(path for path in found if path is not None))
    if not kernels:
        return None
    branches, ratio = len(case.trunk.levels), branch_ratio(case)
    pattern = pattern_of(kernels, case.leaves)
    if branches % 2 == 0 and not ratio > _ALIKE:
        factor = branches**-0.5
        call = f'recipes.gpt2(params, blocks={branches // 2}, residual=r"{pattern}")'
    else:
        factor = 1 / (math.sqrt(branches) * max(ratio, 1.0))
        call = f'recipes.apply_rules(params, [(r"{pattern}", recipes.scale({factor:.3g}))])'
    return Remedy(call, lambda key: {path: scale(factor) for path in kernels})
