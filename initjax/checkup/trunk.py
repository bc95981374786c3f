"""The way from the input to the output on which a signal has to stay alive."""

import re
from dataclasses import dataclass

from initjax.probes.sites import Site
from initjax.probes.trace import Trace

_LAYERS = ("dense", "conv")


@dataclass(frozen=True)
class Trunk:
    """The longest chain of layers, which follows the skip where there is one.

    Attributes:
        path: Sites from the input to the output.
        levels: Those that are alike and so can be compared: the sums of a residual
            stream, else the layers but for the last one, whose scale is that of the task.
        stream: Whether ``levels`` are sums.
    """

    path: tuple[int, ...]
    levels: tuple[int, ...]
    stream: bool


def trunk_of(trace: Trace) -> Trunk:
    """The trunk of a network."""
    sites = trace.sites
    if not sites:
        return Trunk((), (), False)
    path = _path(sites)
    sums = tuple(i for i in path if sites[i].kind == "residual")
    layers = tuple(i for i in path if sites[i].kind in _LAYERS)
    if len(sums) >= max(len(layers), 2):
        return Trunk(path, sums, True)
    return Trunk(path, layers[:-1], False)


def _path(sites: tuple[Site, ...]) -> tuple[int, ...]:
    """From the deepest site backwards."""
    above = _ancestors(sites)
    at: int | None = max(range(len(sites)), key=lambda i: (sites[i].depth, i))
    found = list[int]()
    while at is not None:
        found.append(at)
        at = _before(sites, above, at)
    return tuple(reversed(found))


def _before(sites: tuple[Site, ...], above: list[int], at: int) -> int | None:
    """The signal that a site carries on; None behind the inputs.

    Of a sum the term that was there before; of a product the signal that the other factor
    is made from, as the forget gate is from a memory; of attention the values and not the
    shares; else the deepest.
    """
    site = sites[at]
    before = site.skip if site.kind == "residual" else site.parents
    before = tuple(i for i in before if sites[i].kind != "softmax") or before
    if site.kind == "gate":
        origins = [i for i in before if any(above[j] >> i & 1 for j in before)]
        before = tuple(origins) or before
    return max(before, key=lambda i: (sites[i].depth, i), default=None)


def _ancestors(sites: tuple[Site, ...]) -> list[int]:
    """All sites that each depends on, as bits."""
    found = list[int]()
    for site in sites:
        bits = 0
        for parent in site.parents:
            bits |= found[parent] | 1 << parent
        found.append(bits)
    return found


def parameter_path(weight: str) -> str:
    """The leaf that a site reads: ``blocks/mlp/kernel`` of ``blocks[3]/mlp/kernel``."""
    return re.sub(r"\[\d+\]", "", weight)


def kernel_of(site: Site) -> str | None:
    """Path of a layer's kernel in the tree of parameters."""
    if site.kind not in _LAYERS or not site.weights:
        return None
    return parameter_path(site.weights[0])


def nearest_layers(sites: tuple[Site, ...], starts: tuple[int, ...]) -> tuple[int, ...]:
    """The layers last met on the ways to ``starts``, without passing another."""
    found, seen, left = set[int](), set[int](), list(starts)
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        if sites[at].kind in _LAYERS:
            found.add(at)
        else:
            left.extend(sites[at].parents)
    return tuple(sorted(found))


def activation_before(sites: tuple[Site, ...], layer: int) -> Site | None:
    """The activation whose output a layer reads, through averages and products; or None."""
    seen, left = set[int](), list(sites[layer].parents)
    while left:
        at = left.pop(0)
        if at in seen:
            continue
        seen.add(at)
        if sites[at].kind == "activation":
            return sites[at]
        if sites[at].kind not in (*_LAYERS, "normalization", "embedding"):
            left.extend(sites[at].parents)
    return None


def activation_after(sites: tuple[Site, ...], layer: int) -> Site | None:
    """The first activation that reads a layer's output; None if there is none."""
    for site in sites[layer + 1 :]:
        if layer in site.parents:
            return site if site.kind == "activation" else None
    return None
