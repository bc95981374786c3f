"""Networks over the plane, against the same written by hand, and against theory."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from analysis.plane import measured
from initjax import meanfield
from sweeps.harness.grid import group
from sweeps.phase_diagram import PRESETS, SCHEMA, Config, cells, cost, measure
from sweeps.plane.columns import critical_points, start
from sweeps.plane.networks import BUNDLE, Points, draw, propagate

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def config():
    return Config(
        activations=("tanh",),
        sigma_w=(0.9, 2.0),
        sigma_b=(0.3,),
        width=64,
        layers=10,
        every=1,
        seeds=40,
    )


@pytest.fixture(scope="module")
def table(config):
    return SCHEMA.conform(measure(cells(config), config))


def _by_hand(z, draws, sigma_w, sigma_b):
    """Pre-activations of every layer in float64, by autodiff the gradient at each."""
    weights, biases = (np.asarray(a[0], np.float64) for a in (draws.weights, draws.biases))
    layers = [z]
    for w, b in zip(weights, biases, strict=True):
        layers.append(sigma_w * np.tanh(layers[-1]) @ w + sigma_b * b)
    deltas = [np.asarray(draws.cotangents[0], np.float64)]
    for w, z in zip(weights[::-1], layers[-2::-1], strict=True):
        deltas.append((1 - np.tanh(z[:4]) ** 2) * (sigma_w * deltas[-1] @ w.T))
    return layers, deltas[::-1]


def test_networks_are_those_written_by_hand():
    draws = draw(jax.random.split(jax.random.key(0), 1), width=32, layers=4)
    frame = np.asarray(draws.frame[0], np.float64)
    np.testing.assert_allclose(frame @ frame.T / 32, np.eye(1 + BUNDLE), atol=1e-5)
    values = ([1.2, 2.0], [0.3, 0.1], [0.5, 1.5], [0.01, 0.6], [0.1, 0.8])
    points = Points(*(np.array(value, np.float32) for value in values))
    seen = jax.tree.map(np.asarray, propagate("tanh", points, draws))
    for n, (sigma_w, sigma_b, q, near, _) in enumerate(zip(*values, strict=True)):
        z = math.sqrt(q) * (math.sqrt(1 - near) * frame[0] + math.sqrt(near) * frame[1:])
        layers, deltas = _by_hand(z, draws, sigma_w, sigma_b)
        norms = [np.square(d).sum() for d in deltas]
        np.testing.assert_allclose(
            seen.gradient[0, :, n], norms / norms[-1], rtol=1e-4, err_msg="gradient"
        )
        assert seen.q[0, 0, n] == pytest.approx(q)
        assert seen.near[0, 0, n] == pytest.approx(near)
        for layer, z in enumerate(layers[:-1]):
            kernel = sigma_w**2 * np.tanh(z) @ np.tanh(z).T / 32 + sigma_b**2
            length = np.trace(kernel) / BUNDLE
            shared = (kernel.sum() - np.trace(kernel)) / BUNDLE / (BUNDLE - 1)
            assert seen.q[0, layer + 1, n] == pytest.approx(length, rel=1e-4)
            gap = seen.near[0, layer + 1, n]
            assert gap == pytest.approx(1 - shared / length, rel=1e-3)


def test_gradients_are_those_of_autodiff():
    draws = draw(jax.random.split(jax.random.key(1), 1), width=16, layers=3)
    points = Points(*(np.array([value], np.float32) for value in (1.5, 0.2, 1.0, 0.5, 1.0)))

    def out(z):
        for w, b in zip(draws.weights[0], draws.biases[0], strict=True):
            z = 1.5 * jnp.tanh(z) @ w + 0.2 * b
        return (z * draws.cotangents[0]).sum()

    z = jnp.sqrt(0.5) * (draws.frame[0, 0] + draws.frame[0, 1:5])
    norm = jnp.square(jax.grad(out)(z)).sum() / jnp.square(draws.cotangents[0]).sum()
    seen = propagate("tanh", points, draws)
    assert float(seen.gradient[0, 0, 0]) == pytest.approx(float(norm), rel=1e-4)


def test_small_gaps_keep_their_digits():
    """1 - c of 1e-10 decays by χ₁ in float32, which resolves only 1e-7 near 1."""
    draws = draw(jax.random.split(jax.random.key(2), 1), width=64, layers=6)
    ones = np.ones(2, np.float32)
    gaps = np.array([1e-4, 1e-9], np.float32)
    seen = propagate("tanh", Points(ones, 0.3 * ones, 0.3 * ones, gaps, gaps), draws)
    big, small = (np.asarray(seen.near[0, :, n], np.float64) for n in range(2))
    np.testing.assert_allclose(small / big, 1e-5, rtol=0.01)


def test_table_meets_its_schema(table, config):
    assert list(table.columns) == SCHEMA.names
    assert len(table) == cost(cells(config), config).rows == 3 * 40 * 11


def test_rates_are_those_of_theory(table):
    """5 errors of the fit, and 4/width for what finite width adds."""
    found = measured(table).set_index(["point", "sigma_w"])
    for sigma_w in (0.9, 2.0):
        at = {"sigma_w": sigma_w, "sigma_b": 0.3}
        q = float(meanfield.q_star("tanh", **at))
        c = float(meanfield.c_star("tanh", **at))
        theory = {
            "chi_1": meanfield.chi("tanh", q=q, sigma_w=sigma_w),
            "chi_q": meanfield.chi_q("tanh", q=q, sigma_w=sigma_w),
            "chi_c": meanfield.chi_c("tanh", q=q, c=c, sigma_w=sigma_w),
        }
        row = found.loc[("grid", np.float32(sigma_w))]
        for name, value in theory.items():
            tolerance = 5 * row[f"{name}_error"] + 4 * float(value) / 64
            assert abs(row[name] - float(value)) < tolerance, name
            assert tolerance < 0.15
    critical = found.loc["critical"].iloc[0]
    assert abs(critical["chi_1"] - 1) < 5 * critical["chi_1_error"] + 4 / 64


def test_other_points_and_seeds_change_nothing(table, config):
    some = [c for c in cells(config) if c["seed"] in (3, 5) and c["sigma_w"] == 2.0]
    few = SCHEMA.conform(measure(some, config))
    keys = list(SCHEMA.order)
    both = few.merge(table, on=keys, suffixes=("", "_of_all"), validate="1:1")
    assert len(both) == len(few) == 2 * 11
    for name in SCHEMA.names[len(keys) :]:
        np.testing.assert_allclose(both[name], both[f"{name}_of_all"], rtol=2e-3)


def test_where_inputs_start():
    points = [
        {"activation": "tanh", "point": "grid", "sigma_w": w, "sigma_b": 0.3}
        for w in (0.9, 2.5)
    ]
    ordered, chaotic = zip(*(np.asarray(a) for a in start("tanh", points)), strict=True)
    assert ordered[3:] == pytest.approx((1e-5, 1e-3))
    # Poole et al.'s point, papers' table: q* = 4.079, c* = 0.1221.
    assert chaotic[2] == pytest.approx(4.079123875, rel=1e-6)
    assert np.mean(chaotic[3:]) == pytest.approx(1 - 0.1221037473, abs=1e-6)
    assert chaotic[4] - chaotic[3] == pytest.approx(0.2)
    relu = start("relu", [{**points[0], "sigma_w": 1.5}])
    assert relu.q == 1, "q grows without bound: there is no q* to start from"
    line = {**critical_points("gelu", [0.2])[0], "point": "critical", "activation": "gelu"}
    assert start("gelu", [line]).q[0] == pytest.approx(0.575637116619)


def test_units_share_their_draws_and_activations_differ():
    found = cells(SMOKE)
    assert {c["activation"] for c in found} == {"tanh", "gelu"}
    assert len(group(found, lambda c: c["seed"])) == SMOKE.seeds
    assert len(found) == 2 * (3 * 2 + 2) * SMOKE.seeds
    assert {c["point"] for c in found} == {"grid", "critical"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sigma_w": ()}, "--sigma-w must be numbers > 0 and < 100"),
        ({"sigma_b": (0.0,)}, "--sigma-b must be numbers > 0 and < 100"),
        ({"sigma_w": (float("nan"),)}, "--sigma-w must be"),
        ({"layers": 25}, "--every must divide --layers 25; got 2"),
        ({"width": 4}, "--width must be >= 16"),
        ({"seeds": 1}, "--seeds must be >= 2"),
        ({"activations": ("rule",)}, "'rule' is unknown"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**change))
