"""Initializers draw from their laws; sums of 64 entries hardly tell which law it was."""

import numpy as np
import pytest
from scipy import stats

from initjax import init
from sweeps import init_distributions as sweep
from sweeps.init_distributions import JAX, SCHEMES, TORCH
from sweeps.samples.references import of_entries

WORDS = " ".join((sweep.__doc__ or "").split())
SURE = 6.0
"""Standard scores: 2e-9 for a normal one, 1e-5 for the 6,580 of kernels together; those
of kurtoses are less near to normal ones."""
LEVEL = 1e-4
"""Chance that a right sample fails, of all tests of one claim together."""
EXACT = ("constant", "zeros", "ones", "eye", "dirac")
HAAR = ("orthogonal", "delta_orthogonal")


@pytest.fixture(scope="module")
def table(measured):
    return measured("init_distributions").astype({"entries": float})


@pytest.fixture(scope="module")
def seeds(table):
    """Moments of single kernels."""
    rows = table[(table["sample"] == "entries") & (table["kind"] == "moments")]
    return rows[rows["index"] >= 0]


@pytest.fixture(scope="module")
def pooled(table):
    """Moments of all kernels of a scheme and shape together, that have a density."""
    rows = table[(table["sample"] == "entries") & (table["kind"] == "moments")]
    return rows[(rows["index"] == -1) & (rows["law_kept"] > 0)]


@pytest.fixture(scope="module")
def sums(table):
    """Of pre-activations, one row for all draws of a scheme and number of entries."""
    rows = table[(table["sample"] == "preactivations") & (table["kind"] == "moments")]
    rows = rows.assign(fan=[int(words.split("x")[0]) for words in rows["shape"]])
    return rows.set_index(["scheme", "fan", "index"]).sort_index()


def _rejected(rows, column="distance"):
    """Whether Kolmogorov's test rejects, at its share of the level of them all."""
    score = rows[column] * np.sqrt(rows["law_kept"] * rows["entries"])
    return score > stats.kstwobign.isf(LEVEL / len(rows))


@pytest.fixture(scope="module")
def as_printed(committed):
    """For numbers as they are printed, which another run has not."""
    if not committed:
        pytest.skip("printed numbers are those of the committed table")


def _largest(count, p):
    """Quantiles of the largest |z| of so many normal entries."""
    return stats.norm.isf(-np.expm1(np.log(p) / count) / 2)


def _power(number, digits=0):
    """A large number as it is printed, 1.6e8."""
    return f"{number:.{digits}e}".replace("e+0", "e")


def test_what_torch_and_jax_have_is_there_in_twenty_seeds(seeds):
    assert {"initjax", "jax"} == set(seeds["source"])
    for source, names in SCHEMES.items():
        found = seeds[seeds["source"] == source]
        assert set(found["scheme"]) == set(names)
        assert (found.groupby(["scheme", "shape"])["index"].nunique() >= 20).all()
    assert set(TORCH) | set(JAX) == set(seeds["scheme"])
    assert f"{seeds.groupby(['source', 'scheme']).ngroups} initializers" in WORDS
    for scheme in ("kaiming_normal", "he_normal", "orthogonal"):
        assert seeds.loc[seeds["scheme"] == scheme, "shape"].nunique() == 4


@pytest.mark.parametrize("column", ["mean_z", "variance_z", "kurtosis_z"])
def test_moments_of_every_kernel_are_those_of_its_law(seeds, column):
    z = seeds[column].dropna().to_numpy(float)
    assert len(z) > 2000
    assert np.abs(z).max() < SURE
    assert abs(z.mean()) < 5 / len(z) ** 0.5
    # Errors are as large as they should be: those of a kurtosis are themselves skew.
    assert abs(z.std() - 1) < 5 / (2 * len(z)) ** 0.5 * (2 if column != "variance_z" else 1)


def test_moments_of_all_kernels_together_are_too(pooled):
    for column in ("mean_z", "variance_z", "kurtosis_z"):
        assert pooled[column].abs().max() < 5


@pytest.mark.usefixtures("as_printed")
def test_the_farthest_score_is_the_printed_one(seeds, pooled):
    z = seeds[["mean_z", "variance_z", "kurtosis_z"]]
    number, farthest = z.count().sum(), z.abs().max().max()
    assert f"of {number:,} moments of kernels the farthest" in WORDS
    assert f"at {farthest:.1f} standard errors" in WORDS
    assert f"Kolmogorov's test rejects none of {len(pooled)} samples" in WORDS


