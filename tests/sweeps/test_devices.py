"""Networks of several seeds, on any number of devices, and each seed alone."""

import jax
import numpy as np
import pytest

from sweeps.harness.grid import group, product
from sweeps.networks import columns

CELLS = product(
    inputs=["gaussian"],
    activation=["tanh"],
    scheme=["he_normal", "orthogonal(gain)"],
    width=[8],
    depth=[1, 4],
    batch=[3],
    seed=[5, 0, 9],
)


def _columns(monkeypatch, cells, devices):
    with monkeypatch.context() as patch:
        chosen = jax.local_devices()[:devices]
        patch.setattr(jax, "local_devices", lambda: chosen)
        return columns(cells, 3)


def _assert_equal(left, right):
    assert left.keys() == right.keys()
    for name in left:
        if left[name].dtype.kind == "f":
            np.testing.assert_allclose(left[name], right[name], rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(left[name], right[name])


@pytest.fixture(scope="module")
def together():
    with pytest.MonkeyPatch.context() as patch:
        return _columns(patch, CELLS, 1)


@pytest.mark.parametrize("devices", [2, 8])
def test_three_seeds_on_several_devices(monkeypatch, together, devices):
    """Two shares of two, one of them filled up, or three of one."""
    _assert_equal(together, _columns(monkeypatch, CELLS, devices))


def test_three_seeds_one_by_one(monkeypatch, together):
    alone = [
        _columns(monkeypatch, cells, 8) for cells in group(CELLS, lambda cell: cell["seed"])
    ]
    joined = {name: np.concatenate([one[name] for one in alone]) for name in together}
    order = (
        np.argsort(together["seed"], kind="stable"),
        np.argsort(joined["seed"], kind="stable"),
    )
    left, right = (
        {name: column[rows] for name, column in table.items()}
        for table, rows in zip((together, joined), order, strict=True)
    )
    _assert_equal(left, right)


def test_rows_of_another_seed_would_be_found(together):
    rms = [together["act_log10_rms"][together["seed"] == seed] for seed in (5, 0, 9)]
    for left, right in zip(rms, rms[1:] + rms[:1], strict=True):
        assert not np.isclose(left, right, rtol=1e-5, atol=1e-5).any()
