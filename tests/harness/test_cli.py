"""The command line as a user meets it: in a process of its own."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--activations", "relu", "--schemes", "he_normal", "--depths", "2", "3"]
SMALL += ["--widths", "8", "--seeds", "2", "--inputs", "gaussian"]


def _sweep(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "sweeps.depth_vs_init", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def test_small_run_writes_table_figures_and_summary(tmp_path):
    done = _sweep(*SMALL, "--out", tmp_path / "new" / "dir")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "new" / "dir").iterdir()}
    assert names == {"table.parquet", "figures"}
    figures = {path.name for path in (tmp_path / "new" / "dir" / "figures").iterdir()}
    assert {"activation_scale.png", "activation_scale.svg", "slopes.csv"} <= figures
    assert "survives" in done.stdout
    assert "table.parquet" in done.stdout
    assert "4/4 cells" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--schemes", "xaiver"], "scheme 'xaiver' is unknown"),
        (["--schemes", "normal(x)"], "scheme 'normal(x)' is not valid"),
        (["--schemes", "uniform(0, 1)"], "have a mean"),
        (["--schemes", "he_normal(gain)"], "he_normal takes no gain"),
        (["--activations", "rleu"], "activation 'rleu' is unknown"),
        (["--inputs", "cifar"], "--inputs must be of gaussian, ones, mnist, digits, or"),
        (["--depths", "10", "0"], "--depths must be >= 1; got 0"),
        (["--depths"], "--depths needs at least one value"),
        (["--batches"], "--batches needs at least one value"),
        (["--depths", "99999999999"], "--depths must be <= 10000"),
        (["--schemes", "he_normal(0.5)"], "he_normal takes at most 0 numbers"),
        (["--schemes", "xavier_normal(1e200)"], "is not valid"),
        (["--at-once", "-1"], "--at-once must be from 0 to 1000000; got -1"),
        (["--widths", "-3"], "--widths must be >= 1; got -3"),
        (["--batches", "0"], "--batches must be >= 1; got 0"),
        (["--batches", "6000"], "mnist has 5000 examples"),
        (["--seeds", "0"], "--seeds must be >= 1; got 0"),
        (["--layers", "1"], "--layers must be >= 2; got 1"),
        (["--preset", "huge"], "--preset must be one of smoke, default, paper"),
    ],
)
def test_bad_settings_are_one_line_and_exit_code_2(tmp_path, arguments, says):
    out = tmp_path / "out"
    done = _sweep(*arguments, "--out", out)
    assert done.returncode == 2
    assert says in done.stderr
    assert re.fullmatch(r"error: [^\n]*\n", done.stderr)
    assert done.stdout == ""
    assert not out.exists(), "nothing half-written"


@pytest.mark.parametrize("arguments", [["--depths", "ten"], ["--dephts", "10"]])
def test_what_the_parser_cannot_read_exits_with_2(arguments):
    done = _sweep(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert arguments[-1] in done.stderr or arguments[0] in done.stderr


def _one_line(done, *says):
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"error: [^\n]*\n", done.stderr), done.stderr
    assert any(s in done.stderr for s in says), done.stderr


def test_a_file_where_the_directory_should_be(tmp_path):
    (tmp_path / "file").write_text("mine")
    _one_line(_sweep(*SMALL, "--out", tmp_path / "file"), "is a file")
    assert (tmp_path / "file").read_text() == "mine"
    _one_line(_sweep(*SMALL, "--out", tmp_path / "file" / "below"), "Not a directory")


def test_a_directory_that_cannot_be_written():
    _one_line(
        _sweep(*SMALL, "--out", "/proc/initjax"),
        "cannot write results",
        "Permission denied",
    )


def test_a_full_device(tmp_path):
    """A limit on file size stands in for a full disk: both end a write with an error."""

    sweep = shlex.join([sys.executable, "-m", "sweeps.depth_vs_init", *SMALL])
    out = shlex.quote(str(tmp_path / "out"))
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; ulimit -f 5; exec {sweep} --depths 60 --out {out}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert re.search(r"^error: cannot write results: [^\n]*\n\Z", done.stderr, re.M)
    assert "Traceback" not in done.stderr
    left = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert left == []


@pytest.mark.slow
def test_interrupted_by_the_keyboard_and_continued(tmp_path):
    arguments = [*SMALL, "--seeds", "400", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps.depth_vs_init", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shards = tmp_path / "out" / "shards"
    _wait_for_shards(shards, 2)
    os.kill(process.pid, signal.SIGINT)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 130, stderr
    assert "continues" in stderr
    assert "Traceback" not in stderr
    kept = {shard.name: shard.stat().st_mtime_ns for shard in shards.iterdir()}
    assert all(name.endswith(".parquet") for name in kept), "no file is half-written"
    again = subprocess.Popen(
        [sys.executable, "-m", "sweeps.depth_vs_init", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    _wait_for_shards(shards, len(kept) + 1)
    listed = _sweep(*arguments, "--list")
    assert re.search(r" \d+/800 cells in shards, no table, in ", listed.stdout)
    second = _sweep(*arguments)
    _one_line(second, f"in use by process {again.pid}")
    os.kill(again.pid, signal.SIGTERM)
    again.communicate(timeout=60)
    assert again.returncode == 143
    now = {shard.name: shard.stat().st_mtime_ns for shard in shards.iterdir()}
    assert len(now) > len(kept), "the second run went on"
    assert {name: now[name] for name in kept} == kept, "and measured nothing twice"


def _wait_for_shards(folder, count):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (
            folder.exists()
            and sum(p.suffix == ".parquet" for p in folder.iterdir()) >= count
        ):
            return
        time.sleep(0.02)
    raise AssertionError(f"no {count} shards in two minutes")


def test_help_has_a_sentence_for_every_option():
    done = _sweep("--help")
    assert done.returncode == 0
    from dataclasses import fields

    from sweeps.depth_vs_init import Config

    for option in [*(f.name.replace("_", "-") for f in fields(Config)), "preset", "out"]:
        assert re.search(rf"--{option}\b", done.stdout)
    assert done.stdout.count(". (default:") >= len(fields(Config))
