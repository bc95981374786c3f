"""Tables of measurements: declared columns, whole files, provenance inside.

A file is written beside its place and renamed into it, so that what is there is
whole. Missing stays missing; nan and inf are values and are kept.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_META = b"provenance"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Equal to the argument or statistic that it holds.
        kind: Its type; float is stored in 32 bits.
        meaning: What it is, with its unit.
        decimals: Decimal places kept of a logarithm or a fraction.
        digits: Significant digits kept of a float without ``decimals``.
    """

    name: str
    kind: Literal["str", "int", "float"]
    meaning: str
    decimals: int | None = None
    digits: int = 5


@dataclass(frozen=True)
class Schema:
    """The columns of a table, their version, and the order of its rows.

    Attributes:
        version: Raised whenever a column changes its meaning.
        columns: In the order in which they are stored.
        order: Columns by which rows are sorted; together they name a row.
    """

    version: int
    columns: tuple[Column, ...]
    order: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def conform(self, data: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
        """``data`` with declared types, rounding, column and row order.

        Raises:
            ValueError: if columns are missing or unknown, or rows repeat.
        """
        frame = pd.DataFrame(data).reset_index(drop=True)
        if set(frame.columns) != set(self.names):
            missing = sorted(set(self.names) - set(frame.columns))
            unknown = sorted(set(frame.columns) - set(self.names))
            raise ValueError(f"columns missing: {missing}; unknown: {unknown}")
        typed = pd.DataFrame({c.name: _typed(frame[c.name], c) for c in self.columns})
        if typed.duplicated(list(self.order)).any():
            raise ValueError(f"two rows agree in {', '.join(self.order)}")
        return typed.sort_values(list(self.order), ignore_index=True)


def _typed(values: pd.Series, column: Column) -> pd.Series:
    if column.kind == "str":
        return values.astype(str)
    if column.kind == "int":
        return values.astype(np.int32)
    wide = values.to_numpy(np.float64)
    if column.decimals is not None:
        return pd.Series(np.round(wide, column.decimals).astype(np.float32))
    return pd.Series(_significant(wide, column.digits).astype(np.float32))


def _significant(values: np.ndarray[Any, Any], digits: int) -> np.ndarray[Any, Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        unit = 10.0 ** (digits - 1 - exponent)
        rounded = np.round(values * unit) / unit
    return np.where(np.isfinite(unit) & np.isfinite(rounded), rounded, values)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none.

    Raises:
        OSError: if the directory is full or not writable; nothing is left behind.
    """
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.umask(mask := os.umask(0))  # mkstemp makes files private
        Path(beside).chmod(0o666 & ~mask)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in a directory as durable as the files; not all systems can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def save(path: Path, frame: pd.DataFrame, provenance: Mapping[str, Any]) -> None:
    """Write a table as Parquet with its provenance in the file's metadata."""
    write_whole(path, encode(frame, provenance))


def encode(frame: pd.DataFrame, provenance: Mapping[str, Any]) -> bytes:
    """A table as the bytes of a Parquet file, its provenance in the metadata."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _META: json.dumps(provenance).encode()}
    )
    # Measured floats repeat too little for a dictionary; settings repeat much.
    repeating = [c for c in frame if not pd.api.types.is_float_dtype(frame[c])]
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        compression_level=19,
        use_dictionary=repeating,
    )
    return buffer.getvalue()


def load(path: str | Path) -> pd.DataFrame:
    """Read a table; its provenance is in ``.attrs["provenance"]``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a table with provenance.
    """
    provenance = load_provenance(path)
    frame = pd.read_parquet(path)
    frame.attrs["provenance"] = provenance
    return frame


def load_provenance(path: str | Path) -> dict[str, Any]:
    """The provenance inside a table, without reading its rows."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet table: {error}") from error
    if _META not in metadata:
        raise ValueError(f"{path} carries no provenance; it was not made by a sweep")
    return dict(json.loads(metadata[_META]))


def collect(
    paths: Sequence[Path], schema: Schema, others: Sequence[pd.DataFrame] = ()
) -> pd.DataFrame:
    """The rows of all shards, and of other frames, as one table."""
    frames = [*(pd.read_parquet(path) for path in paths), *others]
    return schema.conform(pd.concat(frames, ignore_index=True))
