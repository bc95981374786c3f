"""Paths, patterns and rules, on every kind of tree."""

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec

from initjax import init
from initjax.recipes import (
    Action,
    Rule,
    apply_rules,
    fill,
    gpt2,
    leaves_by_path,
    redraw,
    scale,
)
from tests.recipes.networks import NnxTransformer, Transformer, assert_only, draw

X = jax.random.normal(jax.random.key(9), (3, 5, 32))


@pytest.fixture(scope="module")
def params():
    return draw(Transformer(2), X)


def test_paths(params):
    paths = list(leaves_by_path(params))
    assert "blocks_0/attn/out/kernel" in paths
    assert "blocks_1/attn/value/bias" in paths
    assert len(paths) == 2 * (4 * 2 + 2 * 2 + 2 * 2)
    frozen = flax.core.freeze(params)
    assert list(leaves_by_path(frozen)) == paths


def test_nnx_paths_are_those_of_linen():
    state = nnx.state(NnxTransformer(2, rngs=nnx.Rngs(0)), nnx.Param)
    linen = leaves_by_path(draw(Transformer(2), X))
    assert {p.replace("blocks/", "blocks_") for p in leaves_by_path(state)} == set(linen)
    pure = leaves_by_path(nnx.to_pure_dict(state))
    assert list(pure) == list(leaves_by_path(state))


def test_a_parameter_named_value_keeps_its_name():
    class Named(nnx.Module):
        def __init__(self):
            self.value = nnx.Param(jnp.ones(2))

    assert list(leaves_by_path(nnx.state(Named(), nnx.Param))) == ["value"]
    assert list(leaves_by_path({"a": {"value": 1.0}, "value": 2.0})) == ["a/value", "value"]
    for alone in (jnp.ones(2), nnx.Param(jnp.ones(2))):
        assert list(leaves_by_path(alone)) == [""]


def test_a_pattern_matches_whole_paths(params):
    applied = apply_rules(params, [(r"blocks_\d+/fc2/kernel", scale(0.5))])
    assert_only(params, applied, {f"blocks_{i}/fc2/kernel": 0.5 for i in range(2)})
    assert set(applied.changed.values()) == {"× 0.5"}
    for partial in ("fc2", r"blocks_\d+/fc2", "fc2/kernel", r".*/fc2/kernel/"):
        with pytest.raises(ValueError, match="matches no parameter"):
            apply_rules(params, [(partial, scale(0.5))])


def test_no_match_lists_the_paths(params):
    with pytest.raises(ValueError) as error:
        apply_rules(params, [("blocks_0/fc1/kernel", scale(2.0)), ("fc3/.*", fill(0))])
    message = str(error.value)
    assert "pattern='fc3/.*'" in message
    for path in leaves_by_path(params):
        assert path in message


def test_of_many_paths_the_closest_are_listed():
    tree = {f"layer_{i}": {"mlp": {"kernel": 0.0}} for i in range(60)}
    tree["layer_7"]["attention"] = {"out_proj": {"kernel": 0.0}}
    with pytest.raises(ValueError) as error:
        apply_rules(tree, [(r"layer_\d+/attn/out_proj/kernel", scale(1.0))])
    lines = str(error.value).splitlines()
    assert "of the 61 there are" in lines[0]
    assert lines[1].strip() == "layer_7/attention/out_proj/kernel"
    assert len(lines) == 21


def test_an_argument_is_named_in_messages(params):
    with pytest.raises(ValueError, match=r"residual='.*c_proj.*' matches no parameter"):
        gpt2(params, blocks=2, residual=[".*/fc2/kernel", r".*/c_proj/kernel"])


def test_empty_tree_and_variables_instead_of_params(params):
    with pytest.raises(ValueError, match="The tree has none"):
        apply_rules({}, [("a", scale(1.0))])
    with pytest.raises(ValueError, match="params/blocks_0/attn"):
        apply_rules({"params": params}, [(r"blocks_\d/fc1/kernel", scale(1.0))])


