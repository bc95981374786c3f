from pathlib import Path

import pandas as pd
import pytest

from sweeps.harness import provenance
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import Column, Schema, load
from tests.harness import tiny

CLEAN = {"commit": "c0ffee", "dirty": False, "code": "0123"}


REAL = provenance.code_state


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CLEAN)
    tiny.CALLS.clear()


def _run(out, **settings):
    redo = settings.pop("redo", False)
    config = tiny.Config(**settings)
    prepare(Store(out), plain(config), tiny.SCHEMA)
    told = []
    outcome = run(
        "tiny",
        tiny,
        config,
        out,
        lambda *counts: told.append(counts),
        redo=redo,
        engine=Engine(at_once=1),
    )
    assert outcome.failed == []
    return outcome.table, told


def test_table_holds_every_cell_sorted(tmp_path):
    table, told = _run(tmp_path)
    frame = load(table)
    expected = [(x, s, x**2 + s) for x in (1, 2) for s in range(3)]
    assert list(frame[["x", "seed", "y"]].itertuples(index=False, name=None)) == expected
    assert told == [(0, 6), (2, 6), (4, 6), (6, 6)]
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]


def test_table_carries_its_origin(tmp_path):
    origin = load(_run(tmp_path)[0]).attrs["provenance"]
    assert origin["settings"] == plain(tiny.Config())
    assert origin["commit"] == "c0ffee"
    assert origin["schema_version"] == 3
    assert {"jax", "jaxlib", "flax", "numpy"} <= set(origin["versions"])
    assert origin["device"]
    assert origin["random"]["jax_default_prng_impl"]
    assert origin["wall_seconds"] >= 0


def test_an_interrupted_run_continues(tmp_path):
    whole = load(_run(tmp_path / "whole", stop_at=7)[0])
    tiny.CALLS.clear()
    with pytest.MonkeyPatch.context() as patch:
        measure = tiny.measure

        def dies(cells, config):
            if cells[0]["seed"] == 2:
                raise KeyboardInterrupt
            return measure(cells, config)

        patch.setattr(tiny, "measure", dies)
        with pytest.raises(KeyboardInterrupt):
            _run(tmp_path / "cut", stop_at=7)
    assert not (tmp_path / "cut" / "table.parquet").exists()
    frame = load(_run(tmp_path / "cut", stop_at=7)[0])
    assert tiny.CALLS == [0, 1, 2], "seeds 0 and 1 are measured once"
    pd.testing.assert_frame_equal(frame, whole)


def test_shards_of_other_code_are_not_taken_over(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, stop_at=2)
    monkeypatch.setattr(provenance, "code_state", lambda: {**CLEAN, "code": "4567"})
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, stop_at=2)
    assert tiny.CALLS == [0, 1, 0, 1]


def test_what_others_left_among_the_shards_is_kept(tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "mine.txt").write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, stop_at=1)
    _run(tmp_path, seeds=1)
    left = sorted(path.name for path in (tmp_path / "shards").iterdir())
    assert len(left) == 2, "the interrupted run's shard, and a user's file"
    assert "mine.txt" in left


def test_files_in_the_way_are_named_before_anything_is_measured(tmp_path):
    (tmp_path / "figures").write_text("a file")
    with pytest.raises(NotADirectoryError, match="figures is a file"):
        _run(tmp_path)
    (tmp_path / "figures").unlink()
    (tmp_path / "table.parquet").write_text("text")
    with pytest.raises(ValueError, match=r"table\.parquet is not a Parquet table"):
        _run(tmp_path)
    assert tiny.CALLS == []


def test_the_hash_follows_the_code(tmp_path, monkeypatch):
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "a.py").write_text("x = 1")
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    before = REAL()["code"]
    (tmp_path / "sweeps" / "a.py").write_text("x = 2")
    assert REAL()["code"] != before


def test_other_settings_are_refused_and_named(tmp_path):
    _run(tmp_path)
    with pytest.raises(ValueError, match=r"other settings \(seeds: 3 there, 2 here\)"):
        _run(tmp_path, seeds=2)
    assert len(load(tmp_path / "table.parquet")) == 6


def test_another_schema_is_refused_and_the_difference_shown(tmp_path, monkeypatch):
    _run(tmp_path)
    columns = (*tiny.SCHEMA.columns[:-1], Column("z", "float", "another"))
    monkeypatch.setattr(tiny, "SCHEMA", Schema(4, columns, tiny.SCHEMA.order))
    told = r"version: 3 there, 4 here; columns only there: y; columns only here: z"
    with pytest.raises(ValueError, match=told):
        _run(tmp_path)
    assert len(load(tmp_path / "table.parquet")) == 6


def test_a_finished_table_is_measured_again_only_if_asked_or_for_other_code(
    tmp_path, monkeypatch
):
    first = _run(tmp_path)[0]
    content = Path(first).read_bytes()
    assert _run(tmp_path)[1] == [(6, 6)]
    assert tiny.CALLS == [0, 1, 2]
    assert Path(first).read_bytes() == content
    _run(tmp_path, redo=True)
    assert tiny.CALLS == [0, 1, 2] * 2
    monkeypatch.setattr(provenance, "code_state", lambda: {**CLEAN, "code": "4567"})
    _run(tmp_path)
    assert tiny.CALLS == [0, 1, 2] * 3


def test_code_state_of_this_checkout():
    state = REAL()
    assert set(state) == {"commit", "dirty", "code"}
    assert state == REAL()
