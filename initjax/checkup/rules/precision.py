"""Precision: kernels that were drawn in a low precision, and so have a mean."""

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.remedies import same_law

FEWEST, MOST = 48, 256
"""Distinct values: JAX draws bfloat16 from 128 levels; a draw in float32 that is cast has
over 500 among 4,096; signs, identities and the like have few."""
_LEAST_ENTRIES = 1024
_SIGMAS = 5.0
"""Of the mean of all entries: a fair draw has more in one model of 1.7 million."""


def precision(case: Case) -> list[Finding]:
    """Kernels of few values whose means, together, are no chance.

    z = Σ N_i m_i/σ_i / √(Σ N_i) · √seeds ~ N(0, 1)   for N_i entries of mean m_i
    """
    values = case.trace.parameter_values
    picked = [path for path in case.kernels if _is_coarse(case, path)]
    if not picked:
        return []
    columns = [case.leaves[path][0] for path in picked]
    sizes = np.array([np.prod(case.leaves[path][1].shape) for path in picked])
    means = values["mean"][:, columns] / 10 ** values["log10_std"][:, columns]
    score = np.mean(means @ sizes) / np.sqrt(sizes.sum()) * np.sqrt(case.trace.seeds)
    if not abs(score) > _SIGMAS:
        return []
    mean = float(np.mean(means @ sizes) / sizes.sum())
    distinct = int(np.median(values["distinct"][:, columns]))
    text = (
        f"{len(picked)} kernels hold {distinct} different numbers and have a mean of "
        f"{100 * mean:.2g} % of σ, {abs(score):.0f} standard errors from 0: they were "
        "drawn in a low precision"
    )
    numbers = {"mean_over_sigma": mean, "z": float(score), "distinct": distinct}
    remedy = same_law(case, picked)
    return [Finding("precision", None, tuple(picked), text, numbers, 0.0, remedy)]


def _is_coarse(case: Case, path: str) -> bool:
    column, leaf = case.leaves[path]
    distinct = np.median(case.trace.parameter_values["distinct"][:, column])
    spread = case.trace.parameter_values["log10_std"][:, column]
    large = np.prod(leaf.shape) >= _LEAST_ENTRIES
    return bool(large and FEWEST <= distinct <= MOST and np.isfinite(spread).all())
