"""Laws taken apart, scores that are normal, and rows against a plain computation."""

import tracemalloc

import jax
import numpy as np
import pytest
from scipy import stats

from initjax import init
from sweeps.harness.coverage import check_rows
from sweeps.init_distributions import (
    JAX,
    PRESETS,
    SCHEMA,
    TORCH,
    Config,
    cells,
    cost,
    measure,
    program,
)
from sweeps.samples.libraries import subject
from sweeps.samples.references import normal_cdf, of_entries, of_sums
from sweeps.samples.rows import PROBABILITIES, draw
from sweeps.samples.scores import distances, expected, moments


@pytest.fixture(scope="module")
def table():
    config = PRESETS["smoke"]
    chosen = cells(config)
    rows = SCHEMA.conform(measure(chosen, config))
    check_rows(SCHEMA, rows, chosen)
    assert cost(chosen, config).rows == len(rows)
    return rows


def test_moments_are_those_of_the_sample(table):
    (cell,) = (c for c in cells(PRESETS["smoke"]) if c["scheme"] == "kaiming_normal"
               and c["sample"] == "entries")  # fmt: skip
    x = draw(cell).astype(np.float64)
    assert x.shape == (4, 32, 16)
    same = _rows(table, "entries", "initjax", "kaiming_normal")
    seeds = same[(same["kind"] == "moments") & (same["index"] >= 0)]
    np.testing.assert_allclose(seeds["mean"], x.mean((1, 2)), rtol=1e-4)
    square = (x**2).mean((1, 2))
    np.testing.assert_allclose(seeds["std"], square**0.5, rtol=1e-4)
    np.testing.assert_allclose(
        seeds["kurtosis"], (x**4).mean((1, 2)) / square**2, rtol=1e-4
    )
    np.testing.assert_allclose(seeds["law_std"], (2 / 32) ** 0.5, rtol=1e-6)
    law = stats.norm(0, (2 / 32) ** 0.5)
    plain = [stats.kstest(one.ravel(), law.cdf).statistic for one in x]
    np.testing.assert_allclose(seeds["distance"], plain, rtol=1e-3)
    np.testing.assert_allclose(seeds["largest"], np.abs(x).max((1, 2)) * 4, rtol=1e-4)
    np.testing.assert_allclose(seeds["variance_z"], (square * 16 - 1) * 16, atol=2e-3)
    z = (seeds["kurtosis"] - 3) * (512 / 24) ** 0.5
    np.testing.assert_allclose(seeds["kurtosis_z"], z, atol=2e-3)


def test_histogram_and_quantiles_are_of_all_seeds(table):
    (cell,) = (c for c in cells(PRESETS["smoke"])
               if (c["source"], c["scheme"]) == ("jax", "uniform"))  # fmt: skip
    x = np.sort(draw(cell).ravel().astype(np.float64))
    same = _rows(table, "entries", "jax", "uniform")
    bins = same[same["kind"] == "bin"]
    low = bins["value"] - bins["width"] / 2
    counts = [
        np.sum((x > a) & (x <= a + w)) for a, w in zip(low, bins["width"], strict=True)
    ]
    np.testing.assert_allclose(bins["share"], np.array(counts) / x.size, atol=2 / x.size)
    assert bins["law_share"].to_numpy()[2:-2] == pytest.approx(1 / 40, rel=1e-3)
    assert bins["law_share"].sum() == pytest.approx(1, rel=1e-3)
    quantiles = same[same["kind"] == "quantile"]
    expect = np.quantile(x, PROBABILITIES, method="inverted_cdf")
    np.testing.assert_allclose(quantiles["value"], expect, rtol=1e-4)
    np.testing.assert_allclose(
        quantiles["law_value"], 0.01 * np.array(PROBABILITIES), rtol=1e-4
    )


def test_atoms(table):
    atoms = _rows(table, "entries", "initjax", "eye")
    atoms = atoms[atoms["kind"] == "atom"]
    assert atoms["value"].tolist() == [0, 1]
    np.testing.assert_allclose(atoms["share"], [31 / 32, 1 / 32], rtol=1e-4)
    np.testing.assert_allclose(atoms["law_share"], [31 / 32, 1 / 32], rtol=1e-4)


