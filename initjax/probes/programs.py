"""A model as one compiled program that measures it, for many seeds at once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from initjax.probes.errors import ModelError, named
from initjax.probes.program import flatten
from initjax.probes.reading import Reader
from initjax.probes.statistics import parameter
from initjax.probes.tapped import Numbers, Tapped, together
from initjax.probes.values import Value, floating, signal
from initjax.typing import Array, Key

Loss = Callable[[Any], Any]
_KEPT = 16
_KNOWN: OrderedDict[Hashable, Any] = OrderedDict()
T = TypeVar("T")


@dataclass(frozen=True)
class Program:
    """A model that was read, and what measures it.

    Attributes:
        reader: Its sites.
        run: (params, others, keys, arrays), the first three stacked over seeds, to loss,
            outputs, numbers going forward and coming back, numbers of parameters.
    """

    reader: Reader
    run: Callable[..., Any]


def once(key: Hashable, make: Callable[[], T]) -> T:
    """What was made for a key, or is made now if it is not among the last ones."""
    try:
        known = _KNOWN.get(key)
    except TypeError:  # a setting or a model that cannot be hashed
        return make()
    if known is None:
        known = _KNOWN[key] = make()
        while len(_KNOWN) > _KEPT:
            _KNOWN.popitem(last=False)
    _KNOWN.move_to_end(key)
    return known


def make(
    apply: Callable[..., Any],
    params: Sequence[Any],
    paths: Sequence[str],
    others: Any,
    arrays: Sequence[Any],
    loss: Loss | None,
) -> Program:
    """Read a model and write the program that measures it.

    Args:
        apply: (params, others, key, arrays) to outputs.
        params: Leaves of the parameters of one seed, or their shapes.
        paths: Of those leaves.
        others: Other variables of one seed, or their shapes.
        arrays: Of the batch.
        loss: Of the outputs; None for a sum with random signs.
    """
    key = jax.eval_shape(lambda: jax.random.key(0))
    given = list(params), others, key, list(arrays)
    flat, tree = jax.tree.flatten(given)

    def function(*leaves: Any) -> list[Any]:
        return jax.tree.leaves(apply(*jax.tree.unflatten(tree, leaves)))

    shapes = jax.eval_shape(apply, *given)
    body = flatten(function, *flat)
    reader = Reader()
    found = reader.read(body, _inputs(paths, flat, len(arrays), reader))
    _finish(reader, body.outputs, found, jax.tree.leaves(shapes))
    tapped = Tapped(body, reader)
    checked = _checked(loss, shapes)

    def one(params: Any, others: Any, key: Key, arrays: Any) -> Any:
        def losses(params: Any, slots: Numbers) -> Any:
            leaves = jax.tree.leaves((params, others, key, arrays))
            results, measured = tapped(leaves, slots)
            outputs = jax.tree.unflatten(jax.tree.structure(shapes), results)
            return checked(outputs), (measured, outputs)

        graded = jax.value_and_grad(losses, argnums=(0, 1), has_aux=True)
        (value, (measured, outputs)), (slopes, back) = graded(params, tapped.slots())
        numbers = together(parameter, list(zip(params, slopes, strict=True)))
        return value, outputs, measured, back, numbers

    return Program(reader, jax.jit(jax.vmap(one, in_axes=(0, 0, 0, None))))


def _inputs(
    paths: Sequence[str], flat: Sequence[Any], arrays: int, reader: Reader
) -> list[Value]:
    """What is known of each input of the program."""
    values = [Value("parameter", real=True, weights=(path,)) for path in paths]
    between = len(flat) - len(paths) - arrays
    values += [Value("constant", state=True) for _ in range(between - 1)]
    values.append(Value("constant"))  # the key
    values += [signal(frozenset(), real=floating(array)) for array in flat[len(values) :]]
    return values


def _finish(
    reader: Reader, numbers: Sequence[Any], found: Sequence[Value], avals: Sequence[Any]
) -> None:
    """Outputs that are no sites become some."""
    for number, value, aval in zip(numbers, found, avals, strict=True):
        if value.origin != "signal" or not isinstance(number, int) or not floating(aval):
            continue
        sources = reader.settle(value)
        if not any(draft.number == number for draft in reader.drafts):
            reader.site("output", number, aval, sources)


def _checked(loss: Loss | None, shapes: Any) -> Loss:
    """The loss, once it has been seen to be a number."""
    if loss is None:
        if not any(floating(leaf) for leaf in jax.tree.leaves(shapes)):
            raise ModelError(
                "model returns no floating-point numbers whose gradient could come back"
            )
        return random_signs
    with named("loss failed on the model's outputs", "it is called as loss(outputs)"):
        found = jax.eval_shape(loss, shapes)
    if getattr(found, "shape", None) != () or not floating(found):
        raise ModelError(
            "loss must return one real number, of shape (); got "
            f"{jax.tree.map(lambda x: (x.dtype.name, x.shape), found)}: take a mean or sum"
        )
    return loss


def random_signs(outputs: Any) -> Array:
    """Σ u y / √n of the n outputs y with fixed random signs u.

    The gradient at the outputs is then of one size, 1/√n, whatever the outputs are.
    """
    total = jnp.float32(0)
    for index, y in enumerate(jax.tree.leaves(outputs)):
        if floating(y):
            signs = np.random.default_rng(index).choice([-1.0, 1.0], y.shape)
            wide = y.astype(jnp.promote_types(y.dtype, jnp.float32))
            total += jnp.sum(wide * signs.astype(np.float32)) / np.sqrt(max(y.size, 1))
    return total
