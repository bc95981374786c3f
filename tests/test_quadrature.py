import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import stats

from initjax.activations import NamedActivation, resolve
from initjax.quadrature import breakpoints, expectation, on_host


@pytest.mark.parametrize("q", [1e-12, 1e-3, 1.0, 7.3, 1e4, 1e40])
@pytest.mark.parametrize("power", [0, 2, 4, 6])
def test_moments_of_a_gaussian(q, power):
    odd = np.prod(np.arange(power - 1, 0, -2, dtype=float))
    assert float(expectation(lambda x: x**power, q)) == pytest.approx(
        odd * q ** (power / 2), rel=1e-13
    )


@pytest.mark.parametrize("q", [1e-6, 0.04, 1.0, 30.0, 1e6])
def test_kinked_expectations_match_closed_forms_at_any_scale(q):
    relu, hard = resolve("relu"), resolve("hard_tanh")
    mean = expectation(on_host(relu), q, breakpoints(relu))
    assert float(mean) == pytest.approx(np.sqrt(q / (2 * np.pi)), rel=1e-13)
    inside = expectation(lambda x: on_host(hard, 1)(x) ** 2, q, breakpoints(hard))
    assert float(inside) == pytest.approx(1 - 2 * stats.norm.sf(1 / np.sqrt(q)), rel=1e-12)


@pytest.mark.parametrize("q", [1e-4, 1.0, 50.0, 1e5])
def test_erf_matches_its_closed_form(q):
    f = on_host(resolve("erf"))
    exact = 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))
    assert float(expectation(lambda x: f(x) ** 2, q)) == pytest.approx(exact, rel=1e-12)


def test_gauss_hermite_would_fail_where_this_does_not():
    """The check has teeth: 200 plain Hermite nodes are off by 1e-3 at kinks."""
    nodes, weights = hermegauss(200)
    hard = np.sum(weights * np.clip(nodes, -1, 1) ** 2) / np.sqrt(2 * np.pi)
    exact = 0.516058550962
    assert abs(hard - exact) > 1e-3
    assert float(
        expectation(lambda x: np.clip(x, -1, 1) ** 2, 1.0, (-1, 1))
    ) == pytest.approx(exact, abs=1e-12)


def test_shape_follows_q():
    q = np.linspace(0, 3, 300).reshape(3, 2, 50)
    np.testing.assert_allclose(expectation(np.square, q), q, rtol=1e-13)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_variance_is_named(bad):
    with pytest.raises(ValueError, match="q must be a finite variance"):
        expectation(np.square, bad)


def _unknown(function):
    return NamedActivation("given", function, None)


def test_kinks_of_a_callable_are_found():
    found = breakpoints(_unknown(lambda x: jnp.abs(x - 1 / 3) + jnp.maximum(x + 2.7, 0)))
    for kink in (1 / 3, -2.7):
        assert min(abs(b - kink) for b in found) < 1e-13


def test_smooth_callable_needs_few_cuts():
    assert len(breakpoints(_unknown(jnp.sin))) < 60


@pytest.mark.parametrize("bound", [1.0, 8.0, 9.0, 10.0, 10.5])
def test_kinks_at_round_numbers_are_found(bound):
    clip = _unknown(lambda x: jnp.clip(x, -bound, bound))
    for q in (1.0, 11.0, 40.0):
        got = float(expectation(lambda x: on_host(clip)(x) ** 2, q, breakpoints(clip)))
        u = bound / np.sqrt(q)
        inside = 1 - 2 * stats.norm.sf(u) - 2 * u * stats.norm.pdf(u)
        exact = q * inside + 2 * bound**2 * stats.norm.sf(u)
        assert got == pytest.approx(exact, rel=1e-12)


def test_functions_that_grow_too_fast_are_refused():
    assert float(expectation(np.exp, 9.0)) == pytest.approx(np.exp(4.5), rel=1e-12)
    for f, q in ((np.exp, 36.0), (lambda x: np.exp(x * x), 1.0)):
        with pytest.raises(ValueError, match="does not converge"):
            expectation(f, q)


def test_steep_callable_needs_few_cuts():
    assert len(breakpoints(_unknown(lambda x: jnp.tanh(20 * x)))) < 100


def test_callable_with_unknown_kink_integrates_to_rounding():
    shifted = _unknown(lambda x: jnp.maximum(x - 0.3, 0))
    got = float(expectation(on_host(shifted), 1.0, breakpoints(shifted)))
    exact = stats.norm.pdf(0.3) - 0.3 * stats.norm.sf(0.3)
    assert got == pytest.approx(exact, rel=1e-13)


def test_not_elementwise_is_refused():
    with pytest.raises(ValueError, match="not elementwise"):
        on_host(_unknown(lambda x: x / jnp.sum(jnp.abs(x))))


def test_not_traceable_is_refused():
    with pytest.raises(TypeError, match=r"jax\.numpy"):
        on_host(_unknown(lambda x: np.tanh(np.asarray(x))))


def test_a_callable_traced_in_float32_before_is_evaluated_in_float64():
    knots, values = jnp.array([-1.0, 0.25, 2.0]), jnp.array([0.0, 1.0, 0.5])
    function = _unknown(lambda x: jnp.interp(x, knots, values))
    jax.jit(function.function)(jnp.ones(5))
    assert on_host(function)(np.zeros(1))[0] == pytest.approx(0.8, rel=1e-15)
