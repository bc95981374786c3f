"""What README says of other libraries, on those that are installed."""

import os
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init
from initjax.gains import calculate_gain, gain

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
SHAPE = (512, 512)
theirs = jax.nn.initializers


def _row(start):
    (found,) = re.findall(rf"^\| {re.escape(start)}.*\|$", README, re.M)
    return [cell.strip() for cell in found.strip("|").split("|")]


def _values(weights):
    return len(np.unique(np.asarray(weights, np.float32)))


def _errors(weights):
    """Mean, in its standard errors."""
    x = np.asarray(weights, np.float64)
    return x.mean() / x.std() * np.sqrt(x.size)


def test_in_bfloat16_ours_are_float32_numbers_rounded_and_jaxs_are_not():
    key = jax.random.key(0)
    ours = init.he_normal()(key, SHAPE, jnp.bfloat16)
    other = theirs.he_normal()(key, SHAPE, jnp.bfloat16)
    _, here, there, _, keras = _row("512² He weights in bfloat16")
    assert f"{_values(ours):,} values" in here
    assert f"{_values(other)} values, the mean {-_errors(other):.1f} standard" in there
    assert keras == "as JAX"
    assert abs(_errors(ours)) < 4 < abs(_errors(other))
    with pytest.raises(NotImplementedError):
        theirs.orthogonal()(key, (8, 8), jnp.bfloat16)
    assert init.orthogonal()(key, (8, 8), jnp.bfloat16).dtype == jnp.bfloat16


def test_a_negative_scale():
    with pytest.raises(ValueError, match="scale"):
        init.variance_scaling(-1.0, "fan_in", "normal")
    nans = theirs.variance_scaling(-1.0, "fan_in", "normal")(jax.random.key(0), (3, 3))
    assert np.isnan(nans).all()


def test_heads_and_groups():
    key, shape = jax.random.key(0), (64, 8, 16)
    ours = init.for_layer("einsum", equation="btd,dhk->bthk")(key, shape)
    other = theirs.lecun_normal()(key, shape)
    assert np.var(ours) / np.var(other) == pytest.approx(8, rel=0.1)
    # A depthwise kernel: each output channel is read by one window of nine.
    fan = theirs.variance_scaling(2.0, "fan_out", "normal")(key, (3, 3, 1, 256))
    assert np.var(fan) == pytest.approx(2 / (9 * 256), rel=0.1)
    grouped = {"mode": "fan_out", "feature_group_count": 256}
    ours = init.for_layer("conv", np.sqrt(2), distribution="normal", **grouped)
    assert np.var(ours(key, (3, 3, 1, 256))) == pytest.approx(2 / 9, rel=0.1)


def test_torch():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="gelu"):
        torch.nn.init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="gelu"):
        calculate_gain("gelu")  # its published table
    assert gain("gelu") == pytest.approx(1.53353, abs=1e-5)
    with pytest.raises(NotImplementedError):
        torch.nn.init.orthogonal_(torch.empty(8, 8, dtype=torch.bfloat16))
    with pytest.raises(RuntimeError):
        torch.nn.init.xavier_normal_(torch.empty(3, 3), gain=-1.0)
    torch.manual_seed(0)
    weights = torch.nn.init.kaiming_normal_(torch.empty(SHAPE, dtype=torch.bfloat16))
    assert _values(weights.float().numpy()) > 2000


def test_keras(monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    weights = keras.initializers.HeNormal(seed=0)(SHAPE, dtype="bfloat16")
    assert _values(weights) == 128
    with pytest.raises(NotImplementedError):
        keras.initializers.Orthogonal()((8, 8), dtype="bfloat16")
    with pytest.raises(ValueError, match="scale"):
        keras.initializers.VarianceScaling(-1.0)
