"""Kernels as the libraries draw them, and networks of them written by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweeps.precision import SCHEMA, Config, cells, cost, measure
from sweeps.precision_networks import draw, initializer, run

pytestmark = pytest.mark.usefixtures("optimized")

WIDTH = 256
ENTRIES = 4 * WIDTH**2


def _kernels(library, dtype):
    keys = jax.random.split(jax.random.key(0), 1)
    return draw(keys, "he_normal", library, dtype, width=WIDTH, depth=4)[0]


def _mean(kernels):
    wide = np.asarray(kernels.astype(jnp.float32), np.float64)
    return wide.mean() / wide.std()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_initjax_draws_wide_and_casts(dtype):
    narrow, wide = _kernels("initjax", dtype), _kernels("initjax", "float32")
    np.testing.assert_array_equal(narrow, wide.astype(dtype))
    assert abs(_mean(narrow)) < 5 / ENTRIES**0.5


def test_jax_draws_narrow():
    """If this fails JAX has mended its samplers, and the sweep has another answer."""
    kernels = _kernels("jax", "bfloat16")
    assert kernels.dtype == jnp.bfloat16
    assert len(np.unique(np.asarray(kernels.astype(jnp.float32)))) <= 128
    assert _mean(kernels) < -0.01 < -5 / ENTRIES**0.5
    assert abs(_mean(_kernels("jax", "float32"))) < 5 / ENTRIES**0.5


def test_networks_are_those_written_by_hand():
    keys = jax.random.split(jax.random.key(1), 1)
    kernels = draw(keys, "lecun_normal", "jax", "bfloat16", width=16, depth=3)
    seen = run(("tanh", "relu"), kernels, keys)
    of_inputs, of_cotangent = jax.random.split(jax.random.fold_in(keys[0], 2**31 - 1))
    inputs, cotangent = (jax.random.normal(k, (16, 16)) for k in (of_inputs, of_cotangent))
    for n, function in enumerate((jnp.tanh, jax.nn.relu)):

        def after(z, layer, function=function):
            """The output as a function of one layer's pre-activations."""
            for kernel in kernels[0, layer + 1 :]:
                z = function(z) @ kernel.astype(jnp.float32)
            return (function(z) * cotangent).sum()

        h, norms = inputs, []
        for layer, kernel in enumerate(kernels[0]):
            z = h @ kernel.astype(jnp.float32)
            h = function(z)
            rms = np.log10(np.square(h).mean()) / 2
            assert seen.act_log10_rms[0, n, layer] == pytest.approx(rms, abs=1e-5)
            norms.append(np.log10(np.square(jax.grad(after)(z, layer)).mean()) / 2)
        np.testing.assert_allclose(
            seen.delta_log10_rms[0, n], np.array(norms) - norms[-1], atol=1e-5
        )


def test_columns():
    config = Config(
        activations=("relu",),
        schemes=("he_uniform",),
        libraries=("jax",),
        dtypes=("bfloat16",),
        width=64,
        depth=3,
        seeds=2,
    )
    table = SCHEMA.conform(measure(cells(config), config))
    assert len(table) == cost(cells(config), config).rows == 6
    assert (table["distinct"] <= 128).all()
    # Sampling moves log10 σ_w by 1/√(2·64²)/ln 10 = 0.005, bfloat16 by less than 0.01.
    np.testing.assert_allclose(table["weight_log10_std"], np.log10(2) / 2, atol=0.04)
    assert table["layer"].tolist() == [0, 1, 2] * 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schemes": ("he",)}, "--schemes must be of he_normal"),
        ({"schemes": ()}, "each need at least one value"),
        ({"libraries": ("torch",)}, "--libraries must be of initjax, jax"),
        ({"dtypes": ("float8",)}, "--dtypes must be of float32"),
        ({"depth": 1}, "--depth must be >= 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**change))


def test_both_libraries_have_the_initializer():
    for library in ("initjax", "jax"):
        kernel = initializer("glorot_uniform", library)(jax.random.key(0), (8, 8))
        assert kernel.shape == (8, 8)
