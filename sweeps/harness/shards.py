"""Shards: one file per group of cells, trusted only if its bytes are those written.

The name of a shard holds the hash of its content, so that a reader knows before it
parses a byte whether the file is whole. One that is not is set aside under another
name, never deleted, and measured again.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.harness.table import encode, write_whole

Log = Callable[[str], None]
"""Told what a person should know, one line at a time."""


def write_shard(
    folder: Path, identity: str, frame: pd.DataFrame, origin: Mapping[str, Any]
) -> Path:
    """Write the rows of a group as ``<identity>-<hash of the bytes>.parquet``.

    Raises:
        OSError: if the directory is full or not writable; nothing is left behind.
    """
    content = encode(frame, origin)
    path = folder / f"{identity}-{_digest(content)}.parquet"
    write_whole(path, content)
    return path


def find_shard(folder: Path, identity: str, log: Log) -> Path | None:
    """The whole shard of a group, or None; damaged ones are set aside and named."""
    for path in sorted(folder.glob(f"{identity}-*.parquet")):
        if path.is_file() and path.stem == f"{identity}-{_digest(path.read_bytes())}":
            return path
        aside = _free(path.with_suffix(".damaged"))
        path.rename(aside)
        log(f"shard {path.name} is damaged; set aside as {aside.name}, measured again")
    return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _free(path: Path) -> Path:
    """The path, or with a number if something has that name."""
    candidates = (path.with_name(f"{path.name}{n or ''}") for n in range(10**6))
    return next(candidate for candidate in candidates if not candidate.exists())