def test_overlap_is_refused_by_name(params):
    rules = [(r".*/fc\d/kernel", scale(0.5)), Rule("blocks_1/fc2/.*", fill(0), "last")]
    with pytest.raises(ValueError) as error:
        apply_rules(params, rules)
    for part in (r"pattern='.*/fc\\d/kernel'", "last='blocks_1/fc2/.*'", "fc2/kernel"):
        assert part in str(error.value)
    with pytest.raises(ValueError, match="both match"):  # scaled twice, or once?
        apply_rules(params, [([".*/fc1/kernel", ".*fc1.*"], scale(0.5))])


def test_bad_patterns(params):
    with pytest.raises(ValueError, match=r"pattern='\(' is not a regular expression"):
        apply_rules(params, [("(", scale(1.0))])
    for bad in (3, ["a", 3], None, {"a"}):
        with pytest.raises(TypeError, match="sequence of them"):
            apply_rules(params, [(bad, scale(1.0))])


def test_bad_numbers():
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="factor="):
            scale(bad)
        with pytest.raises(ValueError, match="value="):
            fill(bad)


def test_leaves_that_are_no_weights():
    tree = {"step": jnp.arange(3), "key": jax.random.key(0), "w": jnp.ones(2)}
    assert apply_rules(tree, [("w", fill(2))]).changed == {"w": "= 2"}
    for path in ("step", "key"):
        with pytest.raises(TypeError, match=f"'{path}' is matched but has dtype"):
            apply_rules(tree, [(path, fill(0))])


def test_ambiguous_paths():
    with pytest.raises(ValueError, match="two leaves of the tree have the path 'a/b'"):
        leaves_by_path({"a": {"b": 1.0}, "a/b": 2.0})


def test_an_action_keeps_the_shape():
    flat = Action(lambda path, leaf: leaf.ravel(), "flattened")
    with pytest.raises(ValueError, match=r"turned 'w' of shape \(2, 2\) into \(4,\)"):
        apply_rules({"w": jnp.ones((2, 2))}, [("w", flat)])


def test_purity_of_dictionaries_and_states(params):
    saved = jax.tree.map(np.array, params)
    apply_rules(params, [(".*kernel", fill(0)), (".*bias", fill(1))])
    jax.tree.map(np.testing.assert_array_equal, params, saved)
    model = NnxTransformer(1, rngs=nnx.Rngs(0))
    state = nnx.state(model, nnx.Param)
    saved = jax.tree.map(np.array, nnx.to_pure_dict(state))
    apply_rules(state, [(".*kernel", fill(0))])
    jax.tree.map(np.testing.assert_array_equal, nnx.to_pure_dict(state), saved)


def test_nnx_state_updates_the_model():
    model = NnxTransformer(2, rngs=nnx.Rngs(0))
    x = X[:, :1]
    applied = apply_rules(
        nnx.state(model, nnx.Param), [(r"blocks/\d/(fc2|attn/out)/kernel", fill(0))]
    )
    assert np.any(np.asarray(model(x)) != np.asarray(x))
    nnx.update(model, applied.params)
    np.testing.assert_array_equal(model(x), x)


def test_boxes_keep_their_metadata():
    boxed = nn.with_partitioning(init.lecun_normal(), ("in", "model"))
    old = nn.Dense(4, kernel_init=boxed).init(jax.random.key(0), jnp.ones((1, 3)))["params"]
    new, changed = apply_rules(old, [("kernel", scale(2.0))])
    assert changed == {"kernel": "× 2"}
    assert isinstance(new["kernel"], nn.Partitioned)
    assert new["kernel"].names == ("in", "model")
    np.testing.assert_array_equal(new["kernel"].value, 2 * old["kernel"].value)


