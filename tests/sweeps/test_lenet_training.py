"""Many deep LeNets trained at once are those that a plain loop trains one by one."""

import jax
import numpy as np
import pytest

from sweeps.data.mnist import Split
from sweeps.lenet import training
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.each import by_modules
from sweeps.lenet.networks import logits
from sweeps.lenet.optimizers import Hyperparameters, Optimizer, build
from sweeps.lenet.signals import cross_entropy, present
from sweeps.lenet.starts import initialize
from sweeps.lenet.training import Task, train
from sweeps.training.sgd import minibatches

STEPS, BATCH, STACK = 5, 4, 4
ARCHITECTURE = Architecture("relu", shortcut=True, batch_norm=True)
MODULES = (2, 3, 2)
NUMBERS = (
    Hyperparameters(0.05, 0.5, 1e-3),
    Hyperparameters(0.02, 0.9, 1e-8),
    Hyperparameters(0.01, 0.0, 1e-16),
)
TASKS = {
    "sgd": Task(ARCHITECTURE, Optimizer("sgd", (("clip_by_norm", 0.7),))),
    "adam": Task(ARCHITECTURE, Optimizer("adam", (("floor", 1e-3),))),
}


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    images = random.standard_normal((16, 784)).astype(np.float32)
    labels = np.arange(16, dtype=np.int32) % 10
    return Split((images[:12], labels[:12]), (images[12:], labels[12:]), "made up")


def _network(number, modules, room=STACK):
    key = jax.random.key(number)
    return initialize(key, "kaiming_normal", ARCHITECTURE, modules=modules, stack=room)


def _networks(modules=MODULES):
    return [
        initialize(
            jax.random.key(n), "kaiming_normal", ARCHITECTURE, modules=m, stack=STACK
        )
        for n, m in enumerate(modules)
    ]


def _orders(count=3):
    return [minibatches(n, steps=STEPS, batch=BATCH, images=12) for n in range(count)]


@pytest.fixture(scope="module", params=TASKS)
def trained(request, data):
    found = train(
        _networks(), MODULES, NUMBERS, _orders(), data, TASKS[request.param], [0, STEPS]
    )
    return request.param, found


@jax.jit
def _slope(network, images, labels):
    """Loss and outputs, and gradient, of networks of two modules."""

    def loss(network):
        outputs = logits(network, images, 2, ARCHITECTURE)
        return cross_entropy(outputs, labels), outputs

    return jax.value_and_grad(loss, has_aux=True)(network)


def _changed(kind, numbers, gradient, memory, step):
    """Changes of the parameters by the formulas, in float64."""
    rate, momentum, epsilon = numbers
    if kind == "sgd":
        norm = np.sqrt(sum((g**2).sum() for g in gradient))
        gradient = [g * min(1, 0.7 / norm) for g in gradient]
        velocity = memory or [0.0] * len(gradient)
        velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
        return [-rate * v for v in velocity], velocity
    gradient = [np.sign(g) * np.maximum(abs(g), 1e-3) for g in gradient]
    first, second = memory or ([0.0] * len(gradient), [0.0] * len(gradient))
    first = [0.9 * m + 0.1 * g for m, g in zip(first, gradient, strict=True)]
    second = [0.999 * v + 0.001 * g**2 for v, g in zip(second, gradient, strict=True)]
    changes = [
        -rate
        * (m / (1 - 0.9 ** (step + 1)))
        / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + epsilon)
        for m, v in zip(first, second, strict=True)
    ]
    return changes, (first, second)


@pytest.mark.parametrize("number", [0, 2])
def test_trained_as_a_plain_loop_does(data, trained, number):
    """Its steps by the formulas, and with room for no more than its two modules."""
    kind, course = trained
    network = _network(number, 2, room=2)
    now, shape = jax.tree.flatten(jax.tree.map(np.float64, network))
    losses, memory = [], None
    for step, chosen in enumerate(_orders()[number]):
        narrow = shape.unflatten([a.astype(np.float32) for a in now])
        (value, _), gradient = _slope(narrow, data.train[0][chosen], data.train[1][chosen])
        losses.append(float(value))
        gradient = [np.asarray(g, np.float64) for g in jax.tree.leaves(gradient)]
        changes, memory = _changed(kind, NUMBERS[number], gradient, memory, step)
        now = [a + change for a, change in zip(now, changes, strict=True)]
    np.testing.assert_allclose(course.losses[number], losses, rtol=2e-3)
    assert np.ptp(losses) > 0.1, "they move, so that a wrong step would be seen"
    narrow = shape.unflatten([a.astype(np.float32) for a in now])
    (value, outputs), _ = _slope(narrow, *data.test)  # as many images as a minibatch
    last = jax.tree.map(lambda a: a[number, -1], course.records)
    assert last.loss == pytest.approx(float(value), rel=2e-2)
    assert last.accuracy == pytest.approx((outputs.argmax(1) == data.test[1]).mean())


