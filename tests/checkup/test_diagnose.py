"""Diagnoses of real models: forms, remedies, what is printed and what is refused."""

import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import initjax
from initjax import init
from initjax.checkup import Diagnosis, Finding, Unhealthy, diagnose
from initjax.probes.errors import ModelError

X = np.random.default_rng(0).normal(size=(32, 16)).astype(np.float32)


class Deep(nn.Module):
    """Thirteen ReLU layers and a readout."""

    kernel_init: object = nn.initializers.lecun_normal()
    bias_init: object = nn.initializers.zeros

    @nn.compact
    def __call__(self, x):
        for _ in range(13):
            dense = nn.Dense(32, kernel_init=self.kernel_init, bias_init=self.bias_init)
            x = nn.relu(dense(x))
        return nn.Dense(3)(x)


@pytest.fixture(scope="module")
def sick():
    return diagnose(Deep(), X)


@pytest.fixture(scope="module")
def well(sick):
    """The same model with what the remedy of the sick one says, as Python."""
    (call,) = {finding.remedy.call for finding in sick.findings}
    return diagnose(Deep(eval(call, {"init": init})), X)


def test_both_ways_are_found(sick):
    assert sick.verdict == "vanishing"
    assert [f.title for f in sick.findings] == ["vanishing forward", "vanishing backward"]
    first = sick.findings[0]
    assert isinstance(first, Finding) and len(first.layers) == 13
    assert first.numbers["low"] < first.numbers["drift"] < first.numbers["high"]
    assert first.expected == pytest.approx(12 * np.log10(0.5) / 2, rel=0.02)


def test_a_healthy_model_has_no_findings(well):
    assert (well.verdict, well.findings, well.healthy) == ("healthy", (), True)
    well.raise_if_unhealthy()


def test_a_remedy_heals(sick, well):
    assert well.healthy
    assert diagnose(Deep(), X, variables=sick.remedied, key=jax.random.key(7)).healthy


def test_remedies_change_what_they_name_and_nothing_else(sick):
    key = jax.random.key(3)
    before = sick.source(jax.random.split(key)[0])
    after = sick.remedied(key)
    same = jax.tree.map(lambda a, b: bool((a == b).all()), before, after)
    kernels = [not v["kernel"] for v in same["params"].values()]
    assert all(kernels) and all(v["bias"] for v in same["params"].values())
    std = float(jnp.std(after["params"]["Dense_5"]["kernel"]))
    # √(2/32), within 5 standard errors of 1024 normal draws.
    assert std == pytest.approx(0.25, abs=5 * 0.25 / np.sqrt(2 * 1024))


def test_the_same_findings_are_those_of_the_same_key(sick):
    again = diagnose(Deep(), X)
    assert [str(f) for f in again.findings] == [str(f) for f in sick.findings]


class Sleeping(nn.Module):
    """A readout of zeros keeps gradients from the layers behind it, for one step."""

    @nn.compact
    def __call__(self, x):
        h = nn.relu(nn.Dense(8)(x))
        return nn.Dense(2, kernel_init=nn.initializers.zeros)(h)


def test_diagnosing_again_compiles_nothing(compilations):
    assert diagnose(Sleeping(), X, seeds=3).healthy
    with compilations() as count:
        again = diagnose(Sleeping(), X, seeds=3, key=jax.random.key(5))
    assert (again.verdict, count.value) == ("healthy", 0)


def test_public_names():
    assert initjax.diagnose is diagnose


def test_raise_if_unhealthy_says_what(sick):
    with pytest.raises(AssertionError, match=r"vanishing.*(?s:.)*init.kaiming_normal\(\)"):
        sick.raise_if_unhealthy()
    assert issubclass(Unhealthy, AssertionError)


def test_text_table_and_json(sick, well):
    text = str(sick)
    assert text.startswith("vanishing: ") and "Dense_12" in text
    record = json.loads(sick.to_json())
    assert record["verdict"] == "vanishing" and record["seeds"] == 8
    assert record["findings"][0]["remedy"] == "init.kaiming_normal()"
    assert len(record["layers"]) == len(sick.layers)
    assert json.loads(well.to_json())["findings"] == []


def test_rich_prints_the_table(sick):
    console = pytest.importorskip("rich.console").Console(width=200, record=True)
    with console.capture() as seen:
        console.print(sick)
    assert "vanishing forward" in seen.get() and "Dense_12" in seen.get()


def test_pandas_marks_layers(sick):
    table = sick.to_pandas()
    assert len(table) == 8 * len(sick.layers)
    marked = table[table.findings == "vanishing forward, vanishing backward"]
    assert set(marked.path) == {f"Dense_{i}" for i in range(13)}


def test_plot_shows_the_medians(sick):
    axes = sick.plot()
    assert axes.shape == (2,)
    levels = list(sick.trunk.levels)
    for ax, column in zip(axes, ("log10_rms", "back_log10_rms"), strict=True):
        (line,) = ax.get_lines()
        median = np.median(sick.trace.site_values[column], axis=0)[levels]
        np.testing.assert_allclose(line.get_ydata(), median)
    assert axes[0].get_title(loc="left").startswith("vanishing")
    with pytest.raises(ValueError, match="two Axes"):
        sick.plot(axes[:1])


@pytest.mark.parametrize(("package", "use"), [("pandas", "to_pandas"), ("seaborn", "plot")])
def test_missing_packages_are_named(sick, monkeypatch, package, use):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=rf'{package}: pip install "initjax\[ch'):
        getattr(sick, use)()


def test_one_network_of_an_nnx_module_is_enough():
    large = {"kernel_init": init.normal(1.0)}

    def build(rngs):
        layers = [nnx.Linear(16, 32, **large, rngs=rngs)]
        for _ in range(5):
            layers += [nnx.relu, nnx.Linear(32, 32, **large, rngs=rngs)]
        return nnx.Sequential(*layers)

    one = diagnose(build(nnx.Rngs(0)), X)
    assert (one.verdict, one.trace.seeds) == ("exploding", 1)
    many = diagnose(build, X, seeds=4)
    assert (many.verdict, many.trace.seeds) == ("exploding", 4)
    assert diagnose(build, X, seeds=4, variables=many.remedied).healthy


def test_a_function_with_variables_of_one_network():
    def apply(variables, x):
        for kernel in variables["params"]["kernels"]:
            x = jnp.tanh(x @ kernel)
        return x

    kernels = [jnp.full((16, 16), 0.1)] * 4
    found = diagnose(apply, X, variables={"params": {"kernels": kernels}})
    assert (found.verdict, found.trace.seeds) == ("symmetric", 1)
    assert isinstance(found, Diagnosis)
    assert diagnose(apply, X, variables=found.remedied(jax.random.key(0))).healthy


def test_errors_are_those_of_the_probe():
    with pytest.raises(ModelError, match=r"batch") as caught:
        diagnose(nn.Dense(3), {"y": X})
    assert caught.value.__cause__ is not None
    with pytest.raises(ModelError, match="loss"):
        diagnose(nn.Dense(3), X, loss=lambda y: y)
    with pytest.raises(ValueError, match="seeds"):
        diagnose(nn.Dense(3), X, seeds=0)
