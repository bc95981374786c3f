"""Look at every layer of a model, forward and backward."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from initjax.probes import batches, networks, programs
from initjax.probes.batches import Batch
from initjax.probes.columns import parameter_values, site_values
from initjax.probes.drafts import finished
from initjax.probes.errors import described, named
from initjax.probes.networks import Network, Variables
from initjax.probes.programs import Loss, Program
from initjax.probes.reading import Reader
from initjax.probes.sites import Site, Unseen
from initjax.probes.trace import Parameter, Trace
from initjax.probes.values import floating
from initjax.typing import Key

_REMEDY = "look at the batch's shapes and dtypes"


def probe(
    model: Any,
    batch: Any,
    *,
    variables: Variables | Callable[[Key], Variables] | None = None,
    loss: Loss | None = None,
    key: Key | None = None,
    seeds: int = 1,
) -> Trace:
    """What goes forward and what comes back at every layer of a model, as it is.

    The model's program is read, not its modules: a layer is where a signal meets
    parameters, an activation is any function of one signal entry by entry. Linen, nnx and
    plain functions that compute the same have the same trace; loops, rematerialized blocks
    and shared parameters are looked into. Every operation of the model is done as it was:
    op by op no output changes by a bit, and compiled by no more than XLA's other fusions
    round.

    Args:
        model: A linen module, an nnx module, a callable that makes an nnx module of an
            ``nnx.Rngs``, or a function of variables and the batch.
        batch: An array, a tuple of arguments or a dict of keywords; flags, names and plain
            numbers in it are settings of the call.
        variables: Those of one network, ``{"params": …, …}``, or a function of a key that
            makes them; by default the model's own initialization.
        loss: Scalar function of the outputs whose gradient comes back; by default Σ u y/√n
            with fixed random signs u over the n outputs y.
        key: Of the first draw; ``jax.random.key(0)`` by default.
        seeds: Networks that are drawn and measured, in one program.

    Returns:
        The trace: see ``SITE_COLUMNS`` and ``PARAMETER_COLUMNS`` for what it holds.

    Raises:
        TypeError: for a model or batch that is none.
        ValueError: for seeds < 1, and for more than one seed of a model that holds its
            parameters or of given variables.
        ModelError: (a ValueError) where the model, the batch or the loss fails; the
            original error is its cause.

    Example:
        >>> import flax.linen as nn
        >>> import numpy as np
        >>> model = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(2)])
        >>> trace = probe(model, np.ones((4, 3), np.float32), seeds=3)
        >>> [site.path for site in trace.sites]
        ['layers_0', 'layers_0/relu', 'layers_2']
        >>> trace.site_values["log10_rms"].shape
        (3, 3)
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds must be a whole number from 1 up; got {seeds!r}")
    read = batches.read(batch)
    network = networks.read(model, read, given=variables is not None)
    keys = jax.random.split(jax.random.key(0) if key is None else key, (seeds, 2))
    held = _variables(model, network, read, variables, keys[:, 0])
    params, paths, others, tree = parted(held)

    def apply(params: Any, others: Any, key: Key, arrays: Any) -> Any:
        return network.apply(tree(params, others), key, arrays)

    of_one = jax.tree.map(_of_one, (params, others))
    inputs = described(read.names, read.arrays)
    with named(f"model failed on batch ({inputs})", _REMEDY):
        program = programs.once(
            _identity(model, read, held, loss),
            lambda: programs.make(apply, of_one[0], paths, of_one[1], read.arrays, loss),
        )
        found = jax.device_get(program.run(params, others, keys[:, 1], read.arrays))
    return _trace(program, found, paths, of_one[0], read)


def _of_one(x: Any) -> jax.ShapeDtypeStruct:
    """Shape of one seed's part of an array."""
    return jax.ShapeDtypeStruct(x.shape[1:], x.dtype)


def starter(
    model: Any, network: Network, batch: Batch, *, several: bool = False
) -> Callable[[Key], Variables] | None:
    """Key to the model's own variables, or keys [seed] to those of each: a kept program."""
    init = network.init
    if init is None:
        return None
    kinds = tuple((x.shape, str(x.dtype)) for x in batch.arrays)
    own = networks.identity(model)
    program = programs.once(
        ("start", several, own, batch.settings, batch.tree, batch.places, kinds),
        lambda: jax.jit(jax.vmap(init, in_axes=(0, None)) if several else init),
    )
    return lambda key: program(key, batch.arrays)


