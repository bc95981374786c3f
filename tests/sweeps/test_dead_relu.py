"""Dead networks and their gradients against plain, slow computations in float64."""

import jax
import numpy as np
import pytest

from initjax.meanfield import dead_probability
from sweeps import dead_relu
from sweeps.data.moons import moons
from sweeps.dead_relu import HE, SCHEMA, Config, cells, cost, measure, program
from sweeps.harness.grid import group
from sweeps.moons import deaths, deaths_gradients
from sweeps.moons.deaths import Scales, Shape, draw
from sweeps.moons.deaths_gradients import Kind
from sweeps.moons.deaths_theory import (
    escape_steps,
    first_gradients,
    off_at_a_point,
    off_at_all_points,
)

BIASES = (-2.0, -0.5, 0.0, 0.5)
TINY = Config(
    activations=("leaky_relu",),
    starts=6,
    steps=30,
    biases=BIASES,
    widths=(3,),
    depth=4,
    dying_widths=(2,),
    seeds=1,
    networks=20,
)


@pytest.fixture(scope="module")
def grid():
    return cells(TINY)


@pytest.fixture(scope="module")
def table(grid):
    """Every part but the last."""
    parts = group([c for c in grid if c["part"] != "depths"], program)
    return {part[0]["part"]: SCHEMA.conform(measure(part, TINY)) for part in parts}


def _plain_shares(scale, bias, networks):
    """Of one seed, network by network and layer by layer, in float64: [layer, share]."""
    points = moons(0).train.inputs.astype(float)
    shown = np.concatenate([points[:1], -points[:1], points])
    found = []
    for key in jax.random.split(jax.random.key(0), networks):
        network = jax.tree.map(np.float64, draw(key, scale, 0.0, Shape(3, 4)))
        h, dark = shown, np.zeros(3, bool)
        for kernel in [network.entry.kernel, *network.hidden.kernel]:
            h = np.maximum(h @ kernel + bias, 0)
            off = h == 0
            each = off.all(1)
            dark |= [each[0], each[:2].all(), each[2:].all()]
            found.append([off[2:].mean(), off[2:].all(0).mean(), *dark])
    return np.mean(np.reshape(found, (networks, 4, 5)), 0)


def test_shares_are_those_of_plain_networks(table):
    """A unit at a point may fall to the other side of 0 by rounding, no network does."""
    scan = table["scan"]
    he = Scales((2 / 2) ** 0.5, (2 / 3) ** 0.5, 0.0)
    for scheme, scale in ((HE, he), ("normal(0.01)", Scales(0.01, 0.01, 0.0))):
        for bias in BIASES:
            same = scan[(scan["scheme"] == scheme) & np.isclose(scan["bias"], bias)]
            plain = _plain_shares(scale, bias, TINY.networks)[[0, 1, 3]]
            assert same["layer"].tolist() == [1, 2, 4]
            np.testing.assert_allclose(same["off"], plain[:, 0], atol=2e-3)
            names = ["dead_units", "dead_one", "dead_line", "dead_points"]
            np.testing.assert_allclose(same[names], plain[:, 1:], atol=2e-4)


def test_without_biases_the_scale_of_the_weights_is_of_no_account(table):
    scan = table["scan"][table["scan"]["bias"] == 0].set_index(["scheme", "layer"])
    names = ["off", "dead_units", "dead_one", "dead_line", "dead_points"]
    small, he = (scan.loc[scheme, names] for scheme in ("normal(0.01)", HE))
    np.testing.assert_allclose(small, he, atol=2e-3)
    assert (scan["dead_one"] > 0).any()


def test_nobody_dies_of_underflow():
    """Weights of 1e-6 in 12 layers leave float32, and those of 1e6 too."""
    key, points = jax.random.key(0), np.stack([moons(0).train.inputs])
    shares = {}
    for scale in (1e-6, 1.0, 1e6):
        found = deaths.shares(
            key[None],
            points,
            Scales(*np.full((3, 1), scale, np.float32)),
            np.zeros((1, 1), np.float32),
            shape=Shape(3, 12),
            networks=200,
        )
        shares[scale] = np.array(found.dead_one)[0, 0]
    np.testing.assert_allclose(shares[1e-6], shares[1.0], atol=0.006)
    np.testing.assert_allclose(shares[1e6], shares[1.0], atol=0.006)
    exact = dead_probability([3] * 12)
    error = np.sqrt(exact * (1 - exact) / 200)
    assert abs(shares[1.0][-1] - exact) < 5 * error
    assert abs(shares[1.0][-1] - dead_probability([3] * 5)) > 5 * error


