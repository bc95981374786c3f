"""What is said of nearly orthogonal vectors and matrices is what the table shows.

A mean over seeds keeps to its law within six standard errors: with 19 degrees of freedom
one of 10⁵ is further off.
"""

import numpy as np
import pytest
from scipy import stats

from analysis import orthogonality as of
from analysis import orthogonality_laws as exact
from sweeps import near_orthogonality
from sweeps.harness.directory import plain

TEXT = " ".join((near_orthogonality.__doc__ or "").split())
FAR = 6
LAWS = tuple(near_orthogonality.KURTOSIS)
SMOOTH = ("gaussian", "uniform", "rademacher", "student_t")


@pytest.fixture(scope="module")
def table(measured):
    return measured("near_orthogonality")


@pytest.fixture(scope="module")
def moments(table):
    return table[table["record"] == "moments"]


def _mean(values):
    return float(np.mean(values)), float(stats.sem(values))


def _near(values, expected, wrong):
    """Whether a mean is near what is expected and far from what is wrong."""
    mean, error = _mean(values)
    return abs(mean - expected) < FAR * error < abs(wrong - expected)


def test_it_is_the_table_of_the_default_settings(table):
    assert list(table.columns) == near_orthogonality.SCHEMA.names
    settings = table.attrs["provenance"]["settings"]
    assert settings == plain(near_orthogonality.PRESETS["default"])
    assert table["seed"].nunique() >= 20


@pytest.mark.parametrize("n", [10, 32, 100, 256, 1024, 4096])
def test_angles_of_gaussian_vectors_follow_the_sine_law(table, n):
    """χ² of the bins at the level 1e-5; the law of a width 1.2 times as large fails."""
    same = table[(table["record"] == "angles") & (table["law"] == "gaussian")]
    counts = same[same["inputs"].eq(n) & same["outputs"].eq(n)].groupby("middle")["count"]
    seen = counts.sum()
    chances = {}
    for width in (n, 1.2 * n):
        edges = np.concatenate([seen.index - 0.125, [seen.index[-1] + 0.125]])
        theta = np.clip(np.pi / 2 + edges / np.sqrt(n), 0, np.pi)
        fine = np.linspace(theta[:-1], theta[1:], 41)
        share = np.trapezoid(exact.angle_density(fine, width), fine, axis=0)
        expected = share * seen.sum()
        kept = expected > 5
        got = np.append(seen[kept], seen[~kept].sum())
        told = np.append(expected[kept], seen.sum() - expected[kept].sum())
        told, got = (v[:-1] if told[-1] < 5 else v for v in (told, got))
        chances[width] = stats.chi2.sf(((got - told) ** 2 / told).sum(), len(got) - 1)
    assert chances[n] > 1e-5 > chances[1.2 * n]


@pytest.mark.parametrize("law", LAWS)
def test_mean_square_cosine_is_one_over_n_for_every_law(moments, law):
    """Of n entries: here those of a column, m."""
    for m, same in moments[moments["law"] == law].groupby("outputs"):
        assert _near(same["cosine_square"], 1 / m, 1.25 / m), (law, m)


def test_sparse_vectors_are_exactly_orthogonal_where_they_do_not_meet(table):
    """For n = 100 with the chance 0.99¹⁰⁰, given that neither is 0."""
    same = table[(table["record"] == "angles") & (table["law"] == "sparse")]
    same = same[(same["inputs"] == 100) & (same["outputs"] == 100)]
    pairs, middle = same["count"].sum(), same[same["middle"] == 0]["count"].sum()
    chance = 0.99**100 - 2 * 0.9**100
    error = np.sqrt(chance / pairs)
    assert middle / pairs > chance - FAR * error
    assert chance > 0.3 > 0.12 > exact.angle_density(np.pi / 2, 100) * 0.25 / 10


@pytest.mark.parametrize("law", LAWS)
def test_mean_square_is_exact_for_every_law_and_shape(moments, law):
    """A gain 5 % off multiplies the squares off the diagonal by 1.05⁴."""
    kurtosis = near_orthogonality.KURTOSIS[law]
    for (m, n), same in moments[moments["law"] == law].groupby(["outputs", "inputs"]):
        whole, diagonal = exact.gram_moments(kurtosis, m, n)
        assert whole == pytest.approx((n - 2 + kurtosis) / (n * m))
        assert _near(same["off_diagonal"], 1 / m, 1.05**4 / m), (law, m, n)
        assert _near(same["mean_square"], whole, 1.2 * whole), (law, m, n)
        if law == "rademacher":
            assert same["diagonal"].max() < 1e-10
        else:
            others = {"gaussian": 2.7, "uniform": 0.7, "sparse": 25, "student_t": 2.2}
            assert _near(same["diagonal"], diagonal, others[law] / m), (law, m, n)


