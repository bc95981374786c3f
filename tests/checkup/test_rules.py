"""Each rule on traces made by hand: what it finds, and what looks like it but is not."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.checkup.case import Case
from initjax.checkup.rules import RULES
from initjax.probes.sites import Site
from initjax.probes.trace import SITE_COLUMNS
from tests.checkup.made_traces import ROWS, chain, finished

FLAT = np.zeros((8, 6))


def findings(trace, ahead=None):
    return [f for rule in RULES for f in rule(Case(trace, ahead or trace))]


def titles(trace, ahead=None):
    return [finding.title for finding in findings(trace, ahead)]


def stream(growth, back, *, width=64):
    """Sums of a trunk with log10 rms [seed, sum]; each branch is one dense layer."""
    seeds, blocks = np.shape(growth)
    common = ((ROWS, width), "float32")
    sites = [Site("stem", "dense", 1, (), *common, ("stem/kernel",), width)]
    rows = {name: [np.zeros(seeds)] for name in SITE_COLUMNS}
    for block in range(blocks):
        before, layer = len(sites) - 1, len(sites)
        path = f"blocks_{block}/out"
        weights = ((f"{path}/kernel",), width)
        sites.append(Site(path, "dense", block + 2, (before,), *common, *weights))
        ends = {"skip": (before,), "branch": (layer,)}
        add = Site(f"{path}/add", "residual", block + 2, (before, layer), *common, **ends)
        sites.append(add)
        for name, listed in rows.items():
            one = np.full(seeds, 0.3 if name == "cosine" else 0.0)
            known = {"log10_rms": growth, "back_log10_norm": back}.get(name)
            listed += [one, one if known is None else np.asarray(known)[:, block]]
    return finished(sites, {name: np.stack(v, 1) for name, v in rows.items()})


def grown(decades, layers=24, seeds=8):
    noise = np.random.default_rng(0).normal(0, 0.02, (seeds, layers))
    return np.asarray(decades) + noise


@pytest.mark.parametrize("blocks", [12, 24, 96])
def test_a_stream_behind_normalization_may_grow_like_its_depth(blocks):
    depth = np.arange(1, blocks + 1)
    power = np.log10(depth) / 2
    assert titles(stream(grown(power, blocks), grown(-power, blocks))) == []


def test_a_stream_from_a_small_embedding_jumps_once():
    """GPT-2: an embedding of 0.02, branches of 0.3."""
    decades = np.log10(0.02**2 + 0.3**2 * np.arange(24)) / 2
    assert titles(stream(grown(decades), grown(-decades))) == []


@pytest.mark.parametrize(("blocks", "ill"), [(24, True), (6, False)])
def test_a_stream_that_doubles_a_block_blows_up(blocks, ill):
    double = np.arange(blocks) * np.log10(2) / 2
    found = findings(stream(grown(double, blocks), grown(-double, blocks)))
    expected = ["residual_blowup forward", "exploding backward"]
    assert [f.title for f in found] == (expected if ill else [])
    for finding in found:
        call = finding.remedy.call
        assert call.startswith(f"recipes.gpt2(params, blocks={blocks // 2}, ")
        assert call.endswith(r'residual=r"blocks_\d+/out/kernel")')


def test_dead_units_by_chance_and_by_bias():
    """Inputs that are all alike leave every unit off or on with probability ½."""
    chance = np.random.default_rng(0).binomial(64, 0.5, (8, 6)) / 64
    assert titles(chain(FLAT, FLAT, dead_fraction=chance, cosine=FLAT + 0.999)) == []
    found = findings(chain(FLAT, FLAT, dead_fraction=FLAT + 0.8))
    assert [f.title for f in found] == ["dead backward"]
    # Of N inputs whose cosine is ½ two by two, all are negative with 1/(N + 1).
    assert found[0].expected == pytest.approx(1 / (ROWS + 1), rel=1e-6)
    assert found[0].numbers["dead_fraction"] == pytest.approx(0.8)
    assert found[0].remedy.call == "init.kaiming_normal()"


def test_one_dead_layer_on_the_trunk_of_one_network_is_enough():
    one = FLAT.copy()
    one[3, 4] = 1.0
    assert titles(chain(FLAT, FLAT, width=4, dead_fraction=one)) == ["dead backward"]


def test_steps_and_branches_of_zeros_are_not_dead():
    all_dead = {"dead_fraction": FLAT + 1.0}
    steps = {"name": "sign", "function": jnp.sign}
    assert titles(chain(FLAT, FLAT, **steps, **all_dead)) == []
    assert "dead backward" not in titles(chain(FLAT - np.inf, FLAT, **all_dead))


@pytest.mark.parametrize(
    ("function", "share", "ill"),
    [
        (jnp.tanh, 0.75, True),
        (jnp.tanh, 0.3, False),
        (jax.nn.relu, 0.75, False),
        (jax.nn.relu6, 0.6, False),
        (jax.nn.relu6, 0.9, True),
    ],
)
def test_saturated_functions_are_flat_on_both_sides(function, share, ill):
    trace = chain(FLAT, FLAT, name="f", function=function, saturated_fraction=FLAT + share)
    assert titles(trace) == (["saturated backward"] if ill else [])


def with_parameters(trace, picked, **columns):
    """The trace with other numbers for parameters whose paths end in ``picked``."""
    values = {name: numbers.copy() for name, numbers in trace.parameter_values.items()}
    at = [i for i, p in enumerate(trace.parameters) if p.path.endswith(picked)]
    for name, number in columns.items():
        values[name][:, at] = number
    return replace(trace, parameter_values=values)


PLAIN = chain(FLAT, FLAT)
ZEROS = {"twin_fraction": 1.0, "grad_log10_norm": -np.inf, "grad_twin_fraction": 1.0}


def test_equal_units_with_equal_gradients_are_symmetric():
    same = {"twin_fraction": 1.0, "grad_twin_fraction": 1.0}
    found = findings(with_parameters(PLAIN, "kernel", **same))
    assert [f.title for f in found] == ["symmetric"]
    assert found[0].layers == tuple(f"layers_{i}/kernel" for i in range(7))


def test_zeros_that_wake_up_are_healthy():
    """A readout of zeros, and what is behind it before the first step."""
    now = with_parameters(PLAIN, "kernel", grad_log10_norm=-np.inf, grad_twin_fraction=1.0)
    now = with_parameters(now, "6/kernel", twin_fraction=1.0, grad_twin_fraction=0.0)
    assert titles(with_parameters(now, "6/kernel", grad_log10_norm=-1.0), PLAIN) == []


def test_zeros_that_never_wake_up_are_symmetric():
    zeros = with_parameters(PLAIN, "kernel", **ZEROS)
    assert titles(zeros) == ["symmetric"]


def test_dead_gradients_are_twins_of_no_twins():
    dead = with_parameters(PLAIN, "kernel", grad_twin_fraction=0.4)
    assert titles(dead) == []


@pytest.mark.parametrize(
    ("distinct", "mean", "ill"),
    [(128, -0.018, True), (128, 0.0, False), (900, -0.018, False), (2, -0.2, False)],
)
def test_precision_needs_few_values_and_a_mean(distinct, mean, ill):
    """7 kernels of 4,096 entries in 8 networks: -1.8 % of σ are 8.6 standard errors."""
    columns = {"mean": mean * 0.1, "log10_std": -1.0, "distinct": distinct}
    found = findings(with_parameters(PLAIN, "kernel", **columns))
    assert [f.title for f in found] == (["precision"] if ill else [])
    if ill:
        entries = 8 * (6 * 64 * 64)
        assert found[0].numbers["z"] == pytest.approx(-0.018 * entries**0.5, rel=0.05)
        call = 'init.variance_scaling(0.64, "fan_in", "normal")'
        assert found[0].remedy.call == call


def test_masked_scores_are_finite_enough():
    masked = np.zeros((8, 6))
    masked[:, 3] = 100
    trace = chain(FLAT, FLAT, inf_count=masked)
    assert titles(trace) == []
    trace.loss[2] = np.nan
    (finding,) = findings(trace)
    assert finding.title == "nonfinite forward" and finding.layers == ("layers_3",)


def test_the_first_nan_is_named_forward_and_the_last_backward():
    nans = np.zeros((8, 6))
    nans[1, 2:] = 5
    assert findings(chain(FLAT, FLAT, nan_count=nans))[0].layers == ("layers_2",)
    found = findings(chain(FLAT, FLAT, back_nonfinite=nans[:, ::-1] > 0))
    assert found[0].title == "nonfinite backward"
    assert found[0].layers == ("layers_3/relu",)
