"""Errors name what is wrong and what to do, and keep the original one."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax import probe
from initjax.probes import ModelError

X = np.ones((4, 3), np.float32)
MODEL = nn.Dense(2)


class Failing(nn.Module):
    @nn.compact
    def __call__(self, x):
        raise RuntimeError("no such thing")


class Calling(nn.Module):
    """Works when it is initialized only."""

    @nn.compact
    def __call__(self, x):
        if not self.is_initializing():
            raise RuntimeError("only once")
        return nn.Dense(2)(x)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: probe(MODEL, X, seeds=0), ValueError, ["seeds", "got 0"]),
        (lambda: probe(MODEL, X, seeds=True), ValueError, ["seeds", "got True"]),
        (lambda: probe(MODEL, X, seeds=2.0), ValueError, ["seeds", "got 2.0"]),
        (lambda: probe(MODEL, 3), TypeError, ["batch", "got int"]),
        (lambda: probe(MODEL, {"x": None}), TypeError, ["batch", "got dict"]),
        (lambda: probe(7, X), TypeError, ["model", "got 7"]),
        (lambda: probe(lambda rngs: 3, X), TypeError, ["nnx.Rngs", "made int"]),
        (lambda: probe(lambda v, x: x, X), TypeError, ["model", "missing 1"]),
        (
            lambda: probe(MODEL, X, variables={"params": {}}, seeds=2),
            ValueError,
            ["seeds must be 1", "function key -> variables"],
        ),
        (
            lambda: probe(nnx.Linear(3, 2, rngs=nnx.Rngs(0)), X, seeds=4),
            ValueError,
            ["seeds must be 1", "Rngs -> module"],
        ),
    ],
)
def test_bad_arguments_are_named(call, error, words):
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words", "cause"),
    [
        (
            lambda: probe(Failing(), X),
            ["could not be initialized", "0: float32[4,3]", "no such thing"],
            RuntimeError,
        ),
        (
            lambda: probe(MODEL, np.ones((4, 7), np.float32), variables=MODEL.init(KEY, X)),
            ["model failed on batch", "float32[4,7]", "shape"],
            Exception,
        ),
        (
            lambda: probe(Calling(), {"x": X}),
            ["failed on batch", "x: float32"],
            RuntimeError,
        ),
        (lambda: probe(MODEL, {"y": X}), ["could not be initialized", "y:"], TypeError),
        (lambda: probe(MODEL, X, loss=lambda y: y), ["loss", "shape ()", "(4, 2)"], None),
        (lambda: probe(MODEL, X, loss=lambda y: y.sum() > 0), ["loss", "bool"], None),
        (lambda: probe(MODEL, X, loss=lambda y: 1 / 0), ["loss failed"], ZeroDivisionError),
        (lambda: probe(nn.Sequential([jnp.argmax]), X), ["no floating-point"], None),
    ],
)
def test_what_fails_inside_is_named_and_kept(call, words, cause):
    with pytest.raises(ModelError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
    if cause is not None:
        assert isinstance(caught.value.__cause__, cause)


KEY = jax.random.key(0)
