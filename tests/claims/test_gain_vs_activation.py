"""What the sweep claims of the four gains is what its table at the default preset shows."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, chi2

from analysis.gain_responses import errors, factors, measured_gains, starts
from initjax.activations import ACTIVATIONS
from initjax.gains import gain
from initjax.meanfield import chi, chi_q, variance_map
from sweeps import gain_vs_activation

SEEDS, WIDTH = 20, 256
BIAS = 5 / (4 * WIDTH)
"""What a finite width does to ln of an RMS per layer: of ReLU, the largest at q = 1."""
LINES = {"identity", "abs", "relu", "leaky_relu", "leaky_relu(0.2)"}
DOC = " ".join((gain_vs_activation.__doc__ or "").split())


@pytest.fixture(scope="module")
def table(measured):
    return measured("gain_vs_activation")


@pytest.fixture(scope="module")
def prints(committed):
    """Sees that the docstring says this of the committed table."""

    def check(words):
        assert words in DOC or not committed

    return check


@pytest.fixture(scope="module")
def gains(table):
    return measured_gains(table).set_index(["activation", "kind"])


@pytest.fixture(scope="module")
def signals(table):
    return starts(table)


@pytest.fixture(scope="module")
def mistakes(table):
    return errors(table)


@pytest.fixture(scope="module")
def per_layer(table):
    return factors(table).set_index(["direction", "kind", "activation"]).sort_index()


SIGMA_MISH = gain("mish", kind="backward")


def _away_from_fixed(q):
    return float(variance_map(q, "mish", sigma_w=SIGMA_MISH)) - q


def _differs(factor, theory, error):
    """By more than five standard errors and the effect of a finite width."""
    return np.abs(np.log(factor / theory)) > 5 * error + BIAS


def test_every_activation_is_measured(table):
    names = {*ACTIVATIONS, "leaky_relu(0.2)"}
    sampled, networks = (table[table["part"] == p] for p in ("samples", "networks"))
    assert set(table.loc[table["part"] == "unit_start", "activation"]) == names
    assert set(sampled["activation"]) == set(networks["activation"]) == names
    assert set(sampled["samples"]) == {10**4, 10**5, 10**6, 10**7}
    assert sampled["seed"].nunique() == networks["seed"].nunique() == SEEDS
    assert set(networks["depth"]) == {50}
    assert set(networks["width"]) == {WIDTH}
    assert set(networks.loc[networks["kind"] == "torch", "activation"]) == {
        *{"identity", "relu", "leaky_relu", "leaky_relu(0.2)", "tanh", "sigmoid", "selu"}
    }


def test_means_of_seeds_are_the_gains_of_quadrature(table, gains):
    """Five standard errors each, by the CLT; gains off by 5 % would fail at any size."""
    sampled = table[table["part"] == "samples"]
    groups = sampled.groupby(["activation", "kind", "samples"])
    for (name, kind, samples), same in groups:
        away = np.log(same["gain"].astype(float) / gains.loc[(name, kind), "exact"]).mean()
        error = same["scatter"].iloc[0] / np.sqrt(samples * len(same))
        assert abs(away) <= 5 * error + 1e-7, (name, kind, samples)
        assert abs(away + np.log(1.05)) > 5 * error


def test_errors_are_of_the_size_of_the_central_limit_theorem(mistakes):
    """Mean squares over 20 seeds, 300 of them, at a level of 1e-4 for all together."""
    assert len(mistakes) == (3 * 26 - 3) * 4
    square = SEEDS * (mistakes["unit"] / mistakes["law"]) ** 2
    low, high = chi2.ppf([1e-4 / 600, 1 - 1e-4 / 600], SEEDS)
    assert square.between(low, high).all()
    assert not (4 * square).between(low, high).all(), "nor twice as large errors"


def test_errors_fall_like_the_root_of_the_number_of_samples(mistakes, prints):
    """Four points of std 0.069 each, log10 of an RMS of 20 seeds, so 0.031 of a slope."""
    powers = []
    for _, same in mistakes.groupby(["kind", "activation"]):
        logs = np.log10(same[["samples", "unit"]].astype(float))
        powers.append(np.polyfit(logs["samples"], logs["unit"], 1)[0])
    assert np.abs(np.array(powers) + 0.5).max() < 4.5 * 0.031
    assert np.mean(powers) == pytest.approx(-0.5, abs=3 * 0.031)
    prints(f"power {np.mean(powers):.3f} of N")


def test_which_folklore_gain_is_which(gains, prints):
    """The std ratio is the centered gain; 1/√E φ² the forward one; torch's are neither."""
    centered, forward = (
        gains.xs(kind, level="kind")["measured"] for kind in ("centered", "forward")
    )
    assert centered["tanh"] == pytest.approx(1.592537419723, rel=3e-4)
    assert centered["relu"] == pytest.approx(np.sqrt(2 / (1 - 1 / np.pi)), rel=5e-4)
    assert forward["relu"] == pytest.approx(np.sqrt(2), rel=7e-4)
    ratio = centered / forward
    odd = ["tanh", "lecun_tanh", "hard_tanh", "erf", "arctan", "softsign", "sin", "selu"]
    np.testing.assert_allclose(ratio[odd], 1, rtol=5e-4)
    assert ratio["relu"] == pytest.approx(1.2112, abs=1e-3)
    assert ratio["sigmoid"] == pytest.approx(2.6006, abs=2e-3)
    prints("21 % for ReLU and 160 % for sigmoid")
    torch = gains.xs("torch", level="kind")["published"]
    wrong = {name: torch[name] / forward[name] for name in ("tanh", "selu", "sigmoid")}
    assert wrong == pytest.approx(
        {"tanh": 1.0465, "selu": 0.75, "sigmoid": 0.5416}, abs=1e-3
    )
    assert all(
        torch[name] == pytest.approx(forward[name], rel=7e-4) for name in LINES - {"abs"}
    )
    off = (gains["measured"] / gains["exact"] - 1).abs().max()
    prints(f"quadrature to {100 * off:.3f} %")


