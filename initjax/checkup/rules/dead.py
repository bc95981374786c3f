"""Dead: units that have no slope at any input of the batch, more than signs explain."""

import math

import jax.numpy as jnp
import numpy as np

from initjax.activations import value_and_derivative
from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.remedies import redrawn
from initjax.checkup.slopes import student
from initjax.checkup.trunk import kernel_of, nearest_layers
from initjax.probes.sites import Site

_SIGMAS = 5.0
"""Of a share of units: one false alarm in 10⁶ layers."""


def dead(case: Case) -> list[Finding]:
    """Activations of which more than half of the units are dead, or all of one network.

    Weights and their negatives are equally likely in any fair law without biases, so that
    a unit is off for all inputs at most as often as it is on for all: in ½ of the cases,
    however similar the inputs are. More than ½ + 5 √(¼ / units) is no chance.
    """
    picked = [i for i, site in enumerate(case.trace.sites) if _is_dead(case, i, site)]
    if not picked:
        return []
    values = case.trace.site_values["dead_fraction"]
    worst = max(picked, key=lambda i: float(np.nanmean(values[:, i])))
    share = student(values[:, worst])
    whole = int((values[:, picked] == 1).any(axis=1).sum())
    text = (
        f"{100 * share.mean:.0f} % of the units of {case.trace.sites[worst].path} have no "
        f"slope at any input of the batch (expected {100 * _expected(case, worst):.2g} %); "
        f"{whole} of {case.trace.seeds} networks have a layer without any live unit"
    )
    numbers = {"dead_fraction": share.mean, "networks_with_a_dead_layer": whole}
    feeding = nearest_layers(case.trace.sites, tuple(picked))
    kernels = [kernel_of(case.trace.sites[i]) for i in feeding]
    remedy = redrawn(case, [path for path in kernels if path is not None])
    layers = tuple(case.trace.sites[i].path for i in picked)
    expected = _expected(case, worst)
    return [Finding("dead", "backward", layers, text, numbers, expected, remedy)]


def _is_dead(case: Case, at: int, site: Site) -> bool:
    shares = case.trace.site_values["dead_fraction"][:, at]
    if site.function is None or not np.isfinite(shares).any() or np.nanmax(shares) == 0:
        return False
    units = max(site.shape[-1] if site.shape else 1, 1)
    chance = 0.5 + _SIGMAS * math.sqrt(0.25 / (units * case.trace.seeds))
    many = np.nanmean(shares) > min(chance, 1 - 1e-9)
    on_the_way = at in case.trunk.path and not case.trunk.stream
    blocked = on_the_way and units > 1 and (shares == 1).any()
    if not (many or blocked) or not case.seen(at):
        return False
    return _has_slope(site) and not _reads_zeros(case, site)


def _reads_zeros(case: Case, site: Site) -> bool:
    """Whether its input is all 0: a branch that starts at zero, or is dead before."""
    rms = case.trace.site_values["log10_rms"]
    return bool(site.parents and np.isneginf(rms[:, list(site.parents)]).all())


def _has_slope(site: Site) -> bool:
    """Whether φ is more than steps, whose slope is 0 everywhere."""
    assert site.function is not None
    _, slope = value_and_derivative(site.function, jnp.linspace(-4.0, 4.0, 41))
    return bool(np.abs(np.asarray(slope)).max() > 0)


def _expected(case: Case, at: int) -> float:
    """P(all rows negative) of Gaussian rows that have the measured cosine c, two by two.

    E Φ(-√c t / √(1 - c))^N,   t ~ N(0, 1)
    """
    from scipy import special

    site = case.trace.sites[at]
    cosines = case.trace.site_values["cosine"][:, list(site.parents) or [at]]
    c = float(np.nanmean(cosines)) if np.isfinite(cosines).any() else 0.0
    c = min(max(c, 0.0), 1 - 1e-9)
    rows = max(int(np.prod(site.shape[:-1])), 1)
    t, weight = np.polynomial.hermite_e.hermegauss(200)
    chance = np.exp(rows * special.log_ndtr(-math.sqrt(c / (1 - c)) * t))
    return float(weight @ chance / weight.sum())