def test_records_are_of_their_step(trained):
    """The first one is of the weights before training, the last one of those after it."""
    _, course = trained
    starts = _networks()
    for number, modules in enumerate(MODULES):
        there = np.asarray(present(modules, STACK))
        weights = course.records.signals.weight[number]
        for record, network in ((0, starts[number]), (1, _row(course.last, number))):
            norms = np.linalg.norm(
                network.modules.kernel[:modules].reshape(2 * modules, -1), axis=1
            )
            found = weights[record, 2 : 2 + 2 * modules]
            np.testing.assert_allclose(found, np.log10(norms), atol=1e-4)
        for part in course.records.signals:
            assert np.isnan(part[number][:, ~there]).all()
            assert np.isfinite(part[number][:, there]).all()
        assert not course.last.modules.kernel[number, modules:].any(), "they stay 0"


def _row(tree, number):
    return jax.tree.map(lambda a: a[number], tree)


def test_a_network_does_not_depend_on_the_others(data, trained):
    kind, course = trained
    alone = train(
        _networks()[1:2],
        MODULES[1:2],
        NUMBERS[1:2],
        _orders()[1:2],
        data,
        TASKS[kind],
        [0, STEPS],
    )
    np.testing.assert_array_equal(alone.losses[0], course.losses[1])


def test_depths_and_numbers_are_data_of_one_program(data, trained):
    kind, _ = trained
    before = training._train._cache_size()
    modules = (2, 3, 4, 0)
    numbers = [Hyperparameters(0.1 * n, 0.1, 1e-5) for n in range(4)]
    more = train(
        _networks(modules), modules, numbers, _orders(4), data, TASKS[kind], [1, STEPS]
    )
    assert training._train._cache_size() == before
    assert np.ptp(more.losses[0]) > 0
    assert np.isfinite(more.losses).all()


def test_an_accelerator_gets_equal_depths_in_one_call(monkeypatch):
    monkeypatch.setattr(
        "initjax.engine.cores.seeds_in_program", lambda arrays: len(arrays[0])
    )
    calls = []

    def program(depth, numbers):
        calls.append((int(depth), len(numbers)))
        return 10 * depth + numbers

    depths = np.array([3, 0, 3, 7, 0, 3])
    found = by_modules(program, depths, np.arange(6))
    np.testing.assert_array_equal(found, 10 * depths + np.arange(6))
    assert calls == [(0, 2), (3, 3), (7, 1)]


@pytest.mark.slow
def test_networks_of_one_depth_trained_together(data, monkeypatch):
    """Two networks of two modules by one call, the third one by another."""
    task = TASKS["sgd"]
    setting = MODULES, NUMBERS, _orders(), data, task, [0, STEPS]
    apart = train(_networks(), *setting)
    monkeypatch.setattr(
        "initjax.engine.cores.seeds_in_program", lambda arrays: len(arrays[0])
    )
    together = train(_networks(), *setting)
    np.testing.assert_allclose(together.losses, apart.losses, rtol=1e-3)
    np.testing.assert_allclose(
        together.records.signals.delta, apart.records.signals.delta, atol=1e-2
    )


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (Optimizer("rmsprop"), "kind must be one of sgd, adam; got 'rmsprop'"),
        (Optimizer("sgd", (("clip", 1.0),)), "transforms must be some of clip_by_norm"),
        (Optimizer("adam", (("floor", -1.0),)), "must be a number > 0"),
    ],
)
def test_optimizers_that_make_no_sense(optimizer, words):
    with pytest.raises(ValueError, match=words):
        build(optimizer, Hyperparameters(0.1))