def test_gaussian_squares_are_those_of_the_papers(moments):
    same = moments[(moments["law"] == "gaussian") & (moments["outputs"] == 256)]
    mean, error = _mean(same["mean_square"])
    assert abs(mean - 0.0039215087890625) < FAR * error < 1e-4
    assert f"{256 * mean:.4f}/n at n = 256" in TEXT


def test_orthogonal_matrices_are_exact_unless_they_narrow(moments):
    found = moments[moments["law"] == "orthogonal"]
    tall = found[found["outputs"] >= found["inputs"]]
    assert tall["mean_square"].max() < 1e-12
    assert (tall["norm_mean"] - 1).abs().max() < 1e-5
    assert tall["norm_std"].max() < 1e-5
    wide = found[found["outputs"] < found["inputs"]]
    assert len(wide) >= 40
    m, n = wide["outputs"], wide["inputs"]
    np.testing.assert_allclose(wide["mean_square"], 1 / m - 1 / n, rtol=1e-4)
    for (m, n), same in wide.groupby(["outputs", "inputs"]):
        expected = 2 * (n - m) / (m * (n + 2))
        assert _near(same["norm_error"], expected, 1.2 * expected)


@pytest.mark.parametrize("law", LAWS)
def test_norms_are_kept_within_their_exact_errors(moments, law):
    """E r² = 1 and Var r² for every law; those of a gain 5 % off are far from it."""
    kurtosis = near_orthogonality.KURTOSIS[law]
    for (m, n), same in moments[moments["law"] == law].groupby(["outputs", "inputs"]):
        drawn = int(same["drawn"].iloc[0])
        second = same["norm_mean"].astype(float) ** 2 + same["norm_std"] ** 2
        assert _near(second, 1, 1.05**2), (m, n)
        variance = exact.norm_error(kurtosis, m, n, drawn)
        wrong = 0.25 * variance if law == "sparse" else 1.5 * variance
        assert _near(same["norm_error"], variance, wrong), (m, n)
        if law == "gaussian":
            mean, _ = exact.norm_moments(3, m, n, drawn)
            assert abs(_mean(same["norm_mean"])[0] - mean) < (
                FAR * _mean(same["norm_mean"])[1]
            )


@pytest.mark.parametrize("law", LAWS)
def test_singular_values_fill_the_limiting_law(table, law):
    """Eigenvalues are rigid: the share below s is off by O(√ln n / n), here below 10/n."""
    same = table[(table["record"] == "spectrum") & (table["law"] == law)]
    for (m, n), rows in same.groupby(["outputs", "inputs"]):
        if min(m, n) < 64 or (law == "sparse" and min(m, n) < 1024):
            continue  # of order κ/n, seen apart
        counts = rows.groupby("middle")["count"].sum()
        below = counts.cumsum() / counts.sum()
        ends = counts.index.to_numpy() + 0.025
        off = {}
        for gain in (1, 1.05):
            s = np.linspace(0, ends / gain, 4001)
            law_below = np.trapezoid(exact.value_density(s, m, n), s, axis=0)
            off[gain] = np.abs(below - law_below).max()
        assert off[1] < 10 / min(m, n) + 0.001, (m, n)
        assert off[1] < 0.5 * off[1.05] or min(m, n) < 256, (m, n)


def test_orthogonal_values_are_one(table):
    same = table[(table["record"] == "extremes") & (table["law"] == "orthogonal")]
    scale = np.sqrt(np.maximum(1, same["inputs"] / same["outputs"]))
    for end in ("least", "greatest"):
        np.testing.assert_allclose(same[end], scale, rtol=1e-4)


def test_the_ends_of_the_spectrum(table):
    """Edges |1 ± √y| within some n^(−2/3), the scale of their fluctuations."""
    same = table[(table["record"] == "extremes") & table["law"].isin(SMOOTH)]
    for (m, n), rows in same[same["inputs"] >= 100].groupby(["outputs", "inputs"]):
        y, slack = np.sqrt(n / m), 6 * min(m, n) ** (-2 / 3)
        assert np.abs(rows["greatest"] - (1 + y)).max() < slack
        if m != n:
            assert np.abs(rows["least"] - abs(1 - y)).max() < slack


