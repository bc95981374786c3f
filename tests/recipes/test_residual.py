"""GPT-2, Fixup, SkipInit and LayerScale: which leaves, and what the network then does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax.recipes import (
    fixup,
    gpt2,
    layer_scale,
    leaves_by_path,
    rezero,
    scale,
    skip_init,
)
from initjax.recipes.rules import apply_rules
from tests.recipes.networks import (
    GAUSSIAN,
    NnxTransformer,
    ResNet,
    Transformer,
    assert_only,
    draw,
    on_one_token,
    second_moment,
    stacked,
    z_score,
)

RESIDUAL = r"blocks_\d+/(attn/out|fc2)/kernel"
IMAGES = jax.random.normal(jax.random.key(4), (2, 8, 8, 3))


def test_gpt2_changes_the_kernels_that_write_to_the_stream():
    params = draw(Transformer(3), jnp.ones((1, 2, 32)))
    applied = gpt2(params, blocks=3, residual=RESIDUAL)
    expected = {
        f"blocks_{i}/{k}/kernel": 6**-0.5 for i in range(3) for k in ("attn/out", "fc2")
    }
    assert_only(params, applied, expected)
    assert applied.changed["blocks_2/fc2/kernel"] == "× 0.4082"


@pytest.mark.parametrize("blocks", [2, 16])
def test_gpt2_makes_the_stream_independent_of_depth(blocks):
    """2N branches of v / (2N) each add their mean v, (1 + 1/2) / 2, at any N.

    One token attends to itself, so attention is value and out: with variance
    1/fan_in it adds 1 per block, and a relu MLP adds 1/2.
    """
    run = on_one_token(stacked(Transformer(blocks)), 32)
    residual = "(attn/out|fc2)/kernel"

    def added(x, out):
        return second_moment(out) - second_moment(x)

    right = run(lambda p: gpt2(p, blocks=blocks, residual=residual).params, added)
    assert z_score(right, 0.75) < 5
    # 1/√N, the number of blocks for that of layers, doubles it.
    wrong = run(lambda p: apply_rules(p, [(residual, scale(blocks**-0.5))]).params, added)
    assert z_score(wrong, 0.75) > 5
    assert z_score(wrong, 1.5) < 5
    assert z_score(run(lambda p: p, added), 0.75) > 5


def test_gpt2_on_the_nnx_twin_and_on_a_scanned_stack():
    """The same values, whether blocks are dictionaries, nnx modules or one stack."""
    x = jax.random.normal(jax.random.key(0), (2, 4, 32))
    model = Transformer(3)
    params = draw(model, x)
    applied = gpt2(params, blocks=3, residual=RESIDUAL)
    expected = model.apply({"params": applied.params}, x)

    twin = NnxTransformer(3, rngs=nnx.Rngs(0))
    state = nnx.state(twin, nnx.Param)
    blocks = {i: params[f"blocks_{i}"] for i in range(3)}
    nnx.replace_by_pure_dict(state, {"blocks": blocks})
    new = gpt2(state, blocks=3, residual=r"blocks/\d+/(attn/out|fc2)/kernel")
    nnx.update(twin, new.params)
    np.testing.assert_allclose(twin(x), expected, rtol=1e-4, atol=1e-5)

    stack = stacked(model)
    weights = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks.values())
    assert jax.tree.map(jnp.shape, weights) == jax.tree.map(
        jnp.shape, stack.init(jax.random.key(0), x, None)["params"]
    )
    new = gpt2(weights, blocks=3, residual="(attn/out|fc2)/kernel")
    assert set(new.changed) == {"attn/out/kernel", "fc2/kernel"}
    out, _ = stack.apply({"params": new.params}, x, None)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


FIXUP = {
    "inner": r"basic_\d+/conv1/kernel",
    "last": r"basic_\d+/conv2/kernel",
    "head": ("head/kernel", "head/bias"),
    "biases": r"basic_\d+/bias[12]",
    "scales": r"basic_\d+/scale",
}


def test_fixup_changes_what_its_rules_say():
    params = draw(ResNet(4), IMAGES)
    applied = fixup(params, branches=4, layers_per_branch=2, **FIXUP)
    expected = {"head/kernel": ("=", 0), "head/bias": ("=", 0)}
    for i in range(4):
        expected |= {
            f"basic_{i}/conv1/kernel": 0.5,
            f"basic_{i}/conv2/kernel": ("=", 0),
            f"basic_{i}/bias1": ("=", 0),
            f"basic_{i}/bias2": ("=", 0),
            f"basic_{i}/scale": ("=", 1),
        }
    assert_only(params, applied, expected)
    assert {"stem/kernel", "stem/bias"} == set(leaves_by_path(params)) - set(expected)


@pytest.mark.parametrize(("layers", "power"), [(2, -1 / 2), (3, -1 / 4), (4, -1 / 6)])
def test_fixup_exponent(layers, power):
    params = draw(ResNet(3), IMAGES)
    only = {name: FIXUP[name] for name in ("inner", "last")}
    applied = fixup(params, branches=3, layers_per_branch=layers, **only)
    ratio = (
        applied.params["basic_1"]["conv1"]["kernel"] / params["basic_1"]["conv1"]["kernel"]
    )
    np.testing.assert_allclose(ratio, 3**power, rtol=1e-5)
    assert len(applied.changed) == 6


def _trunk(model, params):
    return lambda x: model.apply({"params": params}, x, method="trunk")


def test_fixup_makes_the_trunk_the_identity_and_lets_it_learn():
    model = ResNet(6)
    params = draw(model, IMAGES)
    new = fixup(params, branches=6, layers_per_branch=2, **FIXUP).params
    x, v, r = jax.random.normal(jax.random.key(5), (3, 2, 8, 8, 6))
    out, tangent = jax.jvp(_trunk(model, new), (x,), (v,))
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(tangent, v)  # the Jacobian is the identity too
    assert np.any(np.asarray(_trunk(model, params)(x)) != np.asarray(x))
    grads = jax.grad(lambda p: jnp.sum(r * _trunk(model, p)(x)))(new)
    for i in range(6):
        assert np.any(grads[f"basic_{i}"]["conv2"]["kernel"])
    # All zero would be the identity as well, and would never leave it.
    dead = apply_rules(new, [(r"basic_\d/conv1/kernel", scale(0.0))]).params
    grads = jax.grad(lambda p: jnp.sum(r * _trunk(model, p)(x)))(dead)
    assert not np.any(grads["basic_3"]["conv2"]["kernel"])


def test_fixup_first_logits_are_zero():
    model = ResNet(2)
    params = draw(model, IMAGES)
    new = fixup(params, branches=2, layers_per_branch=2, **FIXUP).params
    np.testing.assert_array_equal(model.apply({"params": new}, IMAGES), np.zeros((2, 5)))


@pytest.mark.parametrize("recipe", [skip_init, rezero])
def test_skip_init_changes_the_multipliers_alone(recipe):
    model = ResNet(5)
    params = draw(model, IMAGES)
    applied = recipe(params, alpha=r"basic_\d+/scale")
    assert_only(params, applied, {f"basic_{i}/scale": ("=", 0) for i in range(5)})
    x, v = jax.random.normal(jax.random.key(6), (2, 2, 8, 8, 6))
    out, tangent = jax.jvp(_trunk(model, applied.params), (x,), (v,))
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(tangent, v)
    grads = jax.grad(lambda p: jnp.sum(v * _trunk(model, p)(x)))(applied.params)
    for i in range(5):
        assert grads[f"basic_{i}"]["scale"] != 0
        assert not np.any(grads[f"basic_{i}"]["conv1"]["kernel"])


@pytest.mark.parametrize(
    ("blocks", "gamma"),
    [(1, 0.1), (12, 0.1), (18, 0.1), (19, 1e-5), (24, 1e-5), (25, 1e-6), (48, 1e-6)],
)
def test_layer_scale_by_depth(blocks, gamma):
    params = draw(ResNet(2, multiplier=(6,)), IMAGES)
    applied = layer_scale(params, blocks=blocks, gammas=r"basic_\d/scale")
    assert_only(params, applied, {f"basic_{i}/scale": ("=", gamma) for i in range(2)})


def test_layer_scale_keeps_the_trunk_close_to_the_identity():
    """‖out - x‖ grows with γ: linear in it where γ is small."""
    model = ResNet(3, multiplier=(6,))
    params = draw(model, IMAGES)
    x = jax.random.normal(jax.random.key(7), (2, 8, 8, 6))
    moved = []
    for gamma in (1e-3, 1e-2):
        new = layer_scale(params, blocks=3, gammas=r"basic_\d/scale", value=gamma)
        assert set(new.changed.values()) == {f"= {gamma:g}"}
        moved.append(float(jnp.linalg.norm(_trunk(model, new.params)(x) - x)))
    assert moved[0] < 1e-2 * float(jnp.linalg.norm(x))
    np.testing.assert_allclose(moved[1] / moved[0], 10, rtol=0.1)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p: gpt2(p, blocks=0, residual=".*"), "blocks=0"),
        (lambda p: gpt2(p, blocks=True, residual=".*"), "blocks=True"),
        (lambda p: layer_scale(p, blocks=-1, gammas=".*"), "blocks=-1"),
        (
            lambda p: layer_scale(p, blocks=2, gammas=".*", value=float("nan")),
            "value=nan",
        ),
        (
            lambda p: fixup(p, branches=4, layers_per_branch=1, inner=(), last=".*"),
            "layers_per_branch=1.*skip_init",
        ),
        (
            lambda p: fixup(p, branches=0, layers_per_branch=2, inner=".*", last=()),
            "branches=0",
        ),
        (lambda p: skip_init(p, alpha="alpha"), "alpha='alpha' matches no parameter"),
        (
            lambda p: fixup(p, branches=4, layers_per_branch=2, inner="w", last="w"),
            "inner='w' and last='w' both match 'w'",
        ),
    ],
)
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call({"w": jnp.ones(2)})


def test_depth_of_a_wrong_kind():
    with pytest.raises(TypeError, match="whole number; got blocks="):
        gpt2({"w": jnp.ones(2)}, blocks=2.5, residual="w")


def test_the_draw_that_the_derivations_assume():
    """Gaussian of variance 1/fan_in, also for attention's flattened kernels."""
    model, x = Transformer(1, width=64, kernel_init=GAUSSIAN), jnp.ones((1, 1, 64))
    attn = jax.jit(model.init)(jax.random.key(0), x)["params"]["blocks_0"]["attn"]
    for role in ("value", "out"):
        kernel = np.asarray(attn[role]["kernel"])
        assert abs(np.mean(kernel**2) * 64 - 1) < 6 * np.sqrt(2 / kernel.size)
