"""Measure a sweep group by group; an interrupted run continues where it stopped.

Each group becomes a shard as soon as it is measured. A shard is named by its
cells, the settings, the code and its own bytes, so that another run never picks it
up by mistake and a damaged one is never trusted; when all are there they become the
table and are removed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd

from sweeps.harness import provenance
from sweeps.harness.grid import Cell, content_id
from sweeps.harness.shards import Log, find_shard, write_shard
from sweeps.harness.stopping import Stop
from sweeps.harness.table import Schema, collect, load_provenance, save, write_whole


class Sweep(Protocol):
    """What a module ``sweeps.<name>`` offers.

    Attributes:
        __doc__: The question, the expected answer with its source, the cost.
        Config: Frozen dataclass of settings, which is the command line.
        PRESETS: Settings by name: smoke, default, paper.
        SCHEMA: Columns of the table.
    """

    __doc__: str | None
    Config: type[Any]
    PRESETS: Mapping[str, Any]
    SCHEMA: Schema

    def cells(self, config: Any) -> list[Cell]:
        """Cells of the grid; raises ValueError for settings that make no sense."""
        ...

    def batches(self, cells: list[Cell], config: Any) -> list[list[Cell]]:
        """The cells in the groups that ``measure`` takes, one call each."""
        ...

    def measure(self, cells: list[Cell], config: Any) -> Mapping[str, Any]:
        """Columns of the table for these cells."""
        ...


Report = Callable[[int, int], None]
"""Called with the cells done and all cells."""


def prepare(out: Path, settings: Mapping[str, Any] | None) -> None:
    """Make the directory of results, and see that it can be written.

    Args:
        out: The directory.
        settings: Those of the run, to be compared with those of a table that is
            there; None for the sweep's own directory, whose table is renewed.

    Raises:
        OSError: if it cannot be made or written, or is a file.
        ValueError: if it holds a table of other settings, or a foreign file.
    """
    for folder in (out, out / "figures", out / "shards"):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"{folder} is a file; name another --out directory")
    out.mkdir(parents=True, exist_ok=True)
    probe = out / ".probe"
    write_whole(probe, b"\0" * 4096)
    probe.unlink()
    table = out / "table.parquet"
    if settings is None or not table.exists():
        return
    there = load_provenance(table).get("settings", {})
    differing = sorted(k for k in {*there, *settings} if there.get(k) != settings.get(k))
    if differing:
        pairs = "; ".join(f"{k}: {there.get(k)} there" for k in differing)
        raise ValueError(
            f"--out {out} holds a table of other settings ({pairs}); "
            "name another directory or remove that table"
        )


class Outcome(NamedTuple):
    """What a run has left.

    Attributes:
        table: Path of the table; None if every cell failed.
        failed: The cells that could not be measured, each with its error.
    """

    table: Path | None
    failed: list[tuple[Cell, str]]


def run(
    name: str,
    sweep: Sweep,
    config: Any,
    out: Path,
    report: Report,
    *,
    redo: bool = False,
    stop: Stop | None = None,
    log: Log = lambda line: None,
) -> Outcome:
    """Measure what is not there yet and write ``out/table.parquet``.

    A group that does not fit into memory is halved, and so is one that fails: the
    cells that fail alone are recorded, with their error, and the others go on. The
    shards stay then, so that the next run measures only groups with such cells.

    Args:
        name: Name of the sweep.
        sweep: Its module.
        config: Its settings.
        out: Directory of results, from ``prepare``.
        report: Told how much there is at the start and after every group.
        redo: Measure again what is there.
        stop: Asked before every group.
        log: Told what a person should know.

    Raises:
        Interrupted: when ``stop`` says so; what was measured is kept.
    """
    started = time.perf_counter()
    origin, identity = _identity(name, sweep, config)
    groups = sweep.batches(sweep.cells(config), config)
    total, done, shards = sum(map(len, groups)), 0, []
    failed: list[tuple[Cell, str]] = []
    partial: list[pd.DataFrame] = []  # of groups with cells that failed
    (out / "shards").mkdir(exist_ok=True)
    report(0, total)
    for cells in groups:
        if stop is not None:
            stop.check()
        shard_id = content_id([cells, identity])
        shard = None if redo else find_shard(out / "shards", shard_id, log)
        if shard is None:
            frame, wrong = _measured(sweep, cells, config, log)
            failed += wrong
            if frame is not None and not wrong:
                shard = write_shard(out / "shards", shard_id, frame, origin)
            elif frame is not None:
                partial.append(frame)
        shards += [shard] if shard else []
        done += len(cells)
        report(done, total)
    origin["wall_seconds"] = round(time.perf_counter() - started, 1)
    origin["failed"] = [{"cell": cell, "error": error} for cell, error in failed]
    if not shards and not partial:
        return Outcome(None, failed)
    table = out / "table.parquet"
    save(table, collect(shards, sweep.SCHEMA, partial), origin)
    if failed:
        return Outcome(table, failed)
    for shard in shards:
        shard.unlink()
    if not any((out / "shards").iterdir()):  # other runs' shards stay
        (out / "shards").rmdir()
    return Outcome(table, failed)


def state(name: str, sweep: Sweep, config: Any, out: Path, log: Log) -> tuple[int, int]:
    """Cells whose shards are there, and all cells."""
    _, identity = _identity(name, sweep, config)
    groups = sweep.batches(sweep.cells(config), config)
    done = [
        len(cells)
        for cells in groups
        if find_shard(out / "shards", content_id([cells, identity]), log)
    ]
    return sum(done), sum(map(len, groups))


def _identity(name: str, sweep: Sweep, config: Any) -> tuple[dict[str, Any], list[Any]]:
    """Provenance of a run, and the part of it that a shard has to share."""
    settings = plain(asdict(config))
    origin = provenance.collect(name, settings, sweep.SCHEMA.version)
    same = ("schema_version", "code", "versions", "device", "random", "dtype")
    return origin, [settings, *(origin[key] for key in same)]


def _measured(
    sweep: Sweep, cells: list[Cell], config: Any, log: Log
) -> tuple[pd.DataFrame | None, list[tuple[Cell, str]]]:
    """Rows of the cells that can be measured, and the others with their errors."""
    try:
        return sweep.SCHEMA.conform(pd.DataFrame(sweep.measure(cells, config))), []
    except Exception as error:  # whatever a measurement raises must not end the run
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if len(cells) == 1:
        log(f"cell {cells[0]} failed: {words}")
        return None, [(cells[0], words)]
    half = len(cells) // 2
    log(f"{len(cells)} cells at once: {words}; trying {half} and {len(cells) - half}")
    parts = [_measured(sweep, part, config, log) for part in (cells[:half], cells[half:])]
    frames = [frame for frame, _ in parts if frame is not None]
    wrong = [pair for _, pairs in parts for pair in pairs]
    rows = sweep.SCHEMA.conform(pd.concat(frames, ignore_index=True)) if frames else None
    return rows, wrong


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON would read them back: lists instead of tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
