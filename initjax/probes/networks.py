"""Models of every kind as a pair of pure functions."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
from flax import nnx

from initjax.probes.batches import Batch
from initjax.typing import Key

Variables = Mapping[str, Any]
"""``params``, a tree of arrays, and other collections."""


class Network(NamedTuple):
    """A model.

    Attributes:
        init: Key and arrays of the batch to variables; None if they have to be given.
        apply: (variables, key of random numbers, arrays of the batch) to outputs.
        fixed: The variables of a model that holds them itself, else None.
    """

    init: Callable[[Key, Any], Variables] | None
    apply: Callable[[Variables, Key, Any], Any]
    fixed: Variables | None = None


def read(model: Any, batch: Batch, *, given: bool) -> Network:
    """A model as pure functions.

    Args:
        model: A linen module, an nnx module, a callable that makes one of an ``nnx.Rngs``,
            or a function of variables and the batch.
        batch: What it is called with.
        given: Whether variables are given, without which a function is taken for one that
            makes a module.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(model, nn.Module):
        return _linen(model, batch)
    if isinstance(model, nnx.Module):
        return _instance(model, batch)
    if not callable(model):
        raise TypeError(
            "model must be a linen module, an nnx module, a callable that makes one of an "
            f"nnx.Rngs, or a function of variables and the batch; got {model!r}"
        )
    if given and not (isinstance(model, type) and issubclass(model, nnx.Module)):
        made = _try_module(model)
        if made is None:
            return _function(model, batch)
    return _maker(model, batch)


def _linen(model: nn.Module, batch: Batch) -> Network:
    def init(key: Key, arrays: Any) -> Variables:
        args, kwargs = batch.arguments(arrays)
        return nn.meta.unbox(model.init(key, *args, **kwargs))

    def apply(variables: Variables, key: Key, arrays: Any) -> Any:
        args, kwargs = batch.arguments(arrays)
        outputs, _ = model.apply(
            variables,
            *args,
            rngs={"params": key},
            mutable=nn.DenyList("params"),
            **kwargs,
        )
        return outputs

    return Network(init, apply)


def _instance(model: nnx.Module, batch: Batch) -> Network:
    graph, (params, rest) = _split(model)
    fixed = _pure(params, rest)
    return Network(None, _merged(graph, params, rest, batch), fixed)


def _maker(make: Callable[..., Any], batch: Batch) -> Network:
    """A callable Rngs → module, by position or as ``rngs=``."""

    def made(key: Key) -> Any:
        rngs = nnx.Rngs(key)
        module = _called(make, rngs)
        if not isinstance(module, nnx.Module):
            raise TypeError(f"it made {type(module).__name__}")
        return module

    try:
        shapes = nnx.eval_shape(lambda: made(jax.random.key(0)))
    except TypeError as error:
        raise TypeError(
            "model must make an nnx module of an nnx.Rngs, or variables be given for a "
            f"function of variables and the batch; {make!r}: {error}"
        ) from error
    graph, (params, rest) = _split(shapes)

    def init(key: Key, arrays: Any) -> Variables:
        _, (params, rest) = _split(made(key))
        return _pure(params, rest)

    return Network(init, _merged(graph, params, rest, batch))


def _called(make: Callable[..., Any], rngs: nnx.Rngs) -> Any:
    # A class has the signature of its metaclass, and so has a partial of it.
    made = getattr(make, "func", make)
    made = inspect.getattr_static(made, "__init__") if isinstance(made, type) else made
    try:
        by_name = "rngs" in inspect.signature(made).parameters
    except (TypeError, ValueError):  # what is not written in Python
        by_name = False
    return make(rngs=rngs) if by_name else make(rngs)


def _try_module(make: Callable[..., Any]) -> Any:
    """The shapes of the module that a callable makes of an Rngs; None if it makes none."""
    try:
        module = nnx.eval_shape(lambda: _called(make, nnx.Rngs(0)))
    except Exception:  # a function of variables fails on Rngs in ways of its own
        return None
    return module if isinstance(module, nnx.Module) else None


def _split(module: nnx.Module) -> tuple[Any, Any]:
    """Graph of a module, and its parameters with all other state."""
    graph, *states = nnx.split(module, nnx.Param, ...)
    return graph, states


def _pure(params: Any, rest: Any) -> Variables:
    return {"params": nnx.to_pure_dict(params), "state": nnx.to_pure_dict(rest)}


def _merged(graph: Any, params: Any, rest: Any, batch: Batch) -> Callable[..., Any]:
    """The call of an nnx module with other variables."""

    def apply(variables: Variables, key: Key, arrays: Any) -> Any:
        now, others = jax.tree.map(lambda x: x, (params, rest))
        nnx.replace_by_pure_dict(now, dict(variables["params"]))
        nnx.replace_by_pure_dict(others, dict(variables.get("state", {})))
        args, kwargs = batch.arguments(arrays)
        return nnx.merge(graph, now, others)(*args, **kwargs)

    return apply


def _function(function: Callable[..., Any], batch: Batch) -> Network:
    def apply(variables: Variables, key: Key, arrays: Any) -> Any:
        args, kwargs = batch.arguments(arrays)
        return function(variables, *args, **kwargs)

    return Network(None, apply)


def identity(model: Any) -> Any:
    """What is equal for models that compute the same with the same variables."""
    return nnx.split(model)[0] if isinstance(model, nnx.Module) else _frozen(model)


def _frozen(value: Any) -> Any:
    """As hashable as its parts: a linen module that holds a list has no hash itself."""
    if isinstance(value, nn.Module):
        fields = [f.name for f in dataclasses.fields(value) if f.name != "parent"]
        return type(value), *((name, _frozen(getattr(value, name))) for name in fields)
    if isinstance(value, list | tuple):
        return type(value), *map(_frozen, value)
    if isinstance(value, Mapping):
        return type(value), *((key, _frozen(part)) for key, part in value.items())
    return value
