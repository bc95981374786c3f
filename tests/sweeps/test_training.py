"""Many networks trained at once are those that a plain loop trains one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from initjax import init
from sweeps import axes, data
from sweeps.training import settings, sgd
from sweeps.training.networks import Network, initialize
from sweeps.training.sgd import Rule, minibatches, train

FEATURES, CLASSES, IMAGES, STEPS = 6, 3, 20, 40
RATES = (0.05, 0.02)
RULE = Rule("tanh", 0.9)


def _networks():
    sizes = {"depth": 3, "width": 8, "fan_in": FEATURES, "classes": CLASSES}
    biases = init.normal(0.3)
    return [
        initialize(jax.random.key(seed), init.kaiming_normal(), biases, **sizes)
        for seed in (0, 1)
    ]


@pytest.fixture(scope="module")
def problem():
    random = np.random.default_rng(0)
    images = random.standard_normal((IMAGES, FEATURES)).astype(np.float32)
    labels = (images[:, :CLASSES].argmax(1)).astype(np.int32)
    orders = [minibatches(seed, steps=STEPS, batch=5, images=IMAGES) for seed in (0, 1)]
    return images, labels, orders


@pytest.fixture(scope="module")
def trained(problem):
    images, labels, orders = problem
    return train(_networks(), RATES, orders, images, labels, RULE)


def _plainly(network, rate, order, images, labels, momentum):
    """Losses and accuracy of one network, layer by layer and step by step."""
    layers = [tuple(network.entry)]
    layers += list(zip(*network.hidden, strict=True))
    layers += [tuple(network.readout)]

    def outputs(layers, h):
        for kernel, bias in layers[:-1]:
            h = jnp.tanh(h @ kernel + bias)
        return h @ layers[-1][0] + layers[-1][1]

    def loss(layers, images, labels):
        chances = jax.nn.log_softmax(outputs(layers, images))
        return -chances[jnp.arange(len(labels)), labels].mean()

    slope = jax.jit(jax.value_and_grad(loss))
    optimizer = optax.sgd(rate, momentum)
    memory, losses = optimizer.init(layers), []
    for chosen in order:
        value, gradient = slope(layers, images[chosen], labels[chosen])
        change, memory = optimizer.update(gradient, memory)
        layers = optax.apply_updates(layers, change)
        losses.append(float(value))
    return np.array(losses), float((outputs(layers, images).argmax(1) == labels).mean())


@pytest.mark.parametrize("number", [0, 1])
def test_trained_as_a_plain_loop_does(problem, trained, number):
    """To float32 rounding; with another momentum the losses differ by far more."""
    images, labels, orders = problem
    start = _networks()[number], RATES[number], orders[number], images, labels
    losses, accuracy = _plainly(*start, momentum=0.9)
    np.testing.assert_allclose(trained.losses[number], losses, rtol=1e-4, atol=1e-6)
    assert trained.accuracy[number] == pytest.approx(accuracy)
    if number == 0:
        others, _ = _plainly(*start, momentum=0.8)
        assert abs(others - losses).max() > 0.01


def test_they_learn(trained):
    assert (trained.accuracy > 0.9).all()
    assert (trained.losses[:, -4:].mean(1) < trained.losses[:, :4].mean(1) / 3).all()


def test_a_network_does_not_depend_on_the_others(problem, trained):
    images, labels, orders = problem
    alone = train(_networks()[1:], RATES[1:], orders[1:], images, labels, RULE)
    np.testing.assert_array_equal(alone.losses[0], trained.losses[1])
    np.testing.assert_array_equal(alone.accuracy[0], trained.accuracy[1])


def test_networks_of_one_shape_are_one_compilation(problem, trained):
    images, labels, orders = problem
    before = sgd._train._cache_size()
    train(_networks() * 3, [0.1] * 6, orders * 3, images, labels, RULE)
    assert sgd._train._cache_size() == before


def test_a_network_that_leaves_float32_calls_all_a_0(problem):
    images, labels, orders = problem
    broken, whole = _networks()
    broken.hidden.bias[0, 0] = np.nan
    lost = train([broken, whole], RATES, orders, images, labels, RULE)
    assert np.isnan(lost.losses[0]).all()
    assert lost.accuracy[0] == pytest.approx((labels == 0).mean())
    assert np.isfinite(lost.losses[1]).all()


def test_first_layers_are_those_of_deeper_networks():
    sizes = {"width": 5, "fan_in": 4, "classes": 2}
    shallow, deep = (
        initialize(jax.random.key(3), init.normal(1.0), init.normal(1.0), depth=d, **sizes)
        for d in (2, 4)
    )
    for part in ("entry", "readout"):
        jax.tree.map(
            np.testing.assert_array_equal, *(getattr(n, part) for n in (shallow, deep))
        )
    np.testing.assert_array_equal(shallow.hidden.kernel, deep.hidden.kernel[:1])
    drawn = [leaf.ravel() for leaf in jax.tree.leaves(deep)]
    assert len(np.unique(np.concatenate(drawn))) == sum(map(len, drawn)), "all different"


def test_weights_have_the_variance_of_their_law():
    """Each mean square within six standard errors of its law, √(2/entries)."""
    kernel = init.variance_scaling(1.7, "fan_in", "normal")
    network = initialize(jax.random.key(0), kernel, init.normal(0.3), depth=9, width=64)
    expected = Network(*((v, 0.09) for v in (1.7 / data.MNIST_PIXELS, 1.7 / 64, 1.7 / 64)))
    for layer, law in zip(network, expected, strict=True):
        for drawn, variance in zip(layer, law, strict=True):
            ratio = (drawn.astype(float) ** 2).mean() / variance
            assert abs(ratio - 1) < 6 * np.sqrt(2 / drawn.size)
    hidden = network.hidden.kernel.size
    assert 6 * np.sqrt(2 / hidden) < 1.05**2 - 1, "a gain 5 % off would be found"


def test_every_epoch_is_a_new_order_without_repetitions():
    order = minibatches(0, steps=7, batch=3, images=10)
    assert order.shape == (7, 3)
    assert order.dtype == np.int32
    epochs = order[:6].reshape(2, 9)
    assert all(len(np.unique(epoch)) == 9 for epoch in epochs)
    assert (epochs[0] != epochs[1]).any()
    np.testing.assert_array_equal(order, minibatches(0, steps=7, batch=3, images=10))
    assert (order != minibatches(1, steps=7, batch=3, images=10)).any()
    full = minibatches(0, steps=3, batch=10, images=10)
    np.testing.assert_array_equal(np.sort(full), np.tile(np.arange(10), (3, 1)))


@pytest.mark.parametrize("values", [(), (0.1, 0.0), (float("nan"),), (float("inf"),)])
def test_rates_that_make_no_sense(values):
    with pytest.raises(ValueError, match="--rates must be numbers > 0"):
        axes.positive("rates", values)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((5001, 100, 0.9), "--batch must be <= 5000; got 5001"),
        ((64, 49, 0.9), "--steps must be >= 50; got 49"),
        ((64, 100, 1.0), "--momentum must be from 0 to below 1; got 1.0"),
    ],
)
def test_steps_that_make_no_sense(given, words):
    with pytest.raises(ValueError, match=words):
        settings.check_steps(*given)


def test_memory_is_right_within_a_factor_of_two():
    """Of one network, by what XLA says of the compiled program."""
    width, depth, batch = 64, 6, 16
    network = initialize(
        jax.random.key(0), init.kaiming_normal(), init.zeros(), depth=depth, width=width
    )
    images, labels = data.mnist()
    stacked = jax.tree.map(lambda leaf: leaf[None], network)
    order = np.zeros((1, 50, batch), np.int32)
    lowered = sgd._train.lower(
        stacked, np.ones(1, np.float32), order, images=images, labels=labels, rule=RULE
    )
    found = lowered.compile().memory_analysis()
    used = found.argument_size_in_bytes + found.temp_size_in_bytes
    cells = [{"width": width, "depth": depth}]
    assert used / 2 < settings.cost(cells, batch=batch, steps=50, rows=1).memory < 2 * used
