"""What a dry run says is what the run does."""

import re
import shlex

import pytest

from sweeps.harness.cli import main
from sweeps.harness.cost import Capacity, Cost
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.plan import calls_of, units_of
from sweeps.harness.runner import Engine, run
from sweeps.harness.state import forecast, listed
from sweeps.harness.stopping import Interrupted
from sweeps.harness.table import load
from tests.harness import tiny

CPU = Capacity(1, False, 10**10)
SMALL = "--activations relu tanh --schemes he_normal orthogonal --depths 2 5 --widths 8"
SMALL += " --seeds 3 --inputs gaussian"


def _units(seeds):
    return units_of(tiny, tiny.Config(seeds=seeds), {})


def _sizes(seeds, at_once, with_):
    return [len(c) for c in calls_of(tiny, tiny.Config(), _units(seeds), at_once, with_)]


@pytest.mark.parametrize(
    ("at_once", "with_", "sizes"),
    [
        (0, CPU, [1] * 10),
        (0, Capacity(4, False, 10**10), [4, 4, 2]),
        (0, Capacity(1, False, 10**10, cores=4), [4, 4, 2]),
        (0, Capacity(1, False, 5000, cores=4), [2] * 5),
        (0, Capacity(4, False, 10**10, cores=8), [8, 2]),
        (4, CPU, [4, 4, 2]),
        (3, CPU, [3, 3, 3, 1]),
        (99, CPU, [10]),
        # A unit is said to need 2000 bytes; four fifths of what is free may be taken.
        (0, Capacity(1, True, 10_000), [4, 4, 2]),
        (0, Capacity(2, True, 10_000), [6, 4]),
        (0, Capacity(1, True, 100), [1] * 10),
    ],
)
def test_calls_are_as_large_as_the_device_allows(at_once, with_, sizes):
    assert _sizes(10, at_once, with_) == sizes


def test_units_of_other_programs_are_other_calls(monkeypatch):
    monkeypatch.setattr(tiny, "program", lambda cell: cell["seed"] % 2)
    calls = calls_of(tiny, tiny.Config(), _units(5), 9, CPU)
    assert [[unit.cells[0]["seed"] for unit in call] for call in calls] == [
        [0, 2, 4],
        [1, 3],
    ]


def test_a_dry_run_counts_what_is_missing(tmp_path):
    config, store = tiny.Config(seeds=5), Store(tmp_path)

    class AfterTwo:
        def check(self):
            if len(list(tmp_path.glob("shards/*.parquet"))) == 2:
                raise Interrupted(15)

    told = forecast("tiny", tiny, config, store, print, at_once=2)
    assert told.splitlines() == [
        f"tiny: 10 of 10 cells to be measured, into {tmp_path}",
        "groups        5 in 3 calls, on 8 CPU devices",
        "compilations  2",  # of 4 cells, and of the last 2
        "memory        2 kB on a device at the peak, "
        + told.splitlines()[3].partition("peak, ")[2],
        "table         10 rows, at most 160 B",
    ]
    assert not (tmp_path / "shards").exists(), "nothing was measured"
    prepare(store, plain(config), tiny.SCHEMA)
    one_by_one = Engine(at_once=1)
    with pytest.raises(Interrupted):
        run("tiny", tiny, config, tmp_path, print, stop=AfterTwo(), engine=one_by_one)
    assert "tiny: 6 of 10 cells" in forecast("tiny", tiny, config, store, print)
    assert listed("tiny", tiny, config, store, print) == (
        f"tiny: 4/10 cells in shards, no table, in {tmp_path}"
    )
    run("tiny", tiny, config, tmp_path, print)
    assert "tiny: 0 of 10 cells" in forecast("tiny", tiny, config, store, print)
    assert listed("tiny", tiny, config, store, print) == (
        f"tiny: 10/10 cells in the table of {tmp_path}"
    )


def test_the_memory_of_a_device_is_that_of_its_units(monkeypatch):
    monkeypatch.setattr("sweeps.harness.state.capacity", lambda: Capacity(4, True, 10**9))
    monkeypatch.setattr(tiny, "cost", lambda cells, config: Cost(frozenset(), 600, 1))
    told = forecast("tiny", tiny, tiny.Config(seeds=6), Store("nowhere"), print, at_once=6)
    # Six units on four devices: two of them on one, a third of the call's 600 bytes.
    assert "200 B on a device at the peak, 1 GB are free" in told
    assert "on 4 accelerators" in told


def test_the_command_line_says_it_and_writes_nothing(tmp_path, capsys):
    arguments = [*shlex.split(SMALL), "--out", str(tmp_path / "out")]
    assert main("depth_vs_init", [*arguments, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert f"24 of 24 cells to be measured, into {tmp_path / 'out'}" in told
    rows = int(re.search(r"table +(\d+) rows, at most", told)[1])
    compilations = int(re.search(r"compilations +(\d+)\n", told)[1])
    assert compilations >= 3
    assert not (tmp_path / "out").exists()
    assert main("depth_vs_init", arguments) == 0
    assert len(load(tmp_path / "out" / "table.parquet")) == rows
