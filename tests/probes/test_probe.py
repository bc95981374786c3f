"""What is measured at the sites, against plain computation."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax import probe
from initjax.probes.trace import PARAMETER_COLUMNS, SITE_COLUMNS

WIDTHS = (5, 7, 4)
X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


class Linen(nn.Module):
    @nn.compact
    def __call__(self, x):
        for i, width in enumerate(WIDTHS):
            x = nn.Dense(width, name=f"layer_{i}")(x)
            x = jnp.tanh(x) if i < 2 else x
        return x


class Nnx(nnx.Module):
    def __init__(self, rngs):
        for i, shape in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
            setattr(self, f"layer_{i}", nnx.Linear(*shape, rngs=rngs))

    def __call__(self, x):
        return self.layer_2(nnx.tanh(self.layer_1(nnx.tanh(self.layer_0(x)))))


def by_hand(variables, x):
    for i in range(3):
        layer = variables["params"][f"layer_{i}"]
        x = x @ layer["kernel"] + layer["bias"]
        x = 2 * jax.nn.sigmoid(2 * x) - 1 if i < 2 else x
    return x


@pytest.fixture(scope="module")
def variables():
    drawn = Linen().init(jax.random.key(3), X)
    return jax.tree.map(lambda leaf: leaf + 0.1, drawn)


@pytest.fixture(scope="module")
def trace(variables):
    return probe(Linen(), X, variables=variables)


def same(one, other, rtol=2e-5):
    assert [(s.path, s.kind, s.depth, s.parents, s.fan_in) for s in one.sites] == [
        (s.path, s.kind, s.depth, s.parents, s.fan_in) for s in other.sites
    ]
    for ours, theirs in (
        (one.site_values, other.site_values),
        (one.parameter_values, other.parameter_values),
    ):
        for name, values in ours.items():
            np.testing.assert_allclose(values, theirs[name], rtol, 2e-5, err_msg=name)


def test_linen_nnx_and_a_plain_function_have_one_trace(trace, variables):
    same(probe(by_hand, X, variables=variables), trace)
    twin = Nnx(nnx.Rngs(0))
    state = nnx.state(twin, nnx.Param)
    nnx.replace_by_pure_dict(state, variables["params"])
    nnx.update(twin, state)
    same(probe(twin, X), trace)
    same(probe(Nnx, X, variables=variables), trace)


def test_columns_are_those_that_are_promised(trace):
    assert set(trace.site_values) == set(SITE_COLUMNS)
    assert set(trace.parameter_values) == set(PARAMETER_COLUMNS)
    table = trace.to_pandas()
    assert list(table["path"]) == [site.path for site in trace.sites]
    assert np.isnan(table["saturated_fraction"]).tolist() == [1, 0, 1, 0, 1]


def forward_by_hand(variables, shifts):
    """Loss and all values, with a shift added at each of the five sites."""
    values, x = [], X.astype(np.float64)
    for i in range(3):
        layer = variables["params"][f"layer_{i}"]
        x = x @ np.asarray(layer["kernel"], float) + np.asarray(layer["bias"], float)
        for function in (lambda z: z, np.tanh) if i < 2 else (lambda z: z,):
            x = function(x) + shifts.get(len(values), 0)
            values.append(x)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], x.shape)
    return np.sum(signs * x) / np.sqrt(x.size), values


def test_forward_numbers_are_numpys(trace, variables):
    loss, values = forward_by_hand(variables, {})
    np.testing.assert_allclose(trace.loss, loss, rtol=1e-5)
    np.testing.assert_allclose(trace.outputs[0], values[-1], rtol=1e-5, atol=1e-6)
    for index, x in enumerate(values):
        found = {name: column[0, index] for name, column in trace.site_values.items()}
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        spectrum = np.linalg.svd(x, compute_uv=False) ** 2
        expected = {
            "mean": x.mean(),
            "log10_std": np.log10(x.std()),
            "log10_rms": np.log10((x**2).mean()) / 2,
            "log10_max": np.log10(abs(x).max()),
            "zero_fraction": 0.0,
            "effective_rank": spectrum.sum() ** 2 / (spectrum**2).sum(),
            "cosine": ((unit @ unit.T).sum() - 6) / 30,
            "nan_count": 0.0,
            "inf_count": 0.0,
        }
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    slope = 1 - np.tanh(values[0]) ** 2
    assert trace.site_values["saturated_fraction"][0, 1] == pytest.approx(
        np.mean(slope < 0.02)
    )


@pytest.mark.parametrize("shape", [(3, 5, 4), (20, 3, 4), (1, 7, 4), (6, 1, 4)])
def test_tokens_are_compared_with_those_of_their_sample(shape):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    found = probe(lambda variables, x: x * variables["a"], x, variables={"a": jnp.ones(())})
    unit = x / np.linalg.norm(x, axis=-1, keepdims=True)
    samples, tokens, _ = shape
    among = np.einsum("stf,suf->s", unit, unit) - tokens
    both = np.einsum("stf,zuf->", unit, unit) - samples * tokens
    pairs = samples * tokens * (samples * tokens - 1)
    assert found.site_values["cosine"][0, 0] == pytest.approx(both / pairs, abs=1e-5)
    expected = np.mean(among) / (tokens * (tokens - 1)) if tokens > 1 else np.nan
    np.testing.assert_allclose(found.site_values["token_cosine"][0, 0], expected, atol=1e-5)


def test_of_many_tokens_some_of_each_of_some_samples_are_compared():
    """A token and its sample have the same sign, which alternates over samples."""
    x = np.ones((10, 100, 4), np.float32) * (-1.0) ** np.arange(10)[:, None, None]
    x *= np.random.default_rng(0).uniform(1, 2, (10, 100, 1)).astype(np.float32)
    found = probe(lambda variables, x: x * variables["a"], x, variables={"a": jnp.ones(())})
    assert found.site_values["token_cosine"][0, 0] == pytest.approx(1, abs=1e-5)
    assert found.site_values["cosine"][0, 0] < 0.2


def test_what_comes_back_is_the_finite_difference(trace, variables):
    _, values = forward_by_hand(variables, {})
    for index, x in enumerate(values):
        gradient = np.zeros_like(x)
        for entry in np.ndindex(x.shape):
            shift = np.zeros_like(x)
            shift[entry] = 1e-5
            up, down = (forward_by_hand(variables, {index: s * shift})[0] for s in (1, -1))
            gradient[entry] = (up - down) / 2e-5
        found = {name: column[0, index] for name, column in trace.site_values.items()}
        rms = np.sqrt((gradient**2).mean())
        assert found["back_log10_rms"] == pytest.approx(np.log10(rms), abs=1e-4)
        norm = np.log10(np.linalg.norm(gradient))
        assert found["back_log10_norm"] == pytest.approx(norm, abs=1e-4)


def test_numbers_of_parameters_are_numpys(trace, variables):
    def loss(params):
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (6, 4)).astype(np.float32)
        return jnp.sum(signs * Linen().apply({"params": params}, X)) / np.sqrt(24)

    slopes = jax.grad(loss)(variables["params"])
    for index, parameter in enumerate(trace.parameters):
        layer, leaf = parameter.path.split("/")
        x, g = (
            np.asarray(tree[layer][leaf], float) for tree in (variables["params"], slopes)
        )
        found = {name: column[0, index] for name, column in trace.parameter_values.items()}
        norms = np.log10(np.linalg.norm(x)), np.log10(np.linalg.norm(g))
        assert found["mean"] == pytest.approx(x.mean(), rel=1e-5)
        assert found["log10_norm"] == pytest.approx(norms[0], abs=1e-5)
        assert found["grad_log10_norm"] == pytest.approx(norms[1], abs=1e-4)
        assert found["log10_ratio"] == pytest.approx(norms[1] - norms[0], abs=1e-4)
        assert found["distinct"] == len(np.unique(np.float32(x)))


def test_twins_are_units_with_equal_weights_and_gradients():
    kernels = np.random.default_rng(1).normal(size=(2, 6, 6)).astype(np.float32)
    kernels[0, :, 4] = kernels[0, :, 1]
    kernels[1, 4] = kernels[1, 1]  # unit 4 is read like unit 1 too

    def model(variables, x):
        return jnp.tanh(x @ variables["params"]["a"]) @ variables["params"]["b"]

    trace = probe(
        model,
        np.random.default_rng(2).normal(size=(5, 6)),
        variables={"params": dict(zip("ab", kernels, strict=True))},
    )
    assert trace.parameter_values["twin_fraction"][0].tolist() == pytest.approx([2 / 6, 0])
    found = trace.parameter_values["grad_twin_fraction"][0]
    assert found.tolist() == pytest.approx([2 / 6, 0])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_outside_of_float32_are_measured(scale):
    def model(variables, x):
        return (x @ variables["params"]["kernel"]) * np.float32(scale)

    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    variables = {"params": {"kernel": kernel * np.float32(1 / scale)}}
    trace = probe(model, x, variables=variables)
    product = np.log10(((x.astype(float) @ kernel) ** 2).mean()) / 2 - np.log10(scale)
    found = {name: column[0, 0] for name, column in trace.site_values.items()}
    assert found["log10_rms"] == pytest.approx(product, abs=1e-4)
    back = np.log10(scale / np.sqrt(32))
    assert found["back_log10_rms"] == pytest.approx(back, abs=1e-4)
    norm = np.log10(np.linalg.norm(kernel.astype(float) / scale))
    assert trace.parameter_values["log10_norm"][0, 0] == pytest.approx(norm, abs=1e-4)


def test_what_is_not_finite_is_counted_and_the_rest_measured():
    def model(variables, x):
        h = x @ variables["params"]["first"]
        return (jnp.log(h) + 1 / (h - h)) @ variables["params"]["second"]

    kernels = {"first": np.eye(3, dtype=np.float32), "second": np.eye(3, dtype=np.float32)}
    trace = probe(
        model, np.array([[1, 2, -1], [1, 1, 1]], np.float32), variables={"params": kernels}
    )
    counts = trace.site_values["nan_count"][0]
    assert counts[0] == 0
    assert counts[-1] > 0
    assert trace.site_values["back_nonfinite"][0, 0] == 1
    assert trace.site_values["back_nonfinite"][0, -1] == 0
    assert np.isnan(trace.site_values["log10_rms"][0, -1])


def test_seeds_are_networks_of_their_own_in_one_program():
    trace = probe(Linen(), X, seeds=3)
    assert trace.seeds == 3
    assert len(set(trace.site_values["log10_rms"][:, 0])) == 3
    one = {name: values[1:2] for name, values in trace.site_values.items()}
    keys = jax.random.split(jax.random.key(0), (3, 2))
    alone = probe(Linen(), X, variables=Linen().init(keys[1, 0], X))
    for name, values in one.items():
        np.testing.assert_allclose(
            values, alone.site_values[name], 1e-4, 1e-5, err_msg=name
        )


def test_a_model_of_lists_and_one_that_equals_it_share_their_programs(compilations):
    """A linen module that holds a list has no hash."""

    def model(features):
        return nn.Sequential([nn.Dense(features), nn.relu, nn.Dense(2)])

    probe(model(5), X)
    with compilations() as count:
        probe(model(5), X, key=jax.random.key(1))
    assert count.value == 0
    assert probe(model(6), X).sites[0].shape[-1] == 6


def test_settings_and_random_numbers_reach_the_model():
    class Dropped(nn.Module):
        @nn.compact
        def __call__(self, x, *, train):
            x = nn.BatchNorm(use_running_average=not train)(nn.Dense(64)(x))
            return nn.Dense(2)(nn.Dropout(0.5, deterministic=not train)(x))

    zeros = {}
    for train in (False, True):
        trace = probe(Dropped(), {"x": X, "train": train})
        assert [site.path for site in trace.sites] == ["Dense_0", "BatchNorm_0", "Dense_1"]
        zeros[train] = trace.site_values["log10_rms"][0, 1]
    assert abs(zeros[True]) < 1e-3 < abs(zeros[False])
