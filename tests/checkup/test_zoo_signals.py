"""The zoo is what it says, by theory and plain Flax: neither probe nor diagnose is used."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import meanfield
from tests.checkup.zoo import ZOO, forms

VERDICTS = {
    *("healthy", "vanishing", "exploding", "dead", "saturated", "symmetric"),
    *("rank_collapse", "residual_blowup", "nonfinite", "precision"),
}
NETWORKS = 32
WHOLE = pytest.mark.skipif(
    "not config.getoption('--zoo', default=False)",
    reason="part of the whole zoo: pytest tests/checkup --zoo",
)


def _listed(names, quick):
    """Names as parameters; all but the quick ones are for the whole zoo."""
    return [pytest.param(n, marks=() if n in quick else WHOLE) for n in names]


def test_the_zoo_is_large_and_every_verdict_is_in_it():
    assert len(ZOO) >= 28
    assert {verdict for s in ZOO.values() for verdict in s.verdicts} == VERDICTS
    assert all(forms(name) and ZOO[name].why for name in ZOO)
    for form in ("linen", "nnx"):
        among = [s for s in ZOO.values() if getattr(s, form) is not None]
        assert len(among) >= 24
        assert {s.verdicts == ("healthy",) for s in among} == {True, False}


@functools.cache
def looked_at(name):
    """Outputs, and the gradient of Σ u·y/√size for random signs u, of 32 networks."""
    model, batch = ZOO[name].linen, ZOO[name].batch

    @jax.jit
    @jax.vmap
    def run(key):
        params = model.init(key, batch)

        def loss(params):
            y = model.apply(params, batch)
            u = jax.random.rademacher(jax.random.key(0), y.shape, y.dtype)
            return jnp.sum(u * y) / y.size**0.5, y

        gradient, y = jax.grad(loss, has_aux=True)(params)
        return params["params"], gradient["params"], y

    return jax.tree.map(np.asarray, run(jax.random.split(jax.random.key(7), NETWORKS)))


def log10_rms(values):
    """One number per network."""
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    with np.errstate(divide="ignore"):
        return np.log10(np.mean(values**2, 1)) / 2


def _relu_q(layers, width, variance, *, first=None, last=None):
    """Mean second moment of the outputs of a ReLU network with 48 inputs, in logs."""
    first, last = first or variance, last or variance
    hidden = (layers - 1) * np.log10(width * variance / 2)
    return np.log10(48 * first / 2) + hidden + np.log10(width * last)


RELU = {
    "gaussian_1_relu": (_relu_q(10, 64, 1.0), 10),
    "xavier_relu_100": (_relu_q(100, 64, 1 / 64, first=2 / 112, last=2 / 74), 100),
    "he_relu_100": (_relu_q(100, 64, 2 / 64, first=2 / 48), 100),
    "lecun_relu_3": (_relu_q(3, 64, 1 / 64, first=1 / 48), 3),
}


@pytest.mark.parametrize("name", _listed(RELU, ["gaussian_1_relu"]))
def test_relu_chains_lose_and_gain_what_theory_says(name):
    log10_q, depth = RELU[name]
    mean, variance = meanfield.log_length_moments("relu", [64] * depth)
    found = 2 * log10_rms(looked_at(name)[2])
    expected = log10_q + float(mean) / np.log(10)
    assert (
        abs(found.mean() - expected) < 6 * np.sqrt(variance / NETWORKS) / np.log(10) + 0.1
    )


CHAINS = {
    "gaussian_1_tanh": ("tanh", 8.0, 0.0, 10),
    "tanh_chaotic_60": ("tanh", 2.0, 0.0, 60),
    "tanh_critical_30": ("tanh", meanfield.critical_sigma_w("tanh", sigma_b=0.2), 0.2, 30),
    "sigmoid_30": ("sigmoid", 1.0, 0.0, 30),
    "tanh_ordered_60": ("tanh", 0.8, 0.3, 60),
    "selu_30": ("selu", 1.0, 0.0, 30),
}


@pytest.mark.parametrize("name", _listed(CHAINS, ["tanh_chaotic_60"]))
def test_gradients_change_by_chi_a_layer(name):
    activation, sigma_w, sigma_b, depth = CHAINS[name]
    gradient = np.asarray(looked_at(name)[1]["hidden"]["dense"]["kernel"])
    q = meanfield.q_star(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    chi = meanfield.chi(activation, q=q, sigma_w=sigma_w)
    inner = slice(4, depth - 2)  # the first layers are not at the fixed point yet
    ratio = log10_rms(gradient[:, inner.start]) - log10_rms(gradient[:, inner.stop - 1])
    steps = inner.stop - 1 - inner.start
    assert np.mean(ratio) == pytest.approx(steps * np.log10(chi) / 2, rel=0.15, abs=0.4)


@WHOLE
def test_residual_branches_double_the_second_moment():
    plain, scaled = (
        log10_rms(looked_at(name)[2]).mean()
        for name in ("residual_plain", "residual_scaled")
    )
    assert 12 * np.log10(2) - 0.5 < plain < 12 * np.log10(2) + 0.2
    assert -0.2 < scaled < np.log10(np.e) / 2 + 0.2


@WHOLE
def test_dead_and_zero_networks_have_no_gradient_but_that_of_the_last_bias():
    for name in ("bias_minus_8_relu", "zeros"):
        gradient = looked_at(name)[1]
        assert np.any(gradient["readout"].pop("bias"))
        assert not any(np.any(leaf) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize(
    ("name", "apart"), [("twin_units", 32), pytest.param("constant", 1, marks=WHOLE)]
)
def test_alike_units_have_alike_gradients(name, apart):
    params, gradient, _ = looked_at(name)
    for tree in (params, gradient):
        kernel = tree["hidden"]["dense"]["kernel"]
        assert np.any(kernel)
        atol = 1e-4 * np.abs(kernel).max()
        np.testing.assert_allclose(kernel, np.roll(kernel, apart, -1), atol=atol)


@WHOLE
def test_where_numbers_end():
    assert not np.isfinite(looked_at("nan_at_layer_3")[2]).any()
    _, gradient, y = looked_at("nan_backward")
    assert np.isfinite(y).all()
    assert not np.isfinite(gradient["Dense_0"]["kernel"]).all()
    assert not np.isfinite(looked_at("overflow")[2]).all()


@WHOLE
def test_bfloat16_has_few_values_only_as_jax_draws_it():
    few, many = (
        np.unique(looked_at(name)[0]["Dense_1"]["kernel"][0].astype(np.float32)).size
        for name in ("bfloat16_by_jax", "bfloat16_by_initjax")
    )
    assert few <= 256 < many


@WHOLE
@pytest.mark.parametrize("name", ["attention_only", "attention_only_batch"])
def test_tokens_of_a_sequence_become_one(name):
    y = np.asarray(looked_at(name)[2], np.float64)
    spread = np.linalg.norm(y - y.mean(2, keepdims=True)) / np.linalg.norm(y)
    assert spread < 1e-5


def test_a_recurrence_forgets_its_first_inputs():
    model, batch = ZOO["rnn_forgets"].linen, jnp.asarray(ZOO["rnn_forgets"].batch)
    params = model.init(jax.random.key(0), batch)
    back = jax.grad(lambda x: jnp.sum(model.apply(params, x)))(batch)
    rms = np.sqrt(np.mean(np.square(back), (0, 2)))
    assert rms[-6] / rms[-1] < 0.1**5
