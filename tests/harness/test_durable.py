"""What a run promises: nothing lost, nothing wrong, whatever ends it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from sweeps.harness import provenance
from sweeps.harness.lock import held
from sweeps.harness.runner import plain, prepare, run, state
from sweeps.harness.shards import find_shard, write_shard
from sweeps.harness.stopping import Interrupted, graceful
from sweeps.harness.table import load
from tests.harness import tiny

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {"commit": "c0ffee", "dirty": False, "code": "0123"}


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CLEAN)
    tiny.CALLS.clear()


def _run(out, told=None, **settings):
    options = {key: settings.pop(key) for key in ("redo", "stop") if key in settings}
    config = tiny.Config(**settings)
    prepare(out, plain(vars(config)))
    log = (lambda line: None) if told is None else told.append
    return run("tiny", tiny, config, out, lambda *_: None, log=log, **options)


class AfterSeeds:
    """Asks to stop once so many seeds are measured."""

    def __init__(self, seeds):
        self.seeds = seeds

    def check(self):
        if len(tiny.CALLS) >= self.seeds:
            raise Interrupted(signal.SIGTERM)


def _shards(out):
    return sorted((out / "shards").glob("*.parquet"))


def test_damaged_shards_are_named_set_aside_and_measured_again(tmp_path):
    """Cut at every tenth byte, or one bit flipped anywhere."""
    whole = load(_run(tmp_path / "whole").table)
    tiny.CALLS.clear()
    with pytest.raises(Interrupted):
        _run(tmp_path / "cut", stop=AfterSeeds(2))
    good = _shards(tmp_path / "cut")[0]
    content = good.read_bytes()
    flips = [(i, 1 << random.Random(i).randrange(8)) for i in range(0, len(content), 37)]
    damages = [content[:length] for length in range(0, len(content), 10)]
    damages += [content[:i] + bytes([content[i] ^ b]) + content[i + 1 :] for i, b in flips]
    identity = good.stem.rpartition("-")[0]
    for damaged in damages:
        told = []
        good.write_bytes(damaged)
        assert find_shard(good.parent, identity, told.append) is None
        assert len(told) == 1
        assert good.name in told[0]
    aside = list(good.parent.glob("*.damaged*"))
    assert len(aside) == len(damages), "nothing was deleted"
    frame = load(_run(tmp_path / "cut").table)
    pd.testing.assert_frame_equal(frame, whole)
    assert len(tiny.CALLS) == 2 + 2, "the damaged seed and the last one"


def test_foreign_and_half_written_files_are_no_shards(tmp_path):
    frame = tiny.SCHEMA.conform(
        pd.DataFrame(tiny.measure([{"x": 1, "seed": 0}], tiny.Config()))
    )
    written = write_shard(tmp_path, "abc", frame, {})
    (tmp_path / f".{written.name}.tmp123").write_bytes(b"half")
    (tmp_path / "abc.parquet").write_bytes(written.read_bytes())
    (tmp_path / "abc-dir.parquet").mkdir()
    assert find_shard(tmp_path, "abc", lambda _: None) == written
    assert find_shard(tmp_path, "ab", lambda _: None) is None


def test_a_group_that_does_not_fit_is_halved(tmp_path):
    told = []
    whole = load(_run(tmp_path / "whole", xs=(1, 2, 3, 4, 5)).table)
    outcome = _run(tmp_path / "small", told, xs=(1, 2, 3, 4, 5), memory=2)
    assert outcome.failed == []
    frame = load(outcome.table)
    pd.testing.assert_frame_equal(frame, whole, check_names=False)
    assert any("5 cells are too many; trying 2 and 3" in line for line in told)


def test_a_cell_that_fails_is_recorded_and_the_rest_goes_on(tmp_path):
    outcome = _run(tmp_path, xs=(1, 2, 3), bad_x=2)
    assert [(cell["x"], cell["seed"]) for cell, _ in outcome.failed] == [
        (2, s) for s in range(3)
    ]
    frame = load(outcome.table)
    assert sorted(set(frame["x"])) == [1, 3]
    assert len(frame) == 6
    recorded = frame.attrs["provenance"]["failed"]
    assert recorded[0]["cell"] == {"x": 2, "seed": 0}
    assert "x = 2 has no [bold]y" in recorded[0]["error"]
    nothing = _run(tmp_path / "none", xs=(2,), bad_x=2)
    assert nothing.table is None
    assert len(nothing.failed) == 3


def test_redo_measures_again_and_list_counts(tmp_path):
    config = tiny.Config()
    with pytest.raises(Interrupted):
        _run(tmp_path, stop=AfterSeeds(2))
    assert state("tiny", tiny, config, tmp_path, lambda _: None) == (4, 6)
    _run(tmp_path, redo=True)
    assert tiny.CALLS == [0, 1, 0, 1, 2]


def test_one_run_at_a_time_and_the_dead_hold_nothing(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from sweeps.harness.lock import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(ValueError, match=f"in use by process {other.pid}"),
            held(tmp_path),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    with held(tmp_path), pytest.raises(ValueError, match="in use"), held(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_group_in_hand(number):
    told = []
    with graceful(told.append) as stop:
        stop.check()
        os.kill(os.getpid(), number)
        time.sleep(0.01)
        assert told == ["stopping after the group in hand; once more to stop at once"]
        with pytest.raises(Interrupted) as raised:
            stop.check()
        assert raised.value.signal == number
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), number)
            time.sleep(1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


LOOP = """
import sys
from pathlib import Path
from sweeps.harness import provenance
from sweeps.harness.lock import held
from sweeps.harness.runner import plain, prepare, run
from tests.harness import tiny
provenance.code_state = lambda: {"commit": "c0ffee", "dirty": False, "code": "0123"}
config = tiny.Config(xs=(2, 1), seeds=40, pause=0.002)
out = Path(sys.argv[1])
prepare(out, plain(vars(config)))
with held(out):
    print("started", flush=True)
    run("tiny", tiny, config, out, lambda *_: None)
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_table_is_the_same(tmp_path):
    """kill -9 at ten random moments after the start; then the run is finished."""
    settings = {"xs": (2, 1), "seeds": 40, "pause": 0.002}
    whole = load(_run(tmp_path / "whole", **settings).table)
    out, moments = tmp_path / "killed", random.Random(0)
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(out)], cwd=ROOT, stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        process.communicate()
    done = subprocess.run([sys.executable, "-c", LOOP, str(out)], cwd=ROOT, check=True)
    assert done.returncode == 0
    frame = load(out / "table.parquet")
    pd.testing.assert_frame_equal(frame, whole)
