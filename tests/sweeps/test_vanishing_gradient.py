"""Gradients of the small networks are those of a plain loop over layers and steps."""

from functools import partial

import jax
import numpy as np
import pytest

from initjax import init
from initjax.activations import resolve
from sweeps import schemes, vanishing_gradient
from sweeps.data.moons import Points, moons
from sweeps.harness.cost import Capacity
from sweeps.harness.plan import calls_of, units_of
from sweeps.moons import gradients_rows, training
from sweeps.moons.gradients import gradient_norms, signals
from sweeps.moons.gradients_rows import first_rows, training_rows
from sweeps.moons.gradients_settings import price
from sweeps.moons.gradients_starts import networks
from sweeps.training.loop import log_spaced
from sweeps.training.networks import Dense, Network, initialize, stack
from sweeps.vanishing_gradient import PRESETS, SCHEMA, Config, cells, cost, program

STARTS = (("normal(0.01)", 1.0), ("xavier_normal(gain)", 0.0))
STEPS, RATE = 30, 0.8


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


SIGMOID = (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z)))
RELU = (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float))


def _cells(part, activation, seeds, rate=0.0):
    return [
        {"part": part, "activation": activation, "scheme": scheme, "bias": bias}
        | {"rate": rate, "seed": seed}
        for seed in range(seeds)
        for scheme, bias in STARTS
    ]


def _layers(network):
    """Kernels and biases in float64, one pair per layer."""
    found = [network.entry, *map(Dense._make, zip(*network.hidden, strict=True))]
    return [
        (np.array(w, np.float64), np.array(b, np.float64)) for w, b in [*found, network[2]]
    ]


def _backward(layers, points, function, slope):
    """Outputs, ∂(loss of one point)/∂z and gradients of each layer, and the loss."""
    hs, zs = [np.array(points.inputs, np.float64)], []
    for kernel, bias in layers:
        zs.append(hs[-1] @ kernel + bias)
        hs.append(function(zs[-1]))
    chance = _sigmoid(zs[-1][:, 0])
    delta = (chance - points.labels)[:, None]
    deltas, gradients = [], []
    for at in reversed(range(len(layers))):
        if at < len(layers) - 1:
            delta = delta @ layers[at + 1][0].T * slope(zs[at])
        deltas.insert(0, delta)
        gradients.insert(0, (hs[at].T @ delta / len(delta), delta.mean(0)))
    right = np.where(points.labels > 0.5, chance, 1 - chance)
    return [*hs[1:-1], zs[-1]], deltas, gradients, -np.log(right).mean()


def _log10_norms(gradients, part):
    with np.errstate(divide="ignore"):
        return np.log10([np.sqrt((gradient[part] ** 2).sum()) for gradient in gradients])


@pytest.fixture(scope="module")
def first():
    return SCHEMA.conform(first_rows(_cells("first", "sigmoid", 3), 6))


@pytest.fixture(scope="module")
def trained():
    rows = training_rows(
        _cells("training", "sigmoid", 2, RATE), np.array([0, 1, 10, STEPS], np.int32), 4
    )
    return SCHEMA.conform(rows)


@pytest.mark.parametrize("start", STARTS)
def test_signals_of_the_first_step_are_those_of_a_plain_loop(first, start):
    """To the three decimals of the table, from 0.3 down to 1e-11."""
    scheme, bias = start
    for seed in range(3):
        network = initialize(
            jax.random.key(seed),
            schemes.build(scheme, "sigmoid"),
            init.constant(bias),
            **{"depth": 4, "width": 3, "fan_in": 2, "classes": 1},
        )
        up, deltas, gradients, _ = _backward(_layers(network), moons(seed).train, *SIGMOID)
        expected = {
            "act_log10_rms": [np.log10((h**2).mean()) / 2 for h in up],
            "act_log10_spread": [np.log10(h.var(0).mean()) / 2 for h in up],
            "delta_log10_rms": [np.log10((d**2).mean()) / 2 for d in deltas],
            "weight_grad_log10_norm": _log10_norms(gradients, 0),
            "bias_grad_log10_norm": _log10_norms(gradients, 1),
        }
        rows = first[(first["scheme"] == scheme) & (first["seed"] == seed)]
        for column, values in expected.items():
            np.testing.assert_allclose(rows[column], values, atol=6e-4, rtol=0)


def _plainly(layers, points, rate):
    """Losses, gradients and the share of points that are right, before each step."""
    found = []
    for _ in range(STEPS + 1):
        up, _, gradients, loss = _backward(layers, points, *SIGMOID)
        right = ((up[-1][:, 0] > 0) == (points.labels > 0.5)).mean()
        found.append((loss, gradients, right))
        layers = [
            (w - rate * dw, b - rate * db)
            for (w, b), (dw, db) in zip(layers, gradients, strict=True)
        ]
    return found


