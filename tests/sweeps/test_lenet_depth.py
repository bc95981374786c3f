"""Rows of lenet_depth against plain computation of one network after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

from sweeps import lenet_depth
from sweeps.data.mnist import mnist_split
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import load
from sweeps.lenet import signals, training
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.networks import logits
from sweeps.lenet.signals import cross_entropy
from sweeps.lenet.slopes import decades, first_lost, last_lost
from sweeps.lenet.starts import initialize
from sweeps.lenet_depth import PRESETS, SCHEMA, Config, cells, cost, measure, program, unit

SMALL = {
    "activations": ("relu",),
    "cures": ("plain",),
    "starts": ("torch",),
    "start_modules": (1, 2),
    "deep_modules": (),
    "start_seeds": 2,
    "profiles": (1,),
    "modules": (0, 2),
    "relu_modules": (1,),
    "clip_modules": (1,),
    "steps": 4,
    "batch": 8,
    "start_batch": 8,
    "seeds": 1,
}
TINY = Config(**SMALL, studies=("clipping",))
"""Networks of ReLU without cures, by SGD: three programs in training."""


def _rows(some, config=TINY):
    return SCHEMA.conform(measure(some, config))


def _one(config=TINY, **settings):
    found = [
        cell for cell in cells(config) if all(cell[k] == v for k, v in settings.items())
    ]
    assert len(found) == 1
    return found[0]


def _images(seed, config=TINY):
    """Minibatches of the first epoch, drawn as every sweep that trains draws them."""
    order = np.random.default_rng(seed).permutation(4000)
    return order[: config.steps * config.batch].reshape(config.steps, config.batch)


def _step(cell):
    """Loss and gradient of one network, compiled by itself."""
    architecture = Architecture(cell["activation"])
    images, labels = map(jnp.asarray, mnist_split().train)

    def loss(network, chosen):
        outputs = logits(network, images[chosen], cell["modules"], architecture)
        return cross_entropy(outputs, labels[chosen])

    network = initialize(
        jax.random.key(cell["seed"]),
        cell["scheme"],
        architecture,
        modules=cell["modules"],
    )
    return network, jax.jit(jax.value_and_grad(loss))


def test_a_trained_network_is_that_of_a_plain_loop():
    """Step by step, with optax's clipping, in a stack without room to spare."""
    cell = _one(modules=1, scheme="torch", transform="clip_by_value")
    (row,) = _rows([cell]).to_dict("records")
    network, step = _step(cell)
    optimizer = optax.chain(optax.clip(cell["threshold"]), optax.sgd(cell["rate"], 0.9))
    memory, losses = optimizer.init(network), []
    for number, chosen in enumerate(_images(cell["seed"])):
        value, gradient = step(network, chosen)
        if number == 0:
            first = np.linalg.norm(gradient.stem[0].kernel)
        losses.append(float(value))
        change, memory = optimizer.update(gradient, memory)
        network = optax.apply_updates(network, change)
    assert row["first_grad"] == pytest.approx(np.log10(first), abs=2e-3)
    assert row["loss"] == pytest.approx(np.mean(losses), rel=1e-3)
    images, labels = mnist_split().test
    outputs = logits(network, images, cell["modules"], Architecture("relu"))
    right = float((outputs.argmax(1) == labels).mean())
    assert row["accuracy"] == pytest.approx(right, abs=2e-3)
    assert row["test_loss"] == pytest.approx(
        float(cross_entropy(outputs, labels)), rel=1e-3
    )
    assert row["best_accuracy"] >= row["accuracy"]
    assert (row["step"], row["layer"], row["diverged"]) == (4, 0, -1)
    other = _rows([_one(modules=1, scheme="torch", transform="none", optimizer="sgd")])
    assert abs(other["loss"][0] - row["loss"]) > 1e-3, "clipping makes a difference"


def test_a_network_that_diverges_says_when():
    cell = _one(modules=1, scheme="torch", transform="none", optimizer="sgd")
    (row,) = _rows([cell | {"rate": 1e6}]).to_dict("records")
    assert row["diverged"] in (1, 2, 3)
    assert not np.isfinite(row["loss"])
    assert row["accuracy"] == pytest.approx(0.1), "all are called a 0"


@pytest.fixture(scope="module")
def starts():
    some = [c for c in cells(TINY) if c["steps"] == 0]
    return some, _rows(some)


def test_starts(starts):
    some, table = starts
    assert set(table["part"]) == {"start", "layers"}
    for cell in some:
        network, step = _step(cell)
        _, gradient = step(network, _images(cell["seed"])[0])
        rows = table[
            (table["part"] == cell["part"])
            & (table["modules"] == cell["modules"])
            & (table["seed"] == cell["seed"])
        ]
        norms = [
            *(np.linalg.norm(layer.kernel) for layer in gradient.stem),
            *np.linalg.norm(
                gradient.modules.kernel[: cell["modules"]].reshape(-1, 6400), axis=1
            ),
            *(np.linalg.norm(layer.kernel) for layer in gradient.head),
        ]
        if cell["part"] == "layers":
            assert rows["layer"].tolist() == list(range(1, 2 * cell["modules"] + 6))
            np.testing.assert_allclose(rows["weight_grad"], np.log10(norms), atol=2e-3)
            continue
        (row,) = rows.to_dict("records")
        assert row["first_grad"] == pytest.approx(np.log10(norms[0]), abs=2e-3)
        assert (row["act_lost"], row["delta_lost"], row["step"]) == (0, 0, 0)
        if cell["modules"] == 2:
            first, second = np.log10(norms[2:6]).reshape(2, 2)
            slope = -(second - first).mean() / 2
            assert row["grad_slope"] == pytest.approx(slope, abs=2e-3)
            assert row["delta_slope"] < 0 < row["first_grad"] + 10, "they vanish"
        else:
            assert np.isnan(row["act_slope"]), "one module has no slope"


