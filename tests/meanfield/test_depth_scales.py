import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import leaky_relu, resolve
from initjax.meanfield import (
    chi,
    correlation_gap,
    critical_rate,
    depth_scales,
    gradient_depth_scale,
    variance_map,
)
from tests.meanfield.published import TANH
from tests.meanfield.tanh_scales import ROUNDED, SCALES


def test_tanh_has_the_published_depth_scales():
    sigma_w2, sigma_b2, keep, _, _, xi_c = SCALES.T
    chi_1, xi_q = np.array(TANH).T[4:6]
    assert np.array_equal(SCALES[:, :3], np.array(TANH)[:, :3])
    where = {"sigma_w": np.sqrt(sigma_w2), "sigma_b": np.sqrt(sigma_b2), "keep": keep}
    found = depth_scales("tanh", **where)
    np.testing.assert_allclose(found.xi_q, xi_q, rtol=5e-6)
    np.testing.assert_allclose(found.xi_c, xi_c, rtol=1e-6)
    gradient = gradient_depth_scale("tanh", **where)
    exact = ~ROUNDED
    np.testing.assert_allclose(
        np.exp(-1 / gradient)[exact], (chi_1 / keep)[exact], rtol=1e-9
    )
    assert np.all(gradient[chi_1 > 1] < 0), "gradients explode"
    ordered = (chi_1 < 1) & (keep == 1)
    np.testing.assert_allclose(gradient[ordered], found.xi_c[ordered], rtol=1e-10)


def test_dropout_leaves_no_criticality():
    """ξ_c has a finite maximum over σ_w, and it is where the table says."""
    sigma_w2 = np.array([1.7, 1.83814, 1.98])
    xi = depth_scales("tanh", sigma_w=np.sqrt(sigma_w2), sigma_b=0.05**0.5, keep=0.95).xi_c
    assert xi[1] == xi.max() == pytest.approx(6.797022, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "sigma_w", "sigma_b", "xi_q", "xi_c", "gradient"),
    [
        ("relu", 2**0.5, 0.0, np.inf, np.inf, np.inf),
        ("relu", 1.0, 0.3, 1 / np.log(2), 1 / np.log(2), 1 / np.log(2)),
        ("relu", 1.0, 0.0, 1 / np.log(2), np.inf, 1 / np.log(2)),  # q* = 0
        ("relu", 2.0, 0.3, np.nan, np.inf, -1 / np.log(2)),  # q* is infinite
        ("identity", 0.5, 0.3, 1 / np.log(4), 1 / np.log(4), 1 / np.log(4)),
        ("tanh", 0.9, 0.0, -1 / np.log(0.81), np.inf, -1 / np.log(0.81)),
        ("tanh", 0.0, 0.3, 0.0, 0.0, 0.0),
    ],
)
def test_scales_in_closed_form(name, sigma_w, sigma_b, xi_q, xi_c, gradient):
    where = {"sigma_w": sigma_w, "sigma_b": sigma_b}
    found = (*depth_scales(name, **where), gradient_depth_scale(name, **where))
    np.testing.assert_allclose(found, (xi_q, xi_c, gradient), rtol=1e-9)


def test_infinite_at_the_critical_point():
    where = {"sigma_w": 1.76095463961**0.5, "sigma_b": 0.05**0.5}
    assert np.isinf(depth_scales("tanh", **where).xi_c)
    assert np.isinf(gradient_depth_scale("tanh", **where))


def test_a_repelling_fixed_point_has_a_negative_scale():
    from initjax.gains import gain

    xi_q = depth_scales("gelu", sigma_w=gain("gelu")).xi_q
    assert float(xi_q) == pytest.approx(-1 / np.log(1.1440631969), rel=1e-8)


