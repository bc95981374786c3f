"""Moments of the Jacobian: published tables, closed forms, and matrices of NumPy."""

import math

import numpy as np
import pytest

from initjax.meanfield import chi, isometry_score, jacobian_moments

# L: variance of λ at χ₁ = 1 for linear Gaussian, orthogonal, ReLU Gaussian, orthogonal.
VARIANCES = {depth: (depth, 0, 2 * depth, depth) for depth in (1, 2, 4, 8, 16, 32, 64, 128)}

# tanh at χ₁ = 1: q*, variance per layer for orthogonal and for Gaussian weights.
TANH = [
    (0.015625, 0.001689370256, 1.00168937),
    (0.05, 0.013319822897, 1.013319823),
    (0.1, 0.039709122524, 1.039709123),
    (0.25, 0.13697672896, 1.136976729),
    (0.5, 0.29924412655, 1.299244127),
    (1, 0.58347994137, 1.583479941),
]


def _critical(activation, depth, q, weights):
    sigma_w = chi(activation, q=q, sigma_w=1.0) ** -0.5
    return jacobian_moments(activation, depth=depth, q=q, sigma_w=sigma_w, weights=weights)


@pytest.mark.parametrize(("depth", "variances"), VARIANCES.items())
def test_linear_and_relu(depth, variances):
    networks = [(a, w) for a in ("identity", "relu") for w in ("gaussian", "orthogonal")]
    for (activation, weights), variance in zip(networks, variances, strict=True):
        found = _critical(activation, depth, 3.0, weights)
        np.testing.assert_allclose(found, (1, variance), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("q", "orthogonal", "gaussian"), TANH)
def test_tanh(q, orthogonal, gaussian):
    assert _critical("tanh", 1, q, "orthogonal")[1] == pytest.approx(orthogonal, rel=1e-8)
    assert _critical("tanh", 64, q, "gaussian")[1] == pytest.approx(64 * gaussian, rel=1e-8)


@pytest.mark.parametrize("q", [0.0, 1e-3, 0.7, 40.0])
def test_erf_and_hard_tanh_in_closed_form(q):
    """μ_k = (4/π)^k / √(1 + 4kq), and p = P(|√q z| < 1) for hard tanh."""
    first, second = ((4 / np.pi) ** k / np.sqrt(1 + 4 * k * q) for k in (1, 2))
    mean, variance = jacobian_moments("erf", depth=3, q=q, sigma_w=0.9)
    assert mean == pytest.approx((0.81 * first) ** 3, rel=1e-12)
    assert variance / mean**2 == pytest.approx(3 * second / first**2, rel=1e-12)
    p = math.erf(1 / math.sqrt(2 * q)) if q else 1.0
    for weights, excess in (("gaussian", 5 / p), ("orthogonal", 5 * (1 / p - 1))):
        mean, variance = jacobian_moments(
            "hard_tanh", depth=5, q=q, sigma_w=1.1, weights=weights
        )
        assert mean == pytest.approx((1.21 * p) ** 5, rel=1e-12)
        assert variance / mean**2 == pytest.approx(excess, rel=1e-11, abs=1e-12)


def test_arguments_broadcast_and_scale():
    depth, q = np.array([[1], [7]]), np.array([0.1, 1.0, 9.0])
    mean, variance = jacobian_moments("gelu", depth=depth, q=q, sigma_w=1.3)
    assert mean.shape == variance.shape == (2, 3)
    once = jacobian_moments("gelu", depth=7, q=9.0, sigma_w=2.6)
    np.testing.assert_allclose(once[0], mean[1, 2] * 4.0**7, rtol=1e-12)
    np.testing.assert_allclose(once[1], variance[1, 2] * 16.0**7, rtol=1e-12)
    score = isometry_score("gelu", depth=depth, q=q)
    np.testing.assert_allclose(score, mean**2 / (mean**2 + variance), rtol=1e-12)
    np.testing.assert_allclose(mean[0], chi("gelu", q=q, sigma_w=1.3), rtol=1e-12)


def test_orthogonal_weights_are_nearer_to_an_isometry():
    for activation in ("identity", "relu", "tanh", "gelu", lambda x: x + 0.1 * abs(x)):
        scores = [
            isometry_score(activation, depth=np.arange(1, 50), q=0.3, weights=weights)
            for weights in ("gaussian", "orthogonal")
        ]
        assert np.all((scores[0] > 0) & (scores[0] < scores[1]) & (scores[1] <= 1))
        assert np.all(np.diff(scores[0]) < 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"depth": 0}, "depth must be whole numbers >= 1; got depth=0"),
        ({"depth": 2.5}, "depth must be whole numbers"),
        ({"weights": "uniform"}, "weights must be one of .*; got weights='uniform'"),
        ({"sigma_w": -1.0}, "sigma_w must be .*; got sigma_w=-1.0"),
        ({"sigma_w": math.nan}, "sigma_w must be"),
        ({"q": -1.0}, "q must be a finite variance"),
    ],
)
def test_bad_arguments(settings, words):
    good = {"depth": 3, "q": 1.0, "sigma_w": 1.0}
    with pytest.raises(ValueError, match=words):
        jacobian_moments("tanh", **{**good, **settings})


def _second_moments(depth, seeds, gain=1.0, n=100):
    """tr (J Jᵀ)²/n of products of Gaussian matrices, by seed."""
    rng, found = np.random.default_rng(1), []
    for _ in range(seeds):
        whole = np.eye(n)
        for _ in range(depth):
            whole = gain * rng.normal(size=(n, n)) / math.sqrt(n) @ whole
        found.append(np.square(whole @ whole.T).sum() / n)
    return np.array(found)


def test_linear_gaussian_matrices_by_monte_carlo():
    """Against the exact mean at finite n, which the theory exceeds by O(L²/n²) at most.

    a' = (1 + 1/n) a + b/n, b' = b + 2a/n, from a = n, b = n²: E tr(JJᵀ)²/n = a/n.
    """
    n, depth = 100, 4
    a, b = float(n), float(n) ** 2
    for _ in range(depth):
        a, b = (1 + 1 / n) * a + b / n, b + 2 * a / n
    found = _second_moments(depth, 40)
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert abs(found.mean() - a / n) < 4 * error
    mean, variance = jacobian_moments("identity", depth=depth, q=1.0, sigma_w=1.0)
    assert abs(mean**2 + variance - a / n) < 5 * depth**2 / n
    wrong = _second_moments(depth, 40, gain=1.05)
    assert abs(wrong.mean() - a / n) > 4 * error, "a gain off by 5 % would be seen"
