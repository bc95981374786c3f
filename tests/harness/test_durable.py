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
from sweeps.harness.files import Store
from sweeps.harness.lock import held
from sweeps.harness.shards import find_shard, list_shards, write_shard
from sweeps.harness.state import missing_units
from sweeps.harness.stopping import Interrupted, graceful
from sweeps.harness.table import load
from tests.harness import tiny
from tests.harness.runs import CODE, files, finish, measure

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CODE)
    tiny.CALLS.clear()


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
    whole = load(measure(tmp_path / "whole").table)
    tiny.CALLS.clear()
    with pytest.raises(Interrupted):
        measure(tmp_path / "cut", stop=AfterSeeds(2))
    good = _shards(tmp_path / "cut")[0]
    content = good.read_bytes()
    flips = [(i, 1 << random.Random(i).randrange(8)) for i in range(0, len(content), 37)]
    damages = [content[:length] for length in range(0, len(content), 10)]
    damages += [content[:i] + bytes([content[i] ^ b]) + content[i + 1 :] for i, b in flips]
    store = Store(tmp_path / "cut")
    for damaged in damages:
        told = []
        good.write_bytes(damaged)
        assert find_shard(store, [f"shards/{good.name}"], told.append) is None
        assert len(told) == 1
        assert good.name in told[0]
    aside = list(good.parent.glob("*.damaged*"))
    assert len(aside) == len(damages), "nothing was deleted"
    frame = load(measure(tmp_path / "cut").table)
    pd.testing.assert_frame_equal(frame, whole)
    assert len(tiny.CALLS) == 2 + 2, "the damaged seed and the last one"


def test_foreign_and_half_written_files_are_no_shards(tmp_path):
    frame = tiny.SCHEMA.conform(
        pd.DataFrame(tiny.measure([{"x": 1, "seed": 0}], tiny.Config()))
    )
    store, unit = Store(tmp_path), "0123456789ab"
    written = write_shard(store, unit, frame, {"failed": []})
    path = tmp_path / written
    (path.parent / f".{path.name}.tmp123").write_bytes(b"half")
    (path.parent / f"{unit}.parquet").write_bytes(path.read_bytes())
    (path.parent / f"{unit}-0123456789abcdef.parquet").mkdir()
    (path.parent / f"{unit}-0123456789abcdef.parquet.crc").write_bytes(b"")
    assert list_shards(store) == {unit: [written]}
    assert find_shard(store, [written], print).name == written


def test_a_group_that_does_not_fit_is_halved(tmp_path):
    told = []
    whole = load(measure(tmp_path / "whole", xs=(1, 2, 3, 4, 5)).table)
    outcome = measure(tmp_path / "small", told, xs=(1, 2, 3, 4, 5), memory=2)
    assert outcome.failed == []
    frame = load(outcome.table)
    pd.testing.assert_frame_equal(frame, whole, check_names=False)
    assert any("5 cells are too many; trying 2 and 3" in line for line in told)


def test_a_cell_that_fails_is_recorded_and_the_rest_goes_on(tmp_path):
    outcome = measure(tmp_path, xs=(1, 2, 3), bad_x=2)
    assert [(cell["x"], cell["seed"]) for cell, _ in outcome.failed] == [
        (2, s) for s in range(3)
    ]
    frame = load(outcome.table)
    assert sorted(set(frame["x"])) == [1, 3]
    assert len(frame) == 6
    recorded = frame.attrs["provenance"]["failed"]
    assert recorded[0]["cell"] == {"x": 2, "seed": 0}
    assert "x = 2 has no [bold]y" in recorded[0]["error"]
    nothing = measure(tmp_path / "none", xs=(2,), bad_x=2)
    assert nothing.table is None
    assert len(nothing.failed) == 3


def test_redo_measures_again_and_list_counts(tmp_path):
    config = tiny.Config()
    with pytest.raises(Interrupted):
        measure(tmp_path, stop=AfterSeeds(2))
    missing, total = missing_units("tiny", tiny, config, Store(tmp_path), print)
    assert ([len(unit.cells) for unit in missing], total) == ([2], 6)
    measure(tmp_path, redo=True)
    assert tiny.CALLS == [0, 1, 0, 1, 2]


def test_one_run_at_a_time_and_the_dead_hold_nothing(tmp_path):
    code = (
        "import sys, time; from sweeps.harness.lock import held\n"
        "from sweeps.harness.files import Store\n"
        "with held(Store(sys.argv[1]), print): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(ValueError, match=f"in use by process {other.pid}"),
            held(Store(tmp_path), print),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    with (
        held(Store(tmp_path), print),
        pytest.raises(ValueError, match="in use"),
        held(Store(tmp_path), print),
    ):
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


@pytest.fixture
def bad(monkeypatch):
    """Values of x that cannot be measured for now; and the cells that were tried."""
    xs, tried, real = {2}, [], tiny.measure

    def flaky(cells, config):
        tried.append([(cell["x"], cell["seed"]) for cell in cells])
        if wrong := xs & {cell["x"] for cell in cells}:
            raise ArithmeticError(f"x = {wrong} is bad at {time.perf_counter()}")
        return real(cells, config)

    monkeypatch.setattr(tiny, "measure", flaky)
    return xs, tried


def test_only_the_cells_that_failed_are_tried_again(tmp_path, bad):
    (xs, tried), out = bad, tmp_path / "out"
    xs.clear()
    whole = load(measure(tmp_path / "whole").table)
    xs.add(2)
    for measured in (6, 3, 3):
        tried.clear()
        outcome = measure(out)
        assert outcome.measured == measured
        assert [cell for cell, _ in outcome.failed] == [
            {"x": 2, "seed": seed} for seed in range(3)
        ]
        rows = load(outcome.table)
        expected = whole[whole["x"] == 1].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected)
    xs.clear()
    tried.clear()
    assert finish(out, whole).measured == 3
    assert tried == [[(2, 0)], [(2, 1)], [(2, 2)]]
    assert files(out) == {"table.parquet"}


def test_redo_leaves_nothing_of_the_cells_that_failed(tmp_path, bad):
    xs, _ = bad
    for _ in range(2):
        measure(tmp_path)
    xs.clear()
    assert measure(tmp_path, redo=True).measured == 6
    assert files(tmp_path) == {"table.parquet"}


@pytest.mark.parametrize("kind", ["leaves out", "adds", "repeats"])
def test_rows_that_nobody_asked_for_or_that_are_missing(tmp_path, monkeypatch, kind):
    """They fail the cell, not the run."""
    real, told = tiny.measure, []

    def wrong(cells, config):
        rows = pd.DataFrame(real(cells, config))
        at = (rows["x"] == 2) & (rows["seed"] == 1)
        other = {
            "leaves out": rows[~at],
            "adds": pd.concat([rows, rows[at].assign(seed=77)]),
            "repeats": pd.concat([rows, rows[at]]),
        }
        return other[kind]

    says = {
        "leaves out": "measure() returned no rows of 1 cells",
        "adds": "measure() returned 1 rows of no cell",
        "repeats": "two rows agree in name, x, seed",
    }
    monkeypatch.setattr(tiny, "measure", wrong)
    outcome = measure(tmp_path / "out", told=told)
    assert outcome.failed == [({"x": 2, "seed": 1}, f"ValueError: {says[kind]}")]
    assert f"cell {{'x': 2, 'seed': 1}} failed: ValueError: {says[kind]}" in told
    rows = load(outcome.table)[["x", "seed"]].to_numpy().tolist()
    assert rows == [[1, 0], [1, 1], [1, 2], [2, 0], [2, 2]]