def test_one_run_of_ten_thousand_samples_tells_two_digits(table, prints):
    runs = table[(table["samples"] == 10_000) & (table["activation"] == "tanh")]
    runs = runs.loc[runs["kind"] == "centered", "gain"]
    prints(f"{runs.min():.3f} … {runs.max():.3f} for tanh")
    assert runs.std() == pytest.approx(1.5925 * 0.44 / 100, rel=0.5)


def test_factors_are_those_of_the_mean_field(per_layer):
    """Of 5 % more weight none but those that no gain changes would be."""
    finite = per_layer[np.isfinite(np.log(per_layer["measured"].where(lambda m: m > 0)))]
    assert len(finite) == 2 * (3 * 25 + 7)
    assert not _differs(finite["measured"], finite["theory"], finite["error"]).any()
    lines = finite[finite.index.get_level_values("activation").isin(LINES)]
    assert _differs(1.05 * lines["measured"], lines["theory"], lines["error"]).all()
    torch = finite.loc["backward", "torch", "tanh"]
    forward = finite.loc["backward", "forward", "tanh"]
    assert _differs(torch["measured"], forward["theory"], torch["error"]), "4.7 % more"


def test_the_forward_gain_keeps_a_signal_unless_one_repels(per_layer):
    """By the slope of the length map at q = 1, which is to be above 1 where it fails."""
    rows = per_layer.loc["forward", "forward"]
    sigma = {name: gain(name) for name in rows.index}
    slopes = {name: chi_q(name, q=1.0, sigma_w=sigma[name]) for name in rows.index}
    repels = {name for name, slope in slopes.items() if slope > 1 + 1e-6}
    assert repels == {
        *{"gelu", "gelu_tanh", "quick_gelu", "silu", "hard_silu", "mish", "squared_relu"}
    }
    left = rows.index.isin(repels)
    assert not _differs(rows["measured"], 1, rows["error"])[~left].any()
    grown = rows["measured"][left].drop("squared_relu")
    assert (grown > 1.04).all()
    gradient = per_layer.loc["backward", "forward"]
    for name in set(rows.index) - repels:
        root = np.sqrt(chi(name, q=1.0, sigma_w=sigma[name]))
        seen = gradient.loc[name]
        assert not _differs(seen["measured"], root, seen["error"]), name


def test_the_backward_gain_keeps_gradients_of_piecewise_linear_units_only(
    per_layer, prints
):
    rows = per_layer.loc["backward", "backward"].drop("squared_relu")
    kept = ~_differs(rows["measured"], 1, rows["error"])
    # Mish goes either way, as the next test says.
    assert set(rows.index[kept]) - {"mish"} == LINES | {"relu6"}
    prints("1.061 a layer for tanh and 0.688 for sigmoid")
    for name, value in {"tanh": 1.061, "sigmoid": 0.688}.items():
        assert round(rows.loc[name, "measured"], 3) == value


def test_mish_and_the_gelus_with_the_backward_gain_go_either_way(table, per_layer):
    """Mish starts at q = 2.09, below a point at 2.56 that repels by 1.04 a layer only."""
    split = per_layer.loc["forward"]["split"].drop("squared_relu", level="activation")
    assert set(split[split].index) == {
        ("backward", name) for name in ("mish", "gelu", "gelu_tanh", "quick_gelu")
    }
    point = brentq(_away_from_fixed, 2, 3)
    assert chi_q("mish", q=point, sigma_w=SIGMA_MISH) == pytest.approx(1.0447, abs=1e-3)
    assert pytest.approx(2.087, abs=1e-3) == SIGMA_MISH**2
    assert point == pytest.approx(2.556, abs=1e-3)
    rows = table[(table["activation"] == "mish") & (table["kind"] == "backward")]
    last = rows.loc[(rows["part"] == "networks") & (rows["layer"] == 49), "act_log10_rms"]
    assert len(last) == SEEDS
    assert (last < -0.5).sum() >= 3
    assert (last > 0.2).sum() >= 3


