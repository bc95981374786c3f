"""What is said of nearly orthogonal vectors and matrices is what the table shows.

A mean over seeds keeps to its law within six standard errors: with 19 degrees of freedom
one of 10⁵ is further off.
"""

import re

import numpy as np
import pytest
from scipy import stats
from scipy.special import airy

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


@pytest.fixture
def said(committed):
    """Checks a number of the docstring: what is printed, or if measured anew what is near.

    Near is within six standard errors and half a unit of the last digit.
    """

    def check(words, value, error):
        pattern = re.escape(words).replace(r"\{\}", r"(-?\d+(?:\.\d+)?)")
        (number,) = re.findall(pattern, TEXT)
        digits = len(number.partition(".")[2])
        if committed:
            assert f"{value:.{digits}f}" == number, words
        else:
            assert abs(value - float(number)) < FAR * error + 0.5 * 10.0**-digits

    return check


def _quantile(values, p):
    """A quantile and its standard error, from the scatter of the share below."""
    scatter = np.sqrt(p * (1 - p) / len(values))
    low, value, high = np.quantile(values, np.clip([p - scatter, p, p + scatter], 0, 1))
    return float(value), float(high - low) / 2


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


def test_gaussian_squares_are_those_of_the_papers(moments, said):
    same = moments[(moments["law"] == "gaussian") & (moments["outputs"] == 256)]
    mean, error = _mean(same["mean_square"])
    assert abs(mean - 0.0039215087890625) < FAR * error < 1e-4
    said("The mean square is {}/n for Gaussian n = 256", 256 * mean, 256 * error)


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
    """Eigenvalues are rigid: the share below s is off by some 1/n, and (κ − 3)/(6 n).

    Here by 1.5/n at most, or 7/n if sparse: 4.5, and of 20 matrices six errors, for the
    scatter √(κ − 1)/(2 n) of their scale moves 1.7 of n values. Gains 5 % off are further
    off for all n ≥ 64, or 256 if sparse.
    """
    same = table[(table["record"] == "spectrum") & (table["law"] == law)]
    most, fewest = (7, 256) if law == "sparse" else (1.5, 64)
    for (m, n), rows in same.groupby(["outputs", "inputs"]):
        if min(m, n) < fewest:
            continue
        counts = rows.groupby("middle")["count"].sum()
        below = counts.cumsum() / counts.sum()
        ends = counts.index.to_numpy() + 0.025
        off = {}
        for gain in (1, 0.95, 1.05):
            s = np.linspace(0, ends / gain, 4001)
            law_below = np.trapezoid(exact.value_density(s, m, n), s, axis=0)
            off[gain] = np.abs(below - law_below).max()
        assert off[1] < most / min(m, n) < min(off[0.95], off[1.05]), (m, n)


def test_orthogonal_values_are_one(table):
    same = table[(table["record"] == "extremes") & (table["law"] == "orthogonal")]
    scale = np.sqrt(np.maximum(1, same["inputs"] / same["outputs"]))
    for end in ("least", "greatest"):
        np.testing.assert_allclose(same[end], scale, rtol=1e-4)


@pytest.fixture(scope="module")
def tracy_widom():
    """Mean of F(s) = det(1 − Ai(x + y + s)) on x, y > 0, of real matrices.

    By Ferrari & Spohn (2005).
    """
    u, weights = np.polynomial.legendre.leggauss(40)
    x, root = 8 * (u + 1), np.sqrt(8 * weights)
    s = np.linspace(-10, 8, 181)
    kernel = root[:, None] * airy(x[:, None] + x + s[:, None, None])[0] * root
    return s[-1] - np.trapezoid(np.linalg.det(np.eye(40) - kernel), s)


@pytest.mark.parametrize("law", SMOOTH)
def test_the_ends_of_the_spectrum_are_at_the_edges(table, law, tracy_widom):
    """Means of s² are (1 ± √y)², moved as Tracy & Widom say (scale by Johnstone 2001).

    Kurtosis moves them by about ± (κ − 3)/√(mn) of themselves, as is seen here: once and a
    half that is allowed for, and nothing for Gaussian entries. A gain 5 % off: by 10 %.
    """
    assert tracy_widom == pytest.approx(-1.20653, abs=1e-5)
    same = table[(table["record"] == "extremes") & (table["law"] == law)]
    allowed = 1.5 * abs(near_orthogonality.KURTOSIS[law] - 3)
    for (m, n), rows in same[same["inputs"] >= 100].groupby(["outputs", "inputs"]):
        a, b = np.sqrt(max(m, n) - 0.5), np.sqrt(min(m, n) - 0.5)
        for end, sign in (("greatest", 1), ("least", -1)):
            if (m, end) == (n, "least"):
                continue
            edge, scale = (
                (a + sign * b) ** 2,
                (a + sign * b) * (1 / b + sign / a) ** (1 / 3),
            )
            expected = (edge + sign * tracy_widom * scale) / m
            mean, error = _mean(rows[end].astype(float) ** 2)
            slack = FAR * error + allowed * expected / np.sqrt(m * n)
            assert abs(mean - expected) < slack < 0.0975 * expected, (m, n, end)


@pytest.mark.parametrize("law", SMOOTH)
def test_the_least_singular_value_is_of_order_one_over_n(table, law):
    """Edelman's law at the level 1e-5, for n ≥ 100; values 1.3 times as large fail."""
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