def test_sums_are_those_of_columns(table):
    (cell,) = (c for c in cells(PRESETS["smoke"]) if c["shape"] == "4x1000"
               and c["scheme"] == "kaiming_uniform")  # fmt: skip
    sums = draw(cell)
    same = _rows(table, "preactivations", "initjax", "kaiming_uniform")
    same = same[(same["shape"] == "4x1000") & (same["kind"] == "moments")]
    assert sums.shape == (4, 1000)
    np.testing.assert_allclose(same["mean"].iloc[1:], sums.mean(1), rtol=1e-3)
    np.testing.assert_allclose(same["law_std"], 2**0.5, rtol=1e-6)
    np.testing.assert_allclose(same["law_kurtosis"], 3 - 1.2 / 4, rtol=1e-6)


def _rows(table, sample, source, scheme):
    of = {"sample": sample, "source": source, "scheme": scheme}
    return table[np.logical_and.reduce([table[k] == v for k, v in of.items()])]


def test_moments_of_laws_are_those_of_scipy():
    cut = stats.truncnorm(-2, 2)
    cases = {
        "kaiming_normal": (3.0, 15.0, 105.0),
        "kaiming_uniform": (9 / 5, 27 / 7, 9.0),
        "he_normal": tuple(cut.moment(k) / cut.var() ** (k / 2) for k in (4, 6, 8)),
    }
    for name, wanted in cases.items():
        law = init.INITIALIZERS[name].law((20, 30))
        assert of_entries(law).moments == pytest.approx(wanted, rel=1e-8)
    sparse = of_entries(init.sparse(0.75, 0.5).law((20, 32)))
    assert sparse.moments == pytest.approx((3, 15, 105), rel=1e-8)
    assert (sparse.kept, sparse.unit) == pytest.approx((0.25, 0.5))
    assert sparse.atoms == pytest.approx({0.0: 0.75})
    shifted = of_entries(init.uniform(1.0, 3.0).law((4,)))
    assert shifted.inverse(np.array([0.25])) == pytest.approx(1.5)
    assert shifted.largest(1.0) == pytest.approx(0.5 / 3**-0.5)


def test_sums_have_the_law_of_irwin_and_hall():
    """And cumulants of 1/n of an entry's: kurtosis 3 - 1.2/n."""
    two = of_sums(init.uniform(-1.0, 1.0).law((2, 1)), 2)
    at = np.array([-1.5, -0.3, 0.0, 0.8, 1.9])
    triangle = stats.triang(0.5, -2, 4)
    np.testing.assert_allclose(two.cdf(at), triangle.cdf(at), atol=1e-5)
    assert two.moments == pytest.approx((2.4, 4 * 2**3 / 28 * 27 / 4, 28.8), rel=1e-8)
    many = of_sums(init.uniform(-1.0, 1.0).law((64, 1)), 64)
    x = many.std * np.linspace(-3, 3, 13)
    z = x / many.std
    edgeworth = stats.norm.cdf(z) + 1.2 / 64 / 24 * (z**3 - 3 * z) * stats.norm.pdf(z)
    np.testing.assert_allclose(many.cdf(x), edgeworth, atol=3e-6)
    assert np.abs(many.cdf(x) - normal_cdf(many)(x)).max() > 1e-4


@pytest.mark.parametrize("name", ["kaiming_normal", "he_uniform", "sparse", "orthogonal"])
def test_scores_are_normal_and_notice_a_wrong_law(name):
    """Of 200 kernels, drawn by hand: deviations of scores are 1, but for a gain 5 % off."""
    law = init.INITIALIZERS[name].law((64, 32))
    reference = of_entries(law, dependent=name == "orthogonal")
    rng = np.random.default_rng(0)
    x = _by_hand(name, rng)
    found = [moments(one, reference) for one in x]
    for column in ("mean_z", "variance_z", "kurtosis_z"):
        z = np.array([one[column] for one in found])
        if column == "variance_z" and name == "orthogonal":
            assert np.isnan(z).all()
            continue
        assert abs(z.mean()) < 5 / 200**0.5
        # The variance of 200 scores has error √(2/200); of a kurtosis it is less near.
        assert abs(z.var() - 1) < (5 if column != "kurtosis_z" else 7) * 0.1
    wrong = moments(1.05 * x, reference._replace(dependent=False))
    assert wrong["variance_z"] > 6
    assert abs(moments(x + 0.05 * law.variance**0.5, reference)["mean_z"]) > 6


