"""A probe changes no output: op by op by no bit, compiled by rounding alone."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from initjax import probe
from initjax.probes.program import flatten
from initjax.probes.reading import Reader
from initjax.probes.tapped import Tapped
from initjax.probes.values import Value, signal
from tests.probes.test_reading import IMAGES, TOKENS, Decoder, Function

NOISE = np.random.default_rng(0).normal(size=IMAGES.shape).astype(np.float32)


def residual(_, x):
    x = nn.relu(nn.BatchNorm(use_running_average=True)(nn.Conv(8, (3, 3))(x)))
    h = nn.GroupNorm(4)(nn.Conv(8, (3, 3))(x))
    x = nn.max_pool(nn.gelu(x + h), (2, 2), strides=(2, 2))
    return nn.log_softmax(nn.Dense(10)(x.mean((1, 2))))


MLP = nn.Sequential([nn.Dense(64), nn.tanh, nn.Dense(3), nn.silu])


@pytest.mark.parametrize(
    ("model", "batch"),
    [(MLP, NOISE[0]), (Function(residual), NOISE), (Decoder("remat"), TOKENS)],
    ids=["mlp", "residual", "decoder, scanned and rematerialized"],
)
def test_outputs_keep_every_bit(model, batch):
    variables = model.init(jax.random.key(1), batch)
    leaves, tree = jax.tree.flatten((variables, batch))

    def function(*leaves):
        return jax.tree.leaves(model.apply(*jax.tree.unflatten(tree, leaves)))

    body, reader = flatten(function, *leaves), Reader()
    known = [
        Value("parameter", real=True, weights=(str(i),)) for i in range(len(leaves) - 1)
    ]
    reader.read(body, [*known, signal(frozenset(), real=batch.dtype == np.float32)])
    tapped = Tapped(body, reader)
    with jax.disable_jit():
        plain = function(*leaves)
        outputs, measured = tapped(leaves, tapped.slots())
    assert len(measured) >= 3
    np.testing.assert_array_equal(outputs[0], plain[0], strict=True)


def test_compiled_outputs_round_otherwise_at_most():
    variables = MLP.init(jax.random.key(1), NOISE[0])
    compiled = probe(MLP, NOISE[0], variables=variables).outputs[0]
    plain = jax.jit(MLP.apply)(variables, NOISE[0])
    np.testing.assert_allclose(compiled, plain, 1e-5, 1e-6)