@pytest.mark.parametrize("bias", [-3.0, -0.4, 0.0, 0.4])
def test_theory_of_a_unit_is_what_sampling_finds(bias):
    """Five standard errors of 20,000 units; weights 10 % larger fail where they matter."""
    rng, points = np.random.default_rng(0), moons(3).train.inputs
    above = points + np.array([3, 0])  # all on one side of the origin
    for inputs in (points, above):
        z = inputs.astype(float) @ rng.standard_normal((2, 20_000)) + bias
        found = (z <= 0).all(0).mean()
        exact = off_at_all_points(inputs, bias, 1.0)
        assert abs(found - exact) < 5 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-9
        one = off_at_a_point(inputs[:1], bias, 1.0).item()
        assert abs((z[0] <= 0).mean() - one) < 5 * np.sqrt(one * (1 - one) / 20_000)
    if bias == -3:
        wrong = off_at_all_points(points, bias, 1.1)
        exact = off_at_all_points(points, bias, 1.0)
        assert abs(wrong - exact) > 8 * np.sqrt(exact * (1 - exact) / 20_000)


def _plain_layers(network):
    """Kernels and biases of a network in float64, the readout last."""
    network = jax.tree.map(np.float64, network)
    kernels = [network.entry.kernel, *network.hidden.kernel, network.readout.kernel]
    return kernels, [network.entry.bias, *network.hidden.bias, network.readout.bias]


def _plain_backward(kernels, biases, points, slope):
    """∂L/∂W and ∂L/∂b of each layer by backpropagation, slope of φ below 0, and logits."""
    h, passed = points.inputs.astype(float), []
    for number, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        z = h @ kernel + bias
        passed.append((h, z))
        h = z if number == len(kernels) - 1 else np.where(z > 0, z, slope * z)
    delta = (1 / (1 + np.exp(-h[:, 0])) - points.labels)[:, None] / len(h)
    found, logits = [], h[:, 0]
    for kernel, (h, z) in zip(kernels[::-1], passed[::-1], strict=True):
        if found:
            delta = delta * np.where(z > 0, 1, slope)
        found.append((h.T @ delta, delta.sum(0)))
        delta = delta @ kernel.T
    return *zip(*found[::-1], strict=True), logits


def _plain_gradients(network, points, slope):
    """log10 norms of a leaky ReLU network's gradients."""
    *found, _ = _plain_backward(*_plain_layers(network), points, slope)
    return np.log10([[np.linalg.norm(each) for each in kind] for kind in found])


def test_gradients_are_those_of_plain_backpropagation(table):
    """To rounding; with a slope 5 % off they are not."""
    start, kind = table["start"], Kind("leaky_relu", Scales(0.01, 0.01, 0.01), -8.0, None)
    for seed in range(TINY.starts):
        network = draw(jax.random.key(seed), kind.scales, kind.bias, Shape(3, 4))
        points = moons(seed).train
        weights, biases = _plain_gradients(network, points, 0.01)
        same = start[start["seed"] == seed]
        np.testing.assert_allclose(same["weight_grad"], weights, atol=2e-3)
        np.testing.assert_allclose(same["bias_grad"], biases, atol=2e-3)
        wrong, _ = _plain_gradients(network, points, 0.0105)
        assert (abs(same["weight_grad"] - wrong)[:4] > 0.015).all()


def test_expected_gradients_are_means_over_weights():
    """Of 400 networks in float64; a width of 2 for 3 would be seen."""
    kind = Kind("leaky_relu", Scales(0.01, 0.01, 0.01), -8.0, Shape(3, 4))
    points, keys = moons(0).train, jax.random.split(jax.random.key(1), 400)
    drawn = jax.vmap(lambda key: draw(key, kind.scales, kind.bias, kind.shape))(keys)
    drawn = jax.device_get(drawn)
    norms = np.array(
        [
            _plain_gradients(jax.tree.map(lambda a, n=n: a[n], drawn), points, 0.01)
            for n in range(len(keys))
        ]
    )
    theory = first_gradients(kind, points)
    for at, expected in ((0, theory.weights), (1, theory.biases)):
        error = theory.spread / np.sqrt(len(keys)) + 1e-3  # and what is of second order
        assert (abs(norms[:, at].mean(0) - expected) < 5 * error).all()
    np.testing.assert_allclose(norms[:, 1].std(0), theory.spread, rtol=0.2, atol=1e-3)
    narrow = first_gradients(kind._replace(shape=Shape(2, 4)), points)
    off = abs(norms[:, 1].mean(0) - narrow.biases)[:4]
    assert (off > 5 * theory.spread[:4] / np.sqrt(len(keys))).all()


def _settled(points, slope):
    """Kernels and biases of a leaky ReLU network after 300 plain steps at rate 1."""
    scales = Scales(0.01, 0.01, 0.01)
    kernels, biases = _plain_layers(draw(jax.random.key(0), scales, -8.0, Shape(3, 4)))
    for _ in range(300):
        *found, _ = _plain_backward(kernels, biases, points, slope)
        for values, gradients in zip((kernels, biases), found, strict=True):
            for value, gradient in zip(values, gradients, strict=True):
                value -= gradient
    return kernels, biases