def test_measured_moments_are_refused_by_wrong_laws(seeds):
    """Fans swapped, a cut that is not made up for, and truncated for Gaussian and back."""
    columns = ["std", "law_std", "kurtosis", "entries"]
    rows = seeds.set_index(["source", "scheme", "shape"]).sort_index()[columns]
    gauss, swapped = (
        rows.loc[("initjax", "kaiming_normal", shape)] for shape in ("256x64", "64x256")
    )
    for found, other in ((gauss, swapped), (swapped, gauss)):
        square = (found["std"] / other["law_std"].iloc[0]) ** 2
        assert (np.abs(square - 1) * np.sqrt(found["entries"] / 2) > SURE).all()
    uncorrected = rows.loc[("jax", "truncated_normal")]
    root = np.sqrt(uncorrected["entries"] / 2)
    assert (((uncorrected["std"] / 0.01) ** 2 - 1) * root < -SURE).all()
    truncated = rows.loc[("jax", "he_normal")]
    assert ((truncated["kurtosis"] - 3) * np.sqrt(truncated["entries"] / 24) < -SURE).all()
    k, sixth, eighth = of_entries(init.he_normal().law((256, 64))).moments
    spread = eighth - k**2 - 4 * k * (sixth - k) + 4 * k**2 * (k - 1)
    assert ((gauss["kurtosis"] - k) * np.sqrt(gauss["entries"] / spread) > SURE).all()


def test_a_gain_off_by_five_percent_would_be_seen(pooled):
    """In every scheme, by the variance."""
    entries = pooled["law_kept"] * pooled["entries"]
    inner = pooled["law_kurtosis"] * pooled["law_kept"]
    free = ~pooled["scheme"].isin(HAAR)
    score = (1.05**2 - 1) * np.sqrt(entries / (inner - 1))
    assert (score[free] > 5).all()
    single = score[free] / 20**0.5
    assert (single > SURE).all(), "and in each kernel alone"
    measured = (1.05 * pooled["std"] / pooled["law_std"]) ** 2 - 1
    assert (measured * np.sqrt(entries / (inner - 1)) > SURE)[free].all()


def test_distributions_are_those_of_the_laws(pooled):
    assert len(pooled) > 100
    assert not _rejected(pooled).any()
    swapped = pooled[pooled["scheme"].isin(["he_normal", "glorot_normal", "he_uniform"])]
    assert _rejected(swapped, "from_normal").all(), "they are no Gaussians"


def test_quantiles_lie_where_chance_puts_them(table):
    rows = table[(table["sample"] == "entries") & (table["kind"] == "quantile")]
    p = rows["law_share"].to_numpy(float)
    z = (rows["share"] - p) / np.sqrt(p * (1 - p) / rows["entries"])
    assert z.abs().max() < SURE
    outside = (z.abs() > stats.norm.ppf(0.975)).mean()
    # Neighbouring quantiles move together: about three independent ones of each sample.
    samples = rows.groupby(["source", "scheme", "shape"]).ngroups
    assert abs(outside - 0.05) < 5 * np.sqrt(0.05 * 0.95 / (3 * samples))


def test_histograms_are_the_densities(table):
    rows = table[(table["sample"] == "entries") & (table["kind"] == "bin")]
    p, count = rows["law_share"].to_numpy(float), rows["entries"].to_numpy(float)
    z = (rows["share"] - p) / np.sqrt(np.maximum(p * (1 - p) / count, 1 / count**2))
    assert z[p * count > 20].abs().max() < SURE
    # Outside of a support lies nothing but an end that float32 has rounded.
    assert (rows["share"] * count)[p == 0].max() < 2.5


def test_exact_values_have_their_shares(table):
    atoms = table[table["kind"] == "atom"]
    assert set(EXACT) < set(atoms["scheme"])
    np.testing.assert_allclose(atoms["share"], atoms["law_share"], rtol=1e-4)
    zeros = atoms[atoms["value"] == 0].groupby("scheme")["share"].min()
    assert zeros["zeros"] == 1
    assert zeros["sparse"] == pytest.approx(0.5)
    assert zeros["delta_orthogonal"] == pytest.approx(8 / 9, rel=1e-4)


def test_the_squares_of_an_orthogonal_kernel_have_a_fixed_sum(seeds):
    haar = seeds[seeds["scheme"].isin(HAAR)]
    np.testing.assert_allclose(haar["std"], haar["law_std"], rtol=2e-5)
    free = seeds[seeds["scheme"] == "kaiming_normal"]
    assert (free["std"] / free["law_std"] - 1).abs().median() > 1e-3