def test_the_centered_gain_makes_relu_explode(per_layer, prints):
    grows = per_layer.loc["forward", "centered", "relu"]
    assert not _differs(grows["measured"], 1.712858550450 / 2**0.5, grows["error"])
    prints(f"ReLU grows by {grows['measured']:.3f} with the centered gain")
    assert grows["measured"] > 1.15


def test_torch_gains_in_networks(per_layer, table, prints):
    rows = per_layer.xs("torch", level="kind")["measured"]
    tanh = (
        per_layer.loc[("backward", "forward", "tanh"), "measured"],
        rows["backward", "tanh"],
    )
    prints("{:.3f} a layer with the forward gain and {:.3f}".format(*tanh))
    prints(f"torch's sigmoid keeps {rows['backward', 'sigmoid']:.3f}")
    last = table[(table["kind"] == "torch") & (table["layer"] == 49)]
    medians = 10 ** last.groupby("activation")["act_log10_rms"].median()
    prints(f"settles at {medians['tanh']:.3f}")
    assert medians["tanh"] == pytest.approx(0.65, abs=0.01)
    assert 0.15 < medians["selu"] < 0.25, "3/4 shrinks the signal of selu"
    assert rows["backward", "selu"] == pytest.approx(0.992, abs=0.006)


def test_squared_relu_starts_below_its_fixed_point(table, committed, prints):
    """V(q) = 1.5 σ_w² q² holds 1/(1.5 σ_w²) only, and q starts at σ_w²."""
    sigma = {kind: gain("squared_relu", kind=kind) for kind in ("forward", "backward")}
    for kind, fixed in {"forward": 1.0, "backward": 4 / 3}.items():
        assert variance_map(fixed, "squared_relu", sigma_w=sigma[kind]) == pytest.approx(
            fixed
        )
        assert sigma[kind] ** 2 < fixed, "mean field goes to 0"
    assert sigma["forward"] ** 2 == pytest.approx(2 / 3)
    part = table[(table["part"] == "networks") & (table["layer"] == 49)]
    rows = part[part["activation"] == "squared_relu"].groupby("kind")["act_log10_rms"]
    ends: dict[str, pd.Series] = {str(kind): same for kind, same in rows}
    assert np.isneginf(ends["backward"]).all()
    assert ends["centered"].isna().all(), "past float32"
    died = np.isneginf(ends["forward"])
    assert ends["forward"][~died].isna().all()
    if not committed:
        low, high = binom.ppf([1e-4, 1 - 1e-4], SEEDS, 18 / SEEDS)
        assert low <= died.sum() <= high
    else:
        prints(f"{died.sum()} of {SEEDS} networks, go to 0, {(~died).sum()} to ∞")


def test_the_noise_of_a_width_grows_by_the_slope_at_one(signals):
    """Mean squares of ln √q over 20 seeds, while they are small, at 1e-4 for all."""
    small = signals[(signals["spread"] < 0.6) & (signals["layer"] <= 14)]
    z = np.log(10) * small["rms"] / small["spread"]
    square = z.pow(2).groupby([small["activation"], small["layer"]], sort=False).sum()
    low, high = chi2.ppf([1e-4 / 2 / len(square), 1 - 1e-4 / 2 / len(square)], SEEDS)
    assert len(square) > 60
    assert square.between(low, high).all()
    wrong = square.xs(7, level="layer")[["gelu", "gelu_tanh", "silu", "hard_silu"]]
    slopes = [chi_q(name, q=1.0, sigma_w=gain(name)) for name in wrong.index]
    grown = [np.sum(float(slope) ** (2 * np.arange(8))) / 8 for slope in slopes]
    assert (wrong * grown > high).all(), "not a random walk of slope 1"


def test_signals_leave_one_where_it_repels(signals, committed, prints):
    """Though the mean field stays: up and down, by the noise of the width."""
    prints("1.144 for gelu, 1.076 for mish")
    prints("q starts at gain², 2.35 for gelu")
    assert gain("gelu") ** 2 == pytest.approx(2.35, abs=5e-3)
    for name, slope in {"gelu": 1.144, "mish": 1.076}.items():
        assert chi_q(name, q=1.0, sigma_w=gain(name)) == pytest.approx(slope, abs=5e-4)
        assert variance_map(1.0, name, sigma_w=gain(name)) == pytest.approx(1, abs=1e-6)
    last = signals[signals["layer"] == 49].set_index("activation")["rms"]
    off = (~(last.abs() <= np.log10(2))).groupby(level=0).sum()
    fallen = (last < 0).groupby(level=0).sum()
    for name in ("gelu", "gelu_tanh", "quick_gelu", "silu", "hard_silu", "mish"):
        assert off[name] >= 15
        low, high = binom.ppf([1e-4, 1 - 1e-4], SEEDS, 0.5)
        assert low <= fallen[name] <= high
    assert not off[["tanh", "selu", "elu", "sigmoid", "softplus"]].any()
    if committed:
        words = f"in {off['gelu']} of 20 signals of gelu and {off['mish']} of mish, up or "
        prints(words + f"down ({fallen['gelu']} and {fallen['mish']} fall)")
        prints(f"and in {off['tanh']} of tanh")
