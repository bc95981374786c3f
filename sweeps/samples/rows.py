"""Rows of the table: moments by seed, then histogram, quantiles and atoms of all seeds."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from initjax.typing import HostArray, Key, Shape
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.samples.libraries import Subject, subject
from sweeps.samples.references import Reference, of_entries, of_sums
from sweeps.samples.scores import distances, expected, moments

BINS, OUTER = 40, 2
"""Bins between the ends of the law, or ±4 standard deviations, and beyond on each side."""
PROBABILITIES = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999),
)
_AT_ONCE = 2**23
"""Entries that are drawn at once, in as many seeds as they make."""


def rows(cells: Sequence[Cell]) -> Mapping[str, Any]:
    """Draw the samples of each cell, one seed in each of its kernels, and reduce them."""
    frame = pd.concat([pd.DataFrame(_of_cell(cell)) for cell in cells])
    return {str(name): column.to_numpy() for name, column in frame.items()}


def shape_of(words: str) -> Shape:
    """The numbers of a shape in words.

    Example:
        >>> shape_of("3x3x8x16")
        (3, 3, 8, 16)
    """
    return tuple(int(size) for size in words.split("x"))


def spelled(words: str) -> str:
    """A shape in the one spelling that tables use.

    Raises:
        ValueError: unless it is two or more whole numbers > 0 with an x between them.
    """
    sizes = words.split("x") if isinstance(words, str) else []
    if len(sizes) < 2 or not all(n.isdecimal() and n.isascii() and int(n) for n in sizes):
        raise ValueError(f"--shapes must be like 256x64 or 3x3x32x64; got {words!r}")
    return "x".join(str(int(size)) for size in sizes)


def draw(cell: Cell) -> HostArray:
    """Samples [seed, …]: kernels, or the sums of their columns.

    The sum of a column is the pre-activation of a unit whose inputs are all 1. The
    streams of different cells are kept apart, or the schemes of one family would agree
    in every digit but the scale.
    """
    of, shape = subject(cell["source"], cell["scheme"]), shape_of(cell["shape"])
    words = f"{cell['source']} {cell['scheme']} {cell['shape']}"
    seeds = np.arange(cell["seeds"])
    keys = jax.vmap(jax.random.key)(seeds)
    keys = jax.vmap(jax.random.fold_in, (0, None))(keys, zlib.crc32(words.encode()))
    size = _seeds_at_once(cell)
    parts = [
        _samples(of, keys[start : start + size], shape, cell["sample"])
        for start in range(0, len(seeds), size)
    ]
    return np.concatenate(parts)


def _samples(of: Subject, keys: Key, shape: Shape, sample: str) -> HostArray:
    kernels = jax.vmap(lambda key: of.draw(key, shape))(keys)
    return np.asarray(kernels if sample == "entries" else jnp.sum(kernels, 1))


def _seeds_at_once(cell: Cell) -> int:
    """The largest divisor of the number of seeds that fits: one program for all."""
    most = max(1, _AT_ONCE // int(np.prod(shape_of(cell["shape"]))))
    return max(
        n for n in range(1, cell["seeds"] + 1) if cell["seeds"] % n == 0 and n <= most
    )


def reference_of(cell: Cell) -> Reference:
    """The law of what is drawn for the cell."""
    of, shape = subject(cell["source"], cell["scheme"]), shape_of(cell["shape"])
    if cell["sample"] == "entries":
        return of_entries(of.law_of(shape), dependent=of.dependent)
    return of_sums(of.law_of(shape), shape[0])


def _of_cell(cell: Cell) -> list[dict[str, Any]]:
    samples, reference = draw(cell), reference_of(cell)
    flat = samples.reshape(len(samples), -1)
    each = expected(reference, flat.shape[1])
    pooled = flat.ravel()
    atoms = np.isin(pooled, np.asarray(list(reference.atoms), np.float32))
    ordered = np.sort(pooled[~atoms]).astype(np.float64)
    found = [
        *(_moments(flat[seed], reference, seed) | each for seed in range(len(flat))),
        _moments(pooled, reference, -1) | expected(reference, pooled.size),
        *_atoms(pooled, reference),
        *(_bins(ordered, pooled.size, reference) if reference.kept else ()),
        *(_quantiles(ordered, reference) if reference.kept else ()),
    ]
    blank: dict[str, Any] = dict.fromkeys(VALUES, np.nan)
    return [blank | dict(cell) | row for row in found]


def _moments(sample: HostArray, reference: Reference, seed: int) -> dict[str, Any]:
    atoms = np.isin(sample, np.asarray(list(reference.atoms), np.float32))
    ordered = np.sort(sample[~atoms]).astype(np.float64)
    return {
        **{"kind": "moments", "index": seed, "entries": sample.size},
        **moments(sample, reference),
        **distances(ordered, reference),
    }


def _atoms(sample: HostArray, reference: Reference) -> list[dict[str, Any]]:
    return [
        {
            **{"kind": "atom", "index": n, "entries": sample.size, "value": value},
            **{"share": np.mean(sample == np.float32(value)), "law_share": share},
        }
        for n, (value, share) in enumerate(reference.atoms.items())
    ]


def _bins(ordered: HostArray, size: int, reference: Reference) -> list[dict[str, Any]]:
    """Shares of all entries, atoms apart; bins end where the law does."""
    half = min(reference.reach, 4 * reference.unit)
    width = 2 * half / BINS
    edges = reference.mean + width * (np.arange(BINS + 2 * OUTER + 1) - BINS / 2 - OUTER)
    counts = np.diff(np.searchsorted(ordered, edges, side="right"))
    shares = reference.kept * np.diff(reference.cdf(edges))
    return [
        {
            **{"kind": "bin", "index": n, "entries": size, "width": width},
            **{"value": edges[n] + width / 2},
            **{"share": counts[n] / size, "law_share": shares[n]},
        }
        for n in range(len(counts))
    ]


def _quantiles(ordered: HostArray, reference: Reference) -> list[dict[str, Any]]:
    """Of the entries that are no atoms."""
    p = np.array(PROBABILITIES)
    values = np.quantile(ordered, p, method="inverted_cdf")
    by_law, shares = reference.inverse(p), reference.cdf(values)
    return [
        {
            **{"kind": "quantile", "index": n, "entries": len(ordered)},
            **{"value": values[n], "law_value": by_law[n]},
            **{"share": shares[n], "law_share": p[n]},
        }
        for n in range(len(p))
    ]


VALUES = (
    *("mean", "std", "kurtosis", "largest", "distance", "from_normal"),
    *("mean_z", "variance_z", "kurtosis_z"),
    *("law_mean", "law_std", "law_kurtosis", "law_kept", "law_largest", "law_from_normal"),
    *("value", "width", "share", "law_value", "law_share"),
)
"""Columns that hold a number for some kinds of rows and nan for others."""


def cost(cells: Sequence[Cell]) -> Cost:
    """Programs, memory and rows of one call of ``rows`` with these cells."""
    programs, memory, count = set(), 0, 0
    for same in group(cells, lambda cell: (cell["source"], cell["scheme"], cell["shape"])):
        cell = same[0]
        of, size = subject(cell["source"], cell["scheme"]), _seeds_at_once(cell)
        programs.add((cell["source"], of.family, cell["sample"], cell["shape"], size))
        reference = reference_of(cell)
        entries = int(np.prod(shape_of(cell["shape"])))
        held = cell["seeds"] * entries if cell["sample"] == "entries" else 0
        memory = max(memory, 8 * size * entries + 40 * held)
        smooth = BINS + 2 * OUTER + len(PROBABILITIES) if reference.kept else 0
        count += cell["seeds"] + 1 + len(reference.atoms) + smooth
    return Cost(frozenset(programs), memory, count)
