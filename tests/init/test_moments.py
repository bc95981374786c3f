"""Second moments by the central limit theorem, with wrong samplers that fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from initjax import init
from initjax.init import INITIALIZERS
from tests.init.laws import NORMAL, PUBLISHED, TRUNCATED, UNIFORM

SHAPES = {(300, 200): (300, 200), (200, 300): (200, 300), (3, 3, 64, 96): (576, 864)}
BOUND = 6.0  # two-sided tail of a standard normal: 2e-9


def z_scores(sample, variance, kurtosis):
    """Standard scores of the sample's mean and second moment around 0."""
    x = np.asarray(sample, np.float64).ravel() / np.sqrt(variance)
    mean = x.mean() * np.sqrt(x.size)
    second = (np.mean(x**2) - 1) / np.sqrt((kurtosis - 1) / x.size)
    return mean, second


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("shape", "pair"), SHAPES.items())
@pytest.mark.parametrize("name", PUBLISHED)
def test_second_moment(name, shape, pair, seed):
    variance, kurtosis = PUBLISHED[name]
    kernel = INITIALIZERS[name].build()(jax.random.key(seed), shape)
    assert max(map(abs, z_scores(kernel, variance(*pair), kurtosis))) < BOUND


def test_every_random_entrywise_initializer_is_tested():
    constants = {"zeros", "ones", "constant"}
    assert set(INITIALIZERS) == set(PUBLISHED) | constants | {"orthogonal"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_declared_law_is_the_published_one(name):
    variance, kurtosis = PUBLISHED[name]
    for shape, pair in SHAPES.items():
        law = INITIALIZERS[name].law(shape)
        assert law.mean == pytest.approx(0, abs=1e-12)
        assert law.variance == pytest.approx(variance(*pair), rel=1e-12)
        assert law.kurtosis == pytest.approx(kurtosis, rel=1e-12)


@pytest.mark.parametrize("name", PUBLISHED)
def test_fourth_moment_and_support(name):
    """The kurtosis tells the three laws apart; the support is never left."""
    variance, kurtosis = PUBLISHED[name]
    kernel = np.asarray(INITIALIZERS[name].build()(jax.random.key(2), (600, 500)))
    x = kernel.ravel() / np.sqrt(variance(600, 500))
    assert np.mean(x**4) == pytest.approx(kurtosis, abs=6 * np.std(x**4) / np.sqrt(x.size))
    low, high = INITIALIZERS[name].law((600, 500)).support
    assert low <= kernel.min()
    assert kernel.max() <= high


@pytest.mark.parametrize(
    ("name", "cdf"),
    [
        ("normal", stats.norm(scale=0.01).cdf),
        ("uniform", stats.uniform(-0.05, 0.1).cdf),
        (
            "he_normal",
            stats.truncnorm(-2, 2, scale=np.sqrt(2 / 200) / 0.87962566103424).cdf,
        ),
    ],
)
def test_whole_distribution(name, cdf):
    """Kolmogorov-Smirnov at a level of 1e-6."""
    kernel = np.asarray(
        INITIALIZERS[name].build()(jax.random.key(3), (200, 100)), np.float64
    )
    assert stats.kstest(kernel.ravel(), cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_gain_off_by_five_percent_fails(name):
    variance, kurtosis = PUBLISHED[name]
    kernel = 1.05 * INITIALIZERS[name].build()(jax.random.key(0), (300, 200))
    assert abs(z_scores(kernel, variance(300, 200), kurtosis)[1]) > BOUND


@pytest.mark.parametrize("name", [n for n in PUBLISHED if "kaiming" in n or "he_" in n])
def test_swapped_fans_fail(name):
    variance, kurtosis = PUBLISHED[name]
    kernel = INITIALIZERS[name].build(in_axis=-1, out_axis=-2)(
        jax.random.key(0), (300, 200)
    )
    assert abs(z_scores(kernel, variance(300, 200), kurtosis)[1]) > BOUND


def test_a_missing_truncation_correction_fails():
    draw = jax.random.truncated_normal(jax.random.key(0), -2, 2, (300, 200))
    assert abs(z_scores(draw / np.sqrt(300), 1 / 300, TRUNCATED)[1]) > BOUND


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@pytest.mark.parametrize(
    ("distribution", "kurtosis"),
    [("normal", NORMAL), ("uniform", UNIFORM), ("truncated_normal", TRUNCATED)],
)
def test_variance_scaling_modes(mode, distribution, kurtosis):
    fan = {"fan_in": 300, "fan_out": 200, "fan_avg": 250, "fan_geo_avg": np.sqrt(60000)}[
        mode
    ]
    kernel = init.variance_scaling(1.7, mode, distribution)(jax.random.key(4), (300, 200))
    assert max(map(abs, z_scores(kernel, 1.7 / fan, kurtosis))) < BOUND


def test_batch_axis_and_experts():
    """An expert stack [E, d, f] has the fan_in of one expert."""
    kernel = init.lecun_normal(batch_axis=0)(jax.random.key(5), (4, 100, 150))
    assert max(map(abs, z_scores(kernel, 1 / 100, TRUNCATED))) < BOUND


def test_kaiming_arguments():
    law = init.kaiming_normal(a=0.5).law((100, 10))
    assert law.variance == pytest.approx(2 / 1.25 / 100)
    law = init.kaiming_normal(nonlinearity="tanh").law((100, 10))
    assert law.variance == pytest.approx(25 / 9 / 100)
    law = init.kaiming_normal(nonlinearity="gelu").law((100, 10))
    assert law.variance == pytest.approx(1 / 0.425221482570 / 100)
    law = init.kaiming_uniform(gain=3.0, mode="fan_out").law((100, 10))
    assert law.variance == pytest.approx(9 / 10)


def test_normal_with_a_mean():
    kernel = init.normal(0.5, mean=2.0)(jax.random.key(6), (500, 500))
    assert max(map(abs, z_scores(kernel - 2.0, 0.25, NORMAL))) < BOUND


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
@pytest.mark.parametrize("name", [*PUBLISHED, "orthogonal"])
def test_low_precision_is_the_float32_draw_rounded(name, dtype):
    initializer, key = INITIALIZERS[name].build(), jax.random.key(7)
    low = initializer(key, (256, 256), dtype)
    assert low.dtype == dtype
    np.testing.assert_array_equal(low, initializer(key, (256, 256)).astype(dtype))
    assert len(np.unique(np.asarray(low, np.float32))) > 1000


def test_sampling_in_bfloat16_would_fail():
    """JAX draws in the parameter's dtype: the mean is off by 1 % of σ."""
    key, shape = jax.random.key(8), (1024, 1024)
    theirs = jax.nn.initializers.he_normal()(key, shape, jnp.bfloat16)
    ours = init.he_normal()(key, shape, jnp.bfloat16)
    assert abs(z_scores(theirs, 2 / 1024, TRUNCATED)[0]) > BOUND
    assert np.mean(np.asarray(theirs, float)) < -0.01 * np.sqrt(2 / 1024)
    assert abs(z_scores(ours, 2 / 1024, TRUNCATED)[0]) < BOUND
