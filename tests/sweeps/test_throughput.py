"""The contestants do the same work, and what is said of it is right."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from sweeps.contest.contestant import peak
from sweeps.contest.initjax import draw, measure
from sweeps.contest.job import Job
from sweeps.contest.race import _ROOT, race
from sweeps.contest.tasks import SMOKE, TASKS, task_of
from sweeps.throughput import PRESETS, SCHEMA, Config, cells
from sweeps.throughput import measure as measured

pytestmark = pytest.mark.slow

SEEDS = 192
JOB = Job(depths=(2, 5), seeds=SEEDS, width=64, batch=8)
FULL = {"torch_eager", "torch_batched", "torch_ghost", "plain_jax"}


def _found(contestant, job=JOB):
    if contestant.startswith("torch"):
        pytest.importorskip("torch")
    return importlib.import_module(f"sweeps.contest.{contestant}").run(job)


@pytest.fixture(autouse=True)
def subnormal_numbers_are_kept():
    """By the process, which a contestant switches off for the sake of speed."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def ours():
    return _found("initjax")


def _worst(one, other):
    """Largest difference of the means over seeds, in standard errors."""
    spread = np.sqrt((one.var(3) + other.var(3)) / one.shape[3])
    there = np.isfinite(spread)
    return (np.abs(one.mean(3) - other.mean(3))[there] / spread[there]).max()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("contestant", sorted(FULL))
def test_contestants_find_the_same(ours, contestant):
    """The largest of 112 scores: beyond 6 with a probability under 1e-5."""
    for mine, theirs in zip(ours, _found(contestant), strict=True):
        assert mine.shape == theirs.shape == (2, 4, 2, SEEDS, 5)
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
        assert _worst(mine, theirs) < 6


def test_a_contestant_with_another_gain_would_be_found(ours):
    for found in ours:
        assert _worst(found, found + np.log10(1.05)) > 6


def test_the_networks_of_the_job():
    """One layer of 1/n weights: the std of z is that of x, and h = φ(z)."""
    job = Job(activations=("relu",), depths=(1, 2), seeds=200, width=32, batch=8)
    stds, norms = _found("initjax", job)
    assert np.isnan(stds[:, :, 0, :, 1]).all()
    first = 10 ** stds[0, :, :, :, 0].mean((1, 2))
    np.testing.assert_allclose(first, np.array([32**0.5, 1, 2**0.5, 2**0.5]), rtol=0.05)
    assert np.isfinite(norms[0, :, 1]).all()


def test_operations_are_those_of_the_products():
    """Counted one by one, for networks of two depths."""
    job = Job(activations=("relu",), depths=(2, 3), seeds=1, width=8, batch=4)
    product, readout, inner = 2 * 4 * 8 * 8, 2 * 4 * 8 * 10, 2 * 4 * 4 * 8
    forward = 3 * product + 2 * readout
    backward = (1 + 2) * product + 2 * readout
    assert job.flops() == 4 * (forward + backward + (3 + 2 + 3) * inner)


def test_memory_does_not_grow_with_the_seeds(monkeypatch):
    """As many are drawn at once as make 1,000 layers."""
    module = importlib.import_module("sweeps.contest.initjax")
    drawn = []
    monkeypatch.setattr(module, "draw", lambda job, some: drawn.append(some) or "weights")
    monkeypatch.setattr(
        module, "measure", lambda job, _: [np.zeros_like(a) for a in _empty(job, drawn[-1])]
    )
    module.run(Job(depths=(200,), seeds=13))
    assert [(s.start, s.stop) for s in drawn] == [(0, 5), (5, 10), (10, 13)]


def _empty(job, some):
    return (job.empty()[:, :, :, some] for _ in range(2))


def test_measuring_alone_measures_what_was_drawn(ours):
    found = measure(JOB, draw(JOB, slice(0, JOB.seeds)))
    for mine, alone in zip(ours, found, strict=True):
        np.testing.assert_array_equal(mine, alone)


@pytest.mark.parametrize(
    ("contestant", "others"),
    [("torch_ghost", ["jax", "initjax"]), ("jax_sample", ["torch", "initjax"])],
)
def test_a_contestant_loads_nothing_of_the_others(contestant, others):
    if contestant.startswith("torch"):
        pytest.importorskip("torch")
    words = (
        f"import sweeps.contest.contestant, sweeps.contest.{contestant}, sys; "
        f"print([name for name in {others} if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", words], cwd=_ROOT) == b"[]\n"


def test_a_contestant_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr("sweeps.contest.race._PATIENCE", 0.05)
    with pytest.raises(RuntimeError, match="jax_sample ended with -9"):
        race("normal_100x256", ["jax_sample"], 1, "smoke")


def test_a_race_in_turns():
    rows = race("orthogonal_100x256", ["initjax_sample", "jax_sample"], 2, "smoke")
    assert sorted((r["contestant"], r["round"]) for r in rows) == [
        *(("initjax_sample", 0), ("initjax_sample", 1)),
        *(("jax_sample", 0), ("jax_sample", 1)),
    ]
    for row in rows:
        assert row["cold_s"] > row["again_s"] / 2 > 10 * row["warm_s"] > 0
        assert 0.05 < row["peak_gb"] < 2
        assert row["device"] == "cpu"


def test_a_contestant_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"No module named 'sweeps\.contest\.nobody'"):
        race("job", ["nobody"], 1, "smoke")


def test_columns_of_a_task(monkeypatch):
    fixed = {c.name: 1.0 for c in SCHEMA.columns if c.kind == "float"}
    row = {"task": "job", "contestant": "initjax", "round": 0, "device": "cpu", **fixed}
    monkeypatch.setattr("sweeps.throughput.race", lambda *a: [dict(row)])
    got = measured([{"task": "job", "contestant": "initjax"}], Config())
    assert list(got) == [column.name for column in SCHEMA.columns]
    assert got["gflop"] == [Job().flops() / 1e9]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tasks": ("jobs",)}, "'jobs' is unknown; use one of job, wide"),
        ({"contestants": ("me",)}, "'me' is unknown"),
        ({"rounds": 0}, "rounds must be from 1 to 1000; got 0"),
        ({"size": "huge"}, "size must be full or smoke; got 'huge'"),
        ({"tasks": ("job",), "contestants": ("import_flax",)}, "none of"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))


def test_without_torch_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"torch_\w+ needs torch: pip install"):
        cells(Config())
    assert cells(PRESETS["smoke"])


def test_every_contestant_is_there():
    for name, task in TASKS.items():
        for contestant in task.contestants:
            assert importlib.util.find_spec(f"sweeps.contest.{contestant}"), contestant
        assert name not in SMOKE or task_of(name, "smoke").work != task.work


def test_the_peak_is_of_this_process():
    """Of a small one, whatever the size of the one that started it."""
    big = np.ones(int(2e8) // 8)
    words = "from sweeps.contest.contestant import peak; print(peak())"
    small = float(subprocess.check_output([sys.executable, "-c", words], cwd=_ROOT))
    assert small + 0.15 < peak()
    assert peak() > big.nbytes / 1e9
