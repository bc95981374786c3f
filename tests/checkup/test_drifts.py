"""Vanishing and exploding on networks simulated in NumPy, without JAX or a probe."""

import numpy as np
import pytest

from initjax.checkup.case import Case
from initjax.checkup.rules import RULES
from tests.checkup.made_traces import chain, simulated


def findings(trace):
    return [finding for rule in RULES for finding in rule(Case(trace, trace))]


def titles(trace):
    return [finding.title for finding in findings(trace)]


@pytest.mark.parametrize("seed", range(5))
def test_a_deep_narrow_network_by_he_is_healthy(seed):
    """100 layers of width 64: ln of a squared norm has a variance of 7.8 over networks."""
    assert titles(simulated(depth=100, width=64, sigma_w=2**0.5, seed=seed)) == []


@pytest.mark.parametrize(
    ("sigma_w", "depth", "expected"),
    [(1.0, 30, "vanishing"), (1.0, 5, None), (2.0, 30, "exploding"), (2.0, 5, None)],
)
def test_relu_off_criticality(sigma_w, depth, expected):
    """√2 a layer in rms: e³ is reached after 9 layers."""
    found = titles(simulated(depth=depth, width=64, sigma_w=sigma_w))
    assert found == ([f"{expected} forward", f"{expected} backward"] if expected else [])


@pytest.mark.parametrize(("sigma_w", "expected"), [(2.5, "exploding"), (0.7, "vanishing")])
def test_tanh_in_both_phases(sigma_w, expected):
    found = titles(
        simulated(depth=40, width=64, sigma_w=sigma_w, sigma_b=0.3, activation="tanh")
    )
    assert f"{expected} backward" in found
    assert ("rank_collapse forward" in found) == (expected == "vanishing")
    assert not any("forward" in title and "collapse" not in title for title in found)


def test_the_theory_agrees_with_the_drift():
    """Mean-field growth of 2^½ a layer, of which width takes 5/(4 n) in natural units."""
    trace = simulated(depth=30, width=256, sigma_w=2.0, seeds=16)
    trace.parameter_values["log10_std"][:] = np.log10(2.0 / 256**0.5)
    for finding in findings(trace):
        assert finding.expected == pytest.approx(29 * np.log10(2) / 2, rel=1e-6)
        low, high = finding.numbers["low"], finding.numbers["high"]
        slack = 29 * 5 / 256 / 2 / np.log(10)
        assert low - slack < finding.expected < high + 2 * slack


def test_a_drift_that_scatters_over_networks_is_no_finding():
    """A mean drift of -2 with a standard error of 1 may be chance."""
    drift = np.linspace(-8, 4, 8)[:, None] * np.linspace(0, 1, 10)
    assert titles(chain(drift, np.zeros((8, 10)), width=512)) == []
    steady = np.full(8, -2.0)[:, None] * np.linspace(0, 1, 10)
    assert titles(chain(steady, np.zeros((8, 10)), width=512)) == ["vanishing forward"]


def test_gradients_that_underflow_are_seen_before_they_do():
    back = np.linspace(-60, 0, 31) + np.zeros((4, 1))
    back[back < -45] = -np.inf
    assert titles(chain(np.zeros((4, 31)), back)) == ["vanishing backward"]


def test_an_overflow_is_nonfinite_and_explodes():
    forward = np.linspace(0, 60, 41) + np.zeros((4, 1))
    forward[forward > 38] = np.inf
    columns = {"inf_count": np.isinf(forward) * 1.0, "log10_max": forward}
    trace = chain(forward, np.zeros((4, 41)), **columns)
    trace.loss[:] = np.nan
    found = findings(trace)
    assert [f.title for f in found] == ["nonfinite forward", "exploding forward"]
    assert found[0].layers == ("layers_26",)
    assert "range of numbers" in found[0].evidence
