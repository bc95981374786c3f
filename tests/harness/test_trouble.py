"""Disks that are full or closed, shards that change, clocks that go backwards."""

import contextlib
import errno
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta

import pandas as pd
import pytest

from sweeps.harness import provenance, work
from sweeps.harness.cli import main
from sweeps.harness.files import Store
from sweeps.harness.hosts import Hosts
from sweeps.harness.shards import find_shard, list_shards
from sweeps.harness.state import missing_units
from sweeps.harness.table import as_frame, decode, encode, load
from tests.harness import tiny
from tests.harness.runs import CODE, OTHER_CODE, ends, files, finish, measure


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CODE)
    tiny.CALLS.clear()


@pytest.fixture
def whole(tmp_path):
    """The table of an undisturbed run."""
    frame = load(measure(tmp_path / "undisturbed").table)
    tiny.CALLS.clear()
    return frame


@pytest.fixture
def older(tmp_path):
    """Bytes of a table by other code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "code_state", lambda: OTHER_CODE)
        content = pathlib.Path(measure(tmp_path / "older").table).read_bytes()
    tiny.CALLS.clear()
    return content


def _only_whole_shards(out):
    told, store = [], Store(out)
    for names in list_shards(store).values():
        assert find_shard(store, names, told.append)
    assert told == []
    shards = {n.rpartition("/")[2] for names in list_shards(store).values() for n in names}
    assert files(out) - {"table.parquet"} == shards


class Failing:
    """Functions of which the n-th call, counted together, fails as on a full disk."""

    def __init__(self, patch, nth):
        self.left, self.failed = nth, False
        patch.setattr(tempfile, "mkstemp", self._counted(tempfile.mkstemp))
        for name in ("fdopen", "fsync", "pwrite", "ftruncate"):
            patch.setattr(os, name, self._counted(getattr(os, name)))
        for name in ("mkdir", "replace", "chmod"):
            patch.setattr(pathlib.Path, name, self._counted(getattr(pathlib.Path, name)))

    def _counted(self, function):
        def call(*arguments, **options):
            self.left -= 1
            if self.left == 0:
                self.failed = True
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return call


@pytest.mark.parametrize("renewed", [False, True])
def test_a_disk_that_is_full_at_any_moment(tmp_path, whole, older, renewed):
    failures = 0
    for nth in range(1, 1000):
        out = tmp_path / f"{nth}"
        if renewed:
            out.mkdir()
            (out / "table.parquet").write_bytes(older)
        with pytest.MonkeyPatch.context() as patch:
            failing, ended = Failing(patch, nth), True
            try:
                measure(out)
            except OSError as error:
                ended = False
                assert error.errno == errno.ENOSPC
        if not failing.failed:
            break
        failures += not ended
        if out.exists():
            _only_whole_shards(out)
        if renewed and not ended:
            assert (out / "table.parquet").read_bytes() == older
        finish(out, whole)
        assert files(out) == {"table.parquet"}
    assert not failing.failed
    assert failures > 15


def test_a_real_disk_that_is_full(tmp_path, whole):
    """From one that holds nothing to one that holds all."""
    sizes = []
    for pages in range(1, 40):
        out = tmp_path / f"{pages}"
        with _disk(out, pages):
            try:
                measure(out)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                sizes.append(pages)
                _only_whole_shards(out)
                _mount("-o", "remount,size=10m", out)
            else:
                assert tiny.CALLS[-3:] == [0, 1, 2]
            finish(out, whole)
            assert files(out) == {"table.parquet"}
        if sizes and pages > sizes[-1] + 2:
            break
    assert len(sizes) >= 4
    assert pages < 39


@contextlib.contextmanager
def _disk(place, pages):
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={4 * pages}k", "initjax", place)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted: {done.stderr.decode()}")


@contextlib.contextmanager
def _without_rights():
    """As a user to whom permissions apply."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("closed", [".", "shards"])
def test_a_directory_that_is_read_only(whole, monkeypatch, capsys, closed):
    del whole  # which has imported what another user may not read
    monkeypatch.setitem(sys.modules, "sweeps.tiny", tiny)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # open to other users
        out = pathlib.Path(folder) / "out"
        (out / "shards").mkdir(parents=True)
        for path in (out.parent, out, out / "shards"):
            path.chmod(0o777)
        (out / closed).chmod(0o555)
        with _without_rights():
            code = main("tiny", ["--out", str(out), "--at-once", "1"])
        (out / closed).chmod(0o777)
        assert files(out) == set()
    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    last = told.err.strip().splitlines()[-1]
    assert last.startswith("error: cannot write results: [Errno 13] Permission denied")
    assert "Traceback" not in told.err
    assert tiny.CALLS == [], "said before anything is measured"


