"""Rows of the sweep are what a plain loop finds, and units that are alike stay alike."""

import jax
import numpy as np
import pytest

from analysis.symmetry_courses import rounding
from analysis.symmetry_saddle import growth
from sweeps.data.moons import moons
from sweeps.moons import training
from sweeps.moons.symmetry import TASK, price, recorded
from sweeps.moons.symmetry_names import starts
from sweeps.moons.symmetry_starts import network
from sweeps.moons.symmetry_units import difference
from sweeps.symmetry_breaking import PRESETS, SCHEMA, Config, cells, cost, measure, program
from sweeps.training.networks import stack

STEPS = 60
STARTS = ("zeros", "constant(0.5)", "identical_rows", "random_readout", "zero_readout")
TINY = Config(
    starts=(*STARTS, "normal(1)"),
    steps=STEPS,
    longer=(),
    long_steps=STEPS,
    per_decade=4,
    seeds=1,
)


def _measured(wanted):
    return SCHEMA.conform(measure(wanted, TINY))


def _many(seed=0):
    return [{**cell, "seed": seed} for cell in cells(TINY) if cell["width"] > 1]


@pytest.fixture(scope="module")
def table():
    return _measured(_many())


@pytest.fixture(scope="module")
def first(table):
    return table[table["step"] == 0].set_index("start")


def _plainly(start, rate, seed=0):
    """Loss, accuracies and first layer of a network by hand in float64, step by step."""
    net, data = network(start, seed, 5), moons(seed)
    w, b, a, c = (np.float64(part) for part in (*net.entry, *net.readout))
    x, y = np.float64(data.train.inputs), np.float64(data.train.labels)[:, None]
    seen = []
    for _ in range(STEPS + 1):
        h = 1 / (1 + np.exp(-(x @ w + b)))
        p = 1 / (1 + np.exp(-(h @ a + c)))
        error = (p - y) / len(y)
        delta = error @ a.T * h * (1 - h)
        norm = np.sqrt(((x.T @ delta) ** 2).sum() + (delta.sum(0) ** 2).sum())
        loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
        seen.append((loss, norm, ((p > 0.5) == (y > 0.5)).mean(), w, b))
        w, b = w - rate * x.T @ delta, b - rate * delta.sum(0)
        a, c = a - rate * h.T @ error, c - rate * error.sum(0)
    return seen


@pytest.mark.parametrize("start", ["normal(1)", "identical_rows", "random_readout"])
def test_rows_are_those_of_a_plain_loop(table, start):
    """To what the table keeps of them; a rate 5 % off is told apart."""
    rows = table[table["start"] == start].set_index("step")
    assert rows.index.tolist() == recorded(STEPS, 4).tolist()
    plain = _plainly(start, 0.2)
    for step, row in rows.iterrows():
        loss, norm, accuracy, w, b = plain[step]
        assert row["loss"] == pytest.approx(loss, rel=6e-5)
        assert row["entry_grad_log10_norm"] == pytest.approx(np.log10(norm), abs=2e-4)
        assert row["accuracy"] == pytest.approx(accuracy, abs=1.6 / 640), "one may be on ½"
        units = np.vstack([w, b]).T
        pairs = [np.linalg.norm(u - v) for u in units for v in units]
        apart = max(pairs) / np.linalg.norm(units, axis=1).max()
        if start != "identical_rows" and step:
            assert row["log10_distance"] == pytest.approx(np.log10(apart), abs=2e-4)
    wrong = _plainly(start, 0.21)[STEPS][0]
    assert abs(rows.loc[STEPS, "loss"] - wrong) > 10 * 6e-5 * wrong


