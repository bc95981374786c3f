"""Small networks on two moons: the data, the loss, and many trained at once."""

import jax
import numpy as np
import pytest

from initjax import init
from initjax.activations import resolve
from sweeps.data.moons import NOISE, moons
from sweeps.moons import training
from sweeps.moons.training import Task, accuracy, loss, train_on_moons
from sweeps.training.networks import initialize

RATES = (0.2, 0.5, 0.1)
AT = (0, 1, 20)


def _network(seed, depth=1):
    kernel, bias = init.normal(1.0), init.normal(0.5)
    sizes = {"depth": depth, "width": 5, "fan_in": 2, "classes": 1}
    return initialize(jax.random.key(seed), kernel, bias, **sizes)


def _watch(network, data, activation):
    return {
        "entry": network.entry.kernel,
        "dev": loss(network, data.dev, activation),
        "right": accuracy(network, data.test, activation),
    }


TASK = Task("sigmoid", _watch)


@pytest.fixture(scope="module")
def trained():
    return train_on_moons([_network(s) for s in (0, 1, 2)], (0, 1, 2), RATES, TASK, AT)


def _plain_loss(parameters, points):
    """In float64, from the formula - Σ [y ln p + (1-y) ln(1-p)] / points."""
    (w1, b1), (w2, b2) = parameters
    hidden = 1 / (1 + np.exp(-(points.inputs @ w1 + b1)))
    p = 1 / (1 + np.exp(-(hidden @ w2 + b2)[:, 0]))
    y = points.labels
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), hidden, p


def _plain_step(parameters, points, rate):
    """Backpropagation by hand."""
    _, hidden, p = _plain_loss(parameters, points)
    (w1, b1), (w2, b2) = parameters
    delta = (p - points.labels)[:, None] / len(p)
    back = (delta @ w2.T) * hidden * (1 - hidden)
    inputs = points.inputs.astype(float)
    return (
        (w1 - rate * inputs.T @ back, b1 - rate * back.sum(0)),
        (w2 - rate * hidden.T @ delta, b2 - rate * delta.sum(0)),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_trained_as_a_plain_loop_in_float64_does(trained, seed):
    """20 steps, to float32 rounding; the points of another seed give other losses."""
    network, data = _network(seed), moons(seed)
    start = [(np.float64(d.kernel), np.float64(d.bias)) for d in (network[0], network[2])]
    losses, now = [], start
    for _ in range(20):
        losses.append(_plain_loss(now, data.train)[0])
        now = _plain_step(now, data.train, RATES[seed])
    np.testing.assert_allclose(trained.losses[seed], losses, rtol=1e-5)
    np.testing.assert_allclose(trained.last.entry.kernel[seed], now[0][0], rtol=1e-4)
    np.testing.assert_array_equal(
        trained.records["entry"][seed][0], start[0][0].astype(np.float32)
    )
    dev, _, p = _plain_loss(now, data.dev)
    assert trained.records["dev"][seed][-1] == pytest.approx(dev, rel=1e-5)
    p = _plain_loss(now, data.test)[2]
    right = ((p > 0.5) == data.test.labels).mean()
    assert trained.records["right"][seed][-1] == pytest.approx(right)
    elsewhere = _plain_loss(start, moons(seed + 7).train)[0]
    assert abs(elsewhere / losses[0] - 1) > 1e-3


def test_a_network_does_not_depend_on_the_others(trained):
    """An uneven number of them fills the cores with copies, which are left out."""
    alone = train_on_moons([_network(1)], [1], RATES[1:2], TASK, AT)
    np.testing.assert_allclose(alone.losses[0], trained.losses[1], rtol=1e-6)
    assert len(trained.losses) == 3


def test_an_accelerator_gets_all_at_once(trained, monkeypatch):
    """As on a CPU, but by one program, where the shares do not come one by one."""
    monkeypatch.setattr(
        "initjax.engine.cores.seeds_in_program", lambda arrays: len(arrays[0])
    )
    networks = [_network(s) for s in (0, 1, 2)]
    together = train_on_moons(networks, (0, 1, 2), RATES, TASK, AT)
    np.testing.assert_allclose(together.losses, trained.losses, rtol=1e-5)
    np.testing.assert_allclose(
        together.last.entry.kernel, trained.last.entry.kernel, rtol=1e-4
    )


def test_one_compilation_for_all_rates_seeds_and_steps_of_records(trained):
    before = training._train._cache_size()
    train_on_moons([_network(s) for s in (3, 4, 5)], (6, 7, 8), [0.1] * 3, TASK, (0, 9, 20))
    assert training._train._cache_size() == before
    assert before >= 1


def test_more_layers_are_the_same_function():
    network = _network(0, depth=3)
    points, tanh = moons(0).dev, resolve("tanh").function
    h = np.tanh(points.inputs @ network.entry.kernel + network.entry.bias)
    for kernel, bias in zip(*network.hidden, strict=True):
        h = np.tanh(h @ kernel + bias)
    logit = (h @ network.readout.kernel + network.readout.bias)[:, 0]
    y = points.labels
    expected = np.mean(np.log1p(np.exp(-np.where(y == 1, logit, -logit))))
    assert float(loss(network, points, tanh)) == pytest.approx(expected, rel=1e-5)
    assert float(accuracy(network, points, tanh)) == pytest.approx(
        ((logit > 0) == y).mean()
    )


def test_moons_are_split_and_of_their_seed():
    data, other = moons(3), moons(4)
    assert [part.inputs.shape for part in data] == [(640, 2), (160, 2), (200, 2)]
    points = np.concatenate([part.inputs for part in data])
    labels = np.concatenate([part.labels for part in data])
    assert points.dtype == labels.dtype == np.float32
    assert labels.mean() == 0.5
    assert len(np.unique(points, axis=0)) == 1000, "no point in two parts"
    assert not np.array_equal(data.train.inputs, other.train.inputs)
    np.testing.assert_array_equal(data.dev.inputs, moons(3).dev.inputs)
    # Distance from its own circle is the noise: std within six standard errors.
    centre = np.where(labels[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    radius = np.hypot(*(points - centre).T)
    error = NOISE / np.sqrt(2 * 1000)
    assert abs((radius - 1).std() - NOISE) < 6 * error + NOISE**3
