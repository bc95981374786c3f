"""What the README says of speed is what the committed table shows."""

import re
from pathlib import Path

import pytest

from analysis.races import ratios, scaling, shares
from sweeps.contest.job import Job
from sweeps.harness.table import load

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
ROWS = {
    "torch, eager": "torch_eager",
    "torch, batched": "torch_batched",
    "torch, batched, no gradients made": "torch_ghost",
    "plain Flax and JAX": "plain_jax",
}


@pytest.fixture(scope="module")
def table():
    return load(ROOT / "results" / "throughput" / "table.parquet")


@pytest.mark.parametrize("label", ROWS)
def test_ratios_of_the_benchmark_job(table, label):
    found = ratios(table).set_index(["task", "contestant"]).loc[("job", ROWS[label])]
    said = re.search(rf"^\| {re.escape(label)} \| (\S+)× \| (\S+)× \|", README, re.M)
    assert said, f"no row for {label}"
    assert f"{found['ratio']:.2g}" == said[1]
    assert f"{found['cold']:.2g}" == said[2]


def test_size_of_the_job():
    assert f"{Job().networks()} networks" in README


def test_share_and_memory(table):
    share = shares(table).set_index(["task", "contestant"])["share"]
    for task in ("job", "wide"):
        assert f"{share[task, 'initjax_measure']:.0%}".replace("%", " %") in README
    ours = table[(table["task"] == "job") & (table["contestant"] == "initjax")]
    assert f"{ours['warm_s'].median():.1f} s" in README
    assert f"{ours['peak_gb'].max():.1f} GB" in README


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (
            "normal_100x256",
            "Normal numbers come {jax} times as fast as JAX's and {torch} times",
        ),
        ("orthogonal_100x256", "orthogonal matrices of 256² {jax} and {torch} times"),
        ("orthogonal_4096", "one of 4,096² {jax} and {torch} times"),
    ],
)
def test_initialization_alone(table, task, words):
    found = ratios(table).set_index(["task", "contestant"])["ratio"]
    of = {name: f"{found[task, f'{name}_sample']:.2g}" for name in ("jax", "torch")}
    text = " ".join(README.split())
    assert words.format(**of) in text
    again = ratios(table).set_index(["task", "contestant"])["again"]
    assert f"{again['job', 'torch_eager']:.0f} times as fast as torch, eager" in text


def test_seconds_of_a_process(table):
    ours = table[(table["task"] == "job") & (table["contestant"] == "initjax")]
    cold, again = (ours[name].median() for name in ("cold_s", "again_s"))
    said = f"A fresh process takes {cold:.1f} s, most of it to compile, and {again:.1f} s"
    assert said in " ".join(README.split())
    assert again < cold / 2, "most of it compiles"


def test_growth(table):
    seconds = scaling(table).set_index(["axis", "by"])["seconds"]
    for axis in ("depth", "seeds", "schemes"):
        assert seconds[axis, 100] <= 1.15 * 100 * seconds[axis, 1]
    words = (
        "A hundred times the depth, seeds or schemes takes at most a hundred times as long"
    )
    assert words in " ".join(README.split())