@pytest.mark.parametrize(
    ("torch", "jax"), [("kaiming_normal", "he_normal"), ("xavier_normal", "glorot_normal")]
)
def test_normal_means_truncated_in_jax_and_not_in_torch(seeds, pooled, torch, jax):
    """Same variance, another kurtosis, and no entry past 2.274 standard deviations."""
    ours = seeds[(seeds["source"] == "initjax") & (seeds["scheme"] == torch)]
    theirs = seeds[(seeds["source"] == "jax") & (seeds["scheme"] == jax)]
    assert set(ours["law_std"]) == set(theirs["law_std"])
    for rows, kurtosis in ((ours, 3), (theirs, 2.365537)):
        error = np.sqrt(24 / rows["entries"].sum())  # a Gaussian's, and above theirs
        assert abs(rows["kurtosis"].mean() - kurtosis) < 5 * error
    least = _largest(ours["entries"].min(), LEVEL / len(ours))
    assert theirs["largest"].max() < 2.274 < least < ours["largest"].min()
    together = pooled[(pooled["source"] == "initjax") & (pooled["scheme"] == torch)]
    assert (together["entries"] > 3e5).all()
    for row in together.itertuples():
        tail = LEVEL / len(together) / 2
        low, median, high = _largest(row.entries, np.array([tail, 0.5, 1 - tail]))
        assert row.law_largest == pytest.approx(median, rel=1e-4)
        assert low < row.largest < high


@pytest.mark.usefixtures("as_printed")
def test_what_is_called_normal_is_as_printed(seeds, pooled):
    theirs = seeds[(seeds["source"] == "jax") & (seeds["scheme"] == "he_normal")]
    ours = pooled[(pooled["source"] == "initjax") & (pooled["scheme"] == "kaiming_normal")]
    cut = f"kurtosis {theirs['kurtosis'].mean():.2f} and nothing past "
    assert cut + f"{theirs['largest'].max():.3f} σ" in WORDS
    entries = _power(ours["entries"].min())
    first = f"kaiming_normal {ours['kurtosis'].mean():.2f} and in {entries} entries one at "
    ends = [f"{ours['largest'].agg(end):.1f}" for end in ("min", "max")]
    assert first + f"{' to '.join(ends)} σ" in WORDS


def test_what_jax_calls_uniform_is_not_around_zero(seeds):
    rows = seeds[(seeds["source"] == "jax") & (seeds["scheme"] == "uniform")]
    np.testing.assert_allclose(rows["mean"], 0.005, rtol=0.03)
    np.testing.assert_allclose(rows["law_std"], 0.01 / 12**0.5, rtol=1e-5)


def test_the_deviation_of_truncated_normals_is_that_before_the_cut(seeds):
    rows = seeds[seeds["scheme"] == "truncated_normal"]
    assert set(rows["source"]) == {"initjax", "jax"}
    np.testing.assert_allclose(rows["std"], 0.87963 * 0.01, rtol=0.03)


def test_ten_thousand_gaussian_and_uniform_draws(sums):
    """One mean and one variance; the kurtosis and the largest entry differ."""
    gauss, flat = (
        sums.loc[(name, 1)].loc[0:] for name in ("kaiming_normal", "kaiming_uniform")
    )
    for rows, kurtosis, spread in ((gauss, 3, 24), (flat, 1.8, 1.317)):
        assert (rows["entries"] == 10_000).all()
        error = 2**0.5 / (10_000 * len(rows)) ** 0.5
        assert abs(rows["mean"].mean()) < 5 * error
        assert abs((rows["std"] ** 2).mean() / 2 - 1) < 5 * ((kurtosis - 1) / 2e5) ** 0.5
        assert abs(rows["kurtosis"].mean() - kurtosis) < 5 * (spread / 2e5) ** 0.5
    # The median of 20 largest lies between the law's quantiles of P = 0.05 and 0.95.
    p = np.array([0.05, 0.5, 0.95]) ** 1e-4
    low, median, high = stats.norm.ppf((1 + p) / 2)
    assert low < gauss["largest"].median() < high
    np.testing.assert_allclose(gauss["law_largest"], median, rtol=1e-4)
    assert flat["largest"].between(3**0.5 * 0.998, 3**0.5 * 1.00001).all()
    assert low > 2 * 3**0.5


@pytest.mark.usefixtures("as_printed")
def test_ten_thousand_draws_are_as_printed(sums):
    gauss, flat = (
        sums.loc[(name, 1)].loc[0:] for name in ("kaiming_normal", "kaiming_uniform")
    )
    means = [f"{rows['kurtosis'].mean():.2f}" for rows in (gauss, flat)]
    assert f"the kurtoses are {' and '.join(means)}, the largest" in WORDS
    medians = gauss["largest"].median(), flat["largest"].median()
    assert "the largest {:.1f} σ and {:.2f} σ".format(*medians) in WORDS


def test_kurtosis_of_a_sum_falls_as_one_over_its_entries(sums):
    for scheme, kurtosis in (("kaiming_uniform", 1.8), ("he_normal", 2.365537)):
        for fan in (1, 2, 4, 16, 64, 256):
            row = sums.loc[(scheme, fan, -1)]
            assert row["law_kurtosis"] == pytest.approx(3 + (kurtosis - 3) / fan, rel=1e-5)
            assert abs(row["kurtosis_z"]) < 5
            below = 3 - row["kurtosis"]
            error = (24 / row["entries"]) ** 0.5  # a Gaussian's, and above theirs
            if fan <= 4:
                assert below > 5 * error


