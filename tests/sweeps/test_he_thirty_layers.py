"""Rows of the loss curves are what the networks of their cells went through."""

import numpy as np
import pytest

from sweeps.he_thirty_layers import PRESETS, SCHEMA, Config, cells, cost, measure, program
from sweeps.training.settings import LAST

TINY = Config(
    schemes=("xavier_normal", "kaiming_normal(fan_in)"),
    depths=(3,),
    widths=(16,),
    rates=(0.02,),
    steps=55,
    every=10,
    seeds=1,
)


@pytest.fixture(scope="module")
def table():
    return SCHEMA.conform(measure(cells(TINY), TINY))


def test_rows_are_means_of_their_steps(table):
    """Of single steps, recorded by another run of the same networks."""
    single = Config(**{**vars(TINY), "every": 1})
    each = SCHEMA.conform(measure(cells(single), single))
    assert len(each) == 2 * 55
    for scheme in TINY.schemes:
        steps = each[each["scheme"] == scheme].set_index("step")["loss"]
        rows = table[table["scheme"] == scheme].set_index("step")
        assert rows.index.tolist() == [10, 20, 30, 40, 50, 55]
        for end, start in zip(rows.index, (0, 10, 20, 30, 40, 50), strict=True):
            mean = steps.loc[start + 1 : end].mean()
            assert rows.loc[end, "loss"] == pytest.approx(mean, rel=1e-4)
        assert rows["last_loss"].nunique() == 1
        last = steps.iloc[-LAST:].mean()
        assert rows["last_loss"].iloc[0] == pytest.approx(last, rel=1e-4)


def test_schemes_start_apart_and_learn(table):
    rows = table.set_index(["scheme", "step"])["loss"].unstack()
    assert rows[10].nunique() == 2
    assert (rows[55] < rows[10] - 0.2).all()
    assert table["accuracy"].between(0.15, 1).all()


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    assert len(found) == 2 * 2 * 2 * 8
    assert {program(cell) for cell in found} == {(128, 22), (128, 30)}
    priced = cost([cell for cell in found if cell["depth"] == 30], PRESETS["default"])
    assert priced.rows == 32 * 60
    assert len(priced.programs) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"depths": (1,)}, "--depths must be >= 2; got 1"),
        ({"rates": (0.0,)}, "--rates must be numbers > 0"),
        ({"every": 601}, "--every must be <= 600; got 601"),
        ({"schemes": ("nobody",)}, "scheme 'nobody' is unknown"),
        ({"momentum": 1.5}, "--momentum must be from 0 to below 1"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))


def test_a_network_is_the_same_whatever_else_is_measured(table):
    """Another rate and seed beside it: on a CPU each network runs alone."""
    more = Config(**{**vars(TINY), "rates": (0.01, 0.02), "seeds": 2})
    wanted = [c for c in cells(more) if c["seed"] == 0 and c["rate"] == 0.02]
    others = [c for c in cells(more) if c not in wanted][:2]
    found = SCHEMA.conform(measure(others + wanted, more))
    mine = found[(found["seed"] == 0) & (found["rate"] == np.float32(0.02))]
    np.testing.assert_array_equal(
        mine.sort_values(["scheme", "step"])["loss"],
        table.sort_values(["scheme", "step"])["loss"],
    )
