"""Measure a sweep; an interrupted run continues where it stopped.

Each unit of cells becomes a shard as soon as it is measured. A shard is named by its
cells, the settings, the code and its own bytes, so that another run never picks it
up by mistake and a damaged one is never trusted; when all are there they become the
table and are removed.
"""

import functools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sweeps.harness import execute, provenance
from sweeps.harness.collect import collect, tidy
from sweeps.harness.cost import Capacity
from sweeps.harness.directory import TABLE, is_whole, plain
from sweeps.harness.files import Store
from sweeps.harness.grid import Cell
from sweeps.harness.hosts import Hosts
from sweeps.harness.plan import Found, Place, calls_of, look_up, units_of
from sweeps.harness.shards import Log, list_shards
from sweeps.harness.stopping import Stop
from sweeps.harness.sweep import Sweep
from sweeps.harness.work import Job, Unit, survey

_TRIES = 3
"""How often a shard that was damaged after it was written is measured."""

Report = Callable[[int, int], None]
"""Called with the cells done and all cells."""


class Outcome(NamedTuple):
    """What a run has left.

    Attributes:
        table: Place of the table; None if every cell failed.
        failed: The cells that could not be measured, each with its error.
        measured: Cells that this run has tried to measure.
    """

    table: str | None
    failed: list[tuple[Cell, str]]
    measured: int


class Engine(NamedTuple):
    """Who measures.

    Attributes:
        executor: Where the calls go; this process itself if None.
        hosts: The processes that share the calls.
        at_once: Units in a call; 0 for what suits the device.
    """

    executor: Executor | None = None
    hosts: Hosts = Hosts()
    at_once: int = 0


_ALONE = Engine()


def run(
    name: str,
    sweep: Sweep,
    config: Any,
    out: str | Path,
    report: Report,
    *,
    redo: bool = False,
    renew: bool = False,
    stop: execute.Stopping | None = None,
    log: Log = lambda line: None,
    engine: Engine = _ALONE,
) -> Outcome:
    """Measure what is not there yet and write ``out/table.parquet``.

    A call that does not fit into memory is halved, and so is one that fails: the
    cells that fail alone are recorded, with their error, and the others go on. The
    shards stay then, so that the next run tries those cells only. If a whole table by
    the same code and settings is there, nothing is measured.

    Args:
        name: Name of the sweep.
        sweep: Its module.
        config: Its settings.
        out: Directory of results, from ``prepare``, or any fsspec URL.
        report: Told how much there is at the start and after every call.
        redo: Measure again what is there, shards and table.
        renew: Measure again what is in a whole table, but not what is in shards.
        stop: Asked before every call.
        log: Told what a person should know.
        engine: Who measures; this process, if not told otherwise.

    Raises:
        Interrupted: when ``stop`` says so; what was measured is kept.
        ConnectionError: if the executor is gone; likewise.
    """
    started = time.perf_counter()
    store, stop = Store(out), stop or Stop()
    job, capacity = _job(name, sweep, config, store, engine, stop)
    units = units_of(sweep, config, job.origin)
    open_ = _Run(sweep, config, store, job, capacity, units, engine, stop, log, report)
    if not (redo or renew) and is_whole(store, job.origin):
        report(open_.total, open_.total)
        log(f"{store}/{TABLE} holds all cells, by this code; --redo measures them again")
        tidy(store, open_.look_up())
        return Outcome(f"{store}/{TABLE}", [], 0)
    missing = open_.missing(redo)
    wanted = _cells(missing)
    found = open_.completed(missing)
    engine.hosts.agree()
    if engine.hosts.index == 0:
        job.origin["wall_seconds"] = round(time.perf_counter() - started, 1)
        job.origin["resumed_cells"] = open_.total - wanted
        collect(store, sweep.SCHEMA, found, job.origin)
    engine.hosts.agree()
    failed = [(one["cell"], one["error"]) for each in found for one in each.failed]
    table = f"{store}/{TABLE}" if len(failed) < open_.total else None
    return Outcome(table, failed, wanted)


@dataclass(frozen=True)
class _Run:
    """A run that has begun: its units, and who measures them."""

    sweep: Sweep
    config: Any
    store: Store
    job: Job
    capacity: Capacity
    units: list[Unit]
    engine: Engine
    stop: execute.Stopping
    log: Log
    report: Report

    @functools.cached_property
    def total(self) -> int:
        """All cells."""
        return _cells(self.units)

    def look_up(self) -> list[Found]:
        """What is there of every unit."""
        listing, schema = list_shards(self.store), self.sweep.SCHEMA
        place = Place(self.store, listing, schema, self.job.origin, self.log)
        return [look_up(place, unit) for unit in self.units]

    def missing(self, redo: bool) -> list[Unit]:
        """The units to be measured, the same in all processes of the run."""
        hosts = self.engine.hosts
        if redo and hosts.index == 0:
            tidy(self.store, self.look_up())
        hosts.agree()
        found = self.look_up()
        hosts.agree()  # all have looked before anyone writes
        return [one.missing for one in found if one.missing]

    def completed(self, missing: list[Unit]) -> list[Found]:
        """Measure what is missing, and again what was damaged since."""
        for _ in range(_TRIES):
            self._measure(missing)
            found, tried = self.look_up(), {unit.id for unit in missing}
            missing = [unit for one in found for unit in _lost(one, tried)]
            if not missing:
                return found
        raise FileNotFoundError(
            f"{len(missing)} shards that were written are not to be seen in {self.store}; "
            "--out must be storage that all workers and this process share"
        )

    def _measure(self, missing: list[Unit]) -> None:
        engine, stop, log = self.engine, self.stop, self.log
        calls = calls_of(self.sweep, self.config, missing, engine.at_once, self.capacity)
        calls, done = engine.hosts.mine(calls), self.total - _cells(missing)
        self.report(done, self.total)
        if engine.executor is None:
            settled = execute.here(self.job, calls, stop, log)
        else:
            settled = execute.by_executor(engine.executor, self.job, calls, stop, log)
        for call in settled:
            done += _cells(call)
            self.report(done, self.total)
        engine.hosts.wait(partial(_absent, self.store, missing), stop, log)
        if engine.hosts.count > 1:
            self.report(self.total, self.total)


def _cells(units: list[Unit]) -> int:
    return sum(len(unit.cells) for unit in units)


def _job(
    name: str,
    sweep: Sweep,
    config: Any,
    store: Store,
    engine: Engine,
    stop: execute.Stopping,
) -> tuple[Job, Capacity]:
    """What the workers are told, and what one of them has."""
    settings = plain(config)
    asked = (name, sweep.__name__, settings)
    if engine.executor is None:
        origin, capacity, process = survey(*asked)
    else:
        origin, capacity, process = execute.ask(engine.executor, stop, survey, *asked)
        if origin["code"] != provenance.code_state()["code"]:
            raise ValueError(
                f"the workers run other code ({origin['commit'][:8]}) than this process; "
                "start them in the same checkout"
            )
    url = str(store.local.resolve()) if store.local else store.url
    return Job(sweep.__name__, config, url, origin, process), capacity


def _absent(store: Store, units: list[Unit]) -> int:
    """How many of the units have no shard yet."""
    listing = list_shards(store)
    return sum(unit.id not in listing for unit in units)


def _lost(found: Found, tried: set[str]) -> list[Unit]:
    """The unit that was measured and whose shard is not there, if any."""
    unit = found.missing
    seen = {shard.unit for shard in found.shards}
    return [unit] if unit and unit.id in tried and unit.id not in seen else []
