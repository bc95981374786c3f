"""Results on this machine and behind URLs: the same files, the same promises."""

import itertools
import json
import threading
import time
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from sweeps.harness import lease, provenance
from sweeps.harness.cli import main
from sweeps.harness.files import Store
from sweeps.harness.lock import held
from sweeps.harness.table import load, load_provenance
from tests.harness import tiny
from tests.harness.runs import CODE, OTHER_CODE, ends, finish, measure

SMALL = ["--activations", "relu", "--schemes", "he_normal", "--depths", "3"]
SMALL += ["--widths", "8", "--seeds", "2", "--inputs", "gaussian"]
COUNT = itertools.count()


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CODE)
    tiny.CALLS.clear()


@pytest.fixture
def memory():
    """A URL in memory that no other test has."""
    url = f"memory://{__name__}/{next(COUNT)}"
    yield url
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture(params=["path", "Path", "file", "memory"])
def store(request, tmp_path, memory):
    places = {
        "path": str(tmp_path / "new" / "dir"),
        "Path": tmp_path / "new" / "dir",
        "file": f"file://{tmp_path}/new/dir",
        "memory": memory,
    }
    store = Store(places[request.param])
    store.make()
    return store


def _seen(url):
    """Names of all files below a URL, by fsspec alone."""
    files, root = fsspec.url_to_fs(url)
    return {name.removeprefix(f"{root}/") for name in files.find(root)}


def test_files_are_written_read_listed_renamed_and_removed(store):
    assert store.names() == []
    assert store.names("shards") == []
    with pytest.raises(FileNotFoundError):
        store.read("a")
    store.write("b", b"1")
    store.write("a", b"")
    store.write("a", b"2")
    store.write("shards/c", b"\0\xff")
    assert store.names() == ["a", "b"], "folders are no files"
    assert store.names("shards") == ["c"]
    assert (store.read("a"), store.read("shards/c")) == (b"2", b"\0\xff")
    assert store.exists("a")
    assert store.exists("shards")
    assert not store.exists("c")
    store.rename("shards/c", "shards/d")
    assert store.names("shards") == ["d"]
    assert store.read("shards/d") == b"\0\xff"
    store.remove("shards/d")
    store.remove("shards/d")
    store.remove_folder("shards")
    store.remove_folder("nothing")
    assert store.names("shards") == []
    assert store.names() == ["a", "b"]
    store.make()
    assert store.read("b") == b"1"


def test_a_folder_that_holds_something_is_not_removed(store):
    store.write("shards/mine", b"mine")
    store.remove_folder("shards")
    assert store.read("shards/mine") == b"mine"


def test_a_reader_sees_the_old_file_or_the_new_one(store):
    """While another thread writes."""
    contents, ended = [bytes([n]) * 100_000 for n in range(2)], threading.Event()
    store.write("a", contents[0])

    def write():
        for n in range(100):
            store.write("a", contents[n % 2])
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not ended.is_set():
        seen.add(store.read("a"))
    writer.join()
    assert seen <= set(contents)
    assert store.names() == ["a"], "nothing is left beside it"


@pytest.mark.parametrize("broken", ["pipe_file", "mv"])
def test_a_write_that_fails_leaves_what_was_there(memory, monkeypatch, broken):
    store = Store(memory)
    store.write("a", b"old")

    def fails(self, *_, **__):
        raise ConnectionResetError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, broken, fails)
        with pytest.raises(OSError, match="gone"):
            store.write("a", b"new")
    assert store.read("a") == b"old"
    assert _seen(memory) == {"a"}


def test_a_run_in_memory_is_that_on_a_disk(tmp_path, memory):
    local = measure(tmp_path / "local")
    remote = measure(memory)
    assert remote.table == f"{memory}/table.parquet"
    there, here = load(remote.table), load(local.table)
    pd.testing.assert_frame_equal(there, here)
    for column in here:
        assert there[column].to_numpy().tobytes() == here[column].to_numpy().tobytes()
    assert _seen(memory) == {"table.parquet"}
    assert measure(memory).measured == 0
    assert load_provenance(remote.table)["settings"]["seeds"] == 3


def test_an_interrupted_run_in_memory_continues(tmp_path, memory):
    """One of its shards is damaged meanwhile, and an older table is there."""
    whole, told = load(measure(tmp_path / "whole").table), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "code_state", lambda: OTHER_CODE)
        measure(memory)
    older = Store(memory).read("table.parquet")
    tiny.CALLS.clear()
    with pytest.raises(RuntimeError):
        measure(memory, report=ends(RuntimeError("power cut"), after=2))
    store = Store(memory)
    assert store.read("table.parquet") == older
    bad, good = (f"shards/{name}" for name in store.names("shards"))
    store.write(bad, store.read(bad)[:-1])
    assert finish(memory, whole, told=told).measured == 4
    assert sorted(tiny.CALLS) in ([0, 0, 1, 2], [0, 1, 1, 2])
    assert told == [
        f"shard {bad} is damaged (other bytes than were written); set aside as "
        f"{bad.removesuffix('.parquet')}.damaged, measured again"
    ]
    assert good
    assert _seen(memory) == {"table.parquet", f"{bad.removesuffix('.parquet')}.damaged"}


def test_other_settings_are_refused_in_memory_too(memory):
    measure(memory)
    with pytest.raises(ValueError, match=r"other settings \(seeds: 3 there, 2 here\)"):
        measure(memory, seeds=2)