WRONG = {
    "fans swapped": (init.kaiming_normal(), (32, 64), init.kaiming_normal(), (64, 32)),
    "a cut not made up for": (
        *(init.truncated_normal((2 / 64) ** 0.5), (64, 128)),
        *(init.he_normal(), (64, 128)),
    ),
    "truncated for Gaussian": (
        *(init.he_normal(), (64, 128)),
        *(init.kaiming_normal(), (64, 128)),
    ),
    "Gaussian for truncated": (
        *(init.kaiming_normal(), (64, 128)),
        *(init.he_normal(), (64, 128)),
    ),
}
"""A sampler and its shape; then whose law, and of what shape, it is mistaken for."""


@pytest.mark.parametrize(
    ("mistake", "column", "sign"),
    [
        *(("fans swapped", "variance_z", 1), ("a cut not made up for", "variance_z", -1)),
        ("truncated for Gaussian", "kurtosis_z", -1),
        ("Gaussian for truncated", "kurtosis_z", 1),
    ],
)
def test_scores_notice_a_wrong_sampler(mistake, column, sign):
    """What is drawn passes for its own law, by each test, and not for the other."""
    sampler, shape, other, of = WRONG[mistake]
    x = np.asarray(sampler(jax.random.key(7), shape))
    reference = of_entries(sampler.law(shape))
    own = moments(x, reference)
    assert max(abs(own[f"{name}_z"]) for name in ("mean", "variance", "kurtosis")) < 5
    limit = stats.kstwobign.isf(1e-4) / x.size**0.5
    ordered = np.sort(x.ravel()).astype(np.float64)
    assert distances(ordered, reference)["distance"] < limit
    assert sign * moments(x, of_entries(other.law(of)))[column] > 6


def test_inputs_of_several_sizes_count_as_fewer():
    """κ of Σwx is 3 + (κ - 3) Σx⁴/(Σx²)²; of many Gaussian x the factor is 3/n."""
    rng, draws = np.random.default_rng(11), 200_000
    x = rng.standard_normal(12)
    few = (x**2).sum() ** 2 / (x**4).sum()
    sums = rng.uniform(-1, 1, (draws, 12)) @ x
    kurtosis = (sums**4).mean() / (sums**2).mean() ** 2
    error = (24 / draws) ** 0.5  # a Gaussian's, and above that of shorter tails
    assert abs(kurtosis - (3 - 1.2 / few)) < 5 * error
    assert abs(kurtosis - (3 - 1.2 / 12)) > 5 * error
    x = rng.standard_normal(1_000_000)
    third = (x**2).sum() ** 2 / (x**4).sum() / len(x)
    # The variance of m₂²/m₄ is (4 · 2 + 96/9 - 4 · 12/3)/9 over their number.
    assert abs(third - 1 / 3) < 5 * (8 / 27 / len(x)) ** 0.5


def _by_hand(name, rng):
    normal = rng.standard_normal((200, 64, 32))
    if name == "orthogonal":
        return np.linalg.qr(normal)[0] * rng.choice([-1, 1], (200, 1, 32))
    if name == "sparse":
        places = rng.permuted(np.tile(np.arange(32) < 16, (200, 64, 1)), axis=2)
        return 0.01 * normal * places
    if name == "he_uniform":
        return rng.uniform(-1, 1, normal.shape) * (6 / 64) ** 0.5
    return normal * (2 / 64) ** 0.5


def test_distances():
    reference = of_entries(init.kaiming_uniform().law((3, 9)))
    x = np.sort(np.random.default_rng(1).uniform(-(2**0.5), 2**0.5, 2000))
    found = distances(x, reference)
    plain = stats.kstest(x, stats.uniform(-(2**0.5), 8**0.5).cdf).statistic
    assert found["distance"] == pytest.approx(plain, rel=1e-9)
    gauss = stats.kstest(x, stats.norm(0, (2 / 3) ** 0.5).cdf).statistic
    assert found["from_normal"] == pytest.approx(gauss, rel=1e-9)
    # Φ(√3) - 1/2 - … is largest where the densities cross.
    law = expected(reference, 2000)
    assert law["law_from_normal"] == pytest.approx(0.0572, abs=1e-4)
    assert law["law_largest"] == pytest.approx(3**0.5 * 2 ** (-1 / 2000), rel=1e-9)


