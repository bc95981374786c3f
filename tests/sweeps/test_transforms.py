"""Transformations of gradients, where squares leave float32 too."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sweeps.training.transforms import clip_by_norm, clip_by_value, floor

SHAPES = {"kernel": (3, 4), "bias": (4,)}


def _gradient(scale):
    random = np.random.default_rng(0)
    draws = {name: random.standard_normal(shape) for name, shape in SHAPES.items()}
    return {name: jnp.asarray(scale * g, jnp.float32) for name, g in draws.items()}


def _apply(transform, gradient):
    return jax.jit(lambda g: transform.update(g, transform.init(g))[0])(gradient)


def _flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]).astype(float)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e3, 1e21, 1e37])
@pytest.mark.parametrize("most", [1e-25, 0.5, 1e6])
def test_clipped_to_the_norm_whatever_its_size(scale, most):
    """Against float64; optax's own gives 0 where the squares overflow."""
    gradient = _gradient(scale)
    exact = _flat(gradient)
    norm = np.linalg.norm(exact)
    clipped = _flat(_apply(clip_by_norm(most), gradient))
    np.testing.assert_allclose(clipped, exact * min(1, most / norm), rtol=1e-5)
    if scale > 1e20 and most < 1e6:
        lost = _flat(_apply(optax.clip_by_global_norm(most), gradient))
        assert not lost.any()


def test_a_short_gradient_is_left_bit_for_bit():
    gradient = _gradient(0.01)
    for transform in (clip_by_norm(10.0), clip_by_value(10.0), floor(1e-30)):
        jax.tree.map(np.testing.assert_array_equal, _apply(transform, gradient), gradient)


def test_of_nothing_comes_nothing():
    zero = _gradient(0.0)
    for transform in (clip_by_norm(1.0), clip_by_value(1.0), floor(0.1)):
        assert not _flat(_apply(transform, zero)).any()


def test_what_is_not_finite_stays_seen():
    """A norm cannot be told of inf; a value can be cut to its bound."""
    gradient = {"kernel": jnp.array([jnp.inf, 1.0]), "bias": jnp.array([2.0])}
    assert not np.isfinite(_flat(_apply(clip_by_norm(1.0), gradient))).all()
    np.testing.assert_array_equal(
        _flat(_apply(clip_by_value(1.5), gradient)), [1.5, 1.5, 1]
    )
    broken = {"kernel": jnp.array([jnp.nan, 1.0])}
    assert np.isnan(_flat(_apply(clip_by_value(1.5), broken))).any()


def test_the_floor_keeps_signs_and_zeros():
    gradient = {"kernel": jnp.array([0.0, -1e-30, 1e-3, -0.2]), "bias": jnp.array([7.0])}
    np.testing.assert_allclose(
        _flat(_apply(floor(0.1), gradient)), [7, 0, -0.1, 0.1, -0.2], rtol=1e-6
    )


def test_they_stand_in_a_chain_and_under_vmap():
    """Two networks, each with its own bound: the long one alone is clipped."""
    chain = optax.chain(clip_by_norm(1.0), optax.sgd(0.1))
    gradients = jnp.array([[3e20, 4e20], [0.3, 0.4]])
    change = jax.vmap(lambda g: chain.update(g, chain.init(g))[0])(gradients)
    np.testing.assert_allclose(change, [[-0.06, -0.08], [-0.03, -0.04]], rtol=1e-5)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("make", "name"), [(clip_by_norm, "most"), (clip_by_value, "most"), (floor, "least")]
)
def test_bounds_that_make_no_sense(make, name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number > 0; got {name}="):
        make(value)
