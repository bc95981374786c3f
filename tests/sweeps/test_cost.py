"""What a call is said to cost is what it costs."""

import jax
import pytest

from sweeps import networks_cost
from sweeps.harness.grid import product
from sweeps.networks import columns, cost
from tests.engine.programs import jitted, lowered, megabytes

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    chosen = jax.local_devices()[:1]
    monkeypatch.setattr(jax, "local_devices", lambda: chosen)


def _cells(**axes):
    several = {"inputs": ["gaussian"], "activation": ["relu"], "seed": [0], **axes}
    return product(**several)


def _compiled():
    return sum(function._cache_size() for function in jitted().values())


def test_programs_and_rows_are_those_of_a_run():
    """One draw, three sizes of input, and another set of depths for one activation."""
    cells = [
        cell
        for cell in _cells(
            inputs=["gaussian", "mnist", "digits"],
            activation=["relu", "tanh"],
            scheme=["he_normal", "normal(1)"],
            width=[11],
            depth=[1, 3],
            batch=[3],
            seed=[0, 1],
        )
        if (cell["activation"], cell["depth"]) != ("tanh", 3)
    ]
    expected, before = cost(cells, 2), _compiled()
    seen = columns(cells, 2)
    assert _compiled() - before == len(expected.programs) == 6
    assert len(seen["layer"]) == expected.rows

    others = [{**cell, "seed": cell["seed"] + 7} for cell in cells]
    assert cost(others, 2).programs == expected.programs
    columns(others, 2)
    assert _compiled() - before == 6


@pytest.mark.parametrize(
    "change",
    [
        {"width": [12]},
        {"depth": [1, 2]},
        {"batch": [4]},
        {"seed": [0]},
        {"scheme": ["he_normal"]},
        {"activation": ["relu", "gelu"]},
        {"inputs": ["mnist"]},
    ],
)
def test_other_shapes_are_other_programs(change):
    axes = {"scheme": ["he_normal", "orthogonal"], "width": [11], "depth": [1, 3]}
    axes |= {"batch": [3], "seed": [0, 1]}
    assert (
        cost(_cells(**axes), 2).programs != cost(_cells(**{**axes, **change}), 2).programs
    )


DEEP_AND_WIDE = {"width": [256], "depth": [5, 20], "batch": [4]}
MANY_INPUTS = {"width": [48], "depth": [5, 20], "batch": [64]}


@pytest.mark.parametrize(("axes", "seeds"), [(DEEP_AND_WIDE, 1), (MANY_INPUTS, 2)])
def test_memory_is_right_within_a_factor_of_two(monkeypatch, axes, seeds):
    """Where the weights are most of it, and where the activations are."""
    schemes = ["normal(1)", "kaiming_normal(fan_in)", "orthogonal"]
    cells = _cells(scheme=schemes, seed=range(seeds), **axes)
    programs = lowered(monkeypatch, lambda: columns(cells, 24))
    # A program of the engine measures one seed of a call.
    measured = seeds * megabytes(programs["_run_chains"])
    compiled = max(megabytes(programs["_draw_networks"]), measured)
    draws = jax.tree.leaves(programs["_draw_networks"].out_info)
    weights = sum(draw.size * 4 / 1e6 for draw in draws) / compiled
    assert weights > 0.6 if axes is DEEP_AND_WIDE else weights < 0.2
    assert compiled / 2 < cost(cells, 24).memory / 1e6 < 2 * compiled


def test_weights_that_do_not_fit_are_redrawn(monkeypatch):
    """More than half of what is free for one seed; more seeds change nothing."""
    axes = {"scheme": ["he_normal"], "width": [100], "depth": [41], "batch": [4]}
    half = 4 * 100 * (100 + 40 * 100 + 10)
    for seeds in (1, 3):
        cells, costs = _cells(**axes, seed=range(seeds)), []
        for free, redraw in ((2 * half, False), (2 * half - 1, True)):
            monkeypatch.setattr(networks_cost, "available", lambda free=free: free)
            programs = lowered(monkeypatch, lambda cells=cells: columns(cells, 24))
            hidden = programs["_draw_networks"].out_info.hidden["truncated_normal"]
            assert hidden.shape == (seeds, 40, *(() if redraw else (100, 100)))
            costs.append(cost(cells, 24))
        assert costs[0].programs != costs[1].programs
        assert costs[1].memory < costs[0].memory / 3


def test_a_cost_is_computed_without_arrays(compilations):
    cells = _cells(scheme=["he_normal"], width=[10_000], depth=[1000], batch=[16])
    before = len(jax.live_arrays())
    with compilations() as count:
        assert cost(cells, 24).memory > 4e8
    assert count.value == 0
    assert len(jax.live_arrays()) == before


def test_seeds_cost_alike():
    axes = {"scheme": ["he_normal"], "width": [20], "depth": [3], "batch": [2]}
    one, five = (cost(_cells(**axes, seed=range(n)), 24) for n in (1, 5))
    assert five.memory == 5 * one.memory
    assert five.rows == 5 * one.rows