def _variables(
    model: Any,
    network: Network,
    batch: Batch,
    given: Variables | Callable[[Key], Variables] | None,
    keys: Key,
) -> Variables:
    """Variables of all seeds, stacked along the first axis."""
    one = network.fixed if given is None else given
    if callable(one):
        made = [one(key) for key in keys]
        return jax.tree.map(lambda *rows: jax.numpy.stack(rows), *made)
    if one is not None:
        if len(keys) > 1:
            raise ValueError(
                f"seeds must be 1 for variables of one network; got {len(keys)}: give a "
                "function key -> variables, or a callable Rngs -> module"
            )
        return jax.tree.map(lambda x: jax.numpy.asarray(x)[None], one)
    start = starter(model, network, batch, several=True)
    if start is None:
        raise ValueError("variables must be given for a function of variables and batch")
    inputs = described(batch.names, batch.arrays)
    with named(f"model could not be initialized with batch ({inputs})", _REMEDY):
        return start(keys)


def parted(
    variables: Variables,
) -> tuple[list[Any], list[str], Any, Callable[[Any, Any], Any]]:
    """Leaves with a gradient, their paths, other leaves, and what puts them together."""
    mapped = isinstance(variables, Mapping) and "params" in variables
    found, tree = jax.tree.flatten_with_path(variables)
    ours = [
        floating(leaf) and (not mapped or getattr(path[0], "key", None) == "params")
        for path, leaf in found
    ]
    paths = [
        jax.tree_util.keystr(path[1:] if mapped else path, simple=True, separator="/")
        for (path, _), own in zip(found, ours, strict=True)
        if own
    ]

    def together(params: Any, others: Any) -> Any:
        both = iter(params), iter(others)
        return jax.tree.unflatten(tree, [next(both[0 if own else 1]) for own in ours])

    leaves = [leaf for _, leaf in found]
    params = [leaf for leaf, own in zip(leaves, ours, strict=True) if own]
    others = [leaf for leaf, own in zip(leaves, ours, strict=True) if not own]
    return params, paths, others, together


def _identity(model: Any, batch: Batch, variables: Variables, loss: Loss | None) -> Any:
    """What a program is for."""
    leaves, tree = jax.tree.flatten(variables)
    kinds = tuple((x.shape, str(x.dtype)) for x in (*leaves, *batch.arrays))
    own = networks.identity(model)
    return own, batch.settings, batch.tree, batch.places, kinds, tree, loss


def _trace(
    program: Program, found: Any, paths: Sequence[str], params: Sequence[Any], batch: Batch
) -> Trace:
    """What was measured, in the order of execution."""
    loss, outputs, measured, back, numbers = found
    reader = program.reader
    order, sites = finished(reader.drafts)
    rows, behind = list[Any](), list[Any]()
    for index in order:
        draft = reader.drafts[index]
        rows.append(measured[draft.number][(slice(None), *draft.turns)])
        behind.append(back[draft.number][(slice(None), *draft.turns)])
    values = site_values(sites, rows, behind, len(loss))
    leaves = tuple(
        Parameter(path, tuple(leaf.shape), str(leaf.dtype))
        for path, leaf in zip(paths, params, strict=True)
    )
    inputs = tuple(
        Parameter(name, tuple(array.shape), str(array.dtype))
        for name, array in zip(batch.names, batch.arrays, strict=True)
    )
    unseen = (*dict.fromkeys(reader.unseen), *_unread(paths, sites, reader))
    own = parameter_values(numbers, leaves, len(loss))
    return Trace(sites, values, leaves, own, loss, outputs, unseen, inputs)


def _unread(paths: Sequence[str], sites: Sequence[Site], reader: Reader) -> list[Unseen]:
    """Parameters that belong to no site."""
    read = {re.sub(r"\[\d+\]", "", path) for site in sites for path in site.weights}
    read |= {unseen.path for unseen in reader.unseen}
    reason = "no layer that leads to an output reads it"
    return [Unseen(path, reason) for path in paths if path not in read]