@pytest.mark.parametrize("law", SMOOTH)
def test_the_least_singular_value_is_of_order_one_over_n(table, law):
    """Edelman's law at the level 1e-5, for n ≥ 100; one of values half as large fails."""
    rows = of.extremes(table)
    scaled = rows[(rows["law"] == law) & (rows["inputs"] >= 100)]["scaled"].to_numpy()
    assert len(scaled) > 500
    assert stats.kstest(scaled, exact.least_cdf).pvalue > 1e-5
    assert stats.kstest(1.3 * scaled, exact.least_cdf).pvalue < 1e-5


def test_condition_numbers_grow_like_n(table):
    rows = of.conditions(table).set_index(["law", "inputs"])
    for law in SMOOTH:
        for n in (100, 256):
            row = rows.loc[(law, n)]
            assert row["singular"] == 0
            assert abs(row["measured"] - np.log(n) - 1.537) < FAR * row["error"] < 1
    assert (rows.loc["orthogonal", "measured"] < 1e-4).all()
    assert rows.loc[("sparse", 10), "singular"] > 0.98, "most have a column of zeros"
    assert rows.loc[("sparse", 256), "singular"] < 0.01


def test_relu_halves_the_second_moment_and_the_remedies_restore_it(table):
    """Exact in the mean for a layer; a gain 5 % off would change it by 10 %."""
    same = table[table["record"] == "layers"]
    second = same.assign(
        second=same["norm_mean"].astype(float) ** 2 + same["norm_std"] ** 2
    )
    first = second[second["layer"] == 1].set_index(["activation", "remedy"])["second"]
    assert _near(first["relu", "none"], 0.5, 0.5 * 1.05**2)
    assert _near(first["relu", "gain"], 1, 1.05**2)
    for name in first.index.get_level_values(0).unique():
        if name != "identity":
            assert _near(first[name, "gain"], 1, 1.05**2), name
    deep = second[(second["activation"] == "relu") & (second["remedy"] == "none")]
    medians = deep.groupby("layer")["norm_mean"].median()
    np.testing.assert_allclose(medians, 2 ** (-medians.index / 2), rtol=0.1)


def test_layer_normalization_restores_the_norm_whatever_the_activation(table):
    same = table[(table["record"] == "layers") & (table["remedy"] == "layer_norm")]
    assert same["activation"].nunique() == 6
    assert (same["norm_mean"] - 1).abs().max() < 1e-3
    assert same["norm_std"].max() < 1e-3


def test_depth_shows_what_the_spectrum_does(table):
    """Exact means of ln ‖x‖ and ln sin θ; at the last layer a width of 24 is refuted."""
    rows = of.depth(table)
    same = rows[rows["law"] == "gaussian"]
    assert (np.abs(same["mean"] - same["theory"]) < FAR * same["error"]).all()
    last = same[same["layer"] == same["layer"].max()]
    for (_, row), rate in zip(last.iterrows(), exact.rates(24), strict=True):
        assert abs(row["mean"] - rate * row["layer"]) > 2 * row["error"]
    orthogonal = rows[rows["law"] == "orthogonal"]
    assert orthogonal[["low", "high"]].abs().max().max() < 1e-3


def test_numbers_of_the_docstring(table):
    rows = of.conditions(table).set_index(["law", "inputs"])
    assert f"ln cond is {rows.loc[('gaussian', 100), 'measured']:.2f} at n = 100" in TEXT
    extremes = of.extremes(table)
    scaled = extremes[(extremes["law"] == "gaussian") & (extremes["inputs"] >= 100)]
    assert f"the median of n s is {scaled['scaled'].median():.2f}" in TEXT
    deep = of.depth(table).set_index(["law", "panel", "layer"])["measured"].loc["gaussian"]
    angle = np.degrees(np.arcsin(np.exp(deep["ln sin θ of two inputs", 256])))
    assert f"two inputs at 90° are {angle:.1f}° apart" in TEXT


def test_ten_by_ten_sparse_matrices_are_the_exception(moments):
    same = moments[(moments["law"] == "sparse") & (moments["outputs"] == 10)]
    mean, error = _mean(same["mean_square"])
    assert f"{10 * mean:.1f}/n and singular" in TEXT
    assert mean - FAR * error > 2 / 10, "and others have at most 1.3/n"
    others = moments[(moments["outputs"] == 10) & moments["law"].isin(SMOOTH)]
    assert others.groupby("law")["mean_square"].mean().max() < 1.3 / 10