def test_a_shard_damaged_as_soon_as_it_is_written(tmp_path, whole):
    told, out = [], tmp_path / "out"

    def damages(done, total):
        if done == total and len(tiny.CALLS) == 3:
            shard = sorted((out / "shards").iterdir())[1]
            content = shard.read_bytes()
            shard.write_bytes(content[:99] + bytes([content[99] ^ 1]) + content[100:])

    finish(out, whole, told=told, report=damages)
    assert len(tiny.CALLS) == 4
    assert len(told) == 1
    assert "set aside as" in told[0]
    assert len(list((out / "shards").glob("*.damaged"))) == 1, "nothing was deleted"


@pytest.fixture
def damaged(tmp_path):
    """A directory of an interrupted run, and the name of its only shard, cut short."""
    out = tmp_path / "out"
    with pytest.raises(RuntimeError):
        measure(out, report=ends(RuntimeError("power cut"), after=1))
    (shard,) = (out / "shards").iterdir()
    shard.write_bytes(shard.read_bytes()[:-1])
    return out, f"shards/{shard.name}"


def test_two_processes_set_the_same_shard_aside(damaged):
    out, name = damaged
    told = []

    class Slower(Store):
        def read(self, name):
            content = super().read(name)
            assert find_shard(Store(out), [name], told.append) is None
            return content

    assert find_shard(Slower(out), [name], told.append) is None
    assert len(files(out)) == 1


def test_looking_changes_nothing(damaged):
    out, _ = damaged
    before = files(out)
    missing, total = missing_units("tiny", tiny, tiny.Config(), Store(out), print)
    assert (len(missing), total) == (3, 6)
    assert files(out) == before


class Meddling(Hosts):
    """Changes a shard after all were found whole, before the table is made."""

    def agree(self, error=None):
        super().agree(error)
        if len(tiny.CALLS) == 3:
            tiny.CALLS.append(-1)
            self.meddle()


CHANGES = {
    "cut": lambda content: content[:-99],
    "a flipped bit": lambda content: content[:99] + b"!" + content[100:],
    "no rows": lambda content: encode(as_frame(decode(content, "")[0])[:0], {"failed": []}),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_shard_changed_before_the_table_is_made(tmp_path, whole, kind):
    """No wrong table is made."""
    out, hosts = tmp_path / "out", Meddling()

    def change():
        shard = min((out / "shards").iterdir())
        shard.write_bytes(CHANGES[kind](shard.read_bytes()))

    object.__setattr__(hosts, "meddle", change)
    try:
        table = measure(out, hosts=hosts).table
    except ValueError as error:
        assert "shards/" in str(error)
        table = measure(out).table
    pd.testing.assert_frame_equal(load(table), whole)


class Backwards(datetime):
    """A clock that goes back a day whenever it is read."""

    days = 0

    @classmethod
    def now(cls, tz=None):
        cls.days += 1
        return datetime.now(tz) - timedelta(days=cls.days)


def test_a_clock_that_goes_backwards(tmp_path, monkeypatch, whole):
    real, out = time.time, tmp_path / "out"
    seconds = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(time, "time", lambda: real() - next(seconds))
    monkeypatch.setattr(work, "datetime", Backwards)
    monkeypatch.setattr(provenance, "datetime", Backwards)
    with pytest.raises(RuntimeError):
        measure(out, report=ends(RuntimeError("power cut"), after=2))
    for shard in (out / "shards").iterdir():
        os.utime(shard, (real() + 10**8, real() + 10**8))
    assert finish(out, whole).measured == 2
    assert tiny.CALLS == [0, 1, 2]
    assert measure(out).measured == 0


def test_a_crash_between_the_table_and_the_removal_of_shards(tmp_path, whole):
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweeps.harness.collect.tidy", _raises(RuntimeError("power cut")))
        with pytest.raises(RuntimeError):
            measure(out)
    left = files(out)
    assert "table.parquet" in left
    assert len(left) == 4
    assert finish(out, whole).measured == 0
    assert files(out) == {"table.parquet"}
    assert tiny.CALLS == [0, 1, 2]


def _raises(error):
    def function(*_):
        raise error

    return function
