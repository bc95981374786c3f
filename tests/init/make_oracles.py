"""Sample the initializers and the default layers of other libraries.

The tests compare the laws of initjax with the statistics in ``oracles.json``, so
that none of these libraries is needed to run them. What to sample stands there under
``wanted``, written by hand: a name, the shape of the parameter or of the input, and
the arguments. The rest of the file is made again by

    pip install torch torchvision keras jax dm-haiku equinox timm transformers
    python -m tests.init.make_oracles

timm needs the torchvision that was built for the torch installed. The versions that
were sampled stand in the file under ``versions``. Shapes, arguments and names of
parameters are those of the library sampled; a parameter that two constructions give
alike is ``fixed``.
"""

import itertools
import json
import os
import re
import zlib
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).with_name("oracles.json")
PACKAGES = ("torch", "keras", "jax", "dm-haiku", "equinox", "timm", "transformers")
LEVELS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
LEAST = {"initializer": 200_000, "layer": 100_000}
GAINS = (
    "linear sigmoid tanh relu leaky_relu selu conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d conv_transpose3d"
)
# Of a whole model: the parameters of the first block only, and no normalization.
OTHERS = re.compile(r"norm|ln_|(blocks|h)\.[1-9]")

Draws = Iterator[dict[str, Any]]
Arguments = dict[str, Any]


def torch_function(name: str, shape: tuple, arguments: Arguments, seed: int) -> Draws:
    """A function of torch.nn.init."""
    import torch

    torch.manual_seed(seed)
    while True:
        filled = getattr(torch.nn.init, f"{name}_")(torch.empty(shape), **arguments)
        yield {"": filled.numpy()[None]}


def torch_module(name: str, shape: tuple, arguments: Arguments, seed: int) -> Draws:
    """A layer of torch, or a model made of them, built again and again."""
    import torch

    build = getattr(torch.nn, name, None)
    if name == "VisionTransformer":
        from timm.models import VisionTransformer as build
    if name == "GPT2LMHeadModel":
        from transformers import GPT2Config, GPT2LMHeadModel

        build, arguments = GPT2LMHeadModel, {"config": GPT2Config(**arguments)}
    torch.manual_seed(seed)
    while True:
        module = build(**arguments)
        found = {k: v.detach().numpy()[None] for k, v in module.named_parameters()}
        if "bias_hh_l0" in found:
            found["bias_ih_l0 + bias_hh_l0"] = found["bias_ih_l0"] + found["bias_hh_l0"]
        yield {k: v for k, v in found.items() if not OTHERS.search(k)}


def keras_function(name: str, shape: tuple, arguments: Arguments, seed: int) -> Draws:
    """An initializer of Keras, which draws the same again unless the seed is another."""
    import keras

    for number in itertools.count(seed):
        random = {} if name == "Identity" else {"seed": number}
        initializer = getattr(keras.initializers, name)(**arguments, **random)
        yield {"": np.asarray(initializer(shape))[None]}


def keras_layer(name: str, shape: tuple, arguments: Arguments, seed: int) -> Draws:
    """A layer of Keras, built again and again for an input of this shape."""
    import keras

    keras.utils.set_random_seed(seed)
    shapes = [shape] * (2 if name == "MultiHeadAttention" else 1)
    while True:
        layer = getattr(keras.layers, name)(**arguments)
        layer.build(*shapes)
        own = {w.path.partition("/")[2]: w for w in layer.weights if w.trainable}
        yield {path: np.asarray(w)[None] for path, w in own.items()}


def haiku_layer(name: str, shape: tuple, arguments: Arguments, key: Any) -> Arguments:
    """The parameters of a Haiku layer, made at its first input."""
    import haiku

    def apply(x: np.ndarray) -> Any:
        layer = getattr(haiku, name)(**arguments)
        return layer(x, layer.initial_state(1)) if name == "LSTM" else layer(x)

    x = np.zeros(shape, np.int32 if name == "Embed" else np.float32)
    return next(iter(haiku.transform(apply).init(key, x).values()))


def equinox_layer(name: str, shape: tuple, arguments: Arguments, key: Any) -> Arguments:
    """The arrays of an Equinox layer."""
    import equinox

    layer = getattr(equinox.nn, name)(**arguments, key=key)
    return {k: v for k, v in vars(layer).items() if equinox.is_array(v)}


def batches(build: Any, name: str, shape: tuple, arguments: Arguments, seed: int) -> Draws:
    """A layer made from a JAX key, for batch after batch of keys."""
    import jax

    many = jax.jit(jax.vmap(partial(build, name, shape, arguments)))
    for number in itertools.count():
        yield many(jax.random.split(jax.random.fold_in(jax.random.key(seed), number), 128))


