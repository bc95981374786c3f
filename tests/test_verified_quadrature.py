"""Gains of callables whose kinks nobody told, against adaptive integration."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import integrate, stats

from initjax.activations import resolve
from initjax.gains import gain
from initjax.quadrature import breakpoints, gaussian_mean, on_host


def _spline(rng):
    """Piecewise linear, with kinks at odd places, one pair of them close."""
    knots = np.sort(rng.uniform(-4, 4, 9))
    knots = np.sort([*knots, knots[4] + 1e-3])
    values = rng.normal(size=knots.size)
    slopes = np.concatenate([[0], np.diff(values) / np.diff(knots), [0]])
    return (
        lambda x: jnp.interp(x, knots, values),
        lambda x: np.interp(x, knots, values),
        lambda x: slopes[np.searchsorted(knots, x)],
        knots,
    )


def _mixture(rng):
    """Smooth: shifted tanh of widths from 0.003 on, and sines."""
    a, b, c, d = rng.normal(size=(4, 3))
    steep = rng.uniform(1, 300, 3)

    def phi(np_, x):
        return sum(
            a[i] * np_.tanh(steep[i] * (x - c[i])) + b[i] * np_.sin(3 * d[i] * x + a[i])
            for i in range(3)
        )

    def slope(x):
        return sum(
            a[i] * steep[i] * (1 - np.tanh(steep[i] * (x - c[i])) ** 2)
            + 3 * b[i] * d[i] * np.cos(3 * d[i] * x + a[i])
            for i in range(3)
        )

    points = [c[i] + s / steep[i] for i in range(3) for s in range(-20, 21, 2)]
    return lambda x: phi(jnp, x), lambda x: phi(np, x), slope, points


def _hinge(rng):
    """A hinge and a jump on something smooth."""
    h, j = rng.uniform(-2, 2, 2)
    a, b = rng.normal(size=2)
    return (
        lambda x: a * jnp.maximum(x - h, 0) + b * (x > j) + jnp.sin(2 * x),
        lambda x: a * np.maximum(x - h, 0) + b * (x > j) + np.sin(2 * x),
        lambda x: a * (x > h) + 2 * np.cos(2 * x),
        [h, j],
    )


def _adaptive(f, points, q=1.0):
    """E f(√q z) by adaptive quadrature between known points."""
    sigma = q**0.5
    ends = sigma * np.arange(-12.5, 13)
    ends = np.unique([*ends, *np.clip(points, ends[0], ends[-1])])
    return sum(
        integrate.quad(
            lambda x: f(x) * stats.norm.pdf(x / sigma) / sigma,
            *piece,
            epsabs=1e-30,
            epsrel=1e-12,
            full_output=True,  # says in numbers, not warnings, where rounding ends it
        )[0]
        for piece in pairwise(ends)
    )


def _gains(phi, slope, points, q=1.0):
    mean = _adaptive(phi, points, q)
    return {
        "forward": (q / _adaptive(lambda x: phi(x) ** 2, points, q)) ** 0.5,
        "backward": _adaptive(lambda x: slope(x) ** 2, points, q) ** -0.5,
        "centered": (q / _adaptive(lambda x: (phi(x) - mean) ** 2, points, q)) ** 0.5,
    }


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("family", [_spline, _mixture, _hinge])
def test_random_callables_have_the_gains_of_adaptive_integration(family, seed):
    function, phi, slope, points = family(np.random.default_rng(seed))
    for kind, expected in _gains(phi, slope, points).items():
        assert gain(function, kind=kind) == pytest.approx(expected, rel=1e-11), kind


@pytest.mark.parametrize(("at", "width"), [(0.777123, 1e-5), (-2.3, 1e-4), (20.1, 1e-2)])
def test_a_needle_is_found(at, width):
    def phi(np_, x):
        return np_.tanh(x) + np_.exp(-(((x - at) / width) ** 2) / 2)

    def slope(x):
        t = (x - at) / width
        return 1 - np.tanh(x) ** 2 - t / width * np.exp(-(t**2) / 2)

    points = at + width * np.arange(-8, 9)
    q = 1.0 if at < 8 else 100.0
    expected = _gains(lambda x: phi(np, x), slope, points, q)
    for kind, value in expected.items():
        found = gain(lambda x: phi(jnp, x), kind=kind, q=q)
        assert found == pytest.approx(value, rel=1e-10), kind
    blunt = gain("tanh", kind="backward", q=q)
    assert abs(blunt / expected["backward"] - 1) > 0.01, "a needle that is missed shows"


@pytest.mark.parametrize("at", [70.0, -75.5])
def test_a_kink_far_out_is_found_when_q_reaches_it(at):
    sign = np.sign(at)

    def phi(np_, x):
        return x + 1e12 * np_.maximum(sign * (x - at), 0)

    def slope(x):
        return 1 + sign * 1e12 * (sign * (x - at) > 0)

    expected = _gains(lambda x: phi(np, x), slope, [at], 100.0)
    assert expected["forward"] < 0.9, "the kink counts"
    for kind, value in expected.items():
        found = gain(lambda x: phi(jnp, x), kind=kind, q=100.0)
        assert found == pytest.approx(value, rel=1e-9), kind


def test_hundreds_of_jumps_are_found():
    k = np.arange(-208, 209)
    mass = stats.norm.cdf((k + 0.5) / 16) - stats.norm.cdf((k - 0.5) / 16)
    expected = np.sum(mass * (k / 16) ** 2) ** -0.5
    assert gain(lambda x: jnp.round(16 * x) / 16) == pytest.approx(expected, rel=1e-11)


def test_what_is_rough_at_every_scale_is_refused_with_the_remedy():
    for kind in ("forward", "backward", "centered"):
        with pytest.raises(ValueError, match=r"not be integrated reliably.*kinks="):
            gain(lambda x: jnp.sin(1e6 * x), kind=kind)


def test_declared_kinks_show_what_the_search_cannot_see():
    """A needle of width 1e-8, between the samples: seen only when declared."""
    at, width = 0.0031415, 1e-8

    def phi(x):
        return jnp.exp(-(((x - at) / width) ** 2) / 2)

    # ∫ φ′² = √π / (2 · width), and the density hardly moves along it.
    expected = (np.pi**0.5 / (2 * width) * stats.norm.pdf(at)) ** -0.5
    kinks = at + width * np.arange(-8, 9)
    found = gain(phi, kind="backward", kinks=kinks)
    assert found == pytest.approx(expected, rel=1e-7)
    with pytest.raises(ValueError, match="has no forward gain"):
        gain(phi)


def test_declared_kinks_are_completed_where_one_is_missing():
    exact = 1.09**-0.5
    assert gain(lambda x: jnp.abs(x - 0.3), kinks=[0.3]) == pytest.approx(exact, rel=1e-13)
    assert gain(lambda x: jnp.abs(x - 0.3), kinks=[0.2]) == pytest.approx(exact, rel=1e-13)
    assert gain(lambda x: jnp.abs(x - 0.3), kinks=()) == pytest.approx(exact, rel=1e-13)


def test_named_activations_at_a_large_q_are_verified_too():
    for name in ("sin", jnp.sin):
        assert gain(name, q=1e4) == pytest.approx((1e4 / 0.5) ** 0.5, rel=1e-11)


@pytest.mark.parametrize("q", [1e-30, 1e40, 1e300])
def test_homogeneous_callables_scale_to_any_magnitude(q):
    assert gain(lambda x: jnp.maximum(x, 0), q=q) == pytest.approx(2**0.5, rel=1e-12)


def test_plain_gauss_hermite_would_fail():
    """χ₁ of relu under its gain is 1; a node at 0 makes it 0.912."""
    nodes, weights = hermegauss(201)
    relu = resolve("relu")
    square, slope = (np.sum(weights * on_host(relu, order)(nodes) ** 2) for order in (0, 1))
    assert slope / square == pytest.approx(0.912, abs=5e-4)
    ours = gaussian_mean(np.square, relu, order=1) / gaussian_mean(np.square, relu)
    assert float(ours) == pytest.approx(1, abs=1e-12)


def test_means_follow_the_shape_of_q():
    q = np.linspace(0, 3, 24).reshape(2, 3, 4)
    relu = resolve(lambda x: jnp.maximum(x, 0))
    np.testing.assert_allclose(gaussian_mean(np.square, relu, q), q / 2, rtol=1e-12)
    assert gaussian_mean(np.square, relu, np.zeros((0, 2))).shape == (0, 2)


def test_a_function_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="the function is nan at"):
        gain(lambda x: jnp.sqrt(x))


def test_a_kink_costs_few_cuts():
    def hinge(x):
        return jnp.maximum(x - 0.3, 0)

    assert len(breakpoints(resolve(hinge))) < 40


def test_a_new_callable_compiles_one_program_for_all_kinds(compilations):
    def hinge(x):
        return jnp.maximum(x - 0.7, 0)

    gain(lambda x: jnp.maximum(x - 0.2, 0))  # what all callables share
    with compilations() as count:
        for kind in ("forward", "backward", "centered"):
            gain(hinge, kind=kind)
            gain(hinge, kind=kind, q=3.0)
    assert count.value == 1


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5, 7), (3, 20000)])
def test_host_functions_keep_shapes(shape):
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(on_host(resolve("tanh"))(x), np.tanh(x), rtol=1e-14)
    np.testing.assert_allclose(
        on_host(resolve("tanh"), 1)(x), 1 - np.tanh(x) ** 2, rtol=1e-12
    )
