"""One, two or eight devices: the same networks, and no word between the devices."""

import re
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from initjax import init
from initjax.engine import (
    draw_networks,
    from_linen,
    measure_blocks,
    measure_chains,
    spread,
)
from tests.engine.networks import batch, seed_keys
from tests.engine.programs import lowered

SEEDS, WIDTH, FAN_IN, DEPTHS = 8, 12, 7, (1, 4)
SCHEMES = [init.orthogonal(1.1), init.kaiming_normal()]
COLLECTIVES = ("all-gather", "all-reduce", "all-to-all", "collective", "reduce-scatter")


def _on(devices, tree):
    """Spread over some devices; as it is for one."""
    return tree if devices == 1 else spread(tree, jax.local_devices()[:devices])


def _measure(keys, inputs, labels, redraw=False):
    draws = draw_networks(
        ("normal", "orthogonal"),
        keys,
        depth=DEPTHS[-1],
        width=WIDTH,
        fan_ins=(FAN_IN,),
        classes=10,
        redraw=redraw,
    )
    return measure_chains(SCHEMES, "tanh", draws, inputs, labels, depths=DEPTHS)


@pytest.fixture(scope="module")
def alone():
    return _measure(seed_keys(SEEDS), *batch(SEEDS, 5, FAN_IN))


def _assert_equal(left, right):
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("devices", "redraw"), [(2, False), (1, True), (8, True)])
def test_any_devices_and_redrawn_weights_give_the_same(alone, devices, redraw):
    keys, (inputs, labels) = seed_keys(SEEDS), batch(SEEDS, 5, FAN_IN)
    spread_out = _measure(*_on(devices, (keys, inputs, labels)), redraw=redraw)
    _assert_equal(alone, spread_out)


def test_other_seeds_on_the_same_devices_do_not_compile(compilations):
    inputs, labels = batch(SEEDS, 5, FAN_IN)
    keys = seed_keys(2 * SEEDS)
    some, others = (_on(2, (k, inputs, labels)) for k in (keys[:SEEDS], keys[SEEDS:]))
    _measure(*some)
    with compilations() as count:
        _measure(*others)
    assert count.value == 0


def test_seeds_in_another_order_would_be_found(alone):
    for shift in range(1, SEEDS):
        rolled = jax.tree.map(lambda a, n=shift: np.roll(a, n, axis=0), alone)
        with pytest.raises(AssertionError):
            _assert_equal(alone, rolled)


def test_devices_run_their_own_programs_and_never_wait(monkeypatch):
    """What is placed decides; inputs that are not placed follow."""
    keys = _on(2, seed_keys(2))
    inputs, labels = jax.device_put(batch(2, 3, FAN_IN), jax.local_devices()[3])
    programs = lowered(monkeypatch, lambda: _measure(keys, inputs, labels), run=True)
    assert len(programs) == 3
    for name, program in programs.items():
        text = program.compile().as_text()
        assert "num_partitions=2" in text, name
        assert not [word for word in COLLECTIVES if word in text], name


def test_a_collective_would_be_found():
    keys = _on(2, jnp.ones((2, 3)))
    text = jax.jit(lambda a: a - a.mean(0)).lower(keys).compile().as_text()
    assert [word for word in COLLECTIVES if word in text]


def _measure_blocks(kernel_init, keys, inputs, labels):
    kernels = {"use_bias": False, "kernel_init": kernel_init}
    dense = [from_linen(nn.Dense(n, **kernels)) for n in (WIDTH, 10)]
    return measure_blocks(*dense, "tanh", keys, inputs, labels, depths=[4])


def _factored(key, shape, dtype):
    square = jax.random.normal(key, (max(shape), max(shape)), dtype)
    return jnp.linalg.qr(square)[0][: shape[0], : shape[1]]


def _factorizations(monkeypatch, measure):
    """Shapes that LAPACK factorizes in the programs of a measurement."""
    programs = lowered(monkeypatch, lambda: measure(seed_keys(3), *batch(3, 5, FAN_IN)))
    text = "".join(program.as_text() for program in programs.values())
    return re.findall(r"@lapack_sgeqrf.*: \(tensor<(\w+)xf32>", text)


@pytest.mark.parametrize(
    "measure",
    [_measure, partial(_measure, redraw=True), partial(_measure_blocks, init.orthogonal())],
    ids=["stored", "redrawn", "blocks"],
)
def test_orthogonal_draws_need_no_factorization(monkeypatch, measure):
    assert _factorizations(monkeypatch, measure) == []


def test_no_batch_of_qr_waits_for_threads(monkeypatch):
    """On CPU with jax < 0.12, batches that run at once wait for each other forever."""
    factored = _factorizations(monkeypatch, partial(_measure_blocks, _factored))
    assert f"{WIDTH}x{WIDTH}" in factored
    assert {shape.count("x") for shape in factored} == {1}


def test_blocks_are_spread_too():
    inputs, labels = batch(2, 5, FAN_IN)
    dense = [from_linen(nn.Dense(n, use_bias=False)) for n in (WIDTH, 10)]
    one, two = (
        measure_blocks(*dense, "relu", _on(n, seed_keys(2)), inputs, labels, depths=[3])
        for n in (1, 2)
    )
    _assert_equal(one, two)
    assert not np.allclose(*one.forward.act_log10_rms, rtol=1e-5, atol=1e-5)


def test_another_number_of_seeds_is_refused():
    with pytest.raises(ValueError, match="3 seeds do not make equal shares on 2 devices"):
        _on(2, seed_keys(3))


def test_other_placements_are_refused():
    devices = np.array(jax.local_devices())
    copies = jax.device_put(
        seed_keys(2), NamedSharding(Mesh(devices[:2], ("seed",)), PartitionSpec())
    )
    other_axis = jax.device_put(
        seed_keys(2), NamedSharding(Mesh(devices[:2], ("data",)), PartitionSpec("data"))
    )
    for keys in (copies, other_axis):
        with pytest.raises(ValueError, match="not by seeds"):
            _measure(keys, *batch(2, 3, FAN_IN))
    with pytest.raises(ValueError, match="different devices"):
        measure_blocks(
            *[from_linen(nn.Dense(n)) for n in (WIDTH, 10)],
            "relu",
            _on(2, seed_keys(2)),
            *spread(batch(2, 5, FAN_IN), devices[2:4]),
            depths=[2],
        )
