"""Which rows belong to which cells: every cell has some, and there are no others."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

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


def check_rows(schema: Schema, frame: pd.DataFrame, cells: list[Cell]) -> None:
    """See that the rows are those of the cells.

    Raises:
        ValueError: for other columns, for rows of no cell, and for cells without rows.
    """
    if list(frame.columns) != schema.names:
        raise ValueError(f"columns are {list(frame.columns)}, not {schema.names}")
    cell_of = _cell_of_row(schema, frame, cells) if cells else [-1] * len(frame)
    if strangers := cell_of.count(-1):
        raise ValueError(f"measure() returned {strangers} rows of no cell")
    if silent := len(cells) - len(set(cell_of)):
        raise ValueError(f"measure() returned no rows of {silent} cells")


def _cell_of_row(schema: Schema, frame: pd.DataFrame, cells: list[Cell]) -> list[int]:
    """Position of the cell that each row belongs to, -1 for none."""
    names = list(cells[0])
    typed = schema.typed(pd.DataFrame(cells))
    place = {settings: n for n, settings in enumerate(_tuples(typed, names))}
    return [place.get(settings, -1) for settings in _tuples(frame, names)]


def _tuples(frame: pd.DataFrame, names: list[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in names), strict=True)