DRAWS = {
    "torch initializer": torch_function,
    "torch exact": torch_function,
    "torch layer": torch_module,
    "timm layer": torch_module,
    "transformers layer": torch_module,
    "keras initializer": keras_function,
    "keras exact": keras_function,
    "keras layer": keras_layer,
    "haiku layer": partial(batches, haiku_layer),
    "equinox layer": partial(batches, equinox_layer),
}


def pooled(draws: Draws, least: int) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Per parameter: so many values at least, draw by draw, and whether it is fixed."""
    kept: dict[str, list[np.ndarray]] = {}
    fixed: dict[str, bool] = {}
    enough: dict[str, bool] = {}
    while not enough or not all(enough.values()):
        for name, values in next(draws).items():
            if enough.get(name):
                continue
            parts = kept.setdefault(name, [])
            parts.append(np.array(values, np.float32))
            fixed[name] = len(parts) == 2 and bool((parts[0] == parts[1]).all())
            enough[name] = fixed[name] or len(parts) * parts[0].size >= least
    for name, parts in kept.items():
        yield name, np.concatenate(parts), fixed[name]


def rounded(*values: float) -> list[float | int]:
    """Seven significant digits; an integer where there is one."""
    numbers = [float(f"{value:.7g}") for value in values]
    return [int(x) if x == int(x) else x for x in numbers]


def statistics(values: np.ndarray, fixed: bool) -> Arguments:
    """What the file keeps of a float32 sample, computed in float64."""
    x = values.astype(np.float64).ravel()
    numbers = rounded(x.mean(), x.std(), x.min(), x.max())
    kept = dict(zip(("mean", "std", "min", "max"), numbers, strict=True))
    kept |= {"count": x.size, "zeros": int((x == 0).sum())}
    if not fixed:
        (kept["kurtosis"],) = rounded(((x - x.mean()) ** 4).mean() / x.var() ** 2)
        kept["quantiles"] = rounded(*np.quantile(x, LEVELS))
    return kept


def extras(name: str, values: np.ndarray) -> Arguments:
    """What the distribution of one entry does not tell."""
    if name == "sparse":
        counts = [np.unique((values == 0).sum(1 + axis)).tolist() for axis in (0, 1)]
        return {"zeros_along_axis_0": counts[0], "zeros_along_axis_1": counts[1]}
    if name.lower() == "orthogonal":
        shape = values.shape  # torch has the outputs first, Keras last
        rows = shape[1] if name.islower() else values[0].size // shape[-1]
        matrices = values.reshape(shape[0], rows, -1).astype(np.float64)
        singular = np.linalg.svd(matrices, compute_uv=False).astype(float)
        return {"singular_values": [round(singular.min(), 5), round(singular.max(), 5)]}
    return {}


def records(group: str, name: str, shape: list, arguments: Arguments) -> Draws:
    """One record per parameter; the seed depends on names, shape and arguments alone."""
    library, kind = group.split()
    seed = zlib.crc32(f"{group} {name} {shape} {arguments}".encode()) % 2**30
    draws = DRAWS[group](name, tuple(shape), arguments, seed)
    head = {"library": library, "kind": kind, "name": name, "arguments": arguments}
    if kind == "exact":
        values = next(draws)[""][0]
        yield head | {"shape": shape, "values": values.tolist()}
        return
    for parameter, values, fixed in pooled(draws, LEAST[kind]):
        own = {"parameter": parameter, "fixed": fixed} if kind == "layer" else {}
        own["shape"] = list(values.shape[1:])
        yield head | own | statistics(values, fixed) | extras(name, values)


def gains() -> Arguments:
    """What calculate_gain of torch says of every name that it knows."""
    from torch.nn.init import calculate_gain

    leaky = {f"leaky_relu({a})": calculate_gain("leaky_relu", a) for a in (0.2, 5**0.5)}
    return {name: calculate_gain(name) for name in GAINS.split()} | leaky


def lines(stored: Arguments) -> Iterator[str]:
    """JSON with one line per record, and per entry of a table."""
    for key, value in stored.items():
        if isinstance(value, dict):
            opening, closing = "{}"
            rows = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
        else:
            opening, closing = "[]"
            rows = [json.dumps(row, separators=(",", ":")) for row in value]
        yield f"{json.dumps(key)}: {opening}\n" + ",\n".join(rows) + f"\n{closing}"


def main() -> None:
    """Sample what is wanted and write the file again."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    wanted = json.loads(TARGET.read_text())["wanted"]
    made = [record for row in wanted for record in records(*row)]
    stored = {
        "versions": {name: metadata.version(name).partition("+")[0] for name in PACKAGES},
        "levels": LEVELS,
        "gains": gains(),
        "wanted": wanted,
        "exact": [record for record in made if record["kind"] == "exact"],
        "records": [record for record in made if record["kind"] != "exact"],
    }
    TARGET.write_text("{\n" + ",\n".join(lines(stored)) + "\n}\n")


if __name__ == "__main__":
    main()
