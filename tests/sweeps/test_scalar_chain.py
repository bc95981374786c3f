"""One unit a layer: what is left of a signal is a power of the weight."""

import numpy as np
import pytest

from sweeps import depth_vs_init
from sweeps.depth_vs_init import PRESETS, SCHEMA, cells
from sweeps.harness.directory import plain
from sweeps.harness.options import parse

CONFIG = PRESETS["scalar_chain"]
TINY, HUGE = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
ROUNDED = 6e-5  # half a unit of four decimals, and float32's rounding beside it


@pytest.fixture(scope="module")
def table():
    return SCHEMA.conform(depth_vs_init.measure(cells(CONFIG), CONFIG))


def _network(table, activation, scheme, depth, seed=0):
    """One network, layer by layer."""
    same = table[
        (table["activation"] == activation)
        & (table["scheme"] == scheme)
        & (table["depth"] == depth)
        & (table["seed"] == seed)
    ]
    assert same["layer"].tolist() == list(range(depth))
    return same


def test_the_command_line_knows_the_preset():
    given = parse("depth_vs_init", depth_vs_init, ["--preset", "scalar_chain"])
    assert given.config == CONFIG
    assert plain(CONFIG)["widths"] == [1]


PUBLISHED = {0.2: 1.0737418e-21, 1.0: 1.0, 5.0: 9.3132257e20}


@pytest.mark.parametrize("scheme", CONFIG.schemes)
def test_thirty_layers_leave_the_thirtieth_power(table, scheme):
    weight = float(scheme.partition("(")[2].strip(")"))
    log = _network(table, "identity", scheme, 30)["act_log10_rms"].to_numpy()
    powers = np.arange(1, 31) * np.log10(weight)
    np.testing.assert_allclose(log, powers, atol=ROUNDED, rtol=1e-6)
    assert 10.0 ** float(log[-1]) == pytest.approx(PUBLISHED[weight], rel=3e-4)


@pytest.mark.parametrize("scheme", CONFIG.schemes)
def test_linear_chains_of_all_seeds_are_alike(table, scheme):
    """Signs differ where they are drawn, sizes do not."""
    chains = [_network(table, "identity", scheme, 60, seed) for seed in range(CONFIG.seeds)]
    sizes = [chain["act_log10_rms"].to_numpy() for chain in chains]
    assert len(sizes) == 20
    for other in sizes[1:]:
        np.testing.assert_allclose(other, sizes[0], atol=ROUNDED)
    signs = np.sign([chain["act_mean"].to_numpy()[:30] for chain in chains])
    assert (signs == 1).all() == scheme.startswith("constant")


def test_a_power_below_float32_is_said_to_be_flushed(table):
    first = next(n for n in range(60) if 0.2 ** (n + 1) < TINY)
    assert first == 54
    for scheme in ("constant(0.2)", "orthogonal(0.2)"):
        deep = _network(table, "identity", scheme, 60)
        assert set(deep["first_flushed"]) == {first}
        assert set(deep["first_nonfinite"]) == {-1}
        log = deep["act_log10_rms"].to_numpy()
        assert np.isfinite(log[:first]).all()
        assert np.isneginf(log[first:]).all()
        assert set(_network(table, "identity", scheme, 30)["first_flushed"]) == {-1}


def test_a_power_above_float32_is_said_not_to_be_finite(table):
    first = next(n for n in range(60) if 5.0 ** (n + 1) > HUGE)
    assert first == 55
    deep = _network(table, "identity", "constant(5)", 60)
    assert set(deep["first_nonfinite"]) == {first}
    assert set(deep["first_flushed"]) == {-1}
    log = deep["act_log10_rms"].to_numpy()
    assert np.isfinite(log[:first]).all()
    assert not np.isfinite(log[first:]).any()
    assert set(_network(table, "identity", "constant(5)", 30)["first_nonfinite"]) == {-1}


def test_a_gradient_is_multiplied_by_the_weight_too(table):
    delta = _network(table, "identity", "orthogonal(0.2)", 30)["delta_log10_rms"].to_numpy()
    down = np.arange(29, -1, -1) * np.log10(0.2)
    np.testing.assert_allclose(delta - delta[-1], down, atol=2 * ROUNDED, rtol=1e-6)
    deep = _network(table, "identity", "orthogonal(0.2)", 60)
    last = 10.0 ** float(deep["delta_log10_rms"].iloc[-1])
    # What the last gradient above float32's floor would have become in the layer below.
    flushed = min(n for n in range(60) if last * 0.2 ** (59 - n) >= TINY)
    assert set(deep["delta_flushed"]) == {flushed}
    log = deep["delta_log10_rms"].to_numpy()
    assert np.isneginf(log[:flushed]).all()
    assert np.isfinite(log[flushed:]).all()


def _slope(z):
    """σ′(z)."""
    h = 1 / (1 + np.exp(-z))
    return h * (1 - h)


def test_sigmoid_leaves_at_most_a_quarter_of_a_gradient_in_each_layer(table):
    """0.25³⁰ = 8.7e-19 bounds the derivative of a chain of 30, whatever its signs are."""
    chain = _network(table, "sigmoid", "orthogonal(1)", 30)
    delta = chain["delta_log10_rms"].to_numpy(float)
    steps = delta[:-1] - delta[1:]
    assert (steps < np.log10(0.25) + 2 * ROUNDED).all()
    assert delta[0] - delta[-1] < 29 * np.log10(0.25)
    slopes = _slope(chain["preact_mean"].to_numpy(float))
    np.testing.assert_allclose(steps, np.log10(slopes[:-1]), atol=3 * ROUNDED)
    assert slopes[-1] * 10 ** (delta[0] - delta[-1]) < 0.25**30
    # Forward nothing vanishes: the mean of z has the signs of the weights.
    assert chain["act_log10_rms"].min() > -0.6


def test_sigmoid_settles_where_it_should(table):
    z = 1.0
    for _ in range(60):
        z = 1 / (1 + np.exp(-z))
    last = _network(table, "sigmoid", "constant(1)", 60).iloc[-1]
    assert last["preact_mean"] == pytest.approx(z, rel=2e-5)
    assert last["act_log10_rms"] == pytest.approx(np.log10(z), abs=ROUNDED)
