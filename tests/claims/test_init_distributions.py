"""Initializers draw from their laws; Gaussian and uniform weights make the same sums."""

import numpy as np
import pytest
from scipy import stats

from sweeps.init_distributions import JAX, SCHEMES, TORCH

SURE = 6.0
"""Standard scores: 2e-9 for a normal one, of 7,660; some are of kurtoses and less near."""
LEVEL = 1e-4
"""Of all Kolmogorov tests of one claim together."""
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


def test_what_torch_and_jax_have_is_there_in_twenty_seeds(seeds):
    assert {"initjax", "jax"} == set(seeds["source"])
    for source, names in SCHEMES.items():
        found = seeds[seeds["source"] == source]
        assert set(found["scheme"]) == set(names)
        assert (found.groupby(["scheme", "shape"])["index"].nunique() >= 20).all()
    assert set(TORCH) | set(JAX) == set(seeds["scheme"])
    assert seeds.groupby(["source", "scheme"]).ngroups == 38
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


def test_a_gain_off_by_five_percent_or_another_law_would_be_seen(pooled):
    """In every scheme: by the variance, or by the kurtosis of the law mistaken for it."""
    entries = pooled["law_kept"] * pooled["entries"]
    inner = pooled["law_kurtosis"] * pooled["law_kept"]
    free = ~pooled["scheme"].isin(HAAR)
    score = (1.05**2 - 1) * np.sqrt(entries / (inner - 1))
    assert (score[free] > 5).all()
    single = score[free] / 20**0.5
    assert (single > SURE).all(), "and in each kernel alone"
    # Truncated for Gaussian and back: between the two kurtoses lie many errors.
    assert ((3 - 2.3655) * np.sqrt(entries / 24) > 5).all()


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
    """Same variance, another kurtosis, and no entry past 2.27 standard deviations."""
    ours = seeds[(seeds["source"] == "initjax") & (seeds["scheme"] == torch)]
    theirs = seeds[(seeds["source"] == "jax") & (seeds["scheme"] == jax)]
    assert set(ours["law_std"]) == set(theirs["law_std"])
    assert ours["kurtosis"].mean() == pytest.approx(3, abs=0.03)
    assert theirs["kurtosis"].mean() == pytest.approx(2.3655, abs=0.03)
    assert theirs["largest"].max() < 2.2738 < 3.5 < ours["largest"].min()
    together = pooled[(pooled["source"] == "initjax") & (pooled["scheme"] == torch)]
    assert together["law_largest"].median() == pytest.approx(4.74, abs=0.03)
    assert together["largest"].median() == pytest.approx(4.74, abs=0.5)


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
            if fan >= 64:
                assert abs(below) < 5 * error


def test_sums_follow_their_laws_at_every_number_of_entries(sums):
    rows = sums.xs(-1, level="index")
    assert len(rows) == 18
    assert (rows["entries"] >= 200_000).all()
    assert not _rejected(rows).any()


def test_from_64_entries_on_nobody_tells_the_sums_apart(sums):
    """By 200,000 draws, that is; of entries alone each does."""
    rows = sums.xs(-1, level="index")
    chance = stats.kstwobign.isf(LEVEL / len(rows)) / rows["entries"] ** 0.5
    shape = rows.index.get_level_values
    other = shape("scheme") != "kaiming_normal"
    alike, apart = other & (shape("fan") >= 64), other & (shape("fan") <= 2)
    assert (rows["from_normal"] < chance)[alike].all()
    assert (rows["from_normal"] > chance)[apart].all()
    assert (rows["law_from_normal"] < chance / 10)[other & (shape("fan") == 256)].all()


def test_the_distance_from_a_gaussian_is_edgeworths(sums):
    """|κ - 3| / (24 n) · sup |z³ - 3z| φ(z), so that 1.6e8 draws would tell 256 entries."""
    z = np.linspace(0, 5, 5001)
    bump = np.abs((z**3 - 3 * z) * stats.norm.pdf(z)).max()
    for scheme, kurtosis in (("kaiming_uniform", 1.8), ("he_normal", 2.365537)):
        for fan in (16, 64, 256):
            found = sums.loc[(scheme, fan, -1), "law_from_normal"]
            assert found == pytest.approx((3 - kurtosis) / 24 / fan * bump, rel=0.05)
    found = sums.loc[("kaiming_uniform", 256, -1), "law_from_normal"]
    draws = (stats.kstwobign.isf(0.05) / found) ** 2
    assert draws == pytest.approx(1.6e8, rel=0.05)