def test_points_to_develop_with_and_to_test_on_are_not_those_to_train_on(first):
    """Before training, by hand."""
    net, data = network("normal(1)", 0, 5), moons(0)

    def outputs(inputs):
        h = 1 / (1 + np.exp(-(inputs @ net.entry.kernel + net.entry.bias)))
        return (h @ net.readout.kernel + net.readout.bias)[:, 0]

    for name, points in (("dev_accuracy", data.dev), ("test_accuracy", data.test)):
        right = ((outputs(points.inputs) > 0) == (points.labels > 0.5)).mean()
        assert first.loc["normal(1)", name] == pytest.approx(right, abs=1e-4)
    z, y = outputs(data.dev.inputs), data.dev.labels
    loss = (np.log1p(np.exp(z)) - y * z).mean()
    assert first.loc["normal(1)", "dev_loss"] == pytest.approx(loss, abs=1e-4)
    share = data.train.labels.mean(dtype=float)
    assert first["positive_share"].to_numpy() == pytest.approx(share, abs=1e-6)


def test_no_gradient_reaches_the_first_layer_through_a_readout_of_zeros(first):
    gradient = first["entry_grad_log10_norm"]
    assert set(gradient.index[gradient == -np.inf]) == {"zeros", "zero_readout"}


def test_units_that_are_alike_stay_alike(table):
    """As far as float32 may part them; with readouts of their own they part for good.

    From zeros there is nothing but rounding here, as the classes of seed 0 are equal.
    """
    zeros = table[table["start"] == "zeros"]
    assert (zeros["positive_share"] == 0.5).all()
    assert (zeros["entry_grad_log10_norm"] < -8).all()
    alike = table[table["start"].isin(["constant(0.5)", "identical_rows"])]
    apart = 10 ** alike["log10_distance"].astype(float)
    assert (apart <= rounding(alike["step"], growth(0.2))).all()
    assert (apart[alike["step"] == 0] == 0).all()
    rows = table[table["start"] == "random_readout"].set_index("step")
    assert rows.loc[0, "log10_distance"] == -np.inf
    assert rows.loc[0, "rank"] == 1
    after = rows.loc[1:]
    assert (10 ** after["log10_distance"] > 100 * rounding(after.index)).all()
    assert (after["rank"] == 2).all()


def test_when_a_network_leaves_the_plateau(table):
    """The first of all steps that begins below 0.6, records or not."""
    losses = [seen[0] for seen in _plainly("normal(1)", 0.2)]
    expected = next(step for step, loss in enumerate(losses) if loss < 0.6)
    assert expected not in recorded(STEPS, 4)
    found = table.groupby("start")["escape_step"].unique()
    assert found["normal(1)"].tolist() == [expected]
    assert found["zeros"].tolist() == [-1]


def test_starts():
    made = {start: network(start, 3, 5) for start in (*STARTS, "normal(1)", "normal(0.01)")}
    for start in ("identical_rows", "random_readout", "zeros"):
        kernel = made[start].entry.kernel
        np.testing.assert_array_equal(kernel, np.repeat(kernel[:, :1], 5, 1))
    normal = made["normal(1)"]
    assert len(np.unique(normal.entry.kernel)) == 10
    np.testing.assert_array_equal(made["zero_readout"].entry.kernel, normal.entry.kernel)
    np.testing.assert_array_equal(
        made["random_readout"].readout.kernel, normal.readout.kernel
    )
    np.testing.assert_array_equal(
        made["identical_rows"].entry.kernel[:, 0], normal.entry.kernel[:, 0]
    )
    assert len(np.unique(made["identical_rows"].readout.kernel)) == 1
    assert not made["zero_readout"].readout.kernel.any()
    small = made["normal(0.01)"]
    np.testing.assert_allclose(small.entry.kernel, normal.entry.kernel / 100, rtol=1e-6)
    assert (made["constant(0.5)"].entry.kernel == 0.5).all()
    assert (made["constant(0.5)"].readout.kernel == 0.5).all()
    for net in made.values():
        assert not net.entry.bias.any() | net.readout.bias.any()


