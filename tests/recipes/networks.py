"""Small networks for the recipes, and what every recipe's test asserts."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from initjax import init
from initjax.recipes import leaves_by_path

GAUSSIAN = init.variance_scaling(1.0, "fan_in", "normal")
XAVIER = init.xavier_normal()


class Transformer(nn.Module):
    """Blocks of attention and a relu MLP: pre-LN, post-LN with α, or no LN."""

    blocks: int
    width: int = 32
    heads: int = 4
    norm: str = "pre"
    alpha: float = 1.0
    kernel_init: Callable = GAUSSIAN

    @nn.compact
    def __call__(self, x):
        for i in range(self.blocks):
            x = Block(**self.settings(), name=f"blocks_{i}")(x)
        return x

    def settings(self):
        names = ("width", "heads", "norm", "alpha", "kernel_init")
        return {name: getattr(self, name) for name in names}


def stacked(model):
    """The same network with its blocks as one stack."""
    return stack_of(Block, model.blocks, **model.settings(), carries=True)


def stack_of(layer, length, **settings):
    """``layer`` again and again by nn.scan, its parameters along a leading axis."""
    scan = nn.scan(
        layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=length
    )
    return scan(**settings)


class Block(nn.Module):
    width: int
    heads: int
    norm: str
    alpha: float
    kernel_init: Callable
    carries: bool = False

    @nn.compact
    def __call__(self, x, _=None):
        attn = nn.MultiHeadDotProductAttention(
            self.heads, kernel_init=self.kernel_init, name="attn"
        )
        fc1 = nn.Dense(4 * self.width, kernel_init=self.kernel_init, name="fc1")
        fc2 = nn.Dense(self.width, kernel_init=self.kernel_init, name="fc2")
        branches = (attn, lambda h: fc2(nn.relu(fc1(h))))
        for i, branch in enumerate(branches):
            if self.norm == "none":
                x = x + branch(x)
                continue
            norm = nn.LayerNorm(name=f"norm{i}")
            if self.norm == "pre":
                x = x + branch(norm(x))
            else:
                x = norm(self.alpha * x + branch(x))
        return (x, None) if self.carries else x


class NnxTransformer(nnx.Module):
    """Twin of a pre-LN ``Transformer``; paths have blocks/0 for blocks_0."""

    def __init__(self, blocks, width=32, heads=4, *, rngs):
        self.blocks = nnx.List([NnxBlock(width, heads, rngs=rngs) for _ in range(blocks)])

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class NnxBlock(nnx.Module):
    def __init__(self, width, heads, *, rngs):
        self.attn = nnx.MultiHeadAttention(
            heads, width, kernel_init=GAUSSIAN, decode=False, rngs=rngs
        )
        self.fc1 = nnx.Linear(width, 4 * width, kernel_init=GAUSSIAN, rngs=rngs)
        self.fc2 = nnx.Linear(4 * width, width, kernel_init=GAUSSIAN, rngs=rngs)
        self.norm0 = nnx.LayerNorm(width, rngs=rngs)
        self.norm1 = nnx.LayerNorm(width, rngs=rngs)

    def __call__(self, x):
        x = x + self.attn(self.norm0(x))
        return x + self.fc2(nnx.relu(self.fc1(self.norm1(x))))


class Pair(nn.Module):
    """An encoder and a decoder stack with an embedding each."""

    blocks: tuple[int, int]
    kernel_init: Callable = XAVIER

    @nn.compact
    def __call__(self, tokens):
        for name, blocks in zip(("encoder", "decoder"), self.blocks, strict=True):
            x = nn.Embed(7, 32, name=f"{name}_embed")(tokens)
            x = Transformer(blocks, kernel_init=self.kernel_init, name=name)(x)
        return x


class ResNet(nn.Module):
    """Basic blocks with Fixup's scalars; ``trunk`` is everything but stem and head."""

    blocks: int
    channels: int = 6
    multiplier: tuple[int, ...] = ()

    def setup(self):
        self.stem = nn.Conv(self.channels, (3, 3))
        self.basic = [
            BasicBlock(self.channels, self.multiplier) for _ in range(self.blocks)
        ]
        self.head = nn.Dense(5)

    def trunk(self, x):
        for block in self.basic:
            x = block(x)
        return x

    def __call__(self, images):
        x = self.trunk(nn.relu(self.stem(images)))
        return self.head(x.mean((1, 2)))


class BasicBlock(nn.Module):
    channels: int
    multiplier: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        conv = {"features": self.channels, "kernel_size": (3, 3), "use_bias": False}
        wide = init.normal(1.0)  # so that zeros and ones are seen to be set
        bias1, bias2 = (self.param(name, wide, ()) for name in ("bias1", "bias2"))
        h = nn.relu(nn.Conv(**conv, name="conv1")(x + bias1) + bias2)
        return x + self.param("scale", wide, self.multiplier) * nn.Conv(
            **conv, name="conv2"
        )(h)


def draw(model, x, seed=0):
    """N(0, 0.1²) in every parameter, without the cost of compiling initializers."""
    shapes = jax.eval_shape(model.init, jax.random.key(0), x)["params"]
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: jnp.asarray(rng.normal(0, 0.1, leaf.shape), leaf.dtype), shapes
    )


def assert_only(old, applied, expected):
    """Exactly the leaves in ``expected`` changed: by a factor, or to ("=", value)."""
    assert set(applied.changed) == set(expected)
    before, after = leaves_by_path(old), leaves_by_path(applied.params)
    assert list(before) == list(after)
    assert jax.tree.structure(old) == jax.tree.structure(applied.params)
    for path, leaf in before.items():
        new = np.asarray(after[path])
        assert (new.shape, new.dtype) == (leaf.shape, leaf.dtype)
        rule = expected.get(path, 1)
        if isinstance(rule, tuple):
            np.testing.assert_array_equal(new, np.full(leaf.shape, rule[1], leaf.dtype))
        elif path in expected:
            np.testing.assert_allclose(new, rule * np.asarray(leaf), rtol=1e-6)
        else:
            np.testing.assert_array_equal(new, leaf)


def second_moment(x):
    return jnp.mean(x.astype(jnp.float32) ** 2)


def on_one_token(stack, width, networks=64):
    """Runs many draws of a stack on one normalized token each.

    Returns a function of (transform of the parameters, statistic of input and
    output), which may run them through another stack of the same parameters. The
    draws are shared by all transforms and lie along a leading axis, which is
    nothing to a recipe that scales.
    """
    keys = jax.random.split(jax.random.key(0), networks)

    @jax.jit
    @jax.vmap
    def drawn(key):
        x = jax.random.normal(jax.random.fold_in(key, 1), (1, 1, width))
        return (x - x.mean()) / x.std(), stack.init(key, x, None)["params"]

    @functools.partial(jax.jit, static_argnums=2)
    @functools.partial(jax.vmap, in_axes=(0, 0, None))
    def forward(params, x, stack):
        return stack.apply({"params": params}, x, None)[0]

    x, params = drawn(keys)

    def run(transform, statistic, stack=stack):
        out = forward(transform(params), x, stack)
        return np.asarray(jax.vmap(statistic)(x, out), np.float64)

    return run


def z_score(sample, expected):
    """Distance of a mean from its expectation in standard errors."""
    sample = np.asarray(sample, np.float64)
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))
