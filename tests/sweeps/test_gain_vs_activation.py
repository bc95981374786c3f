"""Measured gains and networks are what plain loops over the same numbers say."""

import jax
import numpy as np
import pytest

from initjax import init
from initjax.engine import draw_networks
from initjax.gains import gain
from sweeps import data, gain_vs_activation
from sweeps.gain_vs_activation import PRESETS, SCHEMA, Config, cells, cost, measure, unit
from sweeps.harness.cli import main
from sweeps.harness.grid import group
from sweeps.harness.table import load
from sweeps.responses.kinds import gain_of, has_gain, scatter
from sweeps.responses.networks import BATCH
from sweeps.responses.sampling import BLOCK, block_means
from sweeps.responses.starts import _log10_rms
from tests.engine.programs import jitted, megabytes

WIDTH, DEPTH = 16, 5
PARTS = ("samples", "networks", "unit_start")
TINY = Config(
    activations=("relu", "tanh"),
    samples=(30_000, 10_000),
    width=WIDTH,
    depth=DEPTH,
    layers=3,
    seeds=2,
)
PLAIN = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
}


@pytest.fixture(scope="module", autouse=True)
def one_device():
    chosen = jax.local_devices()[:1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "local_devices", lambda: chosen)
        yield


def _compiled():
    engine = sum(function._cache_size() for function in jitted().values())
    return engine + block_means._cache_size() + _log10_rms._cache_size()


def _part(config, part):
    return [cell for cell in cells(config) if cell["part"] == part]


@pytest.fixture(scope="module")
def measured():
    """Tables of both parts, with the programs forecast and compiled for each."""
    found = {}
    for part in PARTS:
        some, before = _part(TINY, part), _compiled()
        rows = SCHEMA.conform(measure(some, TINY))
        found[part] = rows, cost(some, TINY), _compiled() - before
    return found


@pytest.fixture(scope="module")
def sampled(measured):
    return measured["samples"][0].set_index(["activation", "kind", "seed", "samples"])


@pytest.fixture(scope="module")
def networks(measured):
    return measured["networks"][0]


def test_a_part_is_one_program_whatever_the_number_of_gains(measured):
    """Of four gains two are equal for tanh and three for relu: filled up to as many."""
    programs = {part: (len(c.programs), n) for part, (_, c, n) in measured.items()}
    assert programs == {"samples": (1, 1), "networks": (3, 3), "unit_start": (1, 1)}
    assert all(len(rows) == forecast.rows for rows, forecast, _ in measured.values())


