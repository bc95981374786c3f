"""What is measured together equals what is measured alone."""

import flax.linen as nn
import jax
import numpy as np
import pytest
from flax import nnx

from initjax import init
from initjax.engine import (
    draw_networks,
    from_linen,
    from_nnx,
    measure_blocks,
    measure_chains,
)
from tests.engine.networks import batch, seed_keys

WIDTH, FAN_IN, DEPTHS = 24, 17, (2, 3, 9)
SCHEMES = [init.xavier_uniform(1.3), init.kaiming_normal(), init.orthogonal(1.1)]


def _assert_equal(left, right, atol=1e-5):
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=atol)


def _draws(keys, depth=9):
    return draw_networks(
        ("normal", "uniform", "orthogonal"),
        keys,
        depth=depth,
        width=WIDTH,
        fan_ins=(FAN_IN,),
        classes=10,
    )


@pytest.fixture(scope="module")
def together():
    inputs, labels = batch(3, 6, FAN_IN)
    draws = _draws(seed_keys(3))
    return measure_chains(SCHEMES, "tanh", draws, inputs, labels, depths=DEPTHS)


def test_vmapped_seeds_equal_a_loop(together):
    inputs, labels = batch(3, 6, FAN_IN)
    for seed in range(3):
        at = slice(seed, seed + 1)
        alone = measure_chains(
            SCHEMES, "tanh", _draws(seed_keys(3)[at]), inputs[at], labels[at], depths=DEPTHS
        )
        _assert_equal(jax.tree.map(lambda a, at=at: a[at], together), alone)


def test_all_depths_equal_each_depth_alone(together):
    inputs, labels = batch(3, 6, FAN_IN)
    for k, depth in enumerate(DEPTHS):
        draws = _draws(seed_keys(3), depth)
        alone = measure_chains(SCHEMES, "tanh", draws, inputs, labels, depths=[depth])
        _assert_equal(
            jax.tree.map(lambda a, d=depth: a[:, :d], together.forward), alone.forward
        )
        _assert_equal(
            jax.tree.map(lambda a, k=k, d=depth: a[:, k : k + 1, :d], together.backward),
            alone.backward,
        )


def test_schemes_together_equal_each_alone_in_any_order(together):
    inputs, labels = batch(3, 6, FAN_IN)
    draws = _draws(seed_keys(3))
    for order in ([2, 0, 1], [1]):
        picked = [SCHEMES[i] for i in order]
        some = measure_chains(picked, "tanh", draws, inputs, labels, depths=DEPTHS)
        _assert_equal(jax.tree.map(lambda a, o=order: a[..., o], together), some)


def test_depths_come_back_in_the_order_asked_for(together):
    inputs, labels = batch(3, 6, FAN_IN)
    draws = _draws(seed_keys(3))
    back = measure_chains(SCHEMES, "tanh", draws, inputs, labels, depths=DEPTHS[::-1])
    _assert_equal(jax.tree.map(lambda a: a[:, ::-1], together.backward), back.backward)


def test_one_program_for_several_activations_changes_nothing(together):
    inputs, labels = batch(3, 6, FAN_IN)
    some = measure_chains(
        SCHEMES,
        "tanh",
        _draws(seed_keys(3)),
        inputs,
        labels,
        depths=DEPTHS,
        among=["relu", "tanh", "gelu"],
    )
    _assert_equal(together, some)


def _linen(scheme):
    return lambda n: from_linen(nn.Dense(n, use_bias=False, kernel_init=scheme))


@pytest.mark.parametrize("scheme", range(3))
def test_blocks_equal_chains(together, scheme):
    """The general path, by init and apply, gives the table of the fast one."""
    inputs, labels = batch(3, 6, FAN_IN)
    dense = _linen(SCHEMES[scheme])
    blocks = measure_blocks(
        dense(WIDTH), dense(10), "tanh", seed_keys(3), inputs, labels, depths=DEPTHS
    )
    _assert_equal(jax.tree.map(lambda a: a[..., scheme : scheme + 1], together), blocks)


def test_nnx_and_linen_blocks_agree_in_law():
    """Other keys, same law: log RMS over seeds within six standard errors."""
    inputs, labels = batch(64, 6, FAN_IN)
    scheme = init.kaiming_normal()
    dense = _linen(scheme)

    def linear(features):
        return from_nnx(
            lambda fan_in, rngs: nnx.Linear(
                fan_in, features, use_bias=False, kernel_init=scheme, rngs=rngs
            )
        )

    rms = []
    for make in (dense, linear):
        seen = measure_blocks(
            make(WIDTH), make(10), "relu", seed_keys(64), inputs, labels, depths=[4]
        )
        rms.append(seen.forward.act_log10_rms[:, 3, 0].astype(float))
    spread = np.hypot(*(r.std() / 8 for r in rms))
    assert not np.array_equal(*rms)
    assert abs(rms[0].mean() - rms[1].mean()) < 6 * spread
    assert abs(rms[0].mean() + np.log10(1.5) - rms[1].mean()) > 6 * spread


class Residual(nn.Module):
    """A block that is no chain: normalization, a branch, a bias."""

    @nn.compact
    def __call__(self, h):
        branch = nn.Dense(h.shape[-1], bias_init=nn.initializers.normal(0.1))
        return h + branch(nn.tanh(nn.LayerNorm()(h)))


def test_any_block_of_constant_shape():
    """A residual block against jax.grad of the same blocks applied in a loop."""
    inputs, labels = batch(1, 6, WIDTH)
    block, readout = from_linen(Residual()), from_linen(nn.Dense(10))
    keys = seed_keys(1)
    seen = measure_blocks(block, readout, "identity", keys, inputs, labels, depths=[4])

    from initjax.engine.draws import READOUT, layer_key

    params = [block.init(layer_key(keys[0], i), inputs[0]) for i in range(4)]
    last = readout.init(layer_key(keys[0], READOUT), inputs[0])

    def loss(params):
        h = inputs[0]
        for p in params:
            h = block.apply(p, h)
        chosen = jax.nn.log_softmax(readout.apply(last, h))[np.arange(6), labels[0]]
        return -chosen.mean()

    for layer, grads in enumerate(jax.grad(loss)(params)):
        norm = np.linalg.norm(grads["params"]["Dense_0"]["kernel"])
        got = float(seen.backward.weight_grad_log10_norm[0, 0, layer, 0])
        assert 10**got == pytest.approx(norm, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"depths": [0]}, "depths must be"),
        ({"depths": []}, "depths must be"),
        ({"depths": [10]}, "draws only to 9"),
        ({"schemes": [init.he_normal()]}, "measure_blocks"),
        ({"schemes": [init.normal(0.1, mean=0.5)]}, "measure_blocks"),
        ({"among": ["relu"]}, "not among"),
        ({"schemes": []}, "schemes is empty"),
    ],
)
def test_bad_requests(change, match):
    inputs, labels = batch(1, 6, FAN_IN)
    settings = {"schemes": SCHEMES, "depths": [3], **change}
    with pytest.raises(ValueError, match=match):
        measure_chains(
            settings.pop("schemes"),
            "tanh",
            _draws(seed_keys(1)),
            inputs,
            labels,
            **settings,
        )


def test_an_input_size_that_was_not_drawn():
    inputs, labels = batch(1, 6, FAN_IN + 1)
    with pytest.raises(ValueError, match="fan_ins"):
        measure_chains(SCHEMES, "tanh", _draws(seed_keys(1)), inputs, labels, depths=[3])