@pytest.mark.parametrize("number", [0, 1])
def test_trained_as_a_plain_loop_does(trained, number):
    """One network at a time, in float64; with another rate the losses differ by more."""
    cell = _cells("training", "sigmoid", 2, RATE)[2 + number]
    seen = trained[(trained["seed"] == 1) & (trained["scheme"] == cell["scheme"])]
    layers, points = _layers(networks([cell])[0]), moons(1).train
    plain, other = (_plainly(layers, points, rate) for rate in (RATE, 0.9 * RATE))
    assert max(abs(a[0] - b[0]) for a, b in zip(plain, other, strict=True)) > 1e-3
    for step, rows in seen.groupby("step"):
        loss, gradients, right = plain[step]
        assert rows["loss"].iloc[0] == pytest.approx(loss, abs=1e-4)
        norms = np.stack([_log10_norms(gradients, part) for part in (0, 1)], 1)
        measured = rows[["weight_grad_log10_norm", "bias_grad_log10_norm"]].to_numpy()
        # What is left of a sum that cancels is rounding; so are logits of such networks.
        sure = norms > (-6 if step else -20)
        np.testing.assert_allclose(measured[sure], norms[sure], atol=5e-3)
        if cell["scheme"] != "normal(0.01)" or step == 0:
            assert rows["accuracy"].iloc[0] == pytest.approx(right, abs=2.1e-3)


def test_float32_of_training_starts_at_the_first_step(first, trained):
    """At step 0 both parts measure the same networks, in two precisions."""
    start = trained[trained["step"] == 0]
    same = first[first["seed"] < 2]
    for column in ("weight_grad_log10_norm", "bias_grad_log10_norm"):
        np.testing.assert_allclose(start[column], same[column], atol=2e-3, rtol=0)


def test_norms_stand_below_the_squares_of_float32():
    """Weights of 1e-7 leave 1e-32 of a gradient, of which float32 has no square."""
    points = Points(*(part[:50] for part in moons(0).train))
    cell = {"scheme": "normal(1e-07)", "activation": "relu", "bias": 1.0, "seed": 4}
    (network,) = networks([cell])
    norms = jax.jit(partial(gradient_norms, activation=resolve("relu").function))
    found = norms(network, points)
    gradients = _backward(_layers(network), points, *RELU)[2]
    for part in (0, 1):
        expected = _log10_norms(gradients, part)
        assert expected[0] < -25
        np.testing.assert_allclose(found[part], expected, atol=1e-4)
    dead = jax.tree.map(np.zeros_like, network)
    found = jax.jit(gradient_norms, static_argnums=2)(
        dead, points, resolve("relu").function
    )
    assert (np.asarray(found)[:, :4] == -np.inf).all(), "exact zeros"


def test_a_network_of_one_hidden_layer_has_two():
    network = initialize(
        jax.random.key(0),
        init.normal(),
        init.zeros(),
        depth=1,
        width=3,
        fan_in=2,
        classes=1,
    )
    points = moons(0).train
    found = jax.jit(partial(signals, activation=resolve("relu").function))(network, points)
    assert [part.shape for part in found] == [(2,)] * 5
    gradients = _backward(_layers(network), points, *RELU)[2]
    np.testing.assert_allclose(found.weight_grad, _log10_norms(gradients, 0), atol=1e-4)


def test_draws_are_those_of_each_scheme():
    """One draw scaled is what the scheme itself draws from the same key."""
    for cell in _cells("first", "relu", 1):
        drawn = initialize(
            jax.random.key(0),
            schemes.build(cell["scheme"], "relu"),
            init.constant(cell["bias"]),
            **{"depth": 4, "width": 3, "fan_in": 2, "classes": 1},
        )
        (scaled,) = networks([cell])
        assert isinstance(scaled, Network)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), scaled, drawn
        )


