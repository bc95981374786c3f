"""Biases by fan-in: the law, the fan of each kind of layer, and the errors."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax.recipes import fan_in_bias, leaves_by_path
from tests.recipes.networks import NnxTransformer, assert_only, draw

KEY = jax.random.key(0)


class Layers(nn.Module):
    """One of each kind, wide enough in its outputs to estimate a variance."""

    @nn.compact
    def __call__(self, x):
        nn.Dense(2000, name="dense")(x)
        nn.DenseGeneral((40, 50), name="split")(x)
        nn.DenseGeneral(2000, axis=(-2, -1), name="merge")(x.reshape(*x.shape[:-1], 4, 3))
        images = x.reshape(1, 1, 1, -1)
        nn.Conv(2000, (3, 3), name="conv")(images)
        nn.Conv(2040, (3, 3), feature_group_count=12, name="depthwise")(images)
        nn.ConvTranspose(2000, (2, 2), name="transposed")(images)


FANS = {
    "dense": 12,
    "split": 12,
    "merge": 12,
    "conv": 108,
    "depthwise": 9,
    "transposed": 48,
}


@pytest.fixture(scope="module")
def params():
    return draw(Layers(), jnp.ones((1, 12)))


def _law_holds(bias, fan_in, gain=1.0):
    """Mean square within 5 standard errors; (bᵢ/σ)² has variance κ - 1 = 4/5."""
    variance = gain**2 / (3 * fan_in)
    z = (np.mean(bias**2) / variance - 1) / np.sqrt(0.8 / bias.size)
    return abs(z) < 5 and np.max(np.abs(bias)) <= gain / np.sqrt(fan_in) * (1 + 1e-6)


@pytest.mark.parametrize("gain", [1.0, 3.0**0.5])
def test_law_of_every_kind_of_layer(params, gain):
    applied = fan_in_bias(params, KEY, biases=".*/bias", gain=gain)
    assert set(applied.changed) == {f"{name}/bias" for name in FANS}
    for name, fan_in in FANS.items():
        bias = np.asarray(applied.params[name]["bias"], np.float64)
        assert _law_holds(bias, fan_in, gain)
        edge = gain / np.sqrt(fan_in)
        assert edge * (1 - 0.01) < np.max(np.abs(bias))
        assert abs(bias.mean()) < 5 * edge / np.sqrt(3 * bias.size)
        for wrong in (2000, fan_in * 1.25, fan_in * 0.75):
            assert not _law_holds(bias, wrong, gain)
        np.testing.assert_array_equal(
            applied.params[name]["kernel"], params[name]["kernel"]
        )


def test_only_what_is_named(params):
    applied = fan_in_bias(params, KEY, biases=("dense/bias", "conv/bias"))
    assert applied.changed["conv/bias"].startswith("redrawn by uniform(-0.0962")
    rest = {k: v for k, v in params.items() if k not in ("dense", "conv")}
    new = {k: v for k, v in applied.params.items() if k not in ("dense", "conv")}
    jax.tree.map(np.testing.assert_array_equal, new, rest)
    both = fan_in_bias(params, KEY, biases=".*/bias").params
    np.testing.assert_array_equal(both["conv"]["bias"], applied.params["conv"]["bias"])
    dense, merge = (np.asarray(both[name]["bias"]) for name in ("dense", "merge"))
    assert abs(np.corrcoef(dense, merge)[0, 1]) < 6 / np.sqrt(2000)  # equal widths


def test_stacked_layers_have_the_fan_of_one():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Dense(30, name="dense")(x), None

    stack = nn.scan(
        Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=50
    )
    old = jax.eval_shape(stack().init, KEY, jnp.ones((1, 30)), None)["params"]
    old = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), old)
    bias = fan_in_bias(old, KEY, biases="dense/bias").params["dense"]["bias"]
    assert bias.shape == (50, 30)
    assert _law_holds(np.asarray(bias, np.float64), 30)
    assert not _law_holds(np.asarray(bias, np.float64), 30 * 50)


def test_nnx_jit_and_eval_shape(params):
    state = nnx.state(NnxTransformer(1, rngs=nnx.Rngs(0)), nnx.Param)
    applied = fan_in_bias(state, KEY, biases=r"blocks/0/(fc1|fc2|attn/\w+)/bias")
    assert len(applied.changed) == 6
    leaves = leaves_by_path(applied.params)
    assert np.max(np.abs(leaves["blocks/0/fc2/bias"])) <= 128**-0.5
    assert np.max(np.abs(leaves["blocks/0/attn/query/bias"])) <= 32**-0.5

    def transform(tree):
        return fan_in_bias(tree, KEY, biases=".*/bias").params

    eager = transform(params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        jax.jit(transform)(params),
        eager,
    )
    shapes = jax.eval_shape(transform, params)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, params)


def test_bfloat16_keeps_its_dtype():
    tree = {"kernel": jnp.ones((16, 2000)), "bias": jnp.zeros(2000, jnp.bfloat16)}
    new = fan_in_bias(tree, KEY, biases="bias")
    assert new.params["bias"].dtype == jnp.bfloat16
    assert _law_holds(np.asarray(new.params["bias"], np.float64), 16)


def test_errors_name_the_bias_and_the_remedy(params):
    norm = {"norm": {"scale": jnp.ones(3), "bias": jnp.ones(3)}}
    with pytest.raises(ValueError, match="'norm/bias' has no kernel at 'norm/kernel'"):
        fan_in_bias(params | norm, KEY, biases=".*bias")
    with pytest.raises(ValueError, match="'kernel' has no kernel at 'kernel'"):
        fan_in_bias({"kernel": jnp.ones((2, 2))}, KEY, biases="kernel")
    for shape in ((4, 5), (3,), (0, 3)):
        layer = {"kernel": jnp.ones(shape), "bias": jnp.ones(3)}
        with pytest.raises(ValueError, match=r"of shape \(3,\) is not that of the kernel"):
            fan_in_bias(layer, KEY, biases="bias")
    for gain in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=f"gain={gain}"):
            fan_in_bias(params, KEY, biases=".*/bias", gain=gain)
    with pytest.raises(ValueError, match=r"biases='.*b' matches no parameter"):
        fan_in_bias(params, KEY, biases=".*/b")


def test_the_fan_is_that_of_torch_for_a_plain_layer():
    """torch.nn.Linear(16, n): bias in ±1/√16."""
    old = {"kernel": jnp.ones((16, 1000)), "bias": jnp.zeros(1000)}
    applied = fan_in_bias(old, KEY, biases="bias")
    assert applied.changed == {"bias": "redrawn by uniform(-0.25, 0.25)"}
    edge = float(jnp.max(jnp.abs(applied.params["bias"])))
    assert 0.245 < edge <= 0.25
    assert_only(old, fan_in_bias(old, KEY, biases=()), {})