@pytest.mark.parametrize("sigma_w2", [1.3, 2.5])
def test_scales_are_those_of_the_iterated_map(sigma_w2):
    """One step at a small deviation from the fixed points contracts by exp(−1/ξ)."""
    from initjax.meanfield import c_star, correlation_map, q_star

    where = {"sigma_w": sigma_w2**0.5, "sigma_b": 0.05**0.5}
    q, c = q_star("tanh", **where), c_star("tanh", **where)
    found = depth_scales("tanh", **where)
    step = 1e-4
    lengths = variance_map([q + step, q - step], "tanh", **where)
    rate = (lengths[0] - lengths[1]) / (2 * step)
    assert np.exp(-1 / float(found.xi_q)) == pytest.approx(rate, rel=1e-7)
    mapped = correlation_map(c - step, "tanh", q=q, **where)
    assert np.exp(-1 / float(found.xi_c)) == pytest.approx(
        float(c - mapped) / step, rel=1e-3
    )


@pytest.mark.parametrize("a", [0.0, 0.2, 0.5, -0.5])
@pytest.mark.parametrize("q", [0.01, 1.0, 40.0])
def test_kinked_rate_in_closed_form(a, q):
    rate = critical_rate(leaky_relu(a), q=q)
    exact = 9 * np.pi**2 / 2 * ((1 + a * a) / (1 - a) ** 2) ** 2
    assert rate.power == 2
    assert float(rate.constant) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "q", "beta"),
    [
        ("tanh", 0.51207850423, 7.0837378249),
        ("tanh", 0.57004788164, 6.1711261422),
        ("tanh", 1.317938999, 2.2420917869),
        ("erf", 0.51717683798, 5.7365045849),
    ],
)
def test_published_smooth_rates(name, q, beta):
    rate = critical_rate(name, q=q)
    assert rate.power == 1
    assert float(rate.constant) == pytest.approx(beta, rel=1e-9)


def _hinges(x):
    return jnp.tanh(x) + jnp.maximum(x - 0.4, 0) - 0.3 * jnp.abs(x + 0.7)


@pytest.mark.parametrize(
    ("activation", "power"),
    [
        *[(name, 2) for name in ("relu", "hard_tanh", "selu", "abs", "hard_sigmoid")],
        *[(name, 1) for name in ("gelu", "softsign", "squared_relu", "sin")],
        (_hinges, 2),
    ],
)
@pytest.mark.parametrize("q", [0.6, 2.5])
def test_rates_are_those_of_the_map(activation, power, q):
    """At criticality 1/(1 − c), or its square root, grows by a constant per layer."""
    named = resolve(activation)
    sigma_w = float(chi(named, q=q, sigma_w=1.0)) ** -0.5
    # Where q is no fixed point at χ₁ = 1, a bias moves it: 1 − C shrinks by q/V.
    away = q / float(variance_map(q, named, sigma_w=sigma_w))
    gap = np.array([1e-9])
    mapped = correlation_gap(gap, named, q=q, sigma_w=sigma_w) / away
    grown = mapped ** (-1 / power) - gap ** (-1 / power)
    rate = critical_rate(named, q=q)
    assert rate.power == power
    assert float(rate.constant) == pytest.approx(float(grown[0]) ** -power, rel=5e-4)


def test_a_linear_map_never_arrives():
    assert critical_rate("identity", q=1.0) == (1, np.inf)


def test_a_constant_has_no_rate():
    with pytest.raises(ValueError, match="is constant"):
        critical_rate(lambda x: 0 * x + 2.0, q=1.0)


def test_rates_follow_the_shape_of_q():
    assert critical_rate("tanh", q=np.ones((2, 3))).constant.shape == (2, 3)
    assert critical_rate("relu6", q=np.ones((2, 3))).constant.shape == (2, 3)


@pytest.mark.parametrize("q", [0.0, -1.0, np.inf])
def test_bad_second_moment_is_named(q):
    with pytest.raises(ValueError, match="q must be a finite second moment"):
        critical_rate("tanh", q=q)


def test_a_step_has_no_scales():
    step = resolve(lambda x: jnp.sign(x), (0.0,))
    for call in (
        lambda: critical_rate(step, q=1.0),
        lambda: depth_scales(step, sigma_w=1.0, sigma_b=0.3),
        lambda: gradient_depth_scale(step, sigma_w=1.0, sigma_b=0.3),
    ):
        with pytest.raises(ValueError, match="jumps"):
            call()