def test_slopes_are_between_convolutions_of_one_kind():
    """A level of the second ones of their own is none; what is lost is left out."""
    layers = np.arange(40.0)
    record = np.concatenate([[7, 7], 0.25 * layers + 3 * (layers % 2), [9, 9, 9]])
    assert decades(record, 20) == pytest.approx(0.25)
    lost = record.copy()
    lost[30:] = np.nan
    lost[10] = -np.inf
    assert decades(lost, 20) == pytest.approx(0.25)
    assert (first_lost(lost), last_lost(lost)) == (11, 45)
    assert np.isnan(decades(record[:7], 1))
    assert np.isnan(decades(np.full(45, -np.inf), 20))
    assert first_lost(record) == last_lost(record) == 0


def test_one_compilation_per_program():
    """Whatever seed, depth, rate and ε."""
    config = Config(**SMALL | {"steps": 2, "batch": 2}, studies=("clipping", "epsilon"))
    some = [c for c in cells(config) if c["transform"] == "none"]
    functions = training._train, signals._measure
    for function in functions:  # other tests may have compiled the same
        function.clear_cache()
    groups = {}
    for cell in some:
        groups.setdefault((program(cell), unit(cell)), []).append(cell)
    for same in groups.values():
        measure(same, config)
    made = [function._cache_size() for function in functions]
    programs = {program(cell) for cell in some}
    assert len(groups) > len(programs) == sum(made) == 3
    assert made == [2, 1]


def test_a_network_is_the_same_whatever_else_is_measured(starts):
    some, table = starts
    alone = _rows(some[-2:-1])
    same = table.merge(alone[list(SCHEMA.order)])
    assert len(same) == len(alone)
    pd.testing.assert_frame_equal(same, alone)


def _run(out, config, report=lambda *_: None):
    prepare(Store(out), plain(config), SCHEMA)
    engine = Engine(at_once=1)
    return run("lenet_depth", lenet_depth, config, out, report, engine=engine)


def test_a_run_that_ends_early_is_continued(tmp_path):
    """The error comes after some calls, as a kill would; what is there stays."""
    config = Config(**SMALL | {"steps": 2, "batch": 2}, studies=("map",))
    whole = load(_run(tmp_path / "whole", config).table)
    total, ends = len(cells(config)), []

    def report(done, count):
        assert count == total
        ends.append(done)
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "ended", config, report)
    assert not (tmp_path / "ended" / "table.parquet").exists()
    outcome = _run(tmp_path / "ended", config)
    assert outcome.measured == total - ends[-1] > 0
    pd.testing.assert_frame_equal(load(outcome.table), whole)


def test_cells_of_the_default():
    config = PRESETS["default"]
    found = cells(config)
    order = [c for c in SCHEMA.order if c in found[0]]
    names = [tuple(cell[name] for name in order) for cell in found]
    assert len(set(names)) == len(names), "no network is made twice"
    assert {cell["study"] for cell in found} == {
        *config.studies,
        "ladder",
        "deep",
        "profile",
    }
    assert {cell["part"] for cell in found} == {"start", "train", "layers"}
    assert not [c for c in found if c["scheme"] == "fixup" and c["cure"] != "shortcut"]


def test_what_a_call_costs(starts):
    some, table = starts
    priced = cost(some, TINY)
    assert priced.rows == len(table)
    assert priced.programs == {program(cell) for cell in some}
    more = cost(some + some, TINY)
    assert priced.memory < more.memory < 2 * priced.memory, "images are shared"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activations": ("tanh",)}, "--activations must be of sigmoid, relu; got 'tanh'"),
        ({"cures": ()}, "--cures must be of plain, shortcut, batch_norm, both"),
        ({"studies": ("depth",)}, "--studies must be of map"),
        ({"starts": ("nromal",)}, "--starts: scheme 'nromal' is unknown"),
        ({"starts": ("uniform(-.5,.5)",)}, "--starts must have 'uniform"),
        ({"start_seeds": 0}, "--start-seeds must be >= 1; got 0"),
        ({"modules": (-1,)}, "--modules must be >= 0; got -1"),
        ({"batch": 4001}, "--batch must be <= 4000"),
        ({"rate": 0.0}, "--rate must be numbers > 0"),
        ({"epsilons": (float("nan"),)}, "--epsilons must be numbers > 0"),
        ({"data_dir": "/nowhere"}, "--data-dir /nowhere"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
