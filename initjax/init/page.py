"""The page of documentation beside this file, made from the table INITIALIZERS.

``python -m initjax.init.page`` writes README.md; a test compares it with the table.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from initjax.init import presets
from initjax.init.catalogue import INITIALIZERS, Entry
from initjax.init.laws import Law
from initjax.typing import Shape

PAGE = Path(__file__).with_name("README.md")
SHAPE: Shape = (256, 512)
WINDOW: Shape = (3, 3, 256, 512)

_HEAD = f"""# Initializers

Made from the table `INITIALIZERS` by `python -m initjax.init.page`; do not edit.

`from initjax import init`; every factory returns an initializer of JAX's protocol,
`(key, shape, dtype=None, out_sharding=None) -> Array`, for `kernel_init=` and
`bias_init=` of linen and nnx. First names follow torch, last names JAX and Keras. All
draw in float32 or wider and then cast. Bad arguments are refused when the factory is
called.

The law is that of an entry, with the defaults of the factory (and the arguments given
in the first column) in a kernel of shape {SHAPE}, or {WINDOW} for schemes that need
a window; `.law(shape)` gives it for any shape.

"""
_COLUMNS = (
    *("initializer", "entries", "mean", "standard deviation", "kurtosis", "support"),
    *("use it for", "reference"),
)

_PRESETS = """
## Presets

`init.presets` reproduces where other frameworks start, weight and bias; unpacked, a
preset is the arguments of a Flax layer:
`nn.Dense(10, **presets.torch_linear(784)._asdict())`.

"""

_CRITICAL = """
`init.critical(activation, sigma_b=…)` gives kernel and bias at the edge of chaos, for any
activation.
"""

_RECIPES = """
`initjax.recipes` changes a parameter tree that is there already: rules that depend on
the depth, matched by path, and the fans that Flax gets wrong.
"""


def page() -> str:
    """The page as Markdown.

    Example:
        >>> page().splitlines()[0]
        '# Initializers'

    References:
        Each row names its own.
    """
    rows = [_row(name, entry) for name, entry in INITIALIZERS.items()]
    listed = [
        (
            f"`{name}({_signature(function)})`",
            (inspect.getdoc(function) or "").split("\n")[0],
        )
        for name, function in sorted(vars(presets).items())
        if inspect.isfunction(function)
    ]
    return "".join(
        (
            *(_HEAD, _table(_COLUMNS, rows)),
            *(_PRESETS, _table(("preset", "law"), listed), _CRITICAL, _RECIPES),
        )
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join("| " + " | ".join(line) + " |\n" for line in escaped)


def _row(name: str, entry: Entry) -> tuple[str, ...]:
    try:
        law = entry.law(SHAPE)
    except ValueError:  # the scheme has no meaning without a window
        law = entry.law(WINDOW)
    return (
        f"`{name}({_arguments(entry)})`",
        entry.formula,
        _number(law.mean),
        _number(law.variance**0.5),
        _number(law.kurtosis),
        _support(law),
        entry.use,
        entry.reference,
    )


def _arguments(entry: Entry) -> str:
    """Those that the factory requires, with the values of the table."""
    required = inspect.signature(entry.factory).parameters
    return ", ".join(f"{k}={v!r}" for k, v in entry.defaults.items() if k in required)


def _signature(function: Callable[..., Any]) -> str:
    """Parameters with their defaults, without annotations."""
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _support(law: Law) -> str:
    low, high = law.support
    if math.isinf(high):
        return "all reals"
    return _number(low) if low == high else f"[{low:.4g}, {high:.4g}]"


if __name__ == "__main__":
    PAGE.write_text(page())