def test_the_command_line_writes_table_and_figures_into_memory(memory, capsys):
    assert main("depth_vs_init", [*SMALL, "--out", memory]) == 0
    told = capsys.readouterr()
    assert f"table    {memory}/table.parquet  (6 rows)" in told.out
    figures = {name for name in _seen(memory) if name.startswith("figures/")}
    assert {"figures/activation_scale.png", "figures/slopes.csv"} <= figures
    assert _seen(memory) == {"table.parquet", *figures}
    png = Store(memory).read("figures/activation_scale.png")
    assert png.startswith(b"\x89PNG")
    assert len(load(f"{memory}/table.parquet")) == 6
    assert main("depth_vs_init", [*SMALL, "--out", memory, "--list"]) == 0
    assert capsys.readouterr().out == (
        f"depth_vs_init: 2/2 cells in the table of {memory}\n"
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense://bucket/run", "Protocol not known: nonsense"),
        ("oss://bucket/run", "ossfs"),
        ("simplecache::nonsense://x", "Protocol not known: nonsense"),
        ("", "is no name of a directory"),
        ("memory://a\0b", "is no name of a directory"),
    ],
)
def test_what_cannot_be_opened_is_said(url, says):
    with pytest.raises(ValueError, match="--out") as raised:
        Store(url)
    assert says in str(raised.value)


class Refusing(MemoryFileSystem):
    """A store whose driver has errors of its own, as botocore has."""

    protocol = "refusing"

    def pipe_file(self, path, value, mode="overwrite", **options):
        raise NoCredentials("Unable to locate credentials")


class NoCredentials(Exception):
    """What a driver raises that knows no OSError."""


def test_errors_of_a_driver_end_with_one_line(capsys):
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    assert main("depth_vs_init", [*SMALL, "--out", "refusing://bucket/run"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: cannot write results: ")
    assert told.err.count("\n") == 1
    assert "Unable to locate credentials" in told.err


@pytest.fixture
def hasty(monkeypatch):
    """Leases whose seconds are shorter."""
    monkeypatch.setattr(lease, "BEAT", 0.02)
    monkeypatch.setattr(lease, "PATIENCE", 0.5)


def _holder(store):
    return json.loads(store.read(lease.LEASE))


def test_a_lease_is_renewed_and_refused_while_its_holder_lives(hasty, memory):
    store, told = Store(memory), []
    with held(store, told.append):
        first = _holder(store)
        with (
            pytest.raises(ValueError, match=f"{memory} is in use by {first['holder']}"),
            held(store, told.append),
        ):
            pass
        deadline = time.monotonic() + 10
        while _holder(store)["beat"] < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _holder(store)["beat"] >= 3
        assert _holder(store)["token"] == first["token"]
    assert not store.exists(lease.LEASE)
    assert told == [
        f"{memory} was in use by {first['holder']}; waiting 0 s for a sign of life"
    ]


def test_the_lease_of_the_dead_is_taken_over(hasty, memory):
    store, told = Store(memory), []
    dead = {"holder": "process 1 on nowhere", "token": "t", "beat": 7}
    store.write(lease.LEASE, json.dumps(dead).encode())
    started = time.monotonic()
    with held(store, told.append):
        assert time.monotonic() - started >= lease.PATIENCE
        assert _holder(store)["token"] != "t"
    assert told[-1].startswith("process 1 on nowhere gives no sign of life")
    assert not store.exists(lease.LEASE)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_lease_that_cannot_be_read_holds_nothing(hasty, memory, content):
    store = Store(memory)
    store.write(lease.LEASE, content)
    with held(store, print):
        assert _holder(store)["token"]


def test_a_lease_that_is_given_back_is_free_at_once(memory):
    store, inside, go = Store(memory), threading.Event(), threading.Event()

    def hold():
        with held(store, print):
            inside.set()
            go.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    started = time.monotonic()
    threading.Timer(0.1, go.set).start()
    with held(store, print):
        assert time.monotonic() - started < lease.BEAT < lease.PATIENCE
    holder.join()


def test_who_lost_a_lease_is_told_and_leaves_the_other_alone(hasty, memory):
    store, told = Store(memory), []
    with held(store, told.append):
        store.write(lease.LEASE, json.dumps({"token": "another"}).encode())
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
    assert told == [f"{memory} was taken over by another run; both write the same shards"]
    assert _holder(store) == {"token": "another"}


def test_a_run_ends_well_though_its_lease_cannot_be_renewed(hasty, memory, monkeypatch):
    store, told = Store(memory), []
    with held(store, told.append):
        with monkeypatch.context() as patch:
            patch.setattr(lease, "_renew", _gone)
            deadline = time.monotonic() + 10
            while len(told) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
        beat = _holder(store)["beat"]
        while _holder(store)["beat"] == beat and time.monotonic() < deadline:
            time.sleep(0.01)
    assert f"the lease on {memory} could not be renewed: gone" in told
    assert not store.exists(lease.LEASE)


def _gone(*_):
    raise ConnectionError("gone")


def test_on_a_disk_the_kernel_holds_the_lock(tmp_path):
    with held(Store(f"file://{tmp_path}"), print):
        assert [path.name for path in Path(tmp_path).iterdir()] == [".lock"]
    assert list(Path(tmp_path).iterdir()) == []