def test_mean_squares_are_one_over_n_only_where_n_is_far_above_the_kurtosis(moments, said):
    """Sparse entries have κ = 30: n of 10 … 1024 are near (n + 28)/n² and far from 1/n."""
    square = moments[moments["outputs"] == moments["inputs"]]
    sparse = square[square["law"] == "sparse"]
    for n, same in sparse[sparse["inputs"] < 4096].groupby("inputs"):
        assert _near(same["mean_square"], (n + 28) / n**2, 1 / n), n
    words = {10: "it is {}/n for n = 10", 32: ", {}/n for 32", 100: "{}/n for 100"}
    for n, phrase in {**words, 256: "{}/n for 256."}.items():
        mean, error = _mean(sparse.loc[sparse["inputs"] == n, "mean_square"])
        said(phrase, n * mean, n * error)
    others = square[(square["inputs"] == 10) & square["law"].isin(SMOOTH)]
    means = others.groupby("law")["mean_square"].mean()
    assert (10 * means - 1).abs().max() < 0.25 < 2.5


def _plain_share(law, n, count, kept=near_orthogonality.KEPT):
    """Share of singular matrices among plain draws."""
    random = np.random.default_rng(n)
    w = random.standard_normal((count, n, n))
    w = np.sign(w) if law == "rademacher" else w * (random.random(w.shape) < kept)
    return float((np.linalg.matrix_rank(w) < n).mean())


@pytest.mark.parametrize(
    ("law", "n", "words"),
    [
        ("sparse", 10, "{} % of the sparse 10 × 10"),
        ("sparse", 32, "{} % of 32 × 32"),
        ("rademacher", 10, "{} % of Rademacher 10 × 10"),
    ],
)
def test_small_matrices_of_some_laws_are_singular(table, said, law, n, words):
    """As often as plain draws; sparse ones that keep 2 of 10 entries are less often."""
    row = of.conditions(table).set_index(["law", "inputs"]).loc[(law, n)]
    share, plain_share = row["singular"], _plain_share(law, n, 1000)
    error = np.sqrt(max(share * (1 - share), 1e-3) / row["matrices"])
    slack = FAR * np.hypot(error, np.sqrt(max(share * (1 - share), 1e-3) / 1000))
    assert abs(share - plain_share) < slack < 0.2
    if law == "sparse":
        assert share - _plain_share(law, n, 500, kept=0.2) > slack
    said(words, 100 * share, 100 * error)


def test_large_matrices_and_those_of_densities_are_not_singular(table, said):
    """But for some 100 × 100 with a row or a column of zeros, (1 − 0.9¹⁰⁰)²⁰⁰ have none."""
    rows = of.conditions(table).set_index(["law", "inputs"])
    singular = rows["singular"]
    for law in ("gaussian", "uniform", "student_t", "orthogonal"):
        assert (singular.loc[law] == 0).all()
    assert (singular.loc["rademacher"].loc[32:] == 0).all()
    assert (singular.loc["sparse"].loc[256:] == 0).all()
    row, chance = rows.loc[("sparse", 100)], 1 - (1 - 0.9**100) ** 200
    error = np.sqrt(chance / row["matrices"])
    assert abs(row["singular"] - chance) < FAR * error < 0.03
    said("{} % of 100 × 100", 100 * row["singular"], 100 * error)


def test_lengths_have_the_spread_that_is_said(table):
    """1/√(2m) to an order of 1/m; of matrices that are drawn whole, up to n = 1,024."""
    rows = of.norms(table)
    assert rows["inputs"].max() == 1024
    same = rows[rows["law"] == "gaussian"]
    off = same["exact"] * np.sqrt(2 * same["outputs"]) - 1
    assert (off.abs() < 1 / (4 * same["outputs"])).all()
    assert (np.abs(same["measured"] - same["exact"]) < FAR * same["error"]).all()
    assert table.loc[table["record"] == "spectrum", "inputs"].max() == 1024


def test_numbers_of_the_docstring(table, said):
    row = of.conditions(table).set_index(["law", "inputs"]).loc[("gaussian", 100)]
    said("ln cond is {} at n = 100", row["measured"], row["error"])
    extremes = of.extremes(table)
    scaled = extremes[(extremes["law"] == "gaussian") & (extremes["inputs"] >= 100)]
    said("the median of n s is {} for the least", *_quantile(scaled["scaled"], 0.5))
    last = table[(table["record"] == "depth") & (table["layer"] == 256)].set_index("law")
    sines = np.exp(last.loc["gaussian", "log_sine"].astype(float))
    angles = np.degrees(np.arcsin(sines))  # from a line: θ or 180° − θ
    said("lie within {}° of one line", *_quantile(angles, 0.5))
    said("90 % of networks {}°…", *_quantile(angles, 0.05))
    said("…{}°)", *_quantile(angles, 0.95))
    said("the median of ln ‖x‖ is {},", *_quantile(last.loc["gaussian", "log_norm"], 0.5))
    said("with sparse weights {},", *_quantile(last.loc["sparse", "log_norm"], 0.5))
    assert last.loc["orthogonal", ["log_norm", "log_sine"]].abs().max().max() < 1e-3
