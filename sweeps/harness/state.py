"""What is there of a sweep, and what a run would cost."""

from typing import Any

from sweeps.harness import provenance
from sweeps.harness.cost import Cost, capacity
from sweeps.harness.directory import TABLE, is_whole, plain
from sweeps.harness.files import Store
from sweeps.harness.plan import Place, calls_of, look_up, units_of
from sweeps.harness.shards import Log, list_shards
from sweeps.harness.sweep import Sweep
from sweeps.harness.table import Schema
from sweeps.harness.work import Unit


def missing_units(
    name: str, sweep: Sweep, config: Any, store: Store, log: Log, renew: bool = False
) -> tuple[list[Unit], int]:
    """Units that a run would measure, and the number of all cells.

    With ``renew``, a whole table does not count.
    """
    origin = provenance.collect(name, plain(config), sweep.SCHEMA.version)
    units = units_of(sweep, config, origin)
    total = sum(len(unit.cells) for unit in units)
    if not renew and is_whole(store, origin):
        return [], total
    place = Place(store, list_shards(store), sweep.SCHEMA, origin, log, touch=False)
    found = [look_up(place, unit) for unit in units]
    return [one.missing for one in found if one.missing], total


def listed(name: str, sweep: Sweep, config: Any, store: Store, log: Log) -> str:
    """Done and all cells, in a line."""
    missing, total = missing_units(name, sweep, config, store, log)
    done = total - sum(len(unit.cells) for unit in missing)
    if not missing:
        return f"{name}: {done}/{total} cells in the table of {store}"
    there = "an older table" if store.exists(TABLE) else "no table"
    return f"{name}: {done}/{total} cells in shards, {there}, in {store}"


def forecast(
    name: str,
    sweep: Sweep,
    config: Any,
    store: Store,
    log: Log,
    at_once: int = 0,
    renew: bool = False,
) -> str:
    """Cells, calls, compilations, memory and bytes of a run in this process."""
    missing, total = missing_units(name, sweep, config, store, log, renew)
    with_ = capacity()
    calls = calls_of(sweep, config, missing, at_once, with_)
    costs = [sweep.cost([c for u in call for c in u.cells], config) for call in calls]
    programs = frozenset().union(*(cost.programs for cost in costs))
    shares = [
        _memory(cost, len(call), with_.devices)
        for cost, call in zip(costs, calls, strict=True)
    ]
    rows = sum(cost.rows for cost in costs)
    wanted = sum(len(unit.cells) for unit in missing)
    return "\n".join(
        (
            f"{name}: {wanted:,} of {total:,} cells to be measured, into {store}",
            f"groups        {len(missing):,} in {len(calls):,} calls, on "
            f"{with_.devices} {'accelerator' if with_.accelerated else 'CPU device'}"
            f"{'s' if with_.devices > 1 else ''}",
            f"compilations  {len(programs)}",
            f"memory        {_bytes(max(shares, default=0))} on a device at the peak, "
            f"{_bytes(with_.memory)} are free",
            f"table         {rows:,} rows, at most {_bytes(rows * _width(sweep.SCHEMA))}",
        )
    )


def _memory(cost: Cost, units: int, devices: int) -> int:
    """Bytes on each device of those that share a call of so many units."""
    return -(-cost.memory * -(-units // devices) // units)


def _width(schema: Schema) -> int:
    """Bytes of a row before compression, text by its index in a dictionary."""
    return 4 * len(schema.columns)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"
