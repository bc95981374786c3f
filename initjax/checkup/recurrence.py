"""The gain of a kernel that is met again at every step, beside an input at every step."""

from functools import lru_cache

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.trunk import activation_after


def step_gain(case: Case, at: int) -> float:
    """Gain of orthogonal recurrent weights with which gradients keep their size.

        χ₁ = gain² E[φ′(√q z)²] = 1   at   q = gain² E[φ(√q z)²] + i²

    where i is the root mean square of what the step reads besides, its input: to the
    recurrence it is what biases are to a deep network. 1 without an input, and for
    activations of which there is no such point.

    Args:
        case: The network.
        at: A use of the kernel, among its sites.
    """
    sites, logs = case.trace.sites, case.trace.site_values["log10_rms"]
    for place, site in enumerate(sites):
        if site.kind != "sum" or at not in site.parents:
            continue
        others = [parent for parent in site.parents if parent != at]
        square = float(np.sum(10 ** (2 * np.median(logs[:, others], axis=0))))
        after = activation_after(sites, place)
        if after is not None and after.activation and 0 < square < np.inf:
            return _critical(after.activation, round(square**0.5, 2))
    return 1.0


@lru_cache(maxsize=64)
def _critical(name: str, sigma_b: float) -> float:
    from initjax.meanfield import critical_sigma_w

    try:
        return float(critical_sigma_w(name, sigma_b=sigma_b))
    except ValueError:
        return 1.0
