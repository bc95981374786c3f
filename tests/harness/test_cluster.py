"""Dask: workers killed, the scheduler gone, and the example of the README."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from sweeps.harness import cluster
from sweeps.harness.cluster import workers_of
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import load
from tests.harness import tiny

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "sweeps" / "README.md").read_text()
SMALL = "--activations relu --schemes he_normal --depths 2 3 --widths 8 --seeds 3"
SMALL += " --inputs gaussian"
pytestmark = [
    pytest.mark.slow,
    # Dask's own, of sockets and event loops that a killed process leaves open.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _run(out, executor, report=lambda *_: None, **settings):
    config = tiny.Config(**settings)
    prepare(Store(out), plain(config), tiny.SCHEMA)
    engine = Engine(executor, at_once=1)
    return run("tiny", tiny, config, out, report, engine=engine)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def started():
    """Starts processes of the checkout, which end with the test."""
    processes = []

    def start(command):
        words = shlex.split(command)
        words = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in reversed(processes):
        process.kill()
        process.communicate()


def test_a_worker_killed_in_mid_run_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "8")  # as the tests have here
    settings = {"seeds": 16, "pause": 0.2}
    whole = load(_run(tmp_path / "whole", None, **settings).table)
    with workers_of(None, 2) as executor:
        killed = threading.Event()

        def kill_one(done, total):
            if done and not killed.is_set():
                killed.set()
                os.kill(next(iter(executor.client.run(os.getpid).values())), signal.SIGKILL)

        outcome = _run(tmp_path / "killed", executor, kill_one, **settings)
    assert killed.is_set()
    assert outcome.failed == []
    pd.testing.assert_frame_equal(load(outcome.table), whole)


def test_a_scheduler_that_goes_is_said_and_the_run_continued(tmp_path, started):
    address = f"tcp://127.0.0.1:{_free_port()}"
    scheduler = started(f"dask scheduler --no-dashboard --host {address}")
    started(f"dask worker {address} --nthreads 1 --no-dashboard")
    settings = {"seeds": 40, "pause": 0.2}

    def kill_scheduler(done, total):
        if done:
            scheduler.kill()

    with (
        pytest.raises(ConnectionError, match=r"the workers are gone .* is kept"),
        workers_of(address, None) as executor,
    ):
        _run(tmp_path, executor, kill_scheduler, **settings)
    kept = len(list((tmp_path / "shards").glob("*.parquet")))
    assert 1 <= kept < 40
    with workers_of(None, 1) as executor:
        counts = []
        outcome = _run(tmp_path, executor, lambda *told: counts.append(told), **settings)
    assert counts[0] == (2 * kept, 80), "nothing is measured twice"
    assert len(load(outcome.table)) == 80


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(cluster, "_TIMEOUT", 1)
    with (
        pytest.raises(ValueError, match=r"--scheduler tcp://127.0.0.1:\d+ does not answer"),
        workers_of(f"tcp://127.0.0.1:{_free_port()}", None),
    ):
        pass


def test_the_two_machines_of_the_readme(tmp_path, started):
    """The three commands as they stand there, on another port and with fewer cells."""
    block = next(b for b in re.findall(r"```sh\n(.*?)```", README, re.S) if "dask" in b)
    port = str(_free_port())
    scheduler, worker, sweep = block.strip().replace("8786", port).splitlines()
    started(scheduler)
    started(worker)
    done = started(f"{sweep} {SMALL} --out {tmp_path / 'out'}")
    told = done.communicate(timeout=120)[0]
    assert done.returncode == 0, told
    assert len(load(tmp_path / "out" / "table.parquet")) == 3 * (2 + 3)


def test_ctrl_c_finishes_the_calls_in_hand(tmp_path):
    command = f"-m sweeps.depth_vs_init {SMALL} --seeds 300 --workers 1 --out {tmp_path}"
    process = subprocess.Popen(
        [sys.executable, *shlex.split(command)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("shards/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # to all processes, as a terminal does
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 130, stderr
    assert "the same command continues" in stderr
    assert "Traceback" not in stderr
    assert list(tmp_path.glob("shards/*.parquet"))
