"""What the harness itself costs: ``python -m sweeps.harness.overhead --cells 10000``.

The cells measure nothing and each makes a shard of its own, so that all of the time is
that of planning, writing durably, reading back and collecting. Memory is the growth of
this process over the run.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.harness.cost import Cost
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.grid import Cell, product
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=1,
    columns=(Column("n", "int", "number of the cell"), Column("y", "float", "1/n")),
    order=("n",),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep that measures nothing."""

    count: int = 10_000
    """Number of cells."""


PRESETS: Mapping[str, Config] = {"default": Config()}


def cells(config: Config) -> list[Cell]:
    """One cell per number."""
    return product(n=range(1, config.count + 1))


def unit(cell: Cell) -> Hashable:
    """Every cell alone."""
    return cell["n"]


def program(cell: Cell) -> Hashable:
    """The same for all."""
    del cell
    return None


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """1/n of each cell."""
    del config
    return {"n": [cell["n"] for cell in cells], "y": [1 / cell["n"] for cell in cells]}


def cost(cells: list[Cell], config: Config) -> Cost:
    """Nothing but rows."""
    del config
    return Cost(frozenset(), 0, len(cells))


def main() -> None:
    """Print milliseconds a cell and growth of memory, for several numbers of cells."""
    from sweeps.harness import overhead

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[100, 1000, 10_000])
    for count in parser.parse_args().cells:
        config = Config(count)
        with tempfile.TemporaryDirectory() as out:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.perf_counter()
            prepare(Store(out), plain(config), SCHEMA)
            engine = Engine(at_once=1)
            run("overhead", overhead, config, out, lambda *_: None, engine=engine)
            spent = time.perf_counter() - started
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(
            f"{count:7,} cells  {1000 * spent / count:6.2f} ms/cell  +{grown / 1024:.1f} MB"
        )


if __name__ == "__main__":
    main()