def test_differences_of_units():
    """Units (3, 0; 4), (3, 0; 0), (0, 0; 0): 5 is the largest distance and length."""
    kernel, bias = np.array([[3.0, 3, 0], [0, 0, 0]]), np.array([4.0, 0, 0])
    found = difference(
        np.stack([kernel, 1e-30 * kernel, 0 * kernel]), bias * [[1], [0], [0]]
    )
    np.testing.assert_allclose(found.log10_distance, [0, 0, -np.inf], atol=1e-12)
    assert found.rank.tolist() == [1, 1, 0]
    assert found.log10_singular_2.tolist() == [-np.inf] * 3
    root = np.log10(18) / 2
    np.testing.assert_allclose(found.log10_singular_1, [root, root - 30, -np.inf])
    for size, rank in ((1e-5, 2), (1e-7, 1)):
        nearly = difference(np.array([[1.0, 1, 1], [0, size, 0]]), np.zeros(3))
        assert nearly.rank == rank
        # det(WWᵀ) = 3 size² - size² is the product of the squares.
        product = nearly.log10_singular_1 + nearly.log10_singular_2
        assert product == pytest.approx(np.log10(2 * size**2) / 2, abs=1e-6)
    alone = difference(np.ones((2, 1)), np.zeros(1))
    assert alone.log10_distance == alone.log10_singular_2 == -np.inf


def test_a_network_does_not_depend_on_the_others_and_none_is_compiled(table):
    """Networks of two seeds, six as before: only of one of them the same."""
    before = training._train._cache_size()
    mixed = _measured([*_many(1)[:3], *_many()[3:]])
    assert training._train._cache_size() == before
    mine = mixed[mixed["seed"] == 0].set_index(["start", "step"])
    same = table.set_index(["start", "step"]).loc[mine.index]
    for name in ("loss", "entry_grad_log10_norm", "log10_singular_1"):
        np.testing.assert_allclose(mine[name], same[name], rtol=1e-4, atol=1e-4)


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    assert len(found) == (11 + 1) * 20
    assert {program(cell) for cell in found} == {(5, 10_000), (5, 60_000), (1, 60_000)}
    assert {c["start"] for c in found if c["steps"] == 60_000 and c["width"] == 5} == {
        *("identical_rows", "xavier_normal", "normal(0.01)")
    }
    assert set(recorded(10_000, 8)) < set(recorded(60_000, 8)), "compared at equal steps"


def test_rows_and_memory_are_as_forecast(table):
    wanted = _many()
    said = cost(wanted, TINY)
    assert said.rows == len(table)
    assert len(said.programs) == 1
    networks = stack([network(c["start"], c["seed"], 5) for c in wanted])
    data = stack([moons(0)] * len(wanted))
    at, rates = recorded(STEPS, 4), np.full(len(wanted), 0.2, np.float32)
    lowered = jax.jit(training._train, static_argnames=("task", "steps")).lower(
        networks, data, rates, at=at, task=TASK, steps=STEPS
    )
    found = lowered.compile().memory_analysis()
    used = (
        found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes
    )
    assert used / 2 < price(wanted, per_decade=4).memory < 2 * used


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"starts": ()}, "--starts needs at least one value"),
        ({"starts": ("nobody",)}, "scheme 'nobody' is unknown"),
        ({"starts": ("normal(-1)",)}, r"a scheme; got 'normal\(-1\)': "),
        (
            {"starts": ("identical_row",)},
            r"--starts must be constant\(c\), identical_rows, random_readout, zero_readout "
            "or a scheme; got 'identical_row'",
        ),
        ({"starts": ("constant(nan)",)}, "--starts: constant needs a finite number"),
        ({"longer": ("orthogonal",)}, "--longer must be of --starts"),
        ({"width": 1}, "--width must be >= 2; got 1"),
        ({"rate": 0.0}, "--rate must be"),
        ({"long_steps": 59}, "--long-steps must be >= 60; got 59"),
        ({"per_decade": 0}, "--per-decade must be >= 1; got 0"),
        ({"seeds": 0}, "--seeds must be >= 1; got 0"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**{**vars(TINY), **settings}))


def test_one_spelling_of_a_start():
    assert starts(["constant(.5)", "constant(0.5)", "normal(1e0)"]) == (
        *("constant(0.5)", "normal(1)"),
    )
