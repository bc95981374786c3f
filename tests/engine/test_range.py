"""Statistics hold wherever the values are finite, and say how they end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init
from initjax.engine import draw_networks, measure_chains
from initjax.engine.statistics import delta_norms, incoming, largest, log10_rms, mean_cosine
from tests.engine.networks import batch, seed_keys

TINY = np.finfo(np.float32).tiny  # smallest normal float32, 2^-126
HUGE = np.finfo(np.float32).max


@pytest.mark.parametrize("scale", [1.5 * TINY, 1e-30, 1e-19, 1.0, 1e19, 1e30, HUGE / 6])
def test_log_rms_at_every_magnitude(scale):
    unit = np.random.default_rng(0).standard_normal((16, 64)).astype(np.float32)
    unit = np.sign(unit) * np.clip(np.abs(unit), 1, 5)  # nothing is flushed on the way
    exact = np.log10(scale) + np.log10(np.mean(np.asarray(unit, np.float64) ** 2)) / 2
    for compute in (log10_rms, jax.jit(log10_rms)):
        got = float(compute(jnp.asarray(unit * np.float32(scale))))
        assert got == pytest.approx(exact, abs=2e-5)


def test_a_plain_sum_of_squares_would_fail():
    x = jnp.full((16, 64), 1e25, jnp.float32)
    assert not np.isfinite(float(jnp.sqrt(jnp.mean(x**2))))
    assert float(log10_rms(x)) == pytest.approx(25, abs=1e-5)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [([0.0, 0.0], -np.inf), ([1.0, np.inf], np.inf), ([1.0, np.nan], np.nan)],
)
def test_zero_infinity_and_nan_are_told_apart(entries, expected):
    for size in (2, 64, 4096):
        x = jnp.asarray((entries * size)[:size], jnp.float32)
        for compute in (log10_rms, jax.jit(log10_rms)):
            np.testing.assert_equal(float(compute(x)), expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "complex64"])
def test_the_largest_entry_from_its_bits(dtype):
    x = jnp.asarray([0.5, -3.0, 2.0], dtype)
    assert float(largest(x)) == 3
    assert float(largest(0 * x)) == 0
    assert float(largest(x.at[0].set(-jnp.inf))) == np.inf
    for nan in (jnp.nan, -jnp.nan):
        assert np.isnan(float(largest(x.at[2].set(nan))))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_product_norm_without_the_product(scale):
    rng = np.random.default_rng(1)
    h, d = rng.standard_normal((8, 30)), rng.standard_normal((8, 20))
    singles = [jnp.asarray(x * scale, jnp.float32) for x in (h, d)]
    rms, got = delta_norms(incoming(singles[0]), singles[1])
    assert float(rms) == pytest.approx(float(log10_rms(singles[1])), abs=1e-5)
    exact = np.log10(np.linalg.norm(h.T @ d)) + 2 * np.log10(scale)
    assert float(got) == pytest.approx(exact, abs=1e-5)


def _run(scheme, activation, depth, width=256, seeds=2, **more):
    inputs, labels = batch(seeds, 4, width)
    draws = draw_networks(
        (scheme.base,),
        seed_keys(seeds),
        depth=depth,
        width=width,
        fan_ins=(width,),
        classes=10,
    )
    return measure_chains(
        [scheme], activation, draws, inputs, labels, **more, depths=[depth]
    )


def test_overflow_is_dated_and_blank_after():
    """Values double four times a layer: they leave float32 at layer 31."""
    seen = _run(init.normal(1.0), "identity", 40)
    rms = seen.forward.act_log10_rms[:, :, 0]
    assert np.isfinite(rms[:, :31]).all()
    np.testing.assert_array_equal(seen.forward.finite[:, :, 0].argmin(1), 31)
    assert np.isnan(rms[:, 32:]).all()
    assert np.isnan(seen.backward.delta_log10_rms).all()
    # The sums of squares left float32 at half the depth, at layer 14 or 15.
    np.testing.assert_allclose(np.diff(rms[:, :31], axis=1), np.log10(16), atol=0.1)


def test_underflow_is_not_a_zero_initialization():
    seen = _run(init.normal(0.01), "identity", 60)
    flushed = seen.forward.flushed[:, :, 0]
    first = flushed.argmax(1)
    assert (flushed.sum(1) == 1).all(), "only the layer at which it happens is marked"
    assert np.isneginf(seen.forward.act_log10_rms[0, first[0] :, 0]).all()
    # 0.16^ℓ reaches 1e-38 near ℓ = 38 / 0.796.
    assert (abs(first - 38 / 0.796) < 4).all()

    dead = _run(init.constant(0.0), "identity", 5)
    assert np.isneginf(dead.forward.act_log10_rms).all()
    assert not dead.forward.flushed.any()


@pytest.mark.parametrize("stddev", [0.003, 0.02, 0.05])
def test_underflow_of_the_gradient_is_marked(stddev):
    """In the product with W or with φ′, whichever comes below the last float."""
    seen = _run(init.normal(stddev), "sigmoid", 70, width=32, seeds=6)
    marked = seen.backward.delta_flushed[:, 0, :, 0]
    gone = np.isneginf(seen.backward.delta_log10_rms[:, 0, :, 0])
    assert gone[:, 0].all()
    assert (marked.sum(1) == 1).all()
    for row, mark in zip(gone, marked.argmax(1), strict=True):
        assert row[:mark].all()
        assert not row[mark + 1 :].any()


def test_a_zero_gradient_is_not_marked_as_underflow():
    seen = _run(init.constant(0.0), "tanh", 5, width=32)
    assert np.isneginf(seen.backward.delta_log10_rms).all()
    assert not seen.backward.delta_flushed.any()


def test_product_norm_keeps_its_digits_when_gradients_cancel():
    """Near-identical inputs whose δ sum to almost nothing, against float64."""
    rng = np.random.default_rng(2)
    h = 1 + 1e-3 * rng.standard_normal((20, 64))
    d = rng.standard_normal((20, 48))
    d += 1e-3 * rng.standard_normal(48) - d.mean(0)
    h, d = h.astype(np.float32), d.astype(np.float32)
    exact = np.linalg.norm(h.T.astype(np.float64) @ d.astype(np.float64))
    got = 10 ** float(delta_norms(incoming(jnp.asarray(h)), jnp.asarray(d))[1])
    assert got == pytest.approx(exact, rel=1e-4)
    plain = np.sqrt(np.sum((h @ h.T) * (d @ d.T)))
    assert abs(plain - exact) > 1e-4 * exact, "products of plain rows would fail"


def test_cosine_leaves_out_inputs_that_are_zero_and_minds_no_scale():
    rows = np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0], [6e-25, 8e-25]], np.float32)
    assert float(mean_cosine(jnp.asarray(rows[:3]))) == pytest.approx(0.96, abs=1e-6)
    expected = (0.96 + 0.96 + 1.0) / 3
    assert float(mean_cosine(jnp.asarray(rows))) == pytest.approx(expected, abs=1e-6)
    assert np.isnan(float(mean_cosine(jnp.asarray(rows[:1]))))


def test_gradients_are_finite_as_long_as_the_logits_are():
    """With 30 layers the logits are near 2^124; one more and they overflow."""
    seen = _run(init.normal(1.0), "identity", 30)
    delta = seen.backward.delta_log10_rms[:, 0, :, 0]
    assert np.isfinite(delta).all()
    assert np.isfinite(seen.backward.weight_grad_log10_norm).all()
