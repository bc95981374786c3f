"""Sites as they are found, before their order and names are known."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from initjax.probes.functions import Activation
from initjax.probes.sites import Kind, Site

LAYERS = ("dense", "conv", "embedding")
"""Kinds that count as a layer of depth."""
_LEAVES = frozenset({"kernel", "bias", "scale", "embedding", "weight", "w", "b", "value"})
"""Names that a parameter has within its layer and that tell nothing."""
_SUFFIX = {"residual": "add", "sum": "sum", "gate": "mul", "mixing": "mix"}


@dataclass(eq=False)
class Draft:
    """A site that is being read.

    Attributes:
        kind: See ``Site``.
        number: Of its value in the program.
        order: Where it stands: numbers, with the turn behind that of each loop.
        turns: Index into the stacked arrays of each loop around it.
        sources: Drafts that it reads, by index.
        ancestors: All drafts that it depends on, as bits.
        weights: Paths of parameters.
        depth: See ``Site``.
        aval: Shape and dtype.
        fan_in: See ``Site``.
        units: Entries that a bias can have.
        activation: Of an activation.
        skip: Drafts of the term that was there before, in residual.
        branch: Drafts of the term that comes from it.
        layer: Path of the layer that it is named by, known once all drafts are read.
    """

    kind: Kind
    number: int
    order: tuple[int, ...]
    turns: tuple[int, ...]
    sources: frozenset[int]
    ancestors: int
    weights: list[str]
    depth: int
    aval: Any
    fan_in: int | None = None
    units: int = 0
    activation: Activation | None = None
    skip: frozenset[int] = frozenset()
    branch: frozenset[int] = frozenset()
    layer: str = field(default="")


def finished(drafts: list[Draft]) -> tuple[list[int], tuple[Site, ...]]:
    """Order of execution, as indices of drafts, and the sites in it."""
    order = sorted(range(len(drafts)), key=lambda i: drafts[i].order)
    place = {draft: position for position, draft in enumerate(order)}
    shared = _shared_parents(drafts)
    paths = Counter[str]()
    sites = list[Site]()
    for index in order:
        draft = drafts[index]
        path = _path(draft, drafts, shared)
        paths[path] += 1
        use = f"#{paths[path]}" if paths[path] > 1 else ""

        def positions(found: frozenset[int]) -> tuple[int, ...]:
            return tuple(sorted(place[i] for i in found))

        known = draft.activation
        sites.append(
            Site(
                path + use,
                draft.kind,
                draft.depth,
                positions(draft.sources),
                tuple(draft.aval.shape),
                str(draft.aval.dtype),
                tuple(draft.weights),
                draft.fan_in,
                known.name if known else None,
                known.function if known else None,
                positions(draft.skip),
                positions(draft.branch),
            )
        )
    return order, tuple(sites)


def _shared_parents(drafts: list[Draft]) -> set[str]:
    """Folders that hold the kernels of several layers, whose own names then tell them."""
    kernels: dict[str, set[str]] = {}
    for draft in drafts:
        if draft.weights:
            parent = draft.weights[0].rpartition("/")[0]
            kernels.setdefault(parent, set()).add(draft.weights[0])
    return {parent for parent, names in kernels.items() if len(names) > 1}


def _path(draft: Draft, drafts: list[Draft], shared: set[str]) -> str:
    """Path of a layer, or that of the layer before and what the site is."""
    if draft.weights:
        parent, _, leaf = draft.weights[0].rpartition("/")
        whole = not parent or parent in shared or leaf not in _LEAVES
        draft.layer = draft.weights[0] if whole else parent
        return draft.layer
    among = draft.branch or draft.sources
    before = [drafts[i] for i in among if drafts[i].layer]
    latest = max(before, key=lambda d: d.order, default=None)
    draft.layer = latest.layer if latest else "input"
    word = _SUFFIX.get(draft.kind, draft.kind)
    if draft.activation is not None:
        word = draft.activation.name
    return f"{draft.layer}/{word}"
