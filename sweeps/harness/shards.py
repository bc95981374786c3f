"""Shards: one file per unit of cells, trusted only if its bytes are those written.

The name of a shard holds the hash of its content, so that a reader knows before it
parses a byte whether the file is whole. One that is not is set aside under another
name, never deleted, and measured again.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from sweeps.harness.files import Store
from sweeps.harness.table import decode, encode

FOLDER = "shards"
_NAME = re.compile(r"([0-9a-f]{12})-([0-9a-f]{16})\.parquet")

Log = Callable[[str], None]
"""Told what a person should know, one line at a time."""

Listing = dict[str, list[str]]
"""Names of the shards of each unit, by its id."""


def write_shard(
    store: Store, identity: str, frame: pd.DataFrame, origin: Mapping[str, Any]
) -> str:
    """Write the rows of a unit as ``shards/<identity>-<hash of the bytes>.parquet``.

    Raises:
        OSError: if the directory is full or not writable; nothing is left behind.
    """
    content = encode(frame, origin)
    name = f"{FOLDER}/{identity}-{_digest(content)}.parquet"
    store.write(name, content)
    return name


def list_shards(store: Store) -> Listing:
    """All files that have the name of a shard; other files are left alone."""
    found: Listing = {}
    for name in store.names(FOLDER):
        if match := _NAME.fullmatch(name):
            found.setdefault(match[1], []).append(f"{FOLDER}/{name}")
    return found


class Shard(NamedTuple):
    """A whole shard.

    Attributes:
        name: Of its file.
        unit: Id of its unit.
        origin: The provenance inside; only its failures once the rest was checked.
        rows: Of the table.
    """

    name: str
    unit: str
    origin: dict[str, Any]
    rows: pa.Table


Check = Callable[[Shard], None]
"""Raises ValueError for a shard that is not what its name says."""


def find_shard(
    store: Store,
    names: Sequence[str],
    log: Log,
    check: Check = lambda shard: None,
    touch: bool = True,
) -> Shard | None:
    """Of a unit's shards the whole one with the fewest failed cells.

    Args:
        store: The directory.
        names: Of the unit's shards.
        log: Told of the others.
        check: What else a shard has to be.
        touch: Whether the others are set aside, or only named.
    """
    whole = [s for name in names if (s := _verified(store, name, log, check, touch))]
    return min(whole, key=lambda shard: len(shard.origin["failed"]), default=None)


def _verified(store: Store, name: str, log: Log, check: Check, touch: bool) -> Shard | None:
    """The shard, from bytes that are read once and have the hash of its name."""
    try:
        content = store.read(name)
    except FileNotFoundError:
        return None
    try:
        if not name.endswith(f"-{_digest(content)}.parquet"):
            raise ValueError("other bytes than were written")
        rows, origin = decode(content, name)
        unit = name.rpartition("/")[2].partition("-")[0]
        shard = Shard(name, unit, origin, rows)
        if not isinstance(shard.origin.get("failed"), list):
            raise ValueError("no list of failures")
        check(shard)
    except ValueError as error:
        _set_aside(store, name, str(error), log, touch)
        return None
    # What all shards of a run share need not be kept ten thousand times.
    return shard._replace(origin={"failed": shard.origin["failed"]})


def _set_aside(store: Store, name: str, why: str, log: Log, touch: bool) -> None:
    if not touch:
        log(f"shard {name} is damaged ({why}); a run will measure it again")
        return
    aside = _free(store, name.removesuffix(".parquet") + ".damaged")
    try:
        store.rename(name, aside)
    except FileNotFoundError:  # another process was faster
        return
    log(f"shard {name} is damaged ({why}); set aside as {aside}, measured again")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _free(store: Store, name: str) -> str:
    """The name, or with a number if something has that name."""
    candidates = (f"{name}{n or ''}" for n in range(10**6))
    return next(candidate for candidate in candidates if not store.exists(candidate))
