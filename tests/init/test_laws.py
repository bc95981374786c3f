"""Each entry of the catalogue against the law that it is published with."""

import jax
import numpy as np
import pytest
from scipy import stats

from initjax import init
from initjax.init import INITIALIZERS
from tests.init.laws import CASES, CONV, DILUTED, EXACT, ORTHOGONAL, TALL, cut

BOUND = 6.0  # two-sided tail of a standard normal: 2e-9
FAMILY = 1e-4  # level of all Kolmogorov-Smirnov tests of this file together
TESTS = len(CASES) + len(DILUTED) + 3


def standard_scores(sample, law):
    """Standard scores of the sample's mean and second moment about the law's mean."""
    x = (np.asarray(sample, np.float64).ravel() - law.mean()) / law.std()
    kurtosis = 3 + float(law.stats("k"))
    second = (np.mean(x**2) - 1) / np.sqrt((kurtosis - 1) / x.size)
    return x.mean() * np.sqrt(x.size), second


def rejects(sample, law):
    """Kolmogorov-Smirnov at this test's share of the family-wise level."""
    p = stats.kstest(np.asarray(sample, np.float64).ravel(), law.cdf).pvalue
    return p < FAMILY / TESTS


def build(case, **more):
    return INITIALIZERS[case.name].build(**case.arguments, **more)


def draw(case, seed=0, **more):
    return np.asarray(build(case, **more)(jax.random.key(seed), case.shape), np.float64)


def test_every_initializer_is_in_one_table():
    random = {case.name for case in CASES} | {case.name for case, _ in DILUTED}
    assert set(INITIALIZERS) == random | set(ORTHOGONAL) | EXACT


