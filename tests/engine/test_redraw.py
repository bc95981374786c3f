"""Weights that are drawn when they are used: the same, in less memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init
from initjax.engine import draw_networks, measure_chains
from initjax.engine.draws import unit_draw
from tests.engine.networks import seed_keys
from tests.engine.programs import lowered, megabytes


def _draws(bases, seeds, depth, width, redraw):
    sizes = {"depth": depth, "width": width, "fan_ins": (width,), "classes": 10}
    return draw_networks(bases, seed_keys(seeds), **sizes, redraw=redraw)


@pytest.mark.parametrize("base", ["normal", "orthogonal"])
def test_the_draws_are_the_same_to_the_last_bit(base):
    """Their statistics are compared in test_devices."""
    stored, kept = (_draws((base,), 2, 4, 9, redraw) for redraw in (False, True))
    assert kept.hidden[base].shape == (2, 3)
    again = jax.jit(lambda key: unit_draw(base, key, 9, 9))
    for seed in range(2):
        for layer in range(3):
            drawn = again(kept.hidden[base][seed, layer])
            np.testing.assert_array_equal(drawn, stored.hidden[base][seed, layer])
    assert len(np.unique(stored.hidden[base].round(3))) > 5 * 81, "six kernels differ"
    for part in ("first", "readout"):
        for pair in zip(
            *(jax.tree.leaves(getattr(d, part)) for d in (stored, kept)), strict=True
        ):
            np.testing.assert_array_equal(*pair)


def test_the_weights_take_no_memory(monkeypatch):
    """With 1 KB of activations a layer, 64 KB of weights a layer are what there is."""
    inputs, labels = jnp.ones((1, 2, 128)), jnp.zeros((1, 2), int)
    depth, width = 60, 128

    def measure(redraw):
        draws = _draws(("normal",), 1, depth, width, redraw)
        measure_chains([init.normal()], "relu", draws, inputs, labels, depths=[depth])

    stored, kept = (
        lowered(monkeypatch, lambda redraw=redraw: measure(redraw))
        for redraw in (False, True)
    )
    layer = width**2 * 4 / 1e6
    for name in ("_draw_networks", "_run_chains"):
        saved = megabytes(stored[name]) - megabytes(kept[name])
        assert saved == pytest.approx((depth - 1) * layer, abs=6 * layer), name
        assert megabytes(kept[name]) < 10 * layer, name
