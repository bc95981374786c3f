"""Several processes of one run, by jax.distributed."""

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweeps.harness.cli import main
from sweeps.harness.hosts import Hosts, join
from sweeps.harness.table import load

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "sweeps" / "README.md").read_text()
SMALL = "--activations relu --schemes he_normal --depths 2 3 --widths 8"
SMALL += " --seeds 6 --inputs gaussian"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((None, 2, 0), "--processes and --process-id need --coordinator"),
        (("auto", 2, None), "--processes and --process-id need --coordinator"),
        (("here", 2, 0), "must be host:port or auto; got 'here'"),
        ((":123", 2, 0), "must be host:port or auto"),
        (("here:99999", 2, 0), "must be host:port or auto"),
        (("here:1234", None, 0), "needs --processes and --process-id"),
        (("here:1234", 2, 2), "from 0 to --processes - 1; got --process-id 2"),
        (("here:1234", 0, 0), "from 0 to --processes - 1"),
    ],
)
def test_what_does_not_go_together_is_named(arguments, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        join(*arguments, environment={})


def test_alone_unless_something_says_otherwise():
    assert join(None, None, None, {}) == Hosts(0, 1)
    one_task = {"SLURM_STEP_NUM_TASKS": "1", "TPU_WORKER_HOSTNAMES": "localhost"}
    assert join(None, None, None, one_task) == Hosts(0, 1)


@pytest.mark.parametrize(
    "environment", [{"SLURM_STEP_NUM_TASKS": "4"}, {"TPU_WORKER_HOSTNAMES": "a,b"}]
)
def test_tasks_of_slurm_and_hosts_of_a_tpu_slice_are_joined(environment, monkeypatch):
    asked = []
    monkeypatch.setattr("jax.distributed.initialize", lambda *args: asked.append(args))
    monkeypatch.setattr("jax.process_index", lambda: 1)
    monkeypatch.setattr("jax.process_count", lambda: 4)
    assert join(None, None, None, environment) == Hosts(1, 4)
    assert asked == [(None, None, None)], "JAX finds out the rest"


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_call_has_one_process(count):
    calls = list(range(17))
    shares = [Hosts(index, count).mine(calls) for index in range(count)]
    assert sorted(call for share in shares for call in share) == calls
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_an_error_before_the_start_is_the_run_s():
    Hosts().agree()
    with pytest.raises(OSError, match="full"):
        Hosts().agree(OSError("full"))


def _commands(port):
    block = next(b for b in re.findall(r"```sh\n(.*?)```", README, re.S) if "8476" in b)
    return block.strip().replace("8476", str(port)).splitlines()


def _started(command, out, extra=""):
    words = [sys.executable, *shlex.split(f"{command} {SMALL} {extra} --out {out}")[1:]]
    return subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.slow
def test_the_two_processes_of_the_readme_make_the_table_of_one(tmp_path):
    both = [_started(command, tmp_path / "two") for command in _commands(_free_port())]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert "table.parquet" in told[0][0]
    assert "table.parquet" not in told[1][0], "the first one speaks for all"
    assert main("depth_vs_init", [*shlex.split(SMALL), "--out", str(tmp_path / "one")]) == 0
    one, two = (load(tmp_path / name / "table.parquet") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)
    for column in one.select_dtypes(exclude=np.floating):
        assert (one[column] == two[column]).all()
    assert {p.name for p in (tmp_path / "two").iterdir()} == {"table.parquet", "figures"}


@pytest.mark.slow
def test_if_the_first_process_is_refused_all_are(tmp_path):
    (tmp_path / "file").write_text("mine")
    both = [_started(command, tmp_path / "file") for command in _commands(_free_port())]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [2, 2], told
    assert "is a file" in told[0]
    assert "error: process 0 cannot go on; see what it says" in told[1]
