"""A directory of results: what may be written there, and what is there already."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sweeps.harness import provenance
from sweeps.harness.files import Store
from sweeps.harness.shards import FOLDER
from sweeps.harness.table import Schema, header

TABLE = "table.parquet"


def plain(config: Any) -> dict[str, Any]:
    """The settings in a config as JSON would read them back: lists, not tuples.

    A config with a method ``recorded`` says by it how a table knows its settings, such
    as a file by its content.
    """
    recorded = getattr(config, "recorded", lambda: config)()
    named = asdict(recorded).items()
    return {k: list(v) if isinstance(v, tuple) else v for k, v in named}


def prepare(store: Store, settings: Mapping[str, Any], schema: Schema) -> None:
    """Make the directory of results, and see that it can be written.

    Args:
        store: The directory.
        settings: Those of the run, to be compared with those of a table that is there.
        schema: That of the run, likewise.

    Raises:
        OSError: if it cannot be made or written, or is a file.
        ValueError: if it holds a table of another schema or other settings, which is
            said, or a foreign file.
    """
    if store.local is not None:
        for folder in (store.local, store.local / "figures", store.local / FOLDER):
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(
                    f"{folder} is a file; name another --out directory"
                )
    store.make()
    for probe in (".probe", "figures/.probe", f"{FOLDER}/.probe"):
        if store.exists(probe.rpartition("/")[0]):
            store.write(probe, b"\0" * 4096)
            store.remove(probe)
    if store.exists(TABLE):
        _refuse_others(store, settings, schema)


def _refuse_others(store: Store, settings: Mapping[str, Any], schema: Schema) -> None:
    columns, origin = header(store.read(TABLE), f"{store}/{TABLE}")
    told = []
    if origin.get("schema_version") != schema.version:
        version = origin.get("schema_version")
        told.append(f"schema version: {version} there, {schema.version} here")
    if gone := [name for name in columns if name not in schema.names]:
        told.append(f"columns only there: {', '.join(gone)}")
    if new := [name for name in schema.names if name not in columns]:
        told.append(f"columns only here: {', '.join(new)}")
    there = origin.get("settings", {})
    for name in sorted({*there, *settings}):
        if there.get(name) != settings.get(name):
            told.append(f"{name}: {there.get(name)} there, {settings.get(name)} here")
    if told:
        raise ValueError(
            f"--out {store} holds a table of other settings ({'; '.join(told)}); "
            "name another directory or remove that table"
        )


def is_whole(store: Store, origin: dict[str, Any]) -> bool:
    """Whether the table there is what a run of this origin would make."""
    if not store.exists(TABLE):
        return False
    there = header(store.read(TABLE), f"{store}/{TABLE}")[1]
    same = provenance.identity(there) == provenance.identity(origin)
    return same and there.get("failed") == []
