"""Measure a sweep group by group; an interrupted run continues where it stopped.

Each group becomes a shard as soon as it is measured. A shard is named by its
cells, the settings and the code, so that another run never picks it up by
mistake; when all are there they become the table and are removed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from sweeps.harness import provenance
from sweeps.harness.grid import Cell, content_id
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


def run(name: str, sweep: Sweep, config: Any, out: Path, report: Report) -> Path:
    """Measure what is not there yet and write ``out/table.parquet``.

    Args:
        name: Name of the sweep.
        sweep: Its module.
        config: Its settings.
        out: Directory of results, from ``prepare``.
        report: Told how much there is at the start and after every group.

    Returns:
        Path of the table.
    """
    started = time.perf_counter()
    settings = plain(asdict(config))
    origin = provenance.collect(name, settings, sweep.SCHEMA.version)
    same = ("schema_version", "code", "versions", "device", "random", "dtype")
    identity = [settings, *(origin[name] for name in same)]
    groups = sweep.batches(sweep.cells(config), config)
    total, done, shards = sum(map(len, groups)), 0, []
    (out / "shards").mkdir(exist_ok=True)
    report(0, total)
    for cells in groups:
        shard = out / "shards" / f"{content_id([cells, identity])}.parquet"
        if not shard.exists():
            frame = sweep.SCHEMA.conform(pd.DataFrame(sweep.measure(cells, config)))
            save(shard, frame, origin)
        shards.append(shard)
        done += len(cells)
        report(done, total)
    table = out / "table.parquet"
    origin["wall_seconds"] = round(time.perf_counter() - started, 1)
    save(table, collect(shards, sweep.SCHEMA), origin)
    for shard in shards:
        shard.unlink()
    if not any((out / "shards").iterdir()):  # other runs' shards stay
        (out / "shards").rmdir()
    return table


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON would read them back: lists instead of tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
