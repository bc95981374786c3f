import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss

from initjax.activations import resolve
from initjax.gains import gain
from initjax.meanfield import (
    c_star,
    chi,
    chi_c,
    correlation_gap,
    correlation_map,
    q_star,
    variance_map,
)
from tests.meanfield.published import TANH
from tests.meanfield.tanh_scales import ROUNDED, SCALES

GRID = np.array([-0.5, 0.0, 0.5, 0.9])
# C at GRID and C′(1), for q = 1 and no bias.
NORMALISED = {
    "relu": (0.10899778104, 0.31830988618, 0.60899778104, 0.90953839884, 1.0),
    "leaky_relu(0.2)": (
        *(-0.12523213474, 0.19588300688, 0.56707555757, 0.90586978390),
        1.0,
    ),
    "tanh": (-0.47255139938, 0.0, 0.47255139938, 0.88564095894, 1.17780723230),
    "erf": (-0.46570375476, 0.0, 0.46570375476, 0.88183735850, 1.22570000379),
    "gelu": (
        *(-0.05339590286, 0.18714358236, 0.53453300066, 0.89593044145),
        1.07203159844,
    ),
    "silu": (
        *(-0.18784411290, 0.11999764021, 0.51484616812, 0.89533542964),
        1.06663424124,
    ),
    "elu": (
        *(-0.39699903776, 0.03995199194, 0.50358315626, 0.89746968908),
        1.03590471860,
    ),
    "selu": (-0.48266080852, 0.0, 0.49056912832, 0.89525930910, 1.07157499246),
    "softplus": (
        *(0.57539269386, 0.70527467293, 0.84676431961, 0.96839661972),
        0.31845898368,
    ),
    "sigmoid": (
        *(0.77910023018, 0.85213996041, 0.92517969063, 0.98479433411),
        0.15282701172,
    ),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_published_maps(name):
    sigma_w = gain(name)
    found = correlation_map(GRID, name, q=1.0, sigma_w=sigma_w)
    np.testing.assert_allclose(found, NORMALISED[name][:4], atol=6e-12)
    for slope in (
        chi(name, q=1.0, sigma_w=sigma_w),
        chi_c(name, q=1.0, c=1.0, sigma_w=sigma_w),
        correlation_gap(1e-20, name, q=1.0, sigma_w=sigma_w) / 1e-20,
    ):
        assert float(slope) == pytest.approx(NORMALISED[name][4], abs=1e-9)


def test_relu_brings_inputs_together_like_one_over_layers_squared():
    c, gap = 0.0, 1.0
    settings_ = {"q": 1.0, "sigma_w": 2**0.5}
    seen = {}
    for layer in range(1, 101):
        gap = correlation_gap(gap, "relu", **settings_)
        seen[layer] = 1 - float(gap)
        if layer <= 10:
            c = correlation_map(c, "relu", **settings_)
            assert float(c) == pytest.approx(seen[layer], abs=1e-14)
    published = {
        1: 1 / np.pi,
        2: 0.493731090200372,
        10: 0.871535516021518,
        50: 0.987861944937345,
        100: 0.996423146683948,
    }
    for layer, value in published.items():
        assert seen[layer] == pytest.approx(value, abs=2e-14)
    assert 1e4 * float(gap) == pytest.approx(35.76853316, rel=2e-10)


@pytest.mark.slow
def test_relu_after_a_thousand_layers():
    gap = 1.0
    for _ in range(1000):
        gap = correlation_gap(gap, "relu", q=1.0, sigma_w=2**0.5)
    assert 1e6 * float(gap) == pytest.approx(43.12973255, rel=2e-10)


@pytest.mark.parametrize(
    ("name", "sigma_w2", "q", "published"),
    [
        (
            "tanh",
            [1.7007963721, 1.7609546396, 2.4014892351],
            [0.51207850423, 0.57004788164, 1.317938999],
            {10: [0.50696912, 0.47198302, 0.24380719]},
        ),
        ("erf", [1.3758390073], [0.51717683798], {10: [0.4440621]}),
    ],
)
def test_smooth_critical_networks_bring_inputs_together(name, sigma_w2, q, published):
    sigma_w2, q = np.array(sigma_w2), np.array(q)
    sigma_b2 = q - variance_map(q, name, sigma_w=np.sqrt(sigma_w2))
    gap = np.ones(q.shape)
    for _ in range(10):
        gap = correlation_gap(
            gap, name, q=q, sigma_w=np.sqrt(sigma_w2), sigma_b=np.sqrt(sigma_b2)
        )
    np.testing.assert_allclose(gap, published[10], rtol=2e-8)


@pytest.mark.slow
def test_tanh_after_two_hundred_critical_layers():
    q, sigma_w = 0.57004788164, 1.7609546396**0.5
    gap = 1.0
    for _ in range(200):
        gap = correlation_gap(gap, "tanh", q=q, sigma_w=sigma_w, sigma_b=0.05**0.5)
    assert float(gap) == pytest.approx(0.031965407, rel=1e-7)


@pytest.mark.parametrize("name", ["tanh", "gelu"])
def test_slope_by_automatic_differentiation_of_smooth_activations(name):
    """Gauss-Hermite in the plane, differentiated by JAX in c."""
    nodes, weights = hermegauss(80)
    weights = weights / weights.sum()
    phi, q, sigma_w = resolve(name), 0.8, 1.3

    def covariance(c):
        u = jnp.sqrt(q) * nodes[:, None]
        v = jnp.sqrt(q) * (c * nodes[:, None] + jnp.sqrt(1 - c**2) * nodes)
        return sigma_w**2 * jnp.sum(weights[:, None] * weights * phi(u) * phi(v)) / q

    with jax.enable_x64(True):
        slopes = jax.vmap(jax.grad(covariance))(jnp.array([-0.4, 0.2, 0.7]))
        slopes = np.asarray(slopes)
    found = chi_c(name, q=q, c=[-0.4, 0.2, 0.7], sigma_w=sigma_w)
    np.testing.assert_allclose(found, slopes, rtol=1e-8)


@pytest.mark.parametrize("name", ["tanh", "relu", "hard_tanh", "selu", "relu6", "mish"])
def test_slope_by_differences_of_the_map(name):
    c, step, q = np.array([-0.6, 0.1, 0.8]), 1e-4, 2.3
    near, far = (
        correlation_map(c[:, None] + h * np.array([1, -1]), name, q=q, sigma_w=1.2)
        for h in (step, 2 * step)
    )
    differences = (4 * near @ [1, -1] / 2 - far @ [1, -1] / 4) / (3 * step)
    slope = chi_c(name, q=q, c=c, sigma_w=1.2) * q / variance_map(q, name, sigma_w=1.2)
    np.testing.assert_allclose(differences, slope, rtol=1e-8)


def test_tanh_has_the_published_fixed_points_with_dropout_and_without():
    # The other rows are tested by their depth scales.
    sigma_w2, sigma_b2, keep, c, slope, _ = SCALES[::2].T
    q, chi_1 = np.array(TANH)[::2].T[3:5]
    where = {"sigma_w": np.sqrt(sigma_w2), "sigma_b": np.sqrt(sigma_b2), "keep": keep}
    found = c_star("tanh", **where)
    exact = ~ROUNDED[::2]
    np.testing.assert_allclose(found[exact], c[exact], rtol=6e-10)
    np.testing.assert_allclose(found, c, rtol=1e-5)
    assert np.all(found[keep < 1] < 0.99), "dropout keeps inputs apart"
    length = q_star("tanh", **where)
    np.testing.assert_allclose(length[exact], q[exact], rtol=6e-10)
    again = correlation_map(found, "tanh", q=length, **where)
    np.testing.assert_allclose(again, found, rtol=1e-12)
    at = chi_c("tanh", q=length, c=found, sigma_w=np.sqrt(sigma_w2))
    np.testing.assert_allclose(at[exact], slope[exact], rtol=1e-9)
    top = chi_c("tanh", q=length, c=1.0, sigma_w=np.sqrt(sigma_w2))
    np.testing.assert_allclose(top[exact], chi_1[exact], rtol=1e-9)


@pytest.mark.parametrize("sigma_w2", [1.7609547, 1.761, 1.77])
def test_a_fixed_point_very_near_one_is_found(sigma_w2):
    """Just above criticality 1 − c* ≈ β (χ₁ − 1), whose digits depend on χ₁ − 1."""
    where = {"sigma_w": sigma_w2**0.5, "sigma_b": 0.05**0.5}
    q, c = q_star("tanh", **where), c_star("tanh", **where)
    excess = float(chi("tanh", q=q, sigma_w=where["sigma_w"])) - 1
    assert 1 - float(c) == pytest.approx(6.1711261422 * excess, rel=0.05 + 10 * excess)
    mapped = correlation_gap(1 - c, "tanh", q=q, **where)
    assert float(mapped) == pytest.approx(1 - float(c), rel=1e-9)


def test_fixed_points_at_the_borders():
    assert c_star("relu", sigma_w=2**0.5) == 1
    assert c_star("relu", sigma_w=2.0, sigma_b=0.3) == 1  # q* is infinite
    assert c_star("relu", sigma_w=0.5) == 1  # q* is 0
    assert c_star("tanh", sigma_w=1.5) == 0  # odd, without bias
    assert c_star("tanh", sigma_w=0.0, sigma_b=0.3) == 1
    assert c_star("tanh", sigma_w=1.76095463961**0.5, sigma_b=0.05**0.5) == 1
    kept = [("identity", 1.0, 0.0), ("tanh", 0.9, 0.0), ("tanh", 0.0, 0.0)]
    for name, sigma_w, sigma_b in kept:
        assert np.isnan(c_star(name, sigma_w=sigma_w, sigma_b=sigma_b))


def test_pathological_activations_get_an_answer_or_an_error():
    assert c_star(lambda x: 0 * x + 2.0, sigma_w=1.7, sigma_b=0.2) == 1
    assert np.isnan(c_star(jnp.exp, sigma_w=1.7))  # q grows out of reach
    # φ = x³: E u³v³ = (9c + 6c³) q³, and q* is infinite.
    assert c_star(lambda x: x**3, sigma_w=1.7, sigma_b=0.2) == 0
    for phi in (jnp.sqrt, lambda x: jnp.sin(1e6 * x)):
        with pytest.raises(ValueError, match=r"is nan|too rough"):
            c_star(phi, sigma_w=1.7)


def test_a_step_has_a_fixed_point_but_no_slope():
    step = resolve(lambda x: jnp.sign(x), (0.0,))
    c = float(c_star(step, sigma_w=1.0, sigma_b=0.3))
    assert (2 / np.pi * np.arcsin(c) + 0.09) / 1.09 == pytest.approx(c, abs=1e-13)
    assert c < 1, "infinitely steep at 1"
    with pytest.raises(ValueError, match="jumps"):
        chi_c(step, q=1.0, c=0.5, sigma_w=1.0)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["relu", "tanh", "gelu", "hard_tanh", "elu", "sigmoid"]),
    q=st.floats(1e-3, 30),
    sigma_w=st.floats(0.1, 4),
    sigma_b=st.floats(0, 2),
    keep=st.floats(0.5, 1),
)
def test_laws_of_the_map(name, q, sigma_w, sigma_b, keep):
    where = {"q": q, "sigma_w": sigma_w, "sigma_b": sigma_b}
    c = np.linspace(-1, 1, 9)
    mapped = correlation_map(c, name, **where)
    assert np.all(np.abs(mapped) <= 1)
    assert mapped[-1] == pytest.approx(1, abs=1e-13)
    right = mapped[4:]
    assert np.all(np.diff(right) > -1e-13), "rises on [0, 1]"
    assert np.all(np.diff(right, 2) > -1e-12), "convex on [0, 1]"
    if name in ("tanh", "hard_tanh") and sigma_b == 0:
        np.testing.assert_allclose(mapped, -mapped[::-1], atol=1e-13)
    gaps = correlation_gap(1 - c, name, **where, keep=keep)
    dropped = correlation_map(c, name, **where, keep=keep)
    np.testing.assert_allclose(1 - gaps, dropped, atol=1e-13)
    assert np.all(np.abs(dropped) <= np.abs(mapped) + 1e-13), "masks of its own for each"