@pytest.mark.parametrize("name", list(PLAIN))
def test_gains_are_those_of_the_same_samples_in_float64(sampled, name):
    function, slope = PLAIN[name]
    key = jax.random.fold_in(jax.random.key(1), BLOCK)
    blocks = [
        init.normal(1.0)(jax.random.fold_in(key, b), (100, BLOCK // 100)) for b in range(3)
    ]
    for count in (1, 3):
        x = np.concatenate(
            [np.asarray(block, np.float64).ravel() for block in blocks[:count]]
        )
        exact = {
            "forward": np.mean(function(x) ** 2) ** -0.5,
            "backward": np.mean(slope(x) ** 2) ** -0.5,
            "centered": x.std() / function(x).std(),
        }
        for kind, value in exact.items():
            found = sampled.loc[(name, kind, 1, count * BLOCK), "gain"]
            assert found == pytest.approx(value, rel=1e-6)
            assert abs(found / gain(name, kind=kind) - 1) > 1e-5, "samples, no quadrature"


def test_scatter_is_that_of_many_small_samples():
    """Of 4,000 sets of 1,000: a standard deviation is known to 1.1 %."""
    x = np.random.default_rng(0).normal(size=(4000, 1000))
    for name, (function, slope) in PLAIN.items():
        y = function(x)
        logs = {
            "forward": -np.log(np.mean(y**2, 1)) / 2,
            "backward": -np.log(np.mean(slope(x) ** 2, 1)) / 2,
            "centered": np.log(x.std(1) / y.std(1)),
        }
        for kind, each in logs.items():
            seen = each.std() * 1000**0.5
            assert scatter(kind, name) == pytest.approx(seen, rel=0.05), (name, kind)
    assert scatter("forward", "relu") == pytest.approx(5**0.5 / 2, rel=1e-9)
    assert scatter("backward", "abs") == scatter("centered", "identity") == 0


@pytest.mark.parametrize("kind", ["forward", "torch"])
def test_networks_are_those_of_a_plain_loop(networks, kind):
    """Kernels of standard deviation gain/√n, and gradients by the chain rule in float64."""
    seed = 1
    keys = jax.vmap(lambda s: jax.random.split(jax.random.key(s)))(np.arange(2))
    sizes = {"depth": DEPTH, "width": WIDTH, "fan_ins": (WIDTH,), "classes": data.CLASSES}
    draws = jax.device_get(draw_networks(("normal",), keys[:, 0], **sizes))
    x, labels = data.draw("gaussian", keys[seed, 1], batch=BATCH, width=WIDTH)
    sigma = {"forward": gain("tanh"), "torch": 5 / 3}[kind]
    first, last = (part["normal"][seed, 0] for part in (draws.first[WIDTH], draws.readout))
    kernels = sigma / WIDTH**0.5 * np.stack([first, *draws.hidden["normal"][seed]])
    readout = sigma * (2 / (WIDTH + data.CLASSES)) ** 0.5 * last

    signals = [np.asarray(x, np.float64)]
    for kernel in kernels:
        signals.append(np.tanh(signals[-1] @ kernel))
    chances = np.exp(signals[-1] @ readout)
    wrong = chances / chances.sum(1, keepdims=True) - np.eye(data.CLASSES)[labels]
    below = wrong / BATCH @ readout.T
    deltas = []
    for kernel, h in zip(kernels[::-1], signals[:0:-1], strict=True):
        deltas.insert(0, below * (1 - h**2))
        below = deltas[0] @ kernel.T

    rows = networks[(networks["activation"] == "tanh") & (networks["kind"] == kind)]
    rows = rows[rows["seed"] == seed]
    assert rows["layer"].tolist() == [0, 2, 4]
    assert (abs(rows["gain"] - sigma) < 1e-6).all()
    for column, arrays in (("act_log10_rms", signals[1:]), ("delta_log10_rms", deltas)):
        rms = np.sqrt(np.mean(np.square(arrays), (1, 2)))[[0, 2, 4]]
        np.testing.assert_allclose(rows[column], np.log10(rms), atol=2e-4)


def test_signals_from_one_are_those_of_a_plain_loop(measured):
    """The weights of the networks, but σ_w = 1 in layer 0, and inputs of mean square 1."""
    rows = measured["unit_start"][0]
    keys = jax.vmap(lambda s: jax.random.split(jax.random.key(s)))(np.arange(2))
    sizes = {"depth": DEPTH, "width": WIDTH, "fan_ins": (WIDTH,), "classes": data.CLASSES}
    draws = jax.device_get(draw_networks(("normal",), keys[:, 0], **sizes))
    for name, (function, _) in PLAIN.items():
        for seed in range(2):
            kernels = [draws.first[WIDTH]["normal"][seed, 0], *draws.hidden["normal"][seed]]
            x = np.asarray(init.normal(1.0)(keys[seed, 1], (WIDTH,)), np.float64)
            h, found = x / np.sqrt(np.mean(x**2)), []
            for layer, kernel in enumerate(kernels):
                h = function((gain(name) if layer else 1) / WIDTH**0.5 * h @ kernel)
                found.append(np.log10(np.mean(h**2)) / 2)
            same = rows[(rows["activation"] == name) & (rows["seed"] == seed)]
            assert same["layer"].tolist() == [0, 2, 4]
            wanted = np.array(found)[[0, 2, 4]]
            np.testing.assert_allclose(same["act_log10_rms"], wanted, atol=2e-4)


def test_equal_gains_have_equal_rows(networks):
    relu = networks[networks["activation"] == "relu"].set_index(["kind", "seed", "layer"])
    forward, torch = (relu.loc[kind, "act_log10_rms"] for kind in ("forward", "torch"))
    np.testing.assert_array_equal(forward, torch)
    assert (relu.loc["centered", "act_log10_rms"] > forward).all()


def test_torch_has_numbers_for_few():
    known = [name for name in Config().activations if has_gain("torch", name)]
    assert known == [
        *("identity", "relu", "leaky_relu", "selu", "sigmoid", "tanh", "leaky_relu(0.2)")
    ]
    assert [gain_of("torch", name) for name in ("tanh", "selu", "sigmoid")] == [
        5 / 3,
        0.75,
        1,
    ]


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    assert len(found) == 20 * (26 * 3 + 26 * 3 + 7 + 26)
    units = group(found, unit)
    assert len(units) == 3 * 20
    assert cost(units[0], PRESETS["default"]).rows == 26 * 3 * 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"samples": (15_000,)}, "--samples must be multiples of 10000; got 15000"),
        ({"samples": (1000,)}, "--samples must be >= 10000; got 1000"),
        ({"layers": 51}, "--layers must be <= 50; got 51"),
        ({"depth": 1}, "--depth must be >= 2; got 1"),
        ({"seeds": 0}, "--seeds must be >= 1; got 0"),
        ({"activations": ("nobody",)}, "activation 'nobody' is unknown"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))


@pytest.mark.slow
def test_rows_do_not_depend_on_what_else_is_measured(sampled, networks):
    alone = Config(**{**vars(TINY), "activations": ("tanh",), "samples": (10_000,)})
    for part, whole in (("samples", sampled.reset_index()), ("networks", networks)):
        some = [cell for cell in _part(alone, part) if cell["seed"] == 1]
        found = SCHEMA.conform(measure(some[:1], alone))
        keys = [name for name in SCHEMA.order if name in found]
        both = found.merge(whole, on=keys, suffixes=("", "_whole"))
        assert len(both) == len(found)
        for column in ("gain", "act_log10_rms", "delta_log10_rms"):
            pair = both[column], both[f"{column}_whole"]
            np.testing.assert_allclose(
                *pair, rtol=2e-6, atol=2e-4 if part != "samples" else 0
            )


@pytest.mark.slow
def test_memory_of_sampling_is_right_within_a_factor_of_two():
    config = Config(seeds=1)
    keys = jax.vmap(jax.random.key)(np.arange(1))
    program = block_means.lower(keys, activations=config.activations, blocks=1000)
    forecast = cost(_part(config, "samples"), config).memory / 1e6
    assert megabytes(program) / 2 < forecast < 2 * megabytes(program)


@pytest.mark.slow
def test_smoke_makes_table_and_figures(tmp_path):
    arguments = ["--preset", "smoke", "--out", str(tmp_path / "out")]
    assert main("gain_vs_activation", arguments) == 0
    names = {path.stem for path in (tmp_path / "out" / "figures").glob("*.png")}
    scales = {"activation_scale", "gradient_scale"}
    assert names == {"gains", "errors", "factors", "unit_start", *scales}
    table = load(tmp_path / "out" / "table.parquet")
    assert list(table.columns) == SCHEMA.names
    assert set(table["part"]) == set(PARTS)
    assert gain_vs_activation.__doc__
