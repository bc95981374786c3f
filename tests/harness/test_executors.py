"""Groups of cells in any Executor: same table, and workers may die."""

import os
import signal
import sys
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pandas as pd
import pytest

from sweeps.harness import cli, provenance
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.runner import Engine, run
from sweeps.harness.stopping import Interrupted, Stop
from sweeps.harness.table import load
from tests.harness import tiny


def _run(out, executor=None, told=None, stop=None, at_once=1, report=print, **settings):
    config = tiny.Config(**settings)
    prepare(Store(out), plain(config), tiny.SCHEMA)
    log = print if told is None else told.append
    engine = Engine(executor, at_once=at_once)
    return run("tiny", tiny, config, out, report, stop=stop, log=log, engine=engine)


def _rows(outcome):
    return load(outcome.table)


class Dying(ThreadPoolExecutor):
    """Workers that die over a call in which a cell of one seed is measured."""

    seed = 3

    def submit(self, function, *args):
        units = args[1] if len(args) == 2 else []
        if any(cell["seed"] == self.seed for unit in units for cell in unit.cells):
            return super().submit(_die)
        return super().submit(function, *args)


def _die():
    raise RuntimeError("the worker was killed")


class Gone(ThreadPoolExecutor):
    """Takes no work but the first two calls, and then loses what it has."""

    calls = 0

    def submit(self, function, *args):
        self.calls += 1
        if self.calls <= 3:  # the first of which asks what the worker is
            return super().submit(function, *args)
        lost = Future()
        lost.cancel()
        lost.set_running_or_notify_cancel()
        return lost


@pytest.fixture(autouse=True)
def one_code(monkeypatch):
    state = provenance.code_state()
    monkeypatch.setattr(provenance, "code_state", lambda: state)
    tiny.CALLS.clear()


def test_threads_make_the_same_table(tmp_path):
    alone = _rows(_run(tmp_path / "alone", seeds=5))
    with ThreadPoolExecutor(2) as executor:
        frame = _rows(_run(tmp_path / "threads", executor, seeds=5))
    pd.testing.assert_frame_equal(frame, alone)


@pytest.mark.slow
def test_processes_make_the_same_table_from_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "8")  # as the tests have here
    alone = _rows(_run("alone", seeds=4))
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        frame = _rows(_run("processes", executor, seeds=4))
    pd.testing.assert_frame_equal(frame, alone)
    assert tiny.CALLS == [0, 1, 2, 3], "the second four were measured elsewhere"


def test_a_call_whose_worker_dies_is_halved_and_a_unit_recorded(tmp_path):
    told = []
    with Dying(2) as executor:
        outcome = _run(tmp_path, executor, told, at_once=5, seeds=5)
    assert [(cell["x"], cell["seed"]) for cell, _ in outcome.failed] == [(2, 3), (1, 3)]
    assert "RuntimeError: the worker was killed" in outcome.failed[0][1]
    assert sorted(set(_rows(outcome)["seed"])) == [0, 1, 2, 4]
    assert any(line.startswith("5 units at once: RuntimeError") for line in told)
    tiny.CALLS.clear()
    whole = _run(tmp_path, seeds=5)
    assert whole.failed == []
    assert tiny.CALLS == [3], "only what failed is tried again"
    assert len(_rows(whole)) == 10
    assert not (tmp_path / "shards").exists()


def test_an_executor_that_is_gone_loses_nothing(tmp_path):
    with (
        Gone(1) as executor,
        pytest.raises(ConnectionError, match="what was measured is kept"),
    ):
        _run(tmp_path, executor, seeds=5)
    _run(tmp_path, seeds=5)
    assert sorted(tiny.CALLS) == [0, 1, 2, 3, 4], "nothing was measured twice"


def test_a_broken_pool_is_said(tmp_path):
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        pytest.raises(ConnectionError, match="the workers are gone"),
    ):
        executor.submit(os._exit, 1)
        _run(tmp_path, executor)


def test_the_command_line_does_not_blame_the_results(tmp_path, monkeypatch, capsys):
    def gone(*_, **__):
        raise ConnectionError("the workers are gone")

    monkeypatch.setitem(sys.modules, "sweeps.tiny", tiny)
    monkeypatch.setattr(cli, "run", gone)
    assert cli.main("tiny", ["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: the workers are gone"


def test_a_wish_to_stop_finishes_what_has_begun(tmp_path):
    stop = Stop()

    def report(done, total):
        if done:
            stop.asked = signal.SIGTERM

    with ThreadPoolExecutor(1) as executor, pytest.raises(Interrupted):
        _run(tmp_path, executor, stop=stop, report=report, seeds=30, pause=0.05)
    begun = len(tiny.CALLS)
    assert 1 <= begun < 30
    assert len(list((tmp_path / "shards").glob("*.parquet"))) == begun
    _run(tmp_path, seeds=30, pause=0.05)
    assert sorted(tiny.CALLS) == list(range(30))


def test_shards_that_nobody_else_sees_are_missed(tmp_path, monkeypatch):
    """Workers whose directory is another one, as with --out on a local disk."""
    from sweeps.harness import execute, work

    def elsewhere(job, units, log=None):
        return work.measure_units(job._replace(url=str(tmp_path / "other")), units, log)

    (tmp_path / "other").mkdir()
    monkeypatch.setattr(execute, "measure_units", elsewhere)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(FileNotFoundError, match="3 shards that were written are not to be"),
    ):
        _run(tmp_path / "out", executor)


def test_workers_of_other_code_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "sweeps.harness.runner.provenance.code_state", lambda: {"code": "other"}
    )

    class Elsewhere(ThreadPoolExecutor):
        def submit(self, function, *args):
            def there():
                with pytest.MonkeyPatch.context() as patch:
                    state = {"commit": "c0ffee", "dirty": False, "code": "theirs"}
                    patch.setattr(provenance, "code_state", lambda: state)
                    return function(*args)

            return super().submit(there)

    with (
        Elsewhere(1) as executor,
        pytest.raises(ValueError, match=r"other code \(c0ffee\)"),
    ):
        _run(tmp_path, executor)


def test_a_worker_that_differs_from_the_first_is_refused(tmp_path, monkeypatch):
    from sweeps.harness import work

    with ThreadPoolExecutor(1) as executor:
        _run(tmp_path / "first", executor)
        monkeypatch.setattr(work, "survey", _other_device)
        monkeypatch.setattr(work, "_PROCESS", "another")
        work._here.cache_clear()
        origin, capacity, _ = _other_device("tiny", "tests.harness.tiny", {})
        del capacity
        job = work.Job("tests.harness.tiny", tiny.Config(), str(tmp_path), origin, "first")
        job.origin["device"] = "H200"
        with pytest.raises(ValueError, match=r"device H200 there, abacus here"):
            work.measure_units(job, [])
    work._here.cache_clear()


def _other_device(name, module, settings):
    from sweeps.harness.cost import Capacity

    origin = provenance.collect(name, settings, tiny.SCHEMA.version)
    return {**origin, "device": "abacus"}, Capacity(1, False, 1), "another"


@pytest.mark.parametrize(("at_once", "calls"), [(1, 5), (2, 3), (5, 1), (9, 1)])
def test_the_size_of_a_call_changes_no_row(tmp_path, at_once, calls):
    alone = _rows(_run(tmp_path / "alone", seeds=5))
    reports = []
    frame = _rows(
        _run(
            tmp_path / "calls",
            seeds=5,
            at_once=at_once,
            report=lambda *told: reports.append(told),
        )
    )
    pd.testing.assert_frame_equal(frame, alone)
    assert len(reports) == 1 + calls
