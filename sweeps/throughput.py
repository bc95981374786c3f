"""How fast is the engine, and what would a user have who picked something else?

Contestants do the same work in processes of their own, turn by turn, and are compared
within each turn. Expected on two CPU cores: the benchmark job (relu and tanh, four
schemes, depths 10 … 100, ten seeds, width 256, batch 16) at least 15 times as fast as
torch writes it in a tutorial, at more than a third of the rate of a large product.

Cost on two CPU cores: the default takes twenty minutes, most of it torch's and plain
JAX's; it needs the extra bench, for torch.
"""

import importlib.util
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.contest.race import race
from sweeps.contest.tasks import TASKS, task_of
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=1,
    columns=(
        Column("task", "str", "what is done, see sweeps/contest/tasks.py"),
        Column("contestant", "str", "who does it: a module of sweeps/contest"),
        Column("round", "int", "turn in which all contestants of a task ran once"),
        Column("warm_s", "float", "seconds of this run, compiled before"),
        Column("cold_s", "float", "seconds from process start to first result"),
        Column("again_s", "float", "the same with the cache of compiled programs filled"),
        Column("peak_gb", "float", "most memory of the process so far, GB"),
        Column("device_peak_gb", "float", "most memory of its accelerator so far, GB"),
        Column("gflop", "float", "necessary floating-point operations, 10⁹"),
        Column("device", "str", "what it ran on"),
    ),
    order=("task", "contestant", "round"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the benchmark."""

    tasks: tuple[str, ...] = tuple(TASKS)
    """Tasks by name, see sweeps/contest/tasks.py."""
    contestants: tuple[str, ...] = ()
    """Those who compete, of each task's own; all of them if none is named."""
    rounds: int = 3
    """Turns of each contestant, after a first run that compiles."""
    size: str = "full"
    """full, or smoke for tasks so small that they show only that they run."""


_NO_TORCH = ("initjax", "initjax_measure", "plain_jax", "initjax_sample", "jax_sample")

PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        tasks=("job", "normal_100x256", "orthogonal_100x256", "import"),
        contestants=(*_NO_TORCH, "matmul_jax", "import_initjax", "import_flax"),
        rounds=2,
        size="smoke",
    ),
    "default": Config(),
    "paper": Config(rounds=15),
}


def cells(config: Config) -> list[Cell]:
    """One cell per task and contestant."""
    if not 1 <= config.rounds <= 1000:
        raise ValueError(f"rounds must be from 1 to 1000; got {config.rounds}")
    if config.size not in ("full", "smoke"):
        raise ValueError(f"size must be full or smoke; got {config.size!r}")
    known = sorted({name for task in TASKS.values() for name in task.contestants})
    for given, names in ((config.tasks, TASKS), (config.contestants, known)):
        if unknown := [name for name in given if name not in names]:
            raise ValueError(f"{unknown[0]!r} is unknown; use one of {', '.join(names)}")
    found = [
        {"task": task, "contestant": name}
        for task in config.tasks
        for name in TASKS[task].contestants
        if name in (config.contestants or known)
    ]
    if not found:
        raise ValueError(f"none of {config.contestants} competes in {config.tasks}")
    needing = [cell["contestant"] for cell in found if "torch" in cell["contestant"]]
    if needing and importlib.util.find_spec("torch") is None:
        raise ValueError(
            f"{needing[0]} needs torch: pip install -e '.[bench]', or name --contestants "
            "that do without, as the preset smoke does"
        )
    return found


def unit(cell: Cell) -> Hashable:
    """The contestants of a task run in turns."""
    return cell["task"]


def program(cell: Cell) -> Hashable:
    """One task after the other."""
    return cell["task"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Race the contestants of one task."""
    name = cells[0]["task"]
    rows = race(name, [c["contestant"] for c in cells], config.rounds, config.size)
    for row in rows:
        work = task_of(name, config.size).work_of(row["contestant"])
        row["gflop"] = work.flops() / 1e9 if work else float("nan")
    return {column.name: [row[column.name] for row in rows] for column in SCHEMA.columns}


def cost(cells: list[Cell], config: Config) -> Cost:
    """The memory is that of all contestants of the benchmark job, alive at once."""
    return Cost(frozenset(), int(10e9), len(cells) * config.rounds)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("throughput"))
