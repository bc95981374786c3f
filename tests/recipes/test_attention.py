"""Mimetic initialization: the products, their ranks, and what attention then does."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax.recipes import leaves_by_path, mimetic
from tests.recipes.networks import NnxTransformer, Transformer, draw, z_score

WIDTH, KEY = 64, jax.random.key(0)
ATTENTION = r"blocks_\d+/attn"
CONSTANTS = {"query_key": (0.7, 0.6), "value_out": (0.5, 0.4)}


@pytest.fixture(scope="module")
def params():
    return draw(Transformer(4, width=WIDTH), jnp.ones((1, 1, WIDTH)))


@pytest.fixture(scope="module")
def applied(params):
    return mimetic(params, KEY, attention=ATTENTION, **CONSTANTS)


def _kernels(params):
    for i in range(4):
        attn = params[f"blocks_{i}"]["attn"]
        yield {role: np.asarray(attn[role]["kernel"], np.float64) for role in attn}


def _products(params):
    """W_Q W_Kᵀ of every head, and W_V W_O, of every block."""
    query_key, value_out = [], []
    for k in _kernels(params):
        query_key += list(np.einsum("ihk,jhk->hij", k["query"], k["key"]))
        value_out.append(np.einsum("ihk,hkj->ij", k["value"], k["out"]))
    return np.stack(query_key), np.stack(value_out)


def test_which_leaves_change(params, applied):
    roles = ("query", "key", "value", "out")
    expected = {f"blocks_{i}/attn/{role}/kernel" for i in range(4) for role in roles}
    assert set(applied.changed) == expected
    assert set(applied.changed.values()) == {"redrawn by mimetic"}
    before, after = leaves_by_path(params), leaves_by_path(applied.params)
    for path, leaf in before.items():
        same = np.array_equal(after[path], leaf)
        assert same == (path not in expected)
        assert (after[path].shape, after[path].dtype) == (leaf.shape, leaf.dtype)


def _diagonal(products, alpha, beta, networks):
    """Whether the mean of the diagonal is β: the noise leaves α/d of deviation."""
    mean = np.mean([np.trace(p) / WIDTH for p in products])
    return abs(mean - beta) < 5 * alpha / WIDTH / np.sqrt(networks)


def test_value_out_is_noise_minus_identity(applied):
    _, products = _products(applied.params)
    assert _diagonal(products, 0.5, -0.4, 4)
    assert not _diagonal(products, 0.5, 0.4, 4)
    assert not _diagonal(products, 0.5, -0.7, 4)
    noise = (products + 0.4 * np.eye(WIDTH)) / 0.5

    def right(size):
        return abs(np.mean(noise**2) * size - 1) < 6 * np.sqrt(2 / noise.size)

    assert right(WIDTH)
    assert not right(WIDTH**2)  # entries of standard deviation 1/d, not variance 1/d


def test_whole_rank_query_key_is_noise_plus_identity():
    """One head has the full rank, so that its product is not cut."""
    old = draw(Transformer(4, width=WIDTH, heads=1), jnp.ones((1, 1, WIDTH)))
    new = mimetic(old, KEY, attention=ATTENTION, **CONSTANTS).params
    products, _ = _products(new)
    assert _diagonal(products, 0.7, 0.6, 4)
    assert not _diagonal(products, 0.7, -0.6, 4)


def _expected_trace(alpha, beta, rank):
    """tr A_r / d as d grows, of the part A_r of A = α Z + β I of relative rank r.

    With m(z) = tr (AᵀA - z)⁻¹ / d, and a(z) = tr A (AᵀA - z)⁻¹ / d, integration by
    parts over Z gives a = β m / s and (s - 1)(β² - s² z) = α² s for s = 1 + α² m.
    Im m / π is the density of the squared singular values and Im a / π that of
    their share in the trace.
    """
    x = np.linspace(1e-4, (alpha + beta) ** 2 * 4, 20_000)
    density, share = np.zeros_like(x), np.zeros_like(x)
    for i, z in enumerate(x):
        s = max(np.roots([z, -z, alpha**2 - beta**2, beta**2]), key=np.imag)
        density[i] = s.imag / alpha**2 / np.pi
        share[i] = (beta * (s - 1) / alpha**2 / s).imag / np.pi
    step = x[1] - x[0]
    above = np.cumsum(density[::-1])[::-1] * step
    assert abs(above[0] - 1) < 0.02
    return np.sum(share[above <= rank]) * step


def test_heads_are_the_best_approximations_of_their_rank(applied):
    products, _ = _products(applied.params)
    assert products.shape == (16, WIDTH, WIDTH)
    sizes = np.linalg.svd(products, compute_uv=False)
    assert np.all(sizes[:, 16:] < 1e-5 * sizes[:, :1])
    traces = np.trace(products, axis1=1, axis2=2) / WIDTH
    expected = _expected_trace(0.7, 0.6, 1 / 4)
    assert z_score(traces, expected) < 5
    # Noise of standard deviation 1/d would leave the trace near β/4, and other
    # constants elsewhere.
    assert z_score(traces, 0.6 / 4) > 5
    assert z_score(traces, _expected_trace(0.7, 0.4, 1 / 4)) > 5


def test_heads_and_blocks_are_drawn_apart(applied):
    products, outer = _products(applied.params)
    for stack in (products, outer):
        flat = stack.reshape(len(stack), -1)
        assert len({row.tobytes() for row in flat}) == len(stack)
    noise = ((outer + 0.4 * np.eye(WIDTH)) / 0.5).reshape(4, -1)
    overlap = np.corrcoef(noise) - np.eye(4)
    assert np.all(np.abs(overlap) < 6 / WIDTH)


def test_a_lone_token_is_turned_against_itself(params, applied):
    """With one token attention is W_V W_O: x·out = −β|x|² up to α|x|²/√d noise."""
    x = jax.random.normal(jax.random.key(1), (200, 1, WIDTH))

    def along(tree):
        attn = nn.MultiHeadDotProductAttention(4)
        out = attn.apply({"params": tree["blocks_2"]["attn"]}, x)
        return np.asarray(jnp.sum(x * out, (1, 2)) / jnp.sum(x * x, (1, 2)))

    bound = 5 * 0.5 / np.sqrt(WIDTH * 200) + 5 * 0.5 / WIDTH  # tokens, and the trace
    assert abs(along(applied.params).mean() + 0.4) < bound
    assert abs(along(params).mean() + 0.4) > bound


def test_tokens_attend_to_themselves(params, applied):
    x = jax.random.normal(jax.random.key(2), (20, 8, WIDTH))

    def on_itself(tree):
        attn = nn.MultiHeadDotProductAttention(4)
        variables = {"params": tree["blocks_1"]["attn"]}
        _, seen = attn.apply(variables, x, sow_weights=True, mutable=["intermediates"])
        (weights,) = seen["intermediates"]["attention_weights"]
        return float(jnp.diagonal(weights, axis1=-2, axis2=-1).mean())

    assert on_itself(applied.params) > 0.6
    assert on_itself(params) < 0.25  # 1/8 for uniform attention
    signs = {"query_key": (0.7, -0.6), "value_out": (0.5, -0.4)}
    turned = mimetic(params, KEY, attention=ATTENTION, **signs).params
    assert on_itself(turned) < 0.05


def test_draws_depend_on_key_and_path_alone(params, applied):
    one = mimetic(params, KEY, attention="blocks_2/attn", **CONSTANTS).params
    chosen, all_of_them = (t["blocks_2"]["attn"] for t in (one, applied.params))
    jax.tree.map(np.testing.assert_array_equal, chosen, all_of_them)
    other = mimetic(params, jax.random.key(1), attention=ATTENTION, **CONSTANTS).params
    assert np.any(other["blocks_2"]["attn"]["out"]["kernel"] != chosen["out"]["kernel"])


def test_alone_jitted_abstract_and_in_bfloat16(params):
    alone = params["blocks_0"]["attn"]
    applied = mimetic(alone, KEY, attention="", **CONSTANTS)
    assert set(applied.changed) == {f"{r}/kernel" for r in ("query", "key", "value", "out")}

    def transform(tree):
        return mimetic(tree, KEY, attention="", **CONSTANTS).params

    def product(tree):
        return jnp.einsum("ihk,jhk->hij", tree["query"]["kernel"], tree["key"]["kernel"])

    jitted = jax.jit(transform)(alone)
    np.testing.assert_allclose(product(jitted), product(applied.params), atol=1e-4)
    shapes = jax.eval_shape(transform, alone)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, alone)
    small = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), alone)
    drawn, wide = (t["out"]["kernel"] for t in (transform(small), applied.params))
    assert drawn.dtype == jnp.bfloat16
    np.testing.assert_array_equal(drawn, wide.astype(jnp.bfloat16))


def test_nnx_attention():
    state = nnx.state(NnxTransformer(2, rngs=nnx.Rngs(0)), nnx.Param)
    new = mimetic(
        state, KEY, attention=r"blocks/\d/attn", query_key=(0, 0.5), value_out=(0, 0.5)
    )
    assert len(new.changed) == 8
    attn = nnx.to_pure_dict(new.params)["blocks"][1]["attn"]
    product = jnp.einsum("ihk,hkj->ij", attn["value"]["kernel"], attn["out"]["kernel"])
    np.testing.assert_allclose(product, -0.5 * np.eye(32), atol=1e-5)


def test_bad_arguments(params):
    def call(tree=params, attention=ATTENTION, **changes):
        return mimetic(tree, KEY, attention=attention, **(CONSTANTS | changes))

    with pytest.raises(ValueError, match=r"(?s)matches no attention.*blocks_3/attn"):
        call(attention=r"layers_\d/attn")
    with pytest.raises(ValueError, match=r"value_out=\(0.4,\)"):
        call(value_out=(0.4,))
    with pytest.raises(ValueError, match="query_key must be finite"):
        call(query_key=(0.4, float("nan")))
    with pytest.raises(ValueError, match="no module of the tree has a query/kernel"):
        call(tree={"attn": {"qkv": {"kernel": jnp.ones((4, 12))}}})
    stacked = jax.tree.map(lambda leaf: leaf[None], params)
    with pytest.raises(ValueError, match=r"(?s)\(1, 64, 4, 16\).*nn\.scan"):
        call(tree=stacked)
    shapes = {"query": (8, 2, 4), "key": (8, 2, 4), "value": (8, 2, 4), "out": (2, 4, 8)}
    for role, shape in (("key", (6, 2, 4)), ("out", (2, 4, 6)), ("value", (8, 2, 3))):
        bad = {r: {"kernel": jnp.ones(s)} for r, s in (shapes | {role: shape}).items()}
        with pytest.raises(ValueError, match="leave cross-attention out"):
            call(tree={"attn": bad}, attention="attn")
    missing = {r: {"kernel": jnp.ones(s)} for r, s in shapes.items() if r != "out"}
    with pytest.raises(ValueError, match=r"'out': \(\)"):
        call(tree={"attn": missing}, attention="attn")
    wide = {r: {"kernel": jnp.ones((4, 2, 4))} for r in ("query", "key", "value")}
    wide["out"] = {"kernel": jnp.ones((2, 4, 4))}
    with pytest.raises(ValueError, match="heads · d_head <= d"):
        call(tree={"attn": wide}, attention="attn")
