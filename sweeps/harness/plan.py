"""What a run has to measure: units of cells, what is there, and calls of several units."""

import math
from collections.abc import Hashable
from typing import Any, NamedTuple

from sweeps.harness import provenance
from sweeps.harness.cost import Capacity
from sweeps.harness.coverage import check_rows
from sweeps.harness.files import Store
from sweeps.harness.grid import content_id, group
from sweeps.harness.shards import Listing, Log, Shard, find_shard
from sweeps.harness.sweep import Sweep
from sweeps.harness.table import Schema
from sweeps.harness.work import Unit

_SHARE = 0.8
"""Part of the free memory that a call may take: an estimate is no promise."""


def units_of(sweep: Sweep, config: Any, origin: dict[str, Any]) -> list[Unit]:
    """The units of a grid, by ids that hold what a shard has to share with its run."""
    same = provenance.identity(origin)
    cells = sweep.cells(config)
    groups = group(cells, lambda cell: (sweep.program(cell), sweep.unit(cell)))
    return [Unit(content_id([cells, same]), cells) for cells in groups]


class Found(NamedTuple):
    """What is there of one unit.

    Attributes:
        shards: Its shard, and those of cells that failed in it and were tried again.
        missing: What is still to be measured: all of it, its failed cells, or nothing.
        failed: The failures that are recorded and were not mended by another try.
    """

    shards: list[Shard]
    missing: Unit | None
    failed: list[dict[str, Any]]


class Place(NamedTuple):
    """Where shards are looked for.

    Attributes:
        store: The directory.
        listing: Names of the shards there.
        schema: Columns that they have to have.
        origin: Provenance that they have to share.
        log: Told of damaged ones.
        touch: Whether these are set aside, or only named.
    """

    store: Store
    listing: Listing
    schema: Schema
    origin: dict[str, Any]
    log: Log
    touch: bool = True


def look_up(place: Place, unit: Unit) -> Found:
    """Find the shards of a unit; one with failed cells is complete by another of these."""

    def check(shard: Shard) -> None:
        if provenance.identity(shard.origin) != provenance.identity(place.origin):
            raise ValueError("it is of another run")
        cells = [one["cell"] for one in shard.origin["failed"] if _is_failure(one)]
        good = [cell for cell in unit.cells if cell not in cells]
        if not len(cells) == len(shard.origin["failed"]) == len(unit.cells) - len(good):
            raise ValueError("its failures are of other cells")
        check_rows(place.schema, shard.rows, good)

    names = place.listing.get(unit.id, [])
    shard = find_shard(place.store, names, place.log, check, place.touch)
    if shard is None:
        return Found([], unit, [])
    failed = shard.origin["failed"]
    if not failed:
        return Found([shard], None, [])
    again = [one["cell"] for one in failed]
    if len(again) == len(unit.cells):
        return Found([shard], unit, failed)
    rest = Unit(content_id([again, provenance.identity(place.origin)]), again)
    found = look_up(place, rest)
    left = found.failed if found.shards else failed
    return Found([shard, *found.shards], found.missing, left)


def _is_failure(one: Any) -> bool:
    return isinstance(one, dict) and {"cell", "error"} <= set(one)


def calls_of(
    sweep: Sweep, config: Any, units: list[Unit], at_once: int, with_: Capacity
) -> list[list[Unit]]:
    """Units of one program in calls of equal size, as many as fit.

    Args:
        sweep: The sweep.
        config: Its settings.
        units: What is to be measured.
        at_once: Units in a call; 0 for one per device and core on a CPU, and as many
            as the memory holds on an accelerator.
        with_: What the process that measures has.
    """
    calls: list[list[Unit]] = []
    alike: dict[Hashable, list[Unit]] = {}
    for unit in units:
        alike.setdefault(sweep.program(unit.cells[0]), []).append(unit)
    for same in alike.values():
        most = at_once or _fitting(sweep, config, same[0], with_)
        size = math.ceil(len(same) / math.ceil(len(same) / most))
        if size > with_.devices:  # no device without work but in the last call
            size = min(most, math.ceil(size / with_.devices) * with_.devices)
        calls += [same[n : n + size] for n in range(0, len(same), size)]
    return calls


def _fitting(sweep: Sweep, config: Any, unit: Unit, with_: Capacity) -> int:
    """How many units a call may hold."""
    most = math.inf if with_.accelerated else -(-with_.cores // with_.devices)
    if most == 1:
        return with_.devices
    needed = sweep.cost(unit.cells, config).memory
    fit = max(1, int(_SHARE * with_.memory // max(1, needed)))
    return with_.devices * int(min(fit, most))
