"""kill -9: whenever it comes, the run that follows ends with the same table."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeps.harness.files import Store
from sweeps.harness.shards import find_shard, list_shards
from tests.harness.zygote import Command

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 6


@pytest.fixture(scope="module")
def zygote():
    """Runs a command in a fork of a process that has all modules; its wait status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.harness.zygote"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def answer(out, seeds=SEEDS, **options):
        command = Command(str(out), seeds, **options)
        process.stdin.write(json.dumps(command._asdict()) + "\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        if os.WIFEXITED(status):
            log = Path(f"{out}.log")
            assert os.WEXITSTATUS(status) == 0, log.read_text()
            return True
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False

    yield answer
    process.stdin.close()
    process.wait()
    process.stdout.close()


def _rows(table):
    """The columns as bytes, in their order, without provenance."""
    rows = pq.read_table(table).replace_schema_metadata(None).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue().to_pybytes()


def _files(out):
    """Names of files that are not hidden."""
    found = (p.relative_to(out) for p in out.rglob("*") if p.is_file())
    return {str(p) for p in found if not p.name.startswith(".")}


def _whole_shards(out):
    """Number of shards, all of which must be whole."""
    store, told = Store(out), []
    listing = list_shards(store)
    for names in listing.values():
        assert find_shard(store, names, told.append).name == names[0]
    assert told == []
    names = {name for names in listing.values() for name in names}
    assert _files(out) - {"table.parquet"} == names
    return len(names)


@pytest.mark.slow
def test_a_hundred_kills_at_random_moments(zygote, tmp_path):
    """Every other directory holds an older table by other code."""
    zygote(tmp_path / "older", code="4567")
    older = (tmp_path / "older" / "table.parquet").read_bytes()
    zygote(tmp_path / "whole")
    whole, durations = _rows(tmp_path / "whole" / "table.parquet"), []
    for n in range(3):
        started = time.perf_counter()
        zygote(tmp_path / f"timed{n}")
        durations.append(time.perf_counter() - started)
    moments, left = random.Random(0), []
    for kill in range(100):
        out = tmp_path / f"{kill}"
        table = out / "table.parquet"
        if kill % 2:
            out.mkdir()
            table.write_bytes(older)
        ended = zygote(out, after=moments.uniform(0, min(durations)))
        written = table.exists() and table.read_bytes() != older
        assert not written or _rows(table) == whole
        assert table.exists() or not kill % 2, "the older table is kept"
        left.append((_whole_shards(out) if out.exists() else 0, written, ended))
        assert zygote(out)
        assert _rows(table) == whole
        assert _files(out) == {"table.parquet"}
    assert sum(not written for _, written, _ in left) > 30, left
    assert len({shards for shards, written, _ in left if not written}) >= 5, left


def test_killed_before_every_touch_of_a_file(zygote, tmp_path):
    """Also when half of it is written."""
    zygote(tmp_path / "whole", 2)
    whole, left = _rows(tmp_path / "whole" / "table.parquet"), set()
    for touches in range(1000):
        out = tmp_path / f"{touches}"
        ended = zygote(out, 2, touches=touches)
        table = (out / "table.parquet").exists()
        left.add((_whole_shards(out) if out.exists() else 0, table))
        assert zygote(out, 2)
        assert _rows(out / "table.parquet") == whole
        assert _files(out) == {"table.parquet"}
        if ended:
            break
    assert ended
    assert left == {(0, False), (1, False), (2, False), (2, True), (1, True), (0, True)}
