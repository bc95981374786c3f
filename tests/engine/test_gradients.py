"""Every statistic against jax.grad of a network written out in Python."""

import jax
import numpy as np
import pytest

from initjax import init
from initjax.activations import ACTIVATIONS
from initjax.engine import draw_networks, measure_chains
from initjax.gains import gain
from tests.engine.networks import batch, kernels, naive, seed_keys

WIDTH, FAN_IN, BATCH, DEPTHS = 48, 31, 8, (1, 2, 9)
BASES = ("normal", "uniform", "truncated_normal", "orthogonal")


@pytest.fixture(scope="module")
def drawn():
    draws = draw_networks(
        BASES, seed_keys(2), depth=9, width=WIDTH, fan_ins=(FAN_IN,), classes=10
    )
    return draws, *batch(2, BATCH, FAN_IN)


def _schemes(activation):
    return [
        init.kaiming_uniform(mode="fan_out"),
        init.normal(0.8 / WIDTH**0.5),
        init.orthogonal(gain(activation)),
        init.lecun_normal(),
    ]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_against_plain_autodiff(drawn, activation):
    draws, inputs, labels = drawn
    schemes = _schemes(activation)
    seen = measure_chains(
        schemes,
        activation,
        draws,
        inputs,
        labels,
        depths=DEPTHS,
        among=list(ACTIVATIONS),
    )
    for s, scheme in enumerate(schemes):
        weights = kernels(seed_keys(2)[1], scheme, FAN_IN, WIDTH, 9)
        # Squares of squares leave float32 within a few layers.
        depths = DEPTHS[:2] if activation == "squared_relu" else DEPTHS
        for k, depth in enumerate(depths):
            used = [*weights[:depth], weights[-1]]
            zs, hs, deltas, grads = naive(used, activation, inputs[1], labels[1])
            _compare_forward(seen.forward, s, zs, hs)
            log_norm = seen.backward.weight_grad_log10_norm[1, k, :, s].astype(float)
            norms = [np.linalg.norm(g) for g in grads]
            np.testing.assert_allclose(10 ** log_norm[:depth], norms, rtol=1e-4)
            assert np.isnan(log_norm[depth:]).all()
            log_rms = seen.backward.delta_log10_rms[1, k, :depth, s].astype(float)
            rms = [np.sqrt(np.mean(d**2)) for d in deltas]
            np.testing.assert_allclose(10**log_rms, rms, rtol=1e-4)


def _compare_forward(forward, scheme, zs, hs):
    for layer, (z, h) in enumerate(zip(zs, hs, strict=True)):
        at = jax.tree.map(lambda a, layer=layer: float(a[1, layer, scheme]), forward)
        scale = np.sqrt(np.mean(h**2))
        expected = {
            "preact_log10_std": np.log10(z.std()),
            "act_log10_std": np.log10(h.std()),
            "act_log10_rms": np.log10(scale),
            "zero_fraction": np.mean(h == 0),
        }
        for name, value in expected.items():
            assert getattr(at, name) == pytest.approx(value, abs=1e-5), name
        assert at.preact_mean == pytest.approx(z.mean(), abs=1e-5 * z.std())
        assert at.act_mean == pytest.approx(h.mean(), abs=1e-5 * scale)
        unit = h / np.linalg.norm(h, axis=1, keepdims=True)
        pairs = (unit @ unit.T)[np.triu_indices(len(h), 1)]
        assert at.cosine == pytest.approx(pairs.mean(), abs=1e-5)


def test_a_wrong_gradient_would_fail(drawn):
    """A norm off by 0.1 %, or of a neighbouring layer, is outside the tolerance."""
    draws, inputs, labels = drawn
    scheme = init.kaiming_normal()
    seen = measure_chains([scheme], "relu", draws, inputs, labels, depths=[5])
    weights = kernels(seed_keys(2)[0], scheme, FAN_IN, WIDTH, 5)
    norms = [np.linalg.norm(g) for g in naive(weights, "relu", inputs[0], labels[0])[3]]
    ours = 10 ** seen.backward.weight_grad_log10_norm[0, 0, :, 0].astype(float)
    np.testing.assert_allclose(ours, norms, rtol=1e-4)
    assert not np.allclose(ours * 1.001, norms, rtol=1e-4)
    assert not np.allclose(ours[:-1], norms[1:], rtol=1e-4)


@pytest.mark.parametrize(
    ("activation", "flat"),
    [("tanh", lambda z: 1 - np.tanh(z) ** 2 < 0.02), ("relu", lambda z: z <= 0)],
)
def test_saturated_fraction(drawn, activation, flat):
    draws, inputs, labels = drawn
    scheme = init.normal(2.0 / WIDTH**0.5)
    seen = measure_chains([scheme], activation, draws, inputs, labels, depths=[3])
    weights = kernels(seed_keys(2)[0], scheme, FAN_IN, WIDTH, 3)
    for layer, z in enumerate(naive(weights, activation, inputs[0], labels[0])[0]):
        got = float(seen.forward.saturated_fraction[0, layer, 0])
        assert got == pytest.approx(flat(z).mean(), abs=2 / z.size)
        assert 0 < got < 1
