"""Fixed points of the variance map: residuals, published digits, honest answers."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import lambertw

from initjax.activations import ACTIVATIONS, resolve
from initjax.gains import gain
from initjax.meanfield import (
    FixedPoint,
    chi,
    chi_q,
    length_fixed_points,
    q_star,
    variance_map,
)
from initjax.meanfield.moments import relative_length, steepness
from initjax.meanfield.roots import all_roots
from tests.meanfield.published import CRITICAL, LENGTHS, TANH


def test_tanh_with_and_without_dropout():
    sigma_w2, sigma_b2, keep, q, _, _ = np.array(TANH).T
    found = q_star("tanh", sigma_w=sigma_w2**0.5, sigma_b=sigma_b2**0.5, keep=keep)
    exact = sigma_w2 * 1000 % 1 == 0  # others are printed to six digits
    assert exact.sum() == 23
    np.testing.assert_allclose(found[exact], q[exact], rtol=1e-9)
    np.testing.assert_allclose(found, q, rtol=1e-5)


@pytest.mark.parametrize("name", CRITICAL)
def test_published_points_with_their_slopes(name):
    for sigma_b2, sigma_w2, q, slope in CRITICAL[name]:
        points = length_fixed_points(name, sigma_w=sigma_w2**0.5, sigma_b=sigma_b2**0.5)
        nearest = min(points, key=lambda point: abs(point.q - q))
        assert nearest.q == pytest.approx(q, rel=1e-8)
        assert nearest.slope == pytest.approx(slope, abs=1e-7)
        assert nearest.stability == ("attracting" if slope < 1 else "repelling")


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_table_is_the_quadrature(name):
    """Between the nodes of the series, over all decades that it has, with its slope."""
    for moment, order in (
        (relative_length(resolve(name)), 0),
        (steepness(resolve(name)), 1),
    ):
        rng = np.random.default_rng(order)
        x = rng.uniform(moment.low, moment.high, 40)
        q = np.exp(x)
        named = resolve(name)
        if order == 0:
            value = variance_map(q, named, sigma_w=1.0) / q
            slope = chi_q(named, q=q, sigma_w=1.0)
            error = np.abs(moment(x)[0] + moment(x)[1] - slope)
            assert np.all(error <= 2e-11 * value)
        else:
            value = chi(named, q=q, sigma_w=1.0)
        np.testing.assert_allclose(moment(x)[0], value, rtol=2e-12)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(set(ACTIVATIONS) - {"sin"})),
    st.floats(0.05, 4),
    st.sampled_from([0.0, 1e-6, 0.1, 1.0]) | st.floats(1e-3, 3),
    st.sampled_from([1.0, 0.5]),
)
def test_what_is_reached_is_fixed_and_lies_on_the_way(name, sigma_w, sigma_b, keep):
    weights = {"sigma_w": sigma_w, "sigma_b": sigma_b, "keep": keep}
    q = float(q_star(name, **weights))
    after = float(variance_map(1.0, name, **weights))
    points = length_fixed_points(name, **weights)
    if math.isnan(q):  # a root beyond 1e12
        return
    if math.isinf(q):
        assert after >= 1 and all(point.q < 1 for point in points)
        return
    assert (q - 1) * (after - 1) >= 0
    again = float(variance_map(q, name, **weights))
    assert again == pytest.approx(q, rel=1e-9, abs=1e-300)
    reached = [point for point in points if point.q == pytest.approx(q, rel=1e-9)]
    assert reached or math.isnan(points[0].q)
    for point in reached:
        if q > 0:
            slope = float(chi_q(name, q=q, **{"sigma_w": sigma_w, "keep": keep}))
            assert point.slope == pytest.approx(slope, rel=1e-8, abs=1e-9)
    between = [p.q for p in points if min(1, q) < p.q * (1 + 1e-9) < max(1, q)]
    assert len(between) <= 1


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(("tanh", "erf", "hard_tanh", "elu")), st.floats(0.1, 1.2))
def test_q_star_grows_with_both_deviations(name, sigma):
    line = sigma * np.linspace(1, 1.2, 5)
    for q in (
        q_star(name, sigma_w=line, sigma_b=0.3),
        q_star(name, sigma_w=sigma, sigma_b=line),
    ):
        assert np.all(np.diff(q) > 0)


def test_iteration_arrives_there():
    """From both sides, at four settings whose slopes are well below 1."""
    weights = {"sigma_w": np.array([1.2, 2, 3, 1.5]), "sigma_b": np.array([1, 0, 0.5, 0.1])}
    q, up, down = q_star("tanh", **weights), np.full(4, 1e-3), np.full(4, 1e3)
    for _ in range(60):
        up, down = (variance_map(x, "tanh", **weights) for x in (up, down))
    np.testing.assert_allclose([up, down], [q, q], rtol=1e-9)


def test_closed_forms():
    q = q_star("relu", sigma_w=[0.0, 1.0, 1.4], sigma_b=[0.3, 0.5, 0.1])
    np.testing.assert_allclose(q, [0.09, 0.5, 0.5], rtol=1e-12)
    w2 = np.array([1.5, 4.0])  # q = w²(1 - exp(-2q))/2
    q = (w2 + lambertw(-w2 * np.exp(-w2)).real) / 2
    np.testing.assert_allclose(q_star("sin", sigma_w=w2**0.5), q, rtol=1e-12)
    w2 = math.pi / 2 * 3 / math.asin(6 / 7)
    assert float(q_star("erf", sigma_w=w2**0.5)) == pytest.approx(3, rel=1e-12)
    (zero, one) = length_fixed_points("squared_relu", sigma_w=1.0)
    assert zero == FixedPoint(0.0, pytest.approx(0, abs=1e-20), "attracting")
    assert one.q == pytest.approx(2 / 3, rel=1e-12)
    assert one[1:] == (pytest.approx(2, rel=1e-11), "repelling")


@pytest.mark.parametrize("name", ["tanh", "erf", "hard_tanh", "relu6", "softsign"])
def test_what_dies_slowly_dies(name):
    """At σ_w² E φ′(0)² = 1 the decay is algebraic or slower; tanh: q ~ 1/2l."""
    critical = float(chi_q(name, q=0.0, sigma_w=1.0)) ** -0.5
    assert q_star(name, sigma_w=[0.3 * critical, critical]).tolist() == [0, 0]
    (only,) = length_fixed_points(name, sigma_w=critical)
    assert (only.q, only.stability) == (0, "marginal")


def test_a_little_more_than_critical_has_a_small_fixed_point():
    """tanh: q* = ε/2 + O(ε²) with σ_w² = 1 + ε."""
    excess = np.array([1e-3, 1e-6, 1e-8])
    q = q_star("tanh", sigma_w=np.sqrt(1 + excess))
    np.testing.assert_allclose(q, excess / 2, rtol=3e-3)


def test_tiny_biases_have_tiny_fixed_points():
    q = q_star("tanh", sigma_w=0.5, sigma_b=[1e-8, 1e-30, 1e-160])
    np.testing.assert_allclose(q, np.array([1e-16, 1e-60, 0]) / 0.75, rtol=1e-12)
    (only,) = length_fixed_points("tanh", sigma_w=0.5, sigma_b=1e-8)
    assert only.q == pytest.approx(1e-16 / 0.75, rel=1e-12)
    assert only[1:] == (pytest.approx(0.25, rel=1e-11), "attracting")
    (dead,) = length_fixed_points(jnp.sign, sigma_w=0.0)
    assert dead == (0, 0, "attracting")


@pytest.mark.parametrize("name", ["gelu", "silu", "mish"])
def test_the_forward_gain_repels(name):
    zero, one = length_fixed_points(name, sigma_w=gain(name))
    assert (zero.q, zero.stability, one.stability) == (0, "attracting", "repelling")
    assert one.q == pytest.approx(1, rel=1e-11)
    assert one.slope == pytest.approx(LENGTHS[name][0][0], abs=6e-7)
    starts = [float(q_star(name, sigma_w=gain(name), start=s)) for s in (0.999, 1, 1.001)]
    assert starts == [0, 1, math.inf]


def test_identity_maps_keep_their_start():
    for name, sigma_w in (("relu", 2**0.5), ("identity", 1.0), ("abs", 1.0)):
        (line,) = length_fixed_points(name, sigma_w=sigma_w)
        assert math.isnan(line.q) and line.stability == "marginal"
        start = float(q_star(name, sigma_w=sigma_w, start=0.7))
        assert start == pytest.approx(0.7, rel=1e-14)
        assert float(q_star(name, sigma_w=sigma_w, sigma_b=1e-3)) == math.inf
        assert float(q_star(name, sigma_w=sigma_w * 1.001)) == math.inf
        assert float(q_star(name, sigma_w=sigma_w * 0.999)) == 0


def test_a_root_beyond_the_range_is_not_called_infinite():
    assert math.isnan(q_star("identity", sigma_w=1 - 1e-9, sigma_b=1e4))


def test_pairs_of_roots_are_told_apart_until_they_merge():
    """A parabola in x that falls short of 0, touches it, and dips just below."""
    depth = np.array([1e-10, 0.0, -1e-10])

    def bowls(rows, x):
        return (x - 0.123) ** 2 + depth[rows], 2 * (x - 0.123) + 0 * rows

    roots = all_roots(bowls, 3, np.linspace(-1, 1, 11))
    assert roots.row.tolist() == [1, 2, 2]
    np.testing.assert_allclose(roots.x, [0.123, 0.123 - 1e-5, 0.123 + 1e-5], atol=1e-9)
    assert roots.touching.tolist() == [True, False, False]


def test_the_pair_that_gelu_loses_with_its_biases():
    """V - q has a least value that the bias lifts through 0: two roots, then none."""
    sigma_w = 2.1**0.5
    low, high = length_fixed_points("gelu", sigma_w=sigma_w, sigma_b=0.1)
    assert (low.stability, high.stability) == ("attracting", "repelling")
    inner = np.linspace(low.q, high.q, 2001)
    gap = np.max(inner - variance_map(inner, "gelu", sigma_w=sigma_w))
    just = [(gap * (1 - s)) ** 0.5 for s in (1e-6, -1e-6)]
    assert len(length_fixed_points("gelu", sigma_w=sigma_w, sigma_b=just[0])) == 2
    assert length_fixed_points("gelu", sigma_w=sigma_w, sigma_b=just[1]) == ()
    assert np.isinf(q_star("gelu", sigma_w=sigma_w, sigma_b=just[1]))


def test_a_map_that_decreases():
    """cos: E cos² = (1 + exp(-2q))/2, reached in damped swings."""
    q = 0.3
    for _ in range(200):
        q = 2.25 * (1 + math.exp(-2 * q)) / 2
    (point,) = length_fixed_points(jnp.cos, sigma_w=1.5)
    assert point.q == pytest.approx(q, rel=1e-12)
    assert point.slope == pytest.approx(-2.25 * math.exp(-2 * q), rel=1e-10)
    assert float(q_star(jnp.cos, sigma_w=1.5)) == pytest.approx(q, rel=1e-12)


def test_arrays_of_any_shape():
    q = q_star("tanh", sigma_w=np.linspace(0.5, 3, 6)[:, None], sigma_b=[0.1, 0.2])
    assert q.shape == (6, 2)
    one = q_star("tanh", sigma_w=3.0, sigma_b=0.2)
    assert one.shape == () and float(one) == pytest.approx(q[-1, -1], rel=1e-13)
    assert q_star("tanh", sigma_w=np.zeros(0)).shape == (0,)
    many = q_star("tanh", sigma_w=np.linspace(1.1, 3, 5000))
    assert np.all(np.diff(many) > 0)


def _sign(x):
    return jnp.sign(x)


def _heaviside(x):
    return jnp.where(x > 0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: 0 * x, 0.0),
        (lambda x: 0 * x + 1, 2.25),
        (_sign, 2.25),
        (_heaviside, 1.125),
        (jnp.exp, math.nan),  # E φ² leaves the range of the quadrature
        (jnp.cosh, math.nan),
        (lambda x: x**3, math.inf),
        (lambda x: jnp.sqrt(jnp.abs(x)), 2.25**2 * 2 / math.pi),
        (lambda x: jnp.maximum(x - 100, 0), 0.0),
    ],
)
def test_odd_callables(function, expected):
    q = float(q_star(function, sigma_w=1.5))
    assert q == pytest.approx(expected, rel=1e-11, nan_ok=True)


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (jnp.log, "nan"),
        (jnp.log1p, "nan"),
        (lambda x: 1 / x, "is inf at 0"),
        (lambda x: x * jnp.log(jnp.abs(x)), "nan at 0"),
        (lambda x: jnp.exp(x * x), "."),
        (jnp.tan, "rough|reliably|grows"),
    ],
)
def test_callables_without_moments_are_refused(function, match):
    for solve in (q_star, length_fixed_points):
        with pytest.raises(ValueError, match=match):
            solve(function, sigma_w=1.0)


@pytest.mark.parametrize("start", [0, -1.0, 1e13, math.nan, math.inf])
def test_starts_out_of_range_are_refused(start):
    with pytest.raises(ValueError, match="start must be"):
        q_star("tanh", sigma_w=1.0, start=start)