def test_by_kurtosis_sums_of_64_are_hardly_and_of_256_not_told_from_gaussians(sums):
    """The expected score is (3 - κ)/n √(N/24); the error of a measured one is about 1."""
    sure = stats.norm.isf(LEVEL / 8)
    for scheme, wanted in (("kaiming_uniform", (1.7, 0.4)), ("he_normal", (0.9, 0.2))):
        for fan, score in zip((64, 256), wanted, strict=True):
            row = sums.loc[(scheme, fan, -1)]
            root = (row["entries"] / 24) ** 0.5
            expect = (3 - row["law_kurtosis"]) * root
            assert expect == pytest.approx(score, abs=0.05)
            assert expect < stats.norm.isf(0.025)
            assert abs((3 - row["kurtosis"]) * root - expect) < sure
    assert "by kurtosis only at 1.7 σ" in WORDS


@pytest.mark.usefixtures("as_printed")
def test_the_score_of_a_sum_of_64_is_as_printed(sums):
    row = sums.loc[("kaiming_uniform", 64, -1)]
    found = (3 - row["kurtosis"]) * (row["entries"] / 24) ** 0.5
    assert f"of which {found:.1f} σ were found" in WORDS


def test_sums_follow_their_laws_at_every_number_of_entries(sums):
    rows = sums.xs(-1, level="index")
    assert len(rows) == 18
    assert (rows["entries"] >= 200_000).all()
    assert not _rejected(rows).any()


def test_from_64_entries_on_kolmogorov_does_not_tell_the_sums_apart(sums):
    """By 200,000 draws, that is; by those of entries alone it does."""
    rows = sums.xs(-1, level="index")
    chance = stats.kstwobign.isf(LEVEL / len(rows)) / rows["entries"] ** 0.5
    shape = rows.index.get_level_values
    other = shape("scheme") != "kaiming_normal"
    alike, apart = other & (shape("fan") >= 64), other & (shape("fan") <= 2)
    assert (rows["from_normal"] < chance)[alike].all()
    assert (rows["from_normal"] > chance)[apart].all()
    assert (rows["law_from_normal"] < chance / 10)[other & (shape("fan") == 256)].all()
    half = stats.kstwobign.ppf(0.5) / rows["entries"] ** 0.5
    assert (rows["law_from_normal"] < half / 4)[alike].all(), "less than chance alone"


@pytest.mark.usefixtures("as_printed")
def test_nor_at_five_percent_in_the_committed_draws(sums):
    rows = sums.xs(-1, level="index").reset_index()
    rows = rows[rows["fan"] >= 64]
    assert (rows["from_normal"] * rows["entries"] ** 0.5 < stats.kstwobign.isf(0.05)).all()


def test_the_distance_from_a_gaussian_is_edgeworths(sums):
    """|κ - 3| / (24 n) · sup |z³ - 3z| φ(z): 1.6e8 draws tell sums of 256 apart."""
    z = np.linspace(0, 5, 5001)
    bump = np.abs((z**3 - 3 * z) * stats.norm.pdf(z)).max()
    for scheme, kurtosis in (("kaiming_uniform", 1.8), ("he_normal", 2.365537)):
        for fan in (16, 64, 256):
            found = sums.loc[(scheme, fan, -1), "law_from_normal"]
            assert found == pytest.approx((3 - kurtosis) / 24 / fan * bump, rel=0.05)
    found = sums.loc[("kaiming_uniform", 256, -1), "law_from_normal"]
    draws = (stats.kstwobign.isf(0.05) / found) ** 2
    assert f"for 256 it takes {_power(_by_kurtosis(256, 1.8))} by kurtosis" in WORDS
    assert f"{_power(draws, 1)} by Kolmogorov, at 5 %" in WORDS


def _by_kurtosis(fan, kurtosis):
    """Draws at which what is expected of the test is its threshold of 5 %."""
    return 24 * (stats.norm.isf(0.025) * fan / (3 - kurtosis)) ** 2


def test_draws_that_kurtosis_needs(sums):
    """By the kurtosis of the law: 10 % fewer do not do, 10 % more do."""
    assert _by_kurtosis(64, 1.8) == pytest.approx(2.6e5, rel=0.02)
    assert _by_kurtosis(256, 1.8) == pytest.approx(4.2e6, rel=0.01)
    below = 3 - sums.loc[("kaiming_uniform", 256, -1), "law_kurtosis"]
    for factor, seen in ((0.1, False), (0.9, False), (1.1, True), (10.0, True)):
        error = (24 / (factor * _by_kurtosis(256, 1.8))) ** 0.5
        assert (below > stats.norm.isf(0.025) * error) == seen
