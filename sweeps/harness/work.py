"""Measure units of cells and write their shards: what a worker does, wherever it runs."""

import functools
import importlib
import time
import traceback
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import pandas as pd

from sweeps.harness import provenance
from sweeps.harness.cost import Capacity, capacity
from sweeps.harness.coverage import check_rows, split
from sweeps.harness.files import Store
from sweeps.harness.grid import Cell
from sweeps.harness.messages import in_words
from sweeps.harness.shards import Log, write_shard
from sweeps.harness.sweep import Sweep

_PROCESS = uuid.uuid4().hex


class Unit(NamedTuple):
    """Cells that are measured in one call and written as one shard.

    Attributes:
        id: Hash of the cells and of what a shard has to share with its run.
        cells: Their settings.
    """

    id: str
    cells: list[Cell]


class Job(NamedTuple):
    """What a worker needs to know of a run; it travels to other processes.

    Attributes:
        sweep: Name of the module.
        config: Its settings.
        url: Directory of results, as every worker sees it.
        origin: Provenance that workers have to share.
        process: That of the process which measured the origin.
    """

    sweep: str
    config: Any
    url: str
    origin: dict[str, Any]
    process: str


def survey(name: str, module: str, settings: Any) -> tuple[dict[str, Any], Capacity, str]:
    """Provenance and capacity of this process, and its name."""
    version = importlib.import_module(module).SCHEMA.version
    return provenance.collect(name, settings, version), capacity(), _PROCESS


def measure_units(job: Job, units: list[Unit], log: Log | None = None) -> list[str]:
    """Measure units in one call and write the shard of each.

    Cells that do not fit into memory together, or of which one fails, are halved; a
    cell that fails alone is recorded in the shard with its error.

    Returns:
        What a person should know, if there is no ``log`` to tell at once.

    Raises:
        ValueError: if this process has another origin than the job.
        OSError: if a shard cannot be written.
    """
    told: list[str] = []
    if job.process != _PROCESS:
        _same_origin(job)
    sweep = cast(Sweep, importlib.import_module(job.sweep))
    cells = [cell for unit in units for cell in unit.cells]
    started = time.perf_counter()
    frame, failed = _measured(sweep, cells, job.config, log or told.append)
    wall = round((time.perf_counter() - started) / len(units), 3)
    store = Store(job.url)
    parts = split(sweep.SCHEMA, frame, [unit.cells for unit in units])
    for unit, rows in zip(units, parts, strict=True):
        written = datetime.now(UTC).isoformat(timespec="seconds")
        mine = [one for one in failed if one["cell"] in unit.cells]
        origin = {**job.origin, "written": written, "wall_seconds": wall, "failed": mine}
        write_shard(store, unit.id, rows, origin)
    return told


def record_death(job: Job, unit: Unit, words: str) -> None:
    """Write the shard of a unit whose worker died over it: no rows, all cells failed."""
    schema = importlib.import_module(job.sweep).SCHEMA
    failed = [{"cell": cell, "error": words, "traceback": ""} for cell in unit.cells]
    write_shard(Store(job.url), unit.id, schema.empty(), {**job.origin, "failed": failed})


@functools.cache
def _here(name: str, module: str) -> dict[str, Any]:
    """Provenance of this process, apart from the settings."""
    return survey(name, module, None)[0]


def _same_origin(job: Job) -> None:
    here = _here(job.origin["sweep"], job.sweep) | {"settings": job.origin["settings"]}
    if differing := provenance.differences(here, job.origin):
        raise ValueError(
            f"a worker differs from the first ({differing}); give all workers the same "
            "checkout, packages and kind of device"
        )


def _measured(
    sweep: Sweep, cells: list[Cell], config: Any, log: Log
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Rows of the cells that can be measured, and the others with their errors."""
    try:
        rows = sweep.SCHEMA.conform(sweep.measure(cells, config))
        check_rows(sweep.SCHEMA, rows, cells)
        return rows, []
    except Exception as error:  # whatever a measurement raises must not end the run
        words = in_words(error)
        where = "".join(traceback.format_exception(error, limit=-3))
    if len(cells) == 1:
        log(f"cell {cells[0]} failed: {words}")
        failure = {"cell": cells[0], "error": words, "traceback": where}
        return sweep.SCHEMA.empty(), [failure]
    half = len(cells) // 2
    log(f"{len(cells)} cells at once: {words}; trying {half} and {len(cells) - half}")
    parts = [_measured(sweep, part, config, log) for part in (cells[:half], cells[half:])]
    frames = [frame for frame, _ in parts]
    wrong = [failure for _, failures in parts for failure in failures]
    return sweep.SCHEMA.conform(pd.concat(frames, ignore_index=True)), wrong
