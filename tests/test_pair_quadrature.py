"""Expectations over pairs: closed form = quadrature = sampling, to c = ±1."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from initjax.activations import ACTIVATIONS, resolve
from initjax.quadrature import (
    expectation,
    gaussian_mean,
    jumps,
    on_host,
    pair_distance,
    pair_mean,
)

C = np.array([-1.0, -1 + 1e-12, -0.999, -0.5, 0.0, 0.3, 0.9, 0.999, 1 - 1e-12, 1.0])
GAPS = np.array([0, 1e-30, 1e-12, 1e-8, 1e-7, 1e-3, 0.1, 0.7, 1.0])
QS = [0.04, 1.0, 30.0]


def _itself(y):
    return y


def _relu(c, q):
    angle = np.arccos(c)
    return q * (np.sin(angle) + c * (np.pi - angle)) / (2 * np.pi)


def _leaky(c, q):
    return 1.04 * _relu(c, q) - 0.4 * _relu(-c, q)


def _squared_relu(c, q):
    angle = np.arccos(c)
    kernel = 3 * np.sin(angle) * c + (np.pi - angle) * (1 + 2 * c**2)
    return q**2 * kernel / (2 * np.pi)


CLOSED = {
    "identity": lambda c, q: q * c,
    "relu": _relu,
    "leaky_relu(0.2)": _leaky,
    "abs": lambda c, q: 2 * (_relu(c, q) + _relu(-c, q)),
    "squared_relu": _squared_relu,
    "erf": lambda c, q: 2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)),
    "sin": lambda c, q: np.exp(-q) * np.sinh(q * c),
}
CLOSED_SLOPES = {
    "identity": lambda c, q: np.ones_like(c),
    "relu": lambda c, q: (np.pi - np.arccos(c)) / (2 * np.pi),
    "abs": lambda c, q: 1 - 2 * np.arccos(c) / np.pi,
    "squared_relu": lambda c, q: 4 * _relu(c, q),
    "erf": lambda c, q: 4 / np.pi / np.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2),
    "sin": lambda c, q: np.exp(-q) * np.cosh(q * c),
}


@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("name", CLOSED)
def test_products_match_closed_forms(name, q):
    expected = CLOSED[name](C, q)
    scale = CLOSED[name](1.0, q)
    found = pair_mean(_itself, resolve(name), C, q)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("name", CLOSED_SLOPES)
def test_products_of_slopes_match_closed_forms(name, q):
    expected = CLOSED_SLOPES[name](C, q)
    found = pair_mean(_itself, resolve(name), C, q, order=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def _relu_distance(g, q):
    angle = 2 * np.arcsin(np.sqrt(g / 2))
    series = angle**3 * (1 / 3 - angle**2 / 30 + angle**4 / 840 - angle**6 / 45360)
    bent = np.where(angle < 0.1, series, np.sin(angle) - angle * np.cos(angle))
    return q * (np.pi * g - bent) / (2 * np.pi)


def _erf_distance(g, q):
    k, c = 2 * q / (1 + 2 * q), 1 - g
    sums = k * np.sqrt(1 - (k * c) ** 2) + k * c * np.sqrt(1 - k**2)
    return 2 / np.pi * np.arcsin(k**2 * g * (2 - g) / sums)


DISTANCES = {
    "identity": lambda g, q: q * g,
    "relu": _relu_distance,
    "erf": _erf_distance,
    "sin": lambda g, q: 2 * np.exp(-q) * np.cosh(q * (1 - g / 2)) * np.sinh(q * g / 2),
}


@pytest.mark.parametrize("q", QS)
@pytest.mark.parametrize("name", DISTANCES)
def test_distances_keep_their_digits_however_close_the_points(name, q):
    found = pair_distance(resolve(name), GAPS, q)
    np.testing.assert_allclose(found, DISTANCES[name](GAPS, q), rtol=2e-13, atol=1e-300)


def test_the_difference_of_means_would_lose_the_digits():
    relu, gap = resolve("relu"), 1e-12
    exact = _relu_distance(gap, 1.0)
    naive = gaussian_mean(np.square, relu) - pair_mean(_itself, relu, 1 - gap)
    assert abs(naive / exact - 1) > 1e-6
    assert abs(pair_distance(relu, gap) / exact - 1) < 1e-12


@pytest.mark.parametrize("name", ["hard_tanh", "relu6", "selu", "softsign", "gelu"])
def test_distance_is_what_the_product_falls_short_of_the_square(name):
    phi, q = resolve(name), np.array([[0.2], [5.0]])
    square = gaussian_mean(np.square, phi, q)
    found = square - pair_mean(_itself, phi, C, q)
    expected = pair_distance(phi, 1 - C, q)
    np.testing.assert_allclose(found / square, expected / square, rtol=0, atol=2e-13)


@pytest.mark.parametrize("declared", [(0.0,), None, ()])
def test_a_step_has_the_arcsine_law(declared):
    step = resolve(lambda x: jnp.sign(x), declared)
    found = pair_mean(_itself, step, C)
    np.testing.assert_allclose(found, 2 / np.pi * np.arcsin(C), rtol=1e-12, atol=1e-13)
    gaps = np.array([1e-30, 1e-12, 1e-3, 0.5])
    exact = 4 / np.pi * np.arcsin(np.sqrt(gaps / 2))
    np.testing.assert_allclose(pair_distance(step, gaps), exact, rtol=1e-12)


def _nested(phi, kinks, c, q):
    """E φ(u)φ(v) by adaptive integration of the conditional mean of φ(v)."""
    spread, narrow = np.sqrt(q), np.sqrt(q * (1 - c * c))

    def pieces(f, mean, sigma):
        ends = mean + sigma * np.arange(-9.0, 10, 3)
        ends = np.unique(np.concatenate([ends, np.clip(kinks, ends[0], ends[-1])]))
        return sum(
            integrate.quad(
                lambda x: f(x) * stats.norm.pdf((x - mean) / sigma) / sigma,
                *(left, right),
                epsabs=1e-12,
                epsrel=1e-10,
            )[0]
            for left, right in pairwise(ends)
        )

    return pieces(lambda u: phi(u) * pieces(phi, c * u, narrow), 0.0, spread)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "phi", "c", "q"),
    [
        ("hard_tanh", lambda x: min(max(x, -1), 1), -0.6, 0.8),
        ("hard_silu", lambda x: x * min(max(x / 6 + 0.5, 0), 1), 0.95, 4.0),
    ],
)
def test_kinked_products_match_adaptive_integration(name, phi, c, q):
    activation = resolve(name)
    expected = _nested(phi, activation.kinks, c, q)
    assert float(pair_mean(_itself, activation, c, q)) == pytest.approx(expected, abs=1e-9)


def test_hard_tanh_matches_the_mean_of_its_conditional_mean():
    c, q = 0.7, 1.7
    sigma = np.sqrt(q * (1 - c * c))

    def conditional(u):
        low, high = (-1 - c * u) / sigma, (1 - c * u) / sigma
        inside = special.ndtr(high) - special.ndtr(low)
        bulge = sigma * (stats.norm.pdf(low) - stats.norm.pdf(high))
        return special.ndtr(-high) - special.ndtr(low) + c * u * inside + bulge

    def integrand(u):
        density = stats.norm.pdf(u / np.sqrt(q)) / np.sqrt(q)
        return np.clip(u, -1, 1) * conditional(u) * density

    ends = [-16, -4, -1, 1, 4, 16]
    expected = sum(
        integrate.quad(integrand, a, b, epsabs=1e-15, epsrel=1e-13)[0]
        for a, b in pairwise(ends)
    )
    found = pair_mean(_itself, resolve("hard_tanh"), c, q)
    assert float(found) == pytest.approx(expected, rel=1e-12)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(3)
    z, other = rng.normal(size=(2, 200_000))
    c, q = 0.6, 1.3
    return np.sqrt(q) * z, np.sqrt(q) * (c * z + np.sqrt(1 - c * c) * other)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_products_match_samples(name, pairs):
    phi = resolve(name)
    products = np.prod([on_host(phi)(x) for x in pairs], axis=0)
    error = products.std() / np.sqrt(products.size)
    right, wrong = pair_mean(_itself, phi, [0.6, 0.5], 1.3)
    assert abs(products.mean() - right) < 5 * error
    assert abs(products.mean() - wrong) > 5 * error, "another c is told apart"


@pytest.mark.parametrize("c", [-0.7, 0.3, 0.99])
def test_kinks_of_a_callable_are_found(c):
    """Piecewise linear with four kinks: a sum of hinges, which have closed pairs."""
    points, sizes = np.array([-2.0, -0.3, 0.1, 1.7]), np.array([1.0, -2.0, 0.5, 1.5])

    def phi(x):
        return sum(s * jnp.maximum(x - p, 0) for p, s in zip(points, sizes, strict=True))

    bare = pair_mean(_itself, resolve(phi), c)
    told = pair_mean(_itself, resolve(phi, points), c)
    assert float(bare) == pytest.approx(float(told), rel=1e-13)
    found, steps = jumps(resolve(phi), order=1)
    np.testing.assert_allclose(found, points, atol=1e-12)
    np.testing.assert_allclose(steps, sizes, rtol=1e-9)


def test_a_staircase_is_the_mean_of_its_conditional_mean():
    stairs, c = np.arange(-12.5, 13), 0.4

    def conditional(u):
        above = special.ndtr((c * u[..., None] - stairs) / np.sqrt(1 - c * c))
        return above.sum(-1) - 13

    expected = expectation(lambda u: np.round(u) * conditional(u), 1.0, tuple(stairs))
    found = pair_mean(_itself, resolve(lambda x: jnp.round(x)), c)
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


def test_jumps_are_those_of_the_order_asked_for():
    for name in ("elu", "softsign", "squared_relu", "tanh"):
        assert jumps(resolve(name), order=1)[0].size == 0
    assert jumps(resolve("relu"))[0].size == 0
    points, sizes = jumps(resolve(lambda x: jnp.where(x > 1 / 3, 2.0, x)))
    np.testing.assert_allclose(points, [1 / 3], atol=1e-12)
    np.testing.assert_allclose(sizes, [5 / 3], rtol=1e-9)


def test_steep_and_large_arguments_are_resolved():
    tanh = resolve("tanh")
    # 2/π arcsin c for q → ∞, and q φ′φ′ → 2 / (π √(1 − c²)) for its needle at 0.
    for c in (-0.5, 0.5):
        far = float(pair_mean(_itself, tanh, c, 1e20))
        assert far == pytest.approx(2 / np.pi * np.arcsin(c), rel=1e-9)
        needle = 1e20 * float(pair_mean(_itself, tanh, c, 1e20, order=1))
        assert needle == pytest.approx(2 / (np.pi * np.sqrt(0.75)), rel=1e-9)
    relu = pair_mean(_itself, resolve("relu"), 0.5, [1e-200, 1e-30, 1e40, 1e200])
    np.testing.assert_allclose(relu, _relu(0.5, np.array([1e-200, 1e-30, 1e40, 1e200])))


def test_shapes_broadcast():
    relu = resolve("relu")
    assert pair_mean(_itself, relu, np.zeros((3, 1)), np.ones(4)).shape == (3, 4)
    assert pair_mean(_itself, relu, np.zeros((0, 2))).shape == (0, 2)
    assert pair_distance(relu, 0.5).shape == ()


@pytest.mark.parametrize("bad", [1.0001, -2.0, np.nan])
def test_bad_correlations_and_gaps_are_named(bad):
    with pytest.raises(ValueError, match="c must be a correlation"):
        pair_mean(_itself, resolve("relu"), bad)
    with pytest.raises(ValueError, match="gap must be 1 − c"):
        pair_distance(resolve("relu"), -bad if bad > 0 else bad)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_variance_is_named(bad):
    with pytest.raises(ValueError, match="q must be a finite variance"):
        pair_mean(_itself, resolve("relu"), 0.5, bad)


@pytest.mark.parametrize(
    ("phi", "message"),
    [
        (lambda x: jnp.sin(1e6 * x), "too rough"),
        pytest.param(lambda x: jnp.round(32 * x), "too many kinks", marks=pytest.mark.slow),
        (lambda x: jnp.exp(x * x), "does not converge"),
        (lambda x: jnp.sqrt(x), "not finite near"),
    ],
)
def test_what_cannot_be_integrated_is_refused(phi, message):
    with pytest.raises(ValueError, match=message):
        pair_mean(_itself, resolve(phi), 0.5)
