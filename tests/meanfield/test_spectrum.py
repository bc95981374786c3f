"""The law of the squared singular values: published edges, closed forms, moments."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import ACTIVATIONS
from initjax.meanfield import (
    chi,
    jacobian_atoms,
    jacobian_density,
    jacobian_moments,
    spectral_edge,
)

# L: λ_max at χ₁ = 1 for linear Gaussian, ReLU Gaussian and ReLU orthogonal.
EDGES = {
    1: (4, 5.82842712, 2),
    2: (6.75, 11.0901699, 4),
    4: (12.2070312, 21.8582493, 9.48148148),
    8: (23.0920606, 43.5489789, 20.3719976),
    16: (44.8447845, 87.0133137, 42.1260595),
    32: (88.3406743, 173.984192, 85.6222818),
    64: (175.327422, 347.947153, 172.609112),
    128: (349.298334, 695.883687, 346.580045),
}


def _settings(activation, depth, weights="gaussian", q=0.25):
    sigma_w = float(chi(activation, q=q, sigma_w=1.0)) ** -0.5
    return {"depth": depth, "q": q, "sigma_w": sigma_w, "weights": weights}


def _moments(activation, settings, powers, points=80):
    """∫ λ^k ρ by Gauss-Legendre in an angle that removes the roots at both ends."""
    edge = spectral_edge(activation, **settings)
    nodes, weights = np.polynomial.legendre.leggauss(points)
    angle, power = (1 + nodes) * np.pi / 4, 2 * (settings["depth"] + 1)
    x = edge * np.sin(angle) ** power
    slope = x * power / np.tan(angle) * weights * np.pi / 4
    density = jacobian_density(x, activation, **settings)
    return [np.sum(density * slope * x**k) for k in powers]


@pytest.mark.parametrize(("depth", "edges"), EDGES.items())
def test_edges_of_linear_and_relu(depth, edges):
    networks = [("identity", "gaussian"), ("relu", "gaussian"), ("relu", "orthogonal")]
    for (activation, weights), edge in zip(networks, edges, strict=True):
        found = spectral_edge(activation, **_settings(activation, depth, weights))
        assert found == pytest.approx(edge, rel=5e-9)
    linear = spectral_edge("identity", **_settings("identity", depth))
    assert linear == pytest.approx((depth + 1) ** (depth + 1) / depth**depth, rel=1e-12)


def test_one_gaussian_layer_is_marchenko_pastur():
    x = np.linspace(0.01, 5, 40)
    found = jacobian_density(2.25 * x, "identity", depth=1, q=1.0, sigma_w=1.5)
    expected = np.sqrt(np.clip(4 / x - 1, 0, None)) / (2 * np.pi)
    np.testing.assert_allclose(2.25 * found, expected, atol=1e-12)


def test_two_orthogonal_relu_layers_are_an_arcsine():
    """Two free projections: half the mass at 0, half on (0, 4)."""
    x = np.linspace(0.01, 3.99, 40)
    settings = _settings("relu", 2, "orthogonal")
    expected = 0.5 / (np.pi * np.sqrt(x * (4 - x)))
    np.testing.assert_allclose(jacobian_density(x, "relu", **settings), expected, rtol=1e-9)
    assert jacobian_atoms("relu", **settings) == {0.0: 0.5}


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_moments_of_linear_networks_are_fuss_catalan(depth):
    powers = range(5)
    expected = [math.comb((depth + 1) * k, k) / (depth * k + 1) for k in powers]
    found = _moments("identity", _settings("identity", depth), powers)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)", "hard_tanh", "tanh"])
@pytest.mark.parametrize(("depth", "weights"), [(3, "gaussian"), (16, "orthogonal")])
def test_density_and_atoms_have_mass_one_and_the_moments(activation, depth, weights):
    settings = _settings(activation, depth, weights)
    atoms = jacobian_atoms(activation, **settings)
    mean, variance = jacobian_moments(activation, **settings)
    found = np.array(_moments(activation, settings, range(3), points=100))
    found += [sum(m * a**k for a, m in atoms.items()) for k in range(3)]
    # The law of hard tanh has a gap below its upper atom, where the rule loses digits.
    rtol = 1e-2 if activation == "hard_tanh" else 2e-5
    np.testing.assert_allclose(found[1:], (mean, mean**2 + variance), rtol=rtol)
    assert found[0] == pytest.approx(1, abs=1e-2), "a gap below the law is not seen"


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_its_mean(activation):
    settings = _settings(activation, 2, q=0.8)
    if activation == "squared_relu":
        assert spectral_edge(activation, **settings) == math.inf, "slopes have no bound"
        return
    mean = sum(m * a for a, m in jacobian_atoms(activation, **settings).items())
    assert mean + _moments(activation, settings, [1])[0] == pytest.approx(1, rel=1e-4)


def test_any_callable_and_its_edge():
    settings = _settings("relu", 5)
    same = _settings(lambda x: jnp.where(x > 0, x, 0), 5)
    assert spectral_edge(lambda x: jnp.where(x > 0, x, 0), **same) == pytest.approx(
        spectral_edge("relu", **settings), rel=1e-9
    )


def test_atoms():
    p = math.erf(1 / math.sqrt(0.5))
    found = jacobian_atoms("hard_tanh", depth=8, q=0.25, sigma_w=1.0, weights="orthogonal")
    assert found == pytest.approx({0.0: 1 - p, 1.0: 1 - 8 * (1 - p)}, rel=1e-9)
    assert jacobian_atoms("hard_tanh", depth=8, q=0.25, sigma_w=1.0) == pytest.approx(
        {0.0: 1 - p}, rel=1e-9
    )
    linear = jacobian_atoms("identity", depth=3, q=1.0, sigma_w=1.1, weights="orthogonal")
    assert linear == pytest.approx({1.1**6: 1.0}, rel=1e-12)
    away = np.array([0.3, 1.0, 1.7, 2.5])
    settings = {"depth": 3, "q": 1.0, "sigma_w": 1.1, "weights": "orthogonal"}
    np.testing.assert_allclose(jacobian_density(away, "identity", **settings), 0, atol=1e-9)


def test_one_orthogonal_layer_has_the_law_of_the_slopes():
    """λ = tanh′(√q z)² by change of variables, where cells take the place of points."""
    x, q = np.geomspace(1e-5, 0.99, 50), 0.5
    found = jacobian_density(x, "tanh", depth=1, q=q, sigma_w=1.0, weights="orthogonal")
    tanh = np.sqrt(1 - np.sqrt(x))
    z = np.arctanh(tanh) / np.sqrt(q)
    normal = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(found, normal / (2 * np.sqrt(q) * x * tanh), rtol=0.015)


def test_tails_where_the_slopes_show_through_join_the_bulk():
    settings = _settings("tanh", 2, "orthogonal")
    x = np.geomspace(1e-6, 1.83, 150)
    found = jacobian_density(x, "tanh", **settings)
    assert np.all(found > 0)
    moments = _moments("tanh", settings, [0, 1], points=60)
    np.testing.assert_allclose(moments, 1, atol=5e-3)
    below = np.log(found[x < 1.5])
    assert np.abs(np.diff(below, 2)).max() < 0.1, "no step between the methods"


def test_an_atom_is_no_density():
    settings = {"depth": 8, "q": 0.25, "sigma_w": 1.0, "weights": "orthogonal"}
    assert np.isnan(jacobian_density(1.0, "hard_tanh", **settings))


def _eigenvalues(weights, gain, n=200, depth=4, q=0.25, seeds=4):
    """Squared singular values of tanh networks at χ₁ = 1, from NumPy."""
    rng, found = np.random.default_rng(3), []
    sigma_w = gain * _settings("tanh", depth, q=q)["sigma_w"]
    for _ in range(seeds):
        whole = np.eye(n)
        for _ in range(depth):
            matrix = rng.normal(size=(n, n)) / math.sqrt(n)
            if weights == "orthogonal":
                matrix = np.linalg.qr(matrix)[0]
            slopes = 1 / np.cosh(math.sqrt(q) * rng.normal(size=n)) ** 2
            whole = slopes[:, None] * (sigma_w * matrix @ whole)
        found.append(np.linalg.svd(whole, compute_uv=False) ** 2)
    return np.sort(np.concatenate(found))


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_density_is_that_of_finite_matrices(weights):
    """Share of eigenvalues between quantiles; those of a matrix repel one another.

    Their logarithms shift together by a standard deviation of √(4/(n seeds)) times that
    of ln d, 0.5: by 0.035, and shares by a fifth of it. The tolerance is four of these.
    """
    settings = _settings("tanh", 4, weights)
    seen = _eigenvalues(weights, 1.0)
    ends = np.quantile(seen, [0.25, 0.5, 0.75, 0.999])
    nodes, masses = np.polynomial.legendre.leggauss(24)
    for low, high, share in zip(ends[:-1], ends[1:], (0.25, 0.25, 0.249), strict=True):
        x = (low + high) / 2 + nodes * (high - low) / 2
        mass = jacobian_density(x, "tanh", **settings) @ masses * (high - low) / 2
        assert mass == pytest.approx(share, abs=0.025)
    wrong = np.quantile(_eigenvalues(weights, 1.05), [0.5, 0.999])
    x = wrong.mean() + nodes * np.diff(wrong) / 2
    mass = jacobian_density(x, "tanh", **settings) @ masses * np.diff(wrong)[0] / 2
    assert abs(mass - 0.499) > 0.025, "a gain off by 5 % would be seen"


@pytest.mark.parametrize(
    ("activation", "settings", "words"),
    [
        ("tanh", {"x": 0.0}, "x must be finite squared singular values > 0; got x="),
        ("tanh", {"sigma_w": 0.0}, "sigma_w > 0"),
        ("tanh", {"depth": 0}, "depth must be whole numbers"),
        ("tanh", {"q": np.ones(3)}, "must be one number each"),
        ("tanh", {"q": -1.0}, "q must be finite"),
        (lambda x: 0 * x + 2, {}, "slope 0 everywhere"),
        (jnp.sign, {}, "jumps at x=0"),
        (lambda x: x / 0.0 * 0.0, {}, "cannot be computed"),
    ],
)
def test_bad_arguments(activation, settings, words):
    good = {"x": 1.0, "depth": 3, "q": 1.0, "sigma_w": 1.0}
    given = {**good, **settings}
    with pytest.raises(ValueError, match=words):
        jacobian_density(given.pop("x"), activation, **given)
