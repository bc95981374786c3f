"""Tables of measurements: declared columns, whole files, provenance inside.

A file is written beside its place and renamed into it, so that what is there is
whole. Missing stays missing; nan and inf are values and are kept.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.harness.files import Store

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
        typed = self.typed(frame)
        if typed.duplicated(list(self.order)).any():
            raise ValueError(f"two rows agree in {', '.join(self.order)}")
        return typed.sort_values(list(self.order), ignore_index=True)

    def empty(self) -> pd.DataFrame:
        """A table without rows."""
        return self.typed(pd.DataFrame({name: [] for name in self.names}))

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns, or some of them, as the table stores them."""
        present = [column for column in self.columns if column.name in frame]
        return pd.DataFrame({c.name: _typed(frame[c.name], c) for c in present})


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
        write_page_checksum=True,
    )
    return buffer.getvalue()


def decode(content: bytes, name: str) -> pd.DataFrame:
    """The table in the bytes of a Parquet file; provenance in ``.attrs``.

    Raises:
        ValueError: if they are damaged, or not a table with provenance.
    """
    provenance = header(content, name)[1]
    try:
        table = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
        frame = table.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{name} is damaged: {error}") from error
    frame.attrs["provenance"] = provenance
    return frame


def load(path: str | Path) -> pd.DataFrame:
    """Read a table; its provenance is in ``.attrs["provenance"]``.

    Args:
        path: A local path or any fsspec URL.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or not a table with provenance.
    """
    return decode(_read(path), str(path))


def load_provenance(path: str | Path) -> dict[str, Any]:
    """The provenance inside a table, without reading its rows."""
    return header(_read(path), str(path))[1]


def header(content: bytes, name: str) -> tuple[list[str], dict[str, Any]]:
    """Columns and provenance of a table, without reading its rows.

    Raises:
        ValueError: if it is no Parquet file, or has no provenance.
    """
    try:
        schema = pq.read_schema(pa.BufferReader(content))
        metadata = schema.metadata or {}
        provenance = json.loads(metadata.get(_META, b"null"))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{name} is not a Parquet table: {error}") from error
    if not isinstance(provenance, dict):
        raise ValueError(f"{name} carries no provenance; it was not made by a sweep")
    return schema.names, provenance


def _read(path: str | Path) -> bytes:
    folder, slash, name = str(path).rpartition("/")
    return Store(folder or slash or ".").read(name)
