"""The edge of chaos: published digits, closed forms, and where there is none."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initjax.activations import ACTIVATIONS
from initjax.meanfield import (
    NoCriticalPointError,
    chi,
    chi_q,
    critical_point,
    critical_sigma_w,
    length_stability,
    phase,
    q_star,
    variance_map,
)
from tests.meanfield.published import CRITICAL

PI = math.pi


@pytest.mark.parametrize("name", CRITICAL)
def test_published_line_to_its_digits(name):
    for sigma_b2, sigma_w2, q, slope in CRITICAL[name]:
        sigma_b = sigma_b2**0.5
        assert critical_sigma_w(name, sigma_b=sigma_b) ** 2 == pytest.approx(
            sigma_w2, rel=1e-11
        )
        found = length_stability(name, sigma_b=sigma_b)
        assert found.q == pytest.approx(q, rel=2e-11)
        assert found.slope == pytest.approx(slope, rel=6e-8)
        assert found.stability == ("attracting" if slope < 1 else "repelling")


@pytest.mark.parametrize("name", CRITICAL)
def test_point_from_its_q(name):
    """The digits of q fix those of σ_b² up to q dσ_b²/dq."""
    sigma_b2, sigma_w2, q, _ = np.array(CRITICAL[name]).T
    point = critical_point(name, q=q)
    np.testing.assert_allclose(point.sigma_w**2, sigma_w2, rtol=1e-11)
    np.testing.assert_allclose(point.sigma_b**2, sigma_b2, atol=1e-11 * np.max(q))
    np.testing.assert_allclose(
        variance_map(q, name, sigma_w=point.sigma_w, sigma_b=point.sigma_b), q, rtol=1e-12
    )
    np.testing.assert_allclose(chi(name, q=q, sigma_w=point.sigma_w), 1, rtol=1e-12)


def test_closed_form_of_erf():
    q = np.array([0.01, 0.3, 1.0, 20.0])
    sigma_w2 = PI / 4 * np.sqrt(1 + 4 * q)
    sigma_b2 = q - 0.5 * np.sqrt(1 + 4 * q) * np.arcsin(2 * q / (1 + 2 * q))
    point = critical_point("erf", q=q)
    np.testing.assert_allclose(point.sigma_w**2, sigma_w2, rtol=1e-12)
    np.testing.assert_allclose(point.sigma_b**2, sigma_b2, rtol=1e-11)
    back = [critical_sigma_w("erf", sigma_b=s) ** 2 for s in point.sigma_b]
    np.testing.assert_allclose(back, sigma_w2, rtol=1e-12)


def test_closed_form_of_sin():
    """σ_b² = 1 gives σ_w² = q*: both maps are sums of 1 and exp(-2q)."""
    found = length_stability("sin", sigma_b=1.0)
    assert critical_sigma_w("sin", sigma_b=1.0) ** 2 == pytest.approx(found.q, rel=1e-12)
    assert found.q == pytest.approx(1.961179751372, rel=1e-12)


def test_cos_has_a_point_without_biases():
    """q = coth q."""
    q = length_stability(jnp.cos, sigma_b=0.0).q
    assert q * math.tanh(q) == pytest.approx(1, rel=1e-12)
    sigma_w2 = critical_sigma_w(jnp.cos, sigma_b=0.0) ** 2
    assert sigma_w2 == pytest.approx(-2 / math.expm1(-2 * q), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "sigma_w2"),
    [
        ("tanh", 1),
        ("erf", PI / 4),
        ("hard_tanh", 1),
        ("elu", 1),
        ("relu6", 2),
        ("sin", 1),
    ],
)
def test_without_biases_the_signal_dies_slowly(name, sigma_w2):
    """q* → 0, and σ_w = 1/|φ′(0)|."""
    found = critical_sigma_w(name, sigma_b=0.0)
    assert found**2 == pytest.approx(sigma_w2, rel=1e-12)
    assert length_stability(name, sigma_b=0.0) == (0, 1, "marginal")


@pytest.mark.parametrize(("name", "sigma_w"), [("gelu", 2), ("silu", 2), ("mish", 5 / 3)])
def test_without_biases_gelu_and_its_like_explode(name, sigma_w):
    """Their q = 0 has slope 1 too, but the next order repels: V(q) > q."""
    assert critical_sigma_w(name, sigma_b=0.0) == pytest.approx(sigma_w, rel=1e-12)
    assert length_stability(name, sigma_b=0.0) == (0, 1, "repelling")
    assert phase(name, sigma_w=sigma_w) == "chaotic"
    assert variance_map(0.01, name, sigma_w=sigma_w) > 0.01005


@pytest.mark.parametrize("a", [0.0, 0.01, 0.2, 0.5, -1.0])
def test_homogeneous_activations_are_critical_at_every_q(a):
    name = f"leaky_relu({a})"
    assert critical_sigma_w(name, sigma_b=0.0) == pytest.approx(
        math.sqrt(2 / (1 + a * a)), rel=1e-12
    )
    assert math.isnan(length_stability(name, sigma_b=0.0).q)
    with pytest.raises(NoCriticalPointError, match=r"sigma_b=0\.1.*Try sigma_b=0"):
        critical_sigma_w(name, sigma_b=0.1)
    for q in (1e-3, 1.0, 1e6):
        point = critical_point(name, q=q)
        assert point == (pytest.approx(math.sqrt(2 / (1 + a * a)), rel=1e-12), 0)


@pytest.mark.parametrize("sigma_b", [0.0, 0.3, 2.0])
def test_softplus_has_no_critical_point(sigma_b):
    with pytest.raises(NoCriticalPointError, match="'softplus' has no critical point"):
        critical_sigma_w("softplus", sigma_b=sigma_b)
    for q in (1e-3, 1.0, 300.0):
        with pytest.raises(NoCriticalPointError, match="σ_b² < 0"):
            critical_point("softplus", q=q)


def test_sigmoid_has_one_far_out():
    """σ_w² about 103, q* about 45.6; none at the q of ordinary inputs."""
    assert critical_sigma_w("sigmoid", sigma_b=0.0) ** 2 == pytest.approx(103, rel=5e-3)
    found = length_stability("sigmoid", sigma_b=0.0)
    assert found.q == pytest.approx(45.6, rel=2e-3)
    with pytest.raises(NoCriticalPointError):
        critical_point("sigmoid", q=1.0)


def test_tanh_at_small_q():
    """σ_w² = 1 + 2q + O(q²), σ_b² = (4/3) q³ + …"""
    for q, sigma_w2, sigma_b2 in (
        (1 / 64, 1.0305575108, 4.651333266e-6),
        (1 / 16, 1.115380624363, 2.368767506e-4),
        (0.0259209482, 1.05, 2.010521e-5),
    ):
        point = critical_point("tanh", q=q)
        assert point.sigma_w**2 == pytest.approx(sigma_w2, rel=1e-9)
        assert point.sigma_b**2 == pytest.approx(sigma_b2, rel=1e-6)
    q = (0.75 * 1e-12) ** (1 / 3)
    assert critical_sigma_w("tanh", sigma_b=1e-6) ** 2 == pytest.approx(1 + 2 * q, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(ACTIVATIONS)),
    st.sampled_from([0.0, 1e-7, 1e-3]) | st.floats(0.01, 3),
)
def test_what_is_returned_is_critical(name, sigma_b):
    try:
        sigma_w = critical_sigma_w(name, sigma_b=sigma_b)
    except NoCriticalPointError:
        return
    q, slope, _ = length_stability(name, sigma_b=sigma_b)
    q = 1.0 if math.isnan(q) else q
    assert float(chi(name, q=q, sigma_w=sigma_w)) == pytest.approx(1, rel=1e-11)
    after = float(variance_map(q, name, sigma_w=sigma_w, sigma_b=sigma_b))
    assert after == pytest.approx(q, rel=1e-11)
    assert slope == pytest.approx(float(chi_q(name, q=q, sigma_w=sigma_w)), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(("tanh", "erf", "hard_tanh")), st.floats(0.01, 2))
def test_the_line_rises_and_parts_the_phases(name, sigma_b):
    low, high = (critical_sigma_w(name, sigma_b=s) for s in (sigma_b, 1.1 * sigma_b))
    assert low < high
    sides = [phase(name, sigma_w=f * low, sigma_b=sigma_b) for f in (0.999, 1, 1.001)]
    assert sides == ["ordered", "critical", "chaotic"]


def test_phases_at_the_ends():
    assert phase("tanh", sigma_w=1.0) == "critical"
    assert phase("tanh", sigma_w=0.9) == "ordered"
    assert phase("relu", sigma_w=2**0.5) == "critical"
    assert phase("relu", sigma_w=2**0.5, sigma_b=0.3) == "critical"
    assert phase("relu", sigma_w=1.5) == "chaotic"
    assert phase("relu", sigma_w=1.3) == "ordered"
    assert phase("gelu", sigma_w=1.6) == "chaotic"  # grows without bound
    assert phase("gelu", sigma_w=1.3) == "ordered"  # dies
    assert phase("softplus", sigma_w=1.0) == "ordered"
    assert phase("tanh", sigma_w=1.01, tolerance=0.1) == "critical"
    with pytest.raises(ValueError, match="q\\* of activation 'exp'"):
        phase(jnp.exp, sigma_w=1.0)


def test_a_repelling_critical_point_is_left():
    """GELU at σ_b² = 0.04: from above q* it grows without bound."""
    sigma_w, found = (
        critical_sigma_w("gelu", sigma_b=0.2),
        length_stability("gelu", sigma_b=0.2),
    )
    assert found.stability == "repelling"
    above, below = (
        float(q_star("gelu", sigma_w=sigma_w, sigma_b=0.2, start=f * found.q))
        for f in (1.01, 0.99)
    )
    assert above == math.inf and below < 0.95 * found.q


def test_what_is_flat_at_zero_needs_biases():
    """squared ReLU, q* = 4σ_b²: without biases σ_w would be infinite."""
    with pytest.raises(NoCriticalPointError, match="Try sigma_b > 0"):
        critical_sigma_w("squared_relu", sigma_b=0.0)
    assert length_stability("squared_relu", sigma_b=0.3).q == pytest.approx(0.36, rel=1e-11)


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (jnp.sign, "jumps at x="),
        (lambda x: jnp.where(x > 0, 1.0, 0.0), "jumps at x="),
        (jnp.log, "nan"),
        (lambda x: 0 * x, "no critical point"),
        (lambda x: 0 * x + 1, "no critical point"),
    ],
)
@pytest.mark.parametrize("sigma_b", [0.0, 0.5])
def test_odd_callables_are_refused(function, match, sigma_b):
    with pytest.raises(ValueError, match=match):
        critical_sigma_w(function, sigma_b=sigma_b)


def test_growing_callables_are_solved_and_called_repelling():
    """x³: χ₁ = 27 σ_w² q², V = 15 σ_w² q³; exp: φ = φ′, so q* = 1 + σ_b²."""
    cube = length_stability(lambda x: x**3, sigma_b=1.0)
    assert cube.q == pytest.approx(1 / (1 - 15 / 27), rel=1e-11)
    assert cube.slope == pytest.approx(3 * 15 / 27, rel=1e-10)
    assert cube.stability == "repelling"
    with pytest.raises(NoCriticalPointError, match="to 1e"):
        critical_sigma_w(jnp.exp, sigma_b=1.0)  # out of the range that is known


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: critical_sigma_w("tanh", sigma_b=-0.1), "sigma_b must be"),
        (lambda: critical_sigma_w("tanh", sigma_b=math.nan), "sigma_b must be"),
        (lambda: critical_point("tanh", q=0.0), "q must be > 0"),
        (lambda: critical_point("tanh", q=[1.0, -1.0]), "q must be"),
        (lambda: critical_point(lambda x: 0 * x + 1, q=1.0), "flat at q=1"),
        (lambda: phase("tahn", sigma_w=1.0), "unknown"),
    ],
)
def test_errors_name_the_argument(call, match):
    with pytest.raises(ValueError, match=match):
        call()
