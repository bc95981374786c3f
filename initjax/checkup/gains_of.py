"""The initializer that fits behind an activation, as a call and as a number."""

import math
import re
from functools import lru_cache
from typing import NamedTuple

from initjax.gains import gain
from initjax.probes.sites import Site

_HOMOGENEOUS = {"relu": 0.0, "leaky_relu": 0.01, "identity": 1.0}


class Fit(NamedTuple):
    """How kernels that read an activation are to be drawn.

    Attributes:
        call: As a user writes it.
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Of the biases.
        first: Standard deviation of √fan_in · W of a layer that reads inputs of second
            moment 1: it starts at the fixed point, where there is one.
    """

    call: str
    sigma_w: float
    sigma_b: float = 0.0
    first: float | None = None


def fit(activation: Site | None) -> Fit:
    """The initializer for the layers that read an activation, or that read none."""
    if activation is None or activation.activation in (None, "identity"):
        return Fit("init.kaiming_normal(gain=1.0)", 1.0)
    name = activation.activation or ""
    leak = _leak(name)
    if leak is not None:
        call = f"init.kaiming_normal(a={leak:g})" if leak else "init.kaiming_normal()"
        return Fit(call, (2 / (1 + leak**2)) ** 0.5)
    return _critical(name) or _gain(activation, name)


def fit_first(activation: Site | None) -> Fit:
    """The initializer for a layer that reads inputs, before an activation."""
    found = fit(activation)
    if found.first is None:
        return found
    call = f"init.kaiming_normal(gain={found.first:.3g})"
    if found.sigma_b:
        call += f", init.normal({found.sigma_b:g})"
    return Fit(call, found.first, found.sigma_b)


def _leak(name: str) -> float | None:
    found = re.fullmatch(r"leaky_relu\((.*)\)", name)
    return float(found[1]) if found else _HOMOGENEOUS.get(name)


@lru_cache(maxsize=64)
def _critical(name: str) -> Fit | None:
    """The edge of chaos with the smallest biases with which it attracts, or None."""
    from initjax.meanfield import NoCriticalPointError, critical_point, critical_sigma_w

    try:
        sigma_w = float(critical_sigma_w(name, sigma_b=0.0))
        q = _attracting(name, sigma_w, 0.0)
        if q is not None:
            return Fit(f'*init.critical("{name}")', sigma_w, 0.0, q**0.5 or None)
    except ValueError:
        pass
    for q in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        try:
            point = critical_point(name, q=q)
        except NoCriticalPointError:
            continue
        except ValueError:  # no theory of this φ
            return None
        sigma_b = round(float(point.sigma_b), 3)
        sigma_w = float(critical_sigma_w(name, sigma_b=sigma_b))
        if _attracting(name, sigma_w, sigma_b) is not None:
            call = f'*init.critical("{name}", sigma_b={sigma_b})'
            return Fit(call, sigma_w, sigma_b, max(q - sigma_b**2, 0.0) ** 0.5 or None)
    return None


def _attracting(name: str, sigma_w: float, sigma_b: float) -> float | None:
    """The fixed point q* of a network that starts near it; None if it repels."""
    from initjax.meanfield import chi_q, q_star

    q = float(q_star(name, sigma_w=sigma_w, sigma_b=sigma_b))
    if not math.isfinite(q):
        return None
    slope = float(chi_q(name, q=q, sigma_w=sigma_w))
    return q if slope <= 1 + 1e-6 else None


def _gain(activation: Site, name: str) -> Fit:
    """The gain that keeps the second moment 1."""
    function = activation.function
    assert function is not None
    try:
        value = float(gain(name))
        return Fit(f'init.kaiming_normal(gain=gains.gain("{name}"))', value)
    except ValueError:
        pass
    try:
        value = float(gain(function))
    except ValueError:  # grows too fast, or is 0 everywhere
        value = 1.0
    return Fit(f"init.kaiming_normal(gain={value:.4g})", value)