def test_other_networks_compile_nothing_and_change_nothing(first, trained, compilations):
    others = [cell | {"seed": cell["seed"] + 1} for cell in _cells("first", "sigmoid", 3)]
    at = np.array([0, 1, 10, STEPS], np.int32)
    more = [c | {"seed": 1 - c["seed"]} for c in _cells("training", "sigmoid", 2, RATE)]
    networks(others)  # draws, which compile nothing either, but load
    sizes = gradients_rows._first._cache_size(), training._train._cache_size()
    with compilations() as count:
        shifted = SCHEMA.conform(first_rows(others, 6))
        swapped = SCHEMA.conform(training_rows(more, at, 4))
        few = SCHEMA.conform(first_rows(others[:2], 6))
        many = SCHEMA.conform(first_rows(_cells("first", "sigmoid", 4), 6))
        three = SCHEMA.conform(training_rows(more[:3], at, 4))
    assert count.value == 0
    assert sizes == (gradients_rows._first._cache_size(), training._train._cache_size())
    columns = ["weight_grad_log10_norm", "act_log10_spread"]
    np.testing.assert_array_equal(
        shifted[shifted["seed"] == 2][columns], first[first["seed"] == 2][columns]
    )
    np.testing.assert_allclose(swapped["loss"], trained["loss"], atol=1e-4)
    # Calls of other sizes are filled up, and give the rows of their own networks.
    assert (len(few), len(many), len(three)) == (2 * 5, 8 * 5, 3 * 4 * 5)
    of_one = shifted[shifted["seed"] == 1][columns]
    np.testing.assert_array_equal(few[columns], of_one)
    np.testing.assert_array_equal(many[many["seed"] == 1][columns], of_one)
    same = three.merge(swapped, on=["scheme", "seed", "step", "layer"])
    assert len(same) == len(three)
    np.testing.assert_array_equal(same["loss_x"], same["loss_y"])


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    parts = [cell["part"] for cell in found]
    assert parts.count("first") == 5 * 3 * 2 * 500
    assert parts.count("training") == 5 * 2 * 2 * 20
    assert parts.count("slow") == 20
    slow = [cell for cell in found if cell["part"] == "slow"]
    assert {(c["scheme"], c["bias"], c["rate"]) for c in slow} == {("normal(0.01)", 1, 1)}
    records = len(log_spaced(PRESETS["default"].slow_steps, 20))
    assert cost(slow, PRESETS["default"]).rows == 20 * records * 5


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8, 16])
@pytest.mark.parametrize(
    ("config", "programs"),
    [
        (PRESETS["smoke"], 2),
        (PRESETS["default"], 11),
        (Config(activations=("relu",), first_seeds=130, seeds=7, slow=("relu",)), 3),
    ],
)
def test_each_program_is_compiled_once(monkeypatch, config, programs, count):
    """By the plan of the harness, with so many cores, whatever the sizes of its calls."""
    monkeypatch.setattr("initjax.engine.cores.cores", lambda: count)
    units = units_of(vanishing_gradient, config, {})
    capacity = Capacity(1, False, 10**10, cores=count)
    calls = calls_of(vanishing_gradient, config, units, 0, capacity)
    costs = [cost([cell for unit in call for cell in unit.cells], config) for call in calls]
    assert len({program(unit.cells[0]) for unit in units}) == programs
    assert len(frozenset().union(*(one.programs for one in costs))) == programs


@pytest.mark.slow
@pytest.mark.parametrize("part", ["training", "first"])
def test_memory_is_right_within_a_factor_of_two(part):
    """By what XLA says of the programs, which hold nothing else of this size."""
    found = _cells(part, "sigmoid", 2, RATE)
    start, data = stack(networks(found)), stack([moons(c["seed"]) for c in found])
    if part == "training":
        task, at = training.Task("sigmoid", gradients_rows.watch), np.array([0, STEPS])
        lowered = training._train.lower(
            *(start, data, np.full(4, RATE, np.float32)), at=at, task=task, steps=STEPS
        )
    else:
        with jax.enable_x64(True):
            wide = jax.tree.map(lambda a: a.astype(np.float64), (start, data.train))
            lowered = gradients_rows._first.lower(*wide, activation="sigmoid")
    memory = lowered.compile().memory_analysis()
    used = memory.argument_size_in_bytes + memory.temp_size_in_bytes
    told = price(found, {"training": STEPS, "first": 0}, len(found)).memory
    assert used / 2 < told < 2 * used


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activations": ("nobody",)}, "activation 'nobody' is unknown"),
        ({"biases": (float("nan"),)}, "--biases must be finite numbers; got"),
        ({"trained_biases": (1.0,)}, "--trained-biases must be one for each of --trained"),
        ({"trained": (), "trained_biases": ()}, "--trained needs at least one value"),
        ({"rates": (0.0,)}, "--rates must be numbers > 0"),
        ({"steps": 0}, "--steps must be >= 1; got 0"),
        ({"slow_steps": 0}, "--slow-steps must be >= 1; got 0"),
        ({"first_seeds": 0}, "--first-seeds must be >= 1; got 0"),
        ({"schemes": ("normal(",)}, "normal"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