def test_nnx_metadata_and_sharding_are_kept():
    mesh = jax.make_mesh((1,), ("model",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = NamedSharding(mesh, PartitionSpec(None, "model"))
    kernel = nnx.Param(jax.device_put(jnp.ones((3, 4)), sharding), note="mine")
    state = nnx.State({"kernel": kernel})
    for action in (scale(2.0), fill(0), redraw(init.normal(), jax.random.key(0))):
        new = apply_rules(state, [("kernel", action)]).params["kernel"]
        assert new.get_metadata()["note"] == "mine"
        assert new[...].sharding == sharding


def test_jit_vmap_and_eval_shape(params):
    rules = [("fc1/kernel", scale(0.3)), ("fc2/kernel", fill(0.1))]
    rules += [("attn/out/kernel", redraw(init.normal(), jax.random.key(1)))]
    block = params["blocks_0"]

    def transform(tree):
        return apply_rules(tree, rules).params

    eager = leaves_by_path(transform(block))
    jitted = leaves_by_path(jax.jit(transform)(block))
    two = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), block)
    mapped = leaves_by_path(jax.jit(jax.vmap(transform))(two))
    for path, leaf in eager.items():
        np.testing.assert_allclose(jitted[path], leaf, rtol=1e-6)
        np.testing.assert_allclose(mapped[path][1], leaf, rtol=1e-6)
    shapes = jax.eval_shape(transform, block)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, block)
    with pytest.raises(ValueError, match="matches no parameter"):
        jax.eval_shape(lambda tree: apply_rules(tree, [("x", fill(0))]).params, block)


def test_a_factor_may_be_traced():
    tree = {"w": jnp.ones(3)}
    factors = jnp.asarray([0.5, 2.0])
    new = jax.vmap(lambda f: apply_rules(tree, [("w", scale(f))]).params["w"])(factors)
    np.testing.assert_array_equal(new, factors[:, None] * jnp.ones(3))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_scaling_is_wider_than_the_leaf(dtype):
    leaf = jax.random.normal(jax.random.key(0), (5000,)).astype(dtype)
    new = apply_rules({"w": leaf}, [("w", scale(0.2887))]).params["w"]
    assert new.dtype == dtype
    exact = (np.asarray(leaf, np.float32) * np.float32(0.2887)).astype(dtype)
    np.testing.assert_array_equal(new, exact)
    narrow = leaf * jnp.asarray(0.2887, dtype)  # what a product in the leaf's dtype gives
    assert np.mean(np.asarray(narrow != new)) > 0.05


def test_redraw_in_bfloat16_is_drawn_wide():
    tree = {"w": jnp.zeros(200_000, jnp.bfloat16)}
    action = redraw(jax.nn.initializers.normal(1.0), jax.random.key(0))
    new = apply_rules(tree, [("w", action)]).params["w"]
    assert new.dtype == jnp.bfloat16
    narrow = jax.random.normal(jax.random.key(0), (200_000,), jnp.bfloat16)
    assert len(np.unique(np.asarray(new, np.float32))) > 2 * len(
        np.unique(np.asarray(narrow, np.float32))
    )


def test_redraws_are_independent_and_do_not_depend_on_the_rest():
    key = jax.random.key(3)
    rule = [(".*", redraw(init.normal(1.0), key))]
    small = apply_rules({"a": jnp.zeros(4000), "b": jnp.zeros(4000)}, rule).params
    large = apply_rules(
        {"0": jnp.zeros(9), "a": jnp.zeros(4000), "b": jnp.zeros(4000)}, rule
    ).params
    for name in ("a", "b"):
        np.testing.assert_array_equal(small[name], large[name])
    correlation = np.corrcoef(small["a"], small["b"])[0, 1]
    assert abs(correlation) < 6 / np.sqrt(4000)
    # One key for all leaves would make them equal, and the correlation 1.
    assert np.any(np.asarray(small["a"] != init.normal(1.0)(key, (4000,))))
    other = apply_rules({"a": jnp.zeros(4000)}, [("a", redraw(init.normal(1.0), key))])
    np.testing.assert_array_equal(other.params["a"], small["a"])
