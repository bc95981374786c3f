"""What one call of ``sweeps.networks.columns`` compiles, holds and returns.

Known from the settings alone: to plan a run, nothing is drawn or compiled.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np

from initjax.typing import HostArray
from sweeps import data, schemes
from sweeps.harness.cost import Cost, available
from sweeps.harness.grid import Cell, group

_FLOAT = 4  # bytes

NO_FILES: Mapping[str, str] = MappingProxyType({})
"""Of networks that read no file."""


class Call(NamedTuple):
    """What the networks of one call share.

    Attributes:
        seeds: Those of the cells, each once.
        devices: Number of devices that measure some of them.
        share: Seeds that each device measures, some twice if they are too few.
        together: Seeds in one program of a device: on a CPU one.
        width: Units of a hidden layer.
        batch: Inputs in a batch.
        depth: Hidden layers of the deepest network.
        bases: Bases that the schemes scale.
        sizes: Entries of each kind of input, by its name in the cells.
        among: Activations.
        redraw: Whether hidden layers are drawn at each use, because those of one
            seed would take more than half of the memory.
    """

    seeds: tuple[int, ...]
    devices: int
    share: int
    together: int
    width: int
    batch: int
    depth: int
    bases: tuple[str, ...]
    sizes: Mapping[str, int]
    among: tuple[str, ...]
    redraw: bool

    @property
    def fan_ins(self) -> tuple[int, ...]:
        """Entries of the inputs, each number once."""
        return tuple(sorted(set(self.sizes.values())))


def call_of(cells: Sequence[Cell], files: Mapping[str, str] = NO_FILES) -> Call:
    """The call that measures these cells, which share width and batch.

    Args:
        cells: Settings of networks.
        files: Paths of the files that they read, by the name of the inputs.
    """
    seeds = distinct(cells, "seed")
    local = jax.local_devices()
    share = -(-len(seeds) // min(len(seeds), len(local)))
    devices = -(-len(seeds) // share)
    width = cells[0]["width"]
    call = Call(
        seeds=seeds,
        devices=devices,
        share=share,
        together=1 if devices == 1 and local[0].platform == "cpu" else share,
        width=width,
        batch=cells[0]["batch"],
        depth=max(cell["depth"] for cell in cells),
        bases=tuple(sorted({_base(name) for name in distinct(cells, "scheme")})),
        sizes={
            name: data.features(files.get(name, name), width)
            for name in distinct(cells, "inputs")
        },
        among=distinct(cells, "activation"),
        redraw=False,
    )
    return call._replace(redraw=_FLOAT * _drawn(call) > available() / 2)


def cost(
    cells: Sequence[Cell], most_layers: int, files: Mapping[str, str] = NO_FILES
) -> Cost:
    """Programs, memory and rows of one call of ``columns`` with these cells.

    The memory is proportional to the number of seeds, and an estimate: XLA decides
    what it copies.

    Example:
        >>> from sweeps.harness.grid import product
        >>> cells = product(inputs=["ones"], activation=["relu", "tanh"], width=[64],
        ...     scheme=["he_normal"], depth=[5, 20], batch=[16], seed=range(2))
        >>> priced = cost(cells, 24)
        >>> len(priced.programs), priced.memory > 2 * 4 * 20 * 64**2, priced.rows
        (3, True, 100)
    """
    call = call_of(cells, files)
    drawn = (call.bases, call.depth, call.redraw)
    placed = (call.devices, call.share, call.width)
    programs: set[Hashable] = {("draw", *placed, *drawn, call.fan_ins)}
    shape = (call.devices, call.together, call.width)
    held = [_sampling(call)]
    for same in group(cells, lambda cell: (cell["inputs"], cell["activation"])):
        fan_in = call.sizes[same[0]["inputs"]]
        names, depths = distinct(same, "scheme"), tuple(sorted(distinct(same, "depth")))
        # The programs of equal counts by base are equal, whatever the schemes are.
        sizes = tuple(sorted(Counter(map(_base, names)).items()))
        static = (*shape, call.batch, sizes, call.among)
        programs |= {("enter", *static, fan_in), ("run", *static, depths, *drawn[1:])}
        held.append(_measuring(call, len(names), depths, fan_in))
    memory = _FLOAT * len(call.seeds) * (_drawn(call) + max(held))
    rows = sum(_recorded(cell["depth"], most_layers) for cell in cells)
    return Cost(frozenset(programs), memory, rows)


def recorded_layers(depth: int, most: int) -> HostArray:
    """At most ``most`` log-spaced layers of a network, the first and last included.

    Example:
        >>> recorded_layers(5, 24).tolist(), recorded_layers(100, 5).tolist()
        ([0, 1, 2, 3, 4], [0, 2, 9, 31, 99])
    """
    if depth <= most:
        return np.arange(depth)
    return np.unique(np.geomspace(1, depth, most).round().astype(int) - 1)


def distinct(cells: Sequence[Cell], name: str) -> tuple[Any, ...]:
    """Values of one setting, in the order in which they appear."""
    return tuple(dict.fromkeys(cell[name] for cell in cells))


@cache
def _base(scheme: str) -> str:
    """The base that a scheme scales, by whatever the activation's gain is."""
    return schemes.build(scheme, "relu").base


@cache
def _recorded(depth: int, most: int) -> int:
    return len(recorded_layers(depth, most))


def _drawn(call: Call) -> int:
    """Numbers in the draws of one seed."""
    hidden = 0 if call.redraw else (call.depth - 1) * call.width
    each = call.width * (sum(call.fan_ins) + hidden + data.CLASSES)
    return len(call.bases) * each


def _sampling(call: Call) -> int:
    """Numbers of one seed that drawing holds beside the draws."""
    copied = 0 if call.redraw or len(call.bases) == 1 else call.depth - 1
    return copied * call.width**2 + 4 * call.width * max(call.fan_ins)


def _measuring(call: Call, schemes: int, depths: tuple[int, ...], fan_in: int) -> int:
    """Numbers of one seed that a measurement holds beside the draws."""
    batch, width, layers = call.batch, call.width, depths[-1]
    values = schemes * batch * width
    products = schemes * batch * (batch + 1)
    stacked = layers * (4 * values + 3 * products) // 2  # of several seeds, copied
    cotangents = 6 * len(depths) * (values + products)
    statistics = 2 * layers * schemes * (10 + 3 * len(depths))
    redrawn = 3 * len(call.bases) * width**2 if call.redraw else 0
    return stacked + cotangents + statistics + redrawn + batch * fan_in
