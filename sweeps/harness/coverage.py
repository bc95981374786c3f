"""Which rows belong to which cells: every cell has some, and there are no others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sweeps.harness.grid import Cell
from sweeps.harness.table import Schema


def split(
    schema: Schema, frame: pd.DataFrame, groups: Sequence[list[Cell]]
) -> list[pd.DataFrame]:
    """The rows of each group of cells, as they would be had it been measured alone."""
    if len(groups) == 1:
        return [frame]
    cell_of = _cell_of_row(schema, frame, [cell for cells in groups for cell in cells])
    group_of = [n for n, cells in enumerate(groups) for _ in cells]
    owner = np.array(group_of)[cell_of]
    return [frame[owner == n].reset_index(drop=True) for n in range(len(groups))]


def check_rows(schema: Schema, rows: pd.DataFrame | pa.Table, cells: list[Cell]) -> None:
    """See that the rows are those of the cells.

    Raises:
        ValueError: for other columns, for rows of no cell, and for cells without rows.
    """
    names = list(rows.columns) if isinstance(rows, pd.DataFrame) else rows.column_names
    if names != schema.names:
        raise ValueError(f"columns are {names}, not {schema.names}")
    cell_of = _cell_of_row(schema, rows, cells) if cells else [-1] * len(rows)
    if strangers := cell_of.count(-1):
        raise ValueError(f"measure() returned {strangers} rows of no cell")
    if silent := len(cells) - len(set(cell_of)):
        raise ValueError(f"measure() returned no rows of {silent} cells")


def _cell_of_row(
    schema: Schema, rows: pd.DataFrame | pa.Table, cells: list[Cell]
) -> list[int]:
    """Position of the cell that each row belongs to, -1 for none."""
    axes = [column for column in schema.columns if column.name in cells[0]]
    if len(axes) < len(cells[0]):
        raise ValueError(f"settings {sorted(cells[0])} are not all columns")
    stored = [axis.stored([cell[axis.name] for cell in cells]).tolist() for axis in axes]
    place = {settings: n for n, settings in enumerate(zip(*stored, strict=True))}
    values = [_listed(rows, axis.name) for axis in axes]
    return [place.get(settings, -1) for settings in zip(*values, strict=True)]


def _listed(rows: pd.DataFrame | pa.Table, name: str) -> list[Any]:
    found = rows[name]
    return found.tolist() if isinstance(found, pd.Series) else found.to_pylist()
