"""What mean-field theory expects of the layers of a plain network."""

import math
from itertools import pairwise

import numpy as np

from initjax.activations import resolve
from initjax.checkup.case import Case
from initjax.checkup.finding import Direction
from initjax.checkup.trunk import activation_before


def expected_drift(case: Case, way: Direction) -> float | None:
    """Decades that the trunk is expected to drift; None if a layer has no theory.

        forward    Σ ½ log10 V(q_l)/q_l       V(q) = σ_w² E φ² + σ_b²
        backward   Σ ½ log10 χ₁(q_l)

    with the measured q_l of each level and σ_w of the kernel that reads it. The gradient
    is that with respect to the same levels.
    """
    levels = case.trunk.levels
    if case.trunk.stream or len(levels) < 2:
        return None
    total = 0.0
    for before, after in pairwise(levels):
        step = _step(case, before, after, way)
        if step is None:
            return None
        total += step
    return total


def _step(case: Case, before: int, after: int, way: Direction) -> float | None:
    """Of one layer."""
    from initjax.meanfield import chi, variance_map

    sites, site = case.trace.sites, case.trace.sites[after]
    activation, kernel = activation_before(sites, after), site.weights[0]
    # A part of a stacked kernel, as "kernel[3]", has no leaf of its own.
    if kernel not in case.leaves or before not in _origins(case, after):
        return None
    logs = case.trace.site_values["log10_rms"][:, before]
    known = logs[np.isfinite(logs)]
    if activation is None or not len(known) or site.fan_in is None:
        return None
    log_std = np.median(case.trace.parameter_values["log10_std"][:, case.leaves[kernel][0]])
    sigma_w = 10**log_std * math.sqrt(site.fan_in)
    q = float(10 ** (2 * np.median(known)))
    try:
        named = resolve(activation.activation or "custom")
        if way == "forward":
            found = float(variance_map(q, named, sigma_w=sigma_w)) / q
        else:
            found = float(chi(named, q=q, sigma_w=sigma_w))
    except ValueError:
        return None
    return math.log10(found) / 2 if found > 0 else None


def _origins(case: Case, at: int) -> set[int]:
    """The layers that a layer reads through one activation and no normalization."""
    sites = case.trace.sites
    found = set[int]()
    for parent in sites[at].parents:
        if sites[parent].kind == "activation":
            found.update(sites[parent].parents)
    return found