def test_odd_activations_map_oddly_without_bias():
    c = np.linspace(0, 1, 5)
    for name in ("tanh", "softsign", "sin"):
        mapped = correlation_map([c, -c], name, q=1.7, sigma_w=1.1)
        np.testing.assert_allclose(mapped[0], -mapped[1], atol=1e-14)


def test_arrays_broadcast():
    where = {"q": np.ones((3, 1)), "sigma_w": np.ones(4)}
    assert correlation_map(0.5, "relu", **where).shape == (3, 4)
    assert chi_c("relu", c=0.5, **where).shape == (3, 4)
    assert c_star("relu", sigma_w=np.ones((3, 1)), sigma_b=np.full(2, 0.1)).shape == (3, 2)
    assert np.isnan(correlation_map(0.5, "relu", q=0.0, sigma_w=1.0))


@pytest.mark.parametrize(
    ("argument", "value"), [("sigma_w", -1.0), ("sigma_b", np.nan), ("keep", 0.0)]
)
def test_bad_settings_are_named(argument, value):
    where = {"sigma_w": 1.0, "sigma_b": 0.0, "keep": 1.0} | {argument: value}
    for call in (
        lambda: correlation_map(0.5, "tanh", q=1.0, **where),
        lambda: correlation_gap(0.5, "tanh", q=1.0, **where),
        lambda: c_star("tanh", **where),
    ):
        with pytest.raises(ValueError, match=f"{argument} must be"):
            call()
