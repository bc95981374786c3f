"""Saturated: activations whose median unit passes almost nothing of a gradient."""

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from initjax.activations import value_and_derivative
from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.remedies import redrawn
from initjax.checkup.slopes import student
from initjax.checkup.trunk import kernel_of, nearest_layers
from initjax.engine.statistics import SATURATION
from initjax.probes.sites import Site

_FAR = (30.0, 100.0, 300.0)
_RANGE = 8.0  # of z ~ N(0, 1), and where the largest slope is looked for


def saturated(case: Case) -> list[Finding]:
    """Functions that are flat on both sides, with most units where they are.

    The bar is halfway between the share at z ~ N(0, 1) and 1: 0.50 of tanh, where the
    median unit passes less than 2 % of a gradient.
    """
    picked = [i for i, site in enumerate(case.trace.sites) if _is_saturated(case, i, site)]
    if not picked:
        return []
    values = case.trace.site_values["saturated_fraction"]
    worst = max(picked, key=lambda i: float(np.nanmean(values[:, i])))
    share, site = student(values[:, worst]), case.trace.sites[worst]
    expected = _usual(site.function) or 0.0
    text = (
        f"{100 * share.mean:.0f} % of the units of {site.path} have less than "
        f"{100 * SATURATION:.0f} % of the largest slope (expected {100 * expected:.2g} % "
        "at inputs of variance 1)"
    )
    feeding = nearest_layers(case.trace.sites, tuple(picked))
    kernels = [kernel_of(case.trace.sites[i]) for i in feeding]
    remedy = redrawn(case, [path for path in kernels if path is not None])
    layers = tuple(case.trace.sites[i].path for i in picked)
    numbers = {"saturated_fraction": share.mean, "layers": len(picked)}
    return [Finding("saturated", "backward", layers, text, numbers, expected, remedy)]


def _is_saturated(case: Case, at: int, site: Site) -> bool:
    shares = case.trace.site_values["saturated_fraction"][:, at]
    if site.function is None or not shares.mean() > 0.5 or not case.seen(at):
        return False
    usual = _usual(site.function)
    return usual is not None and student(shares).low > (1 + usual) / 2


@lru_cache(maxsize=256)
def _usual(function: Any) -> float | None:
    """Share of flat units at z ~ N(0, 1); None of a φ with a slope at one side, as relu."""
    z = np.linspace(-_RANGE, _RANGE, 4001)
    points = np.concatenate([z, _FAR, np.negative(_FAR)]).astype(np.float32)
    _, slope = value_and_derivative(function, jnp.asarray(points))
    slopes = np.abs(np.asarray(slope, np.float64))
    top = slopes[: len(z)].max()
    if not (np.isfinite(slopes).all() and top > 0):
        return None
    if (slopes[len(z) :] >= SATURATION * top).any():
        return None
    weight = np.exp(-(z**2) / 2)
    return float(weight @ (slopes[: len(z)] < SATURATION * top) / weight.sum())