@pytest.mark.parametrize("scheme", JAX)
def test_the_law_of_jax_is_that_of_its_own_draws(scheme):
    """Its range and its first moments, which a law of other arguments would not have."""
    shape = (3, 3, 8, 40) if scheme == "delta_orthogonal" else (60, 40)
    of = subject("jax", scheme)
    x = np.asarray(of.draw(jax.random.key(3), shape), np.float64)
    law = of.law_of(shape)
    assert law.support[0] - 1e-7 <= x.min() <= x.max() <= law.support[1] + 1e-7
    if np.isfinite(law.kurtosis):
        assert abs(x.mean() - law.mean) < 5 * (law.variance / x.size) ** 0.5
        second = ((x - law.mean) ** 2).mean() / law.variance
        assert abs(second - 1) < 5 * (law.kurtosis / x.size) ** 0.5


def test_cells():
    found = cells(PRESETS["default"])
    entries = {(c["source"], c["scheme"]) for c in found if c["sample"] == "entries"}
    assert entries == {("initjax", n) for n in (*TORCH, *JAX)} | {("jax", n) for n in JAX}
    assert len(TORCH) == 14
    shapes = {c["shape"] for c in found if c["scheme"] in ("dirac", "delta_orthogonal")}
    assert shapes == {"3x3x32x64"}
    assert {c["shape"] for c in found if c["scheme"] == "sparse"} == {
        *("256x64", "64x256", "128x128")
    }
    assert min(c["seeds"] for c in found) >= 20


def test_schemes_of_one_family_share_a_program(compilations):
    """Of a shape that no other test has; and later seeds nothing at all."""
    config = Config(schemes=("lecun_uniform", "xavier_uniform"), sources=("initjax",),
                    shapes=("11x13",), fans=(5,), draws=77, seeds=3)  # fmt: skip
    chosen = [c for c in cells(config) if c["sample"] == "entries"]
    assert len({program(cell) for cell in chosen}) == 1
    assert len(cost(chosen, config).programs) == 1
    first = SCHEMA.conform(measure(chosen[:1], config))
    with compilations() as count:
        both = SCHEMA.conform(measure(chosen, config))
    assert count.value == 0
    again = both[both["scheme"] == "lecun_uniform"].reset_index(drop=True)
    np.testing.assert_array_equal(again["mean"], first["mean"])


def test_memory_is_right_within_a_factor_of_two():
    """Of entries, which are reduced on the host."""
    config = Config(schemes=("lecun_uniform",), sources=("initjax",), shapes=("11x13",),
                    draws=77, seeds=1200)  # fmt: skip
    cell = cells(config)[0]
    measure([cell], config)
    tracemalloc.start()
    measure([cell], config)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 2 < cost([cell], config).memory < 2 * peak


def test_memory_of_sums_is_that_of_the_kernels_drawn_at_once():
    config = PRESETS["default"]
    large = [c for c in cells(config) if c["shape"] == "256x10000"]
    kernel = 4 * 256 * 10_000
    assert 2 * kernel <= cost(large, config).memory < 10 * kernel


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schemes": ("he",)}, "--schemes must be of uniform, normal"),
        ({"sources": ("torch",)}, "--sources must be of initjax, jax; got 'torch'"),
        ({"shapes": ("12",)}, "--shapes must be like 256x64"),
        ({"shapes": ("3x0",)}, "--shapes must be like 256x64"),
        ({"shapes": ("3x3",), "schemes": ("dirac",)}, "has none for dirac"),
        ({"shapes": ()}, "--shapes or --sources has none for uniform"),
        ({"schemes": ("eye",), "sources": ("jax",)}, "has none for eye"),
        ({"fans": (0,)}, "--fans must be >= 1; got 0"),
        ({"draws": 0}, "--draws must be >= 1; got 0"),
        ({"seeds": 0}, "--seeds must be >= 1; got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**change))
