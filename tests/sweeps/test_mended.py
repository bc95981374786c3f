"""Networks of ``sweeps.mended``: checked, mended, and trained as a plain loop does."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sweeps import mended
from sweeps.data import digits
from sweeps.mended import NETWORKS, PRESETS, SCHEMA, STATES, Config, cells, measure
from sweeps.mending import checked, training
from sweeps.mending.images import TRAINED, images
from sweeps.mending.models import MODELS
from sweeps.training.sgd import minibatches

TINY = Config(
    networks=("convolutional",), rates=(0.003, 0.01), batch=8, steps=12, records=5, seeds=2
)


@pytest.fixture(scope="module")
def table():
    return SCHEMA.conform(measure([c for c in cells(TINY) if _of(c, "adam")], TINY))


def _of(cell, optimizer):
    return cell["optimizer"] == optimizer


def test_images_are_the_digits_once_each():
    found, (inputs, labels) = images((64,)), digits()
    assert len(found.train) == TRAINED and len(found.held_out) == 397
    every = np.concatenate([found.train, found.held_out])
    order = np.lexsort(every.T), np.lexsort(inputs.T)
    np.testing.assert_array_equal(every[order[0]], inputs[order[1]])
    drawn = np.concatenate([found.train_labels, found.held_out_labels])
    np.testing.assert_array_equal(np.bincount(drawn), np.bincount(labels))
    assert np.bincount(found.held_out_labels).min() > 20, "of every digit"


def test_trained_as_a_plain_loop_does(table):
    """Of Adam, from the weights of the same seed, to float32 rounding."""
    model, shown = MODELS["convolutional"].module, images((8, 8, 1))
    variables = checked.starts("convolutional", ["before"], [1])
    variables = jax.tree.map(lambda leaf: leaf[0], variables)
    optimizer = optax.adam(0.01)
    memory = optimizer.init(variables)

    def loss(variables, x, y):
        chances = jax.nn.log_softmax(model.apply(variables, x))
        return -chances[jnp.arange(len(y)), y].mean()

    slope = jax.jit(jax.grad(loss))
    losses = [float(loss(variables, shown.held_out, shown.held_out_labels))]
    for chosen in minibatches(1, steps=12, batch=8, images=TRAINED):
        step = slope(variables, shown.train[chosen], shown.train_labels[chosen])
        change, memory = optimizer.update(step, memory, variables)
        variables = optax.apply_updates(variables, change)
        losses.append(float(loss(variables, shown.held_out, shown.held_out_labels)))
    rows = table[(table["seed"] == 1) & (table["state"] == "before")]
    rows = rows[np.isclose(rows["rate"], 0.01)].set_index("step")
    assert list(rows.index) == [0, 1, 2, 5, 12]
    np.testing.assert_allclose(rows["loss"], np.array(losses)[rows.index], rtol=1e-3)
    outputs = np.asarray(model.apply(variables, shown.held_out))
    right = (outputs.argmax(1) == shown.held_out_labels).mean()
    assert rows.loc[12, "accuracy"] == pytest.approx(right, abs=2 / 397)
    other = table[np.isclose(table["rate"], 0.003) & (table["seed"] == 1)]
    other = other[other["state"] == "before"]["loss"].to_numpy()
    assert abs(other - rows["loss"]).max() > 0.01, "another rate is another curve"


def test_a_healthy_network_is_the_same_before_and_after(table):
    assert set(table["verdict"]) == {"healthy"} and set(table["remedy"]) == {""}
    wide = table.set_index(["rate", "seed", "step", "state"])[["loss", "accuracy"]]
    wide = wide.unstack()
    for name in ("loss", "accuracy"):
        np.testing.assert_array_equal(wide[name, "before"], wide[name, "after"])
    assert wide["loss", "before"].groupby(["rate", "step"]).nunique().min() == 2, "seeds"


def test_optimizers_and_seeds_need_one_program_each(table):
    """That of Adam is there already; SGD's is new, and serves every seed."""
    before = training._train._cache_size()
    measure([c for c in cells(TINY) if _of(c, "adam")], TINY)
    assert training._train._cache_size() == before
    sgd = [c for c in cells(TINY) if _of(c, "sgd")]
    measure(sgd, TINY)
    assert training._train._cache_size() == before + 1
    assert {mended.program(c) for c in sgd} == {("convolutional", "sgd")}


def test_momentum_is_that_of_sgd():
    """v ← μ v + g, θ ← θ - η v, by hand."""
    rule = training.Rule("sgd", 0.5)
    at, place, speed = rule.at(jnp.float32(0.1)), jnp.float32(1.0), 0.0
    memory, by_hand = at.init(place), 1.0
    for _ in range(3):
        change, memory = at.update(2 * place, memory)
        place += change
        speed = 0.5 * speed + 2 * by_hand
        by_hand -= 0.1 * speed
        assert float(place) == pytest.approx(by_hand, rel=1e-5)


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    assert len(found) == 3 * 2 * 2 * 20
    assert {mended.program(cell)[0] for cell in found} == set(NETWORKS) == set(MODELS)
    assert {cell["state"] for cell in found} == set(STATES) == set(checked.STATES)
    assert {mended.unit(c) for c in found if c["seed"] == 3 and _of(c, "sgd")} == {
        (name, "sgd", 3) for name in NETWORKS
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"networks": ("resnet",)}, "--networks must be of deep_relu, .* got 'resnet'"),
        ({"optimizers": ()}, "--optimizers must be of sgd, adam; got ''"),
        ({"rates": (0.0,)}, "--rates must be numbers > 0"),
        ({"batch": 1401}, "--batch must be <= 1400; got 1401"),
        ({"records": 2}, "--records must be >= 3; got 2"),
        ({"momentum": 1.0}, "--momentum must be from 0 to below 1; got 1.0"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))


@pytest.mark.parametrize("network", ["deep_relu", "convolutional"])
def test_memory_is_right_within_a_factor_of_two(network):
    """Of one network, by what XLA says of the compiled program."""
    config = Config()
    model = MODELS[network]
    variables = model.module.init(jax.random.key(0), np.zeros((1, *model.shape)))
    lowered = training._train.lower(
        jax.tree.map(lambda leaf: leaf[None], variables),
        np.ones(1, np.float32),
        np.zeros((1, config.steps, config.batch), np.int32),
        at=jnp.arange(15, dtype=jnp.int32),
        shown=images(model.shape),
        network=network,
        rule=training.Rule("sgd", 0.9),
    )
    found = lowered.compile().memory_analysis()
    used = found.argument_size_in_bytes + found.temp_size_in_bytes
    cell = {"network": network, "optimizer": "sgd"}
    priced = mended.cost([cell], config)
    assert used / 2 < priced.memory < 2 * used
    assert priced.rows == 15
