"""Tables of measurements: declared columns, whole files, provenance inside.

A file is written beside its place and renamed into it, so that what is there is
whole. Missing stays missing; nan and inf are values and are kept.
"""

import io
import json
from collections.abc import Mapping, Sequence
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

    def stored(self, values: Sequence[Any] | pd.Series) -> np.ndarray[Any, Any]:
        """Values of the column as a table stores them: typed and rounded."""
        if self.kind == "str":
            return np.array([str(value) for value in values], object)
        if self.kind == "int":
            return np.asarray(values).astype(np.int32)
        wide = np.asarray(values, np.float64)
        if self.decimals is not None:
            return np.round(wide, self.decimals).astype(np.float32)
        return _significant(wide, self.digits).astype(np.float32)


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
        typed = pd.DataFrame({c.name: c.stored(frame[c.name]) for c in self.columns})
        if typed.duplicated(list(self.order)).any():
            raise ValueError(f"two rows agree in {', '.join(self.order)}")
        return typed.sort_values(list(self.order), ignore_index=True)

    def empty(self) -> pd.DataFrame:
        """A table without rows."""
        return pd.DataFrame({c.name: c.stored([]) for c in self.columns})


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


def decode(content: bytes, name: str) -> tuple[pa.Table, dict[str, Any]]:
    """Rows and provenance in the bytes of a Parquet file.

    Raises:
        ValueError: if they are damaged, or not a table with provenance.
    """
    provenance = header(content, name)[1]
    try:
        rows = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{name} is damaged: {error}") from error
    return rows.replace_schema_metadata(None), provenance


def as_frame(rows: pa.Table) -> pd.DataFrame:
    """Rows for pandas; what else the file says of pandas is not trusted."""
    return rows.to_pandas(ignore_metadata=True)


def load(path: str | Path) -> pd.DataFrame:
    """Read a table; its provenance is in ``.attrs["provenance"]``.

    Args:
        path: A local path or any fsspec URL.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or not a table with provenance.
    """
    rows, provenance = decode(_read(path), str(path))
    frame = as_frame(rows)
    frame.attrs["provenance"] = provenance
    return frame


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