def test_no_network_escapes_before_the_theory_says():
    """By steps of a twentieth of the forecast, the mean residual kept at 0.

    Plain backpropagation, of kernels alone: no bias moves where the residual is 0.
    """
    slope, points = 0.01, moons(0).train
    kind = Kind("leaky_relu", Scales(0.01, 0.01, 0.01), -8.0, Shape(3, 4))
    least = escape_steps(kind, points, 1.0)
    assert escape_steps(kind, points, 0.5) == pytest.approx(2 * least)
    kernels, biases = _settled(points, slope)

    def largest():
        return max(np.linalg.norm(kernel, 2) for kernel in kernels[:-1])

    first, steps = largest(), 0.0
    assert first == pytest.approx(0.01 * 2 * 3**0.5, rel=0.5)
    while largest() < 2 * first and steps < 10 * least:
        for _ in range(5):  # Newton's method
            *_, logits = _plain_backward(kernels, biases, points, slope)
            p = 1 / (1 + np.exp(-logits))
            biases[-1] -= (p - points.labels).mean() / (p * (1 - p)).mean()
        assert np.std(logits) < 1e-6
        gradients, *_ = _plain_backward(kernels, biases, points, slope)
        for kernel, gradient in zip(kernels, gradients, strict=True):
            kernel -= least / 20 * gradient
        steps += least / 20
    assert least < steps < 10 * least
    assert escape_steps(kind._replace(activation="relu"), points, 1.0) == np.inf
    with pytest.raises(ValueError, match="depth must be >= 3; got 2"):
        escape_steps(kind._replace(shape=Shape(3, 2)), points, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
def test_ten_thousand_steps_change_nothing(name):
    """What 200 steps of the default preset end with; of the two that escape first."""
    config = Config(activations=(name,), steps=10_000, seeds=2)
    grid = [c for c in cells(config) if c["part"] == "training"]
    table = SCHEMA.conform(measure(grid, config))
    late = table[table["step"] > 150]
    assert late["step"].max() == 10_000
    for seed, rows in late.groupby("seed"):
        p = float(moons(seed).train.labels.mean())
        entropy = -p * np.log(p) - (1 - p) * np.log(1 - p)
        assert rows["loss"].to_numpy() == pytest.approx(entropy, abs=3e-5)
        assert (rows["contrast"] < -5).all(), "a logit of 8 terms, to rounding"


def test_training_starts_where_the_first_part_measures(table):
    training, start = table["training"], table["start"]
    assert training["step"].min() == 0
    assert training["step"].max() == TINY.steps
    zero = training[training["step"] == 0].reset_index()
    first = start[start["seed"] == 0].reset_index()
    for name in ("weight_grad", "bias_grad", "loss", "accuracy"):
        np.testing.assert_allclose(zero[name], first[name], atol=2e-3)
    assert training["loss"].iloc[-1] < 1 < training["loss"].iloc[0]


def test_forecasts_are_what_is_returned(grid, table):
    for part in group(grid, program)[:-1]:
        name = part[0]["part"]
        assert cost(part, TINY).rows == len(table[name])
        assert list(table[name].columns) == SCHEMA.names


def test_other_scales_biases_and_seeds_compile_nothing(grid, table, compilations):
    again = Config(**{**vars(TINY), "biases": (-3.0, -0.1, 0.1, 1.0), "bias": -7.0})
    others = cells(Config(**{**vars(again), "scheme": "normal(0.5)"}))
    sizes = deaths.shares._cache_size(), deaths_gradients._start._cache_size()
    with compilations() as count:
        for part in group([c for c in others if c["part"] != "depths"], program):
            measure(part, again)
    assert count.value == 0
    assert sizes == (deaths.shares._cache_size(), deaths_gradients._start._cache_size())


def test_programs_of_the_default_preset():
    config = dead_relu.PRESETS["default"]
    found = {program(cell) for cell in cells(config)}
    assert len(found) == 2 * len(config.activations) + len(config.widths) + len(
        config.dying_widths
    )


def test_memory_is_right_within_a_factor_of_two(grid):
    """By what XLA says of the compiled program, for the part that holds most."""
    config = dead_relu.PRESETS["default"]
    depths = {"part": "depths", "width": 5, "depth": 4, "bias": 0.0, "seed": 0}
    cell = next(c for c in grid if c["part"] == "depths") | depths
    lowered = deaths.shares.lower(
        jax.random.key(0)[None],
        np.stack([moons(0).train.inputs]),
        Scales(*np.ones((3, 1), np.float32)),
        np.zeros((1, 1), np.float32),
        shape=Shape(5, 4),
        networks=10 * config.networks,
    )
    seen = lowered.compile().memory_analysis()
    used = seen.argument_size_in_bytes + seen.temp_size_in_bytes
    assert used / 2 < cost([cell], config).memory < 2 * used


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seeds": 0}, "--seeds must be >= 1; got 0"),
        ({"starts": 0}, "--starts must be >= 1; got 0"),
        ({"depth": 1}, "--depth must be >= 2; got 1"),
        ({"steps": 0}, "--steps must be >= 1; got 0"),
        ({"rate": 0.0}, "--rate must be numbers > 0"),
        ({"biases": (0.0, float("nan"))}, "--biases must be finite numbers"),
        ({"biases": ()}, "--biases must be finite numbers"),
        ({"schemes": ("xavier_uniform",)}, "--schemes must be of Gaussian weights"),
        ({"scheme": "orthogonal"}, "--scheme must be of Gaussian weights"),
        ({"activations": ("nobody",)}, "nobody"),
    ],
)
def test_bad_settings(changed, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**changed))