@pytest.mark.parametrize("case", CASES, ids=str)
def test_declared_law_is_the_published_one(case):
    declared = build(case).law(case.shape)
    assert declared.mean == pytest.approx(case.law.mean(), abs=1e-11, rel=1e-11)
    assert declared.variance == pytest.approx(case.law.var(), rel=1e-9)
    assert declared.kurtosis == pytest.approx(3 + float(case.law.stats("k")), rel=1e-6)
    assert declared.support == pytest.approx(case.law.support(), rel=1e-12)
    at = case.law.ppf([0.001, 0.05, 0.3, 0.5, 0.8, 0.95, 0.999])
    np.testing.assert_allclose(declared.cdf(at), case.law.cdf(at), rtol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sample_has_the_moments_support_and_distribution(case):
    kernel = draw(case)
    assert max(map(abs, standard_scores(kernel, case.law))) < BOUND
    fourth = ((kernel - case.law.mean()) / case.law.std()) ** 4
    error = np.std(fourth) / np.sqrt(fourth.size)
    assert np.mean(fourth) == pytest.approx(3 + case.law.stats("k"), abs=BOUND * error)
    low, high = case.law.support()
    assert low <= kernel.min()
    assert kernel.max() <= high
    assert not rejects(kernel, case.law)


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("name", ["he_normal", "xavier_uniform", "kaiming_normal"])
def test_any_key_will_do(name, seed):
    case = next(case for case in CASES if case.name == name)
    assert max(map(abs, standard_scores(draw(case, seed), case.law))) < BOUND


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_scale_off_by_five_percent_fails(case):
    """About the mean, so that laws with a mean fail too."""
    mean = case.law.mean()
    kernel = mean + 1.05 * (draw(case) - mean)
    assert abs(standard_scores(kernel, case.law)[1]) > BOUND


@pytest.mark.parametrize("case", [c for c in CASES if c.by_fan], ids=str)
def test_swapped_fans_fail(case):
    axes = {"in_axis": -1, "out_axis": -2}
    assert abs(standard_scores(draw(case, **axes), case.law)[1]) > BOUND


@pytest.mark.parametrize(("case", "zeros"), DILUTED, ids=str)
def test_sparse_kernels(case, zeros):
    kernel = draw(case)
    assert np.sum(kernel == 0) == zeros
    along = 0 if case.arguments.get("per") == "output" else 1
    assert len(set(np.sum(kernel == 0, axis=along))) == 1
    kept = kernel[kernel != 0]
    assert max(map(abs, standard_scores(kept, case.law))) < BOUND
    assert not rejects(kept, case.law)
    declared = build(case).law(case.shape)
    share = 1 - zeros / kernel.size
    assert declared.variance == pytest.approx(share * case.law.var(), rel=1e-12)
    assert declared.kurtosis == pytest.approx(3 / share, rel=1e-12)
    assert declared.cdf(np.array(-1e-9)) == pytest.approx(share / 2, abs=1e-6)
    assert declared.cdf(np.array(0.0)) == pytest.approx(1 - share / 2)
    # Which entries are zero is random: every column of zeros would be a bug.
    assert np.ptp(np.sum(kernel == 0, axis=1 - along)) > 0


def _entries(initializer, shape, place):
    """One entry of 8,000 independent draws; half as many show 10 % less surely."""
    keys = jax.random.split(jax.random.key(3), 8000)
    drawn = jax.jit(jax.vmap(lambda k: initializer(k, shape)[place]))(keys)
    return np.asarray(drawn, np.float64)


@pytest.mark.parametrize(
    ("name", "shape", "place", "scale"),
    [
        ("orthogonal", (7, 5), (3, 4), 1.0),
        ("scaled_orthogonal", (4, 7), (3, 4), (7 / 4) ** 0.5),
        ("looks_linear", (14, 10), (9, 4), 1.0),
    ],
)
def test_entries_of_an_orthogonal_matrix(name, shape, place, scale):
    """A coordinate of a uniform unit vector in m dimensions: x² ~ Beta(½, (m-1)/2)."""
    law = INITIALIZERS[name].law(shape)
    square = stats.beta(0.5, (7 - 1) / 2, scale=scale**2)
    entries = _entries(INITIALIZERS[name].build(), shape, place)
    assert not rejects(entries**2, square)
    assert rejects((1.1 * entries) ** 2, square)
    assert law.variance == pytest.approx(square.mean(), rel=1e-12)
    assert law.kurtosis == pytest.approx(3 * 7 / 9, rel=1e-12)
    at = np.linspace(0.05, 0.95, 7) * scale
    np.testing.assert_allclose(law.cdf(at) - law.cdf(-at), square.cdf(at**2), rtol=1e-9)


def test_jax_truncation_without_correction_fails():
    sample = jax.random.truncated_normal(jax.random.key(0), -2, 2, TALL) / np.sqrt(300)
    assert abs(standard_scores(sample, cut(1 / 300))[1]) > BOUND


def test_mixtures_of_scales():
    """A mask gives every output its own scale; the law is that of a random entry."""
    mask = np.tril(np.ones((40, 40)))
    initializer = init.for_layer("masked", mask=mask, per_output=True)
    law = initializer.law((40, 40))
    scales = 1 / np.arange(40, 0, -1) ** 0.5
    assert law.variance == pytest.approx(np.mean(scales**2), rel=1e-12)
    keys = jax.random.split(jax.random.key(0), 60)
    kernels = np.asarray(jax.vmap(lambda k: initializer(k, (40, 40)))(keys), np.float64)
    p = stats.kstest(kernels.ravel(), law.cdf).pvalue
    assert p > FAMILY / TESTS
    np.testing.assert_allclose(kernels.std((0, 1)), scales, rtol=6 * 0.6 / np.sqrt(2400))


LAYOUTS = {
    "torch linear (out, in)": ((50, 20), {"in_axis": 1, "out_axis": 0}, 20, 50),
    "torch conv (out, in, h, w)": ((50, 20, 3, 3), {"in_axis": 1, "out_axis": 0}, 180, 450),
    "flax conv (h, w, in, out)": (CONV, {}, 576, 864),
    "experts (e, in, out)": ((4, 20, 50), {"batch_axis": 0}, 20, 50),
    "heads in (in, h, d)": ((20, 5, 10), {"in_axis": 0, "out_axis": (1, 2)}, 20, 50),
    "heads out (h, d, out)": ((4, 5, 50), {"in_axis": (0, 1), "out_axis": -1}, 20, 50),
    "a vector": ((20,), {"in_axis": 0, "out_axis": ()}, 20, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("variance_scaling", lambda i, o: 1 / i),
        ("xavier_uniform", lambda i, o: 2 / (i + o)),
        ("xavier_normal", lambda i, o: 2 / (i + o)),
        ("kaiming_uniform", lambda i, o: 2 / i),
        ("kaiming_normal", lambda i, o: 2 / i),
        ("glorot_uniform", lambda i, o: 2 / (i + o)),
        ("glorot_normal", lambda i, o: 2 / (i + o)),
        ("he_uniform", lambda i, o: 2 / i),
        ("he_normal", lambda i, o: 2 / i),
        ("lecun_uniform", lambda i, o: 1 / i),
        ("lecun_normal", lambda i, o: 1 / i),
        ("siren", lambda i, o: 2 / i / 900),
        ("random_walk", lambda i, o: 2 / i * np.exp(2.4 / (i - 2.4))),
    ],
)
def test_fans_under_every_layout(name, variance, layout):
    shape, axes, fan_in, fan_out = LAYOUTS[layout]
    law = INITIALIZERS[name].law(shape, **axes)
    assert law.variance == pytest.approx(variance(fan_in, fan_out), rel=1e-12)


def test_an_empty_kernel_has_no_law():
    with pytest.raises(ValueError, match="no entries"):
        init.he_normal().law((0, 4))
