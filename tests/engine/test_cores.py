"""Seeds that share a CPU: each by itself, whatever else is measured."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init
from initjax.engine import cores, draw_networks, measure_chains
from initjax.engine.cores import by_cores
from tests.engine.networks import batch, seed_keys

SIZES = {"depth": 4, "width": 12, "fan_ins": (7,), "classes": 10}


def _measure(seeds, redraw=False):
    draws = draw_networks(("normal",), seed_keys(5)[seeds], **SIZES, redraw=redraw)
    inputs, labels = batch(5, 3, 7)
    schemes = [init.normal(0.4), init.kaiming_normal()]
    given = (draws, inputs[seeds], labels[seeds])
    return measure_chains(schemes, "tanh", *given, depths=(2, 4))


@pytest.mark.parametrize("redraw", [False, True])
def test_a_seed_is_measured_alike_in_any_company(redraw):
    all_of_them = _measure(slice(0, 5), redraw)
    assert all_of_them.forward.cosine.shape == (5, 4, 2)
    for seeds in (slice(0, 1), slice(3, 5)):
        for some, every in zip(
            jax.tree.leaves(_measure(seeds, redraw)),
            jax.tree.leaves(all_of_them),
            strict=True,
        ):
            np.testing.assert_array_equal(some, every[seeds])
    assert len(np.unique(all_of_them.forward.cosine[:, 3, 0])) == 5, "seeds differ"


def test_rows_are_looked_at_not_copied():
    weights = jnp.arange(6 * 4096.0).reshape(6, 4096)
    some = cores._rows(weights, slice(2, 4))
    offset = some.unsafe_buffer_pointer() - weights.unsafe_buffer_pointer()
    assert offset == 2 * 4096 * 4
    np.testing.assert_array_equal(some, np.arange(2 * 4096.0, 4 * 4096).reshape(2, 4096))


def test_order_is_kept_and_compiled_once(compilations, monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: 3)
    double = jax.jit(lambda a: jnp.sin(a) * 2)
    values = jnp.arange(7.0 * 3).reshape(7, 3)
    with compilations() as count:
        got = by_cores(double, values)
    assert count.value == 1
    np.testing.assert_allclose(got, 2 * np.sin(np.arange(21.0)).reshape(7, 3), rtol=1e-6)


def test_an_error_in_a_thread_is_raised():
    def start(a):
        if float(a[0]) == 3:
            raise ValueError("seed three")
        return a

    with pytest.raises(ValueError, match="seed three"):
        by_cores(start, jnp.arange(5.0))


def test_threads_have_the_callers_precision():
    """1 + 2⁻⁴⁰ is 1 in float32."""
    with jax.enable_x64(True):
        got = by_cores(lambda a: jnp.zeros(1) + a, np.full(4, 1 + 2.0**-40))
    assert (got != 1).all()


def test_threads_have_the_callers_device():
    seen = []
    other = jax.local_devices()[3]
    with jax.default_device(other):
        by_cores(lambda a: seen.append((jnp.zeros(1) + a).devices()) or a, np.arange(4.0))
    assert seen == [{other}] * 4


def test_keys_are_cut_without_a_program_for_each(compilations):
    keys = jax.random.split(jax.random.key(0), 40)
    by_cores(lambda key: jax.random.key_data(key), keys[:3])
    with compilations() as count:
        got = by_cores(lambda key: jax.random.key_data(key), keys[:40])
    assert count.value <= 3  # of the test's own slice
    np.testing.assert_array_equal(got, jax.random.key_data(keys))


def test_an_accelerator_takes_all_seeds_at_once(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    sizes = []
    by_cores(lambda a: sizes.append(len(a)) or a, np.arange(4.0))
    assert sizes == [4]
