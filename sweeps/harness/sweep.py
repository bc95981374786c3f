"""What a module ``sweeps.<name>`` offers to the harness."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

import pandas as pd

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.harness.table import Schema


class Sweep(Protocol):
    """An experiment: a question, its grid, and its measurement.

    Attributes:
        __name__: Of the module, so that another process can import it.
        __doc__: The question, the expected answer with its source, the cost.
        Config: Frozen dataclass of settings, which is the command line; with a method
            ``recorded`` that returns them as a table has them, if that is not the same.
        PRESETS: Settings by name: smoke, default, paper, and others that it has.
        SCHEMA: Columns of the table; the settings of a cell are among them.
    """

    __name__: str
    __doc__: str | None
    Config: type[Any]
    PRESETS: Mapping[str, Any]
    SCHEMA: Schema

    def cells(self, config: Any) -> list[Cell]:
        """Cells of the grid; raises ValueError for settings that make no sense."""
        ...

    def unit(self, cell: Cell) -> Hashable:
        """Cells with equal values are measured in one call and make one shard."""
        ...

    def program(self, cell: Cell) -> Hashable:
        """Units with equal values run the same program, so that a call may hold many."""
        ...

    def measure(self, cells: list[Cell], config: Any) -> Mapping[str, Any] | pd.DataFrame:
        """Columns of the table for the cells of some units of one program."""
        ...

    def cost(self, cells: list[Cell], config: Any) -> Cost:
        """What ``measure`` of these cells will cost."""
        ...
