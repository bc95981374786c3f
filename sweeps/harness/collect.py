"""Make the table of the shards, and remove what is in it."""

from typing import Any

import pyarrow as pa

from sweeps.harness.directory import TABLE
from sweeps.harness.files import Store
from sweeps.harness.plan import Found
from sweeps.harness.shards import FOLDER, list_shards
from sweeps.harness.table import Schema, as_frame, encode


def collect(
    store: Store, schema: Schema, found: list[Found], origin: dict[str, Any]
) -> None:
    """Make the table of all shards; they go when nothing is left to be tried again."""
    origin["failed"] = [failure for one in found for failure in one.failed]
    rows = [shard.rows for one in found for shard in one.shards]
    # A shard without rows does not say that its columns are text.
    together = pa.concat_tables(rows, promote_options="permissive")
    table = schema.conform(as_frame(together))
    if len(table):
        store.write(TABLE, encode(table, origin))
    if not origin["failed"]:
        tidy(store, found)


def tidy(store: Store, found: list[Found]) -> None:
    """Remove the shards that are in the table; other runs' shards stay."""
    listing = list_shards(store)
    for unit in {shard.unit for one in found for shard in one.shards}:
        for name in listing.get(unit, []):
            store.remove(name)
    store.remove_folder(FOLDER)
