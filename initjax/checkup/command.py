"""``python -m initjax diagnose``: a check-up from a shell, for people and for CI."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from initjax.checkup.diagnose import diagnose
from initjax.checkup.diagnosis import Diagnosis

HEALTHY, FINDINGS, BAD_USE = 0, 1, 2
"""Exit codes."""


class _BadUse(Exception):
    """One line that names the argument."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> Any:
        raise _BadUse(message)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 healthy, 1 findings, 2 bad use."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        return _run(_parser().parse_args(arguments))
    except _BadUse as error:
        print(f"initjax: error: {error}", file=sys.stderr)
        return BAD_USE


def _run(given: argparse.Namespace) -> int:
    if given.seeds < 1:
        raise _BadUse(f"argument --seeds: must be >= 1; got {given.seeds}")
    if given.plot and not given.plot.parent.is_dir():
        raise _BadUse(f"argument --plot: there is no folder {given.plot.parent}")
    model = _made("model", given.model)
    batch = _made("--batch", given.batch)
    loss = _object("--loss", given.loss) if given.loss else None
    try:
        found = diagnose(model, batch, loss=loss, seeds=given.seeds)
    except (TypeError, ValueError) as error:
        raise _BadUse(_one_line(error)) from error
    _print(found, as_json=given.json)
    if given.plot:
        _save(found, given.plot)
    return HEALTHY if found.healthy else FINDINGS


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m initjax", description="Know before you train.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="diagnose")
    own = commands.add_parser(
        "diagnose",
        help="say whether a model can be trained as it starts",
        description="Exit code: 0 healthy, 1 findings, 2 bad use.",
    )
    own.add_argument("model", help="package.module:name of a model, or of what makes one")
    own.add_argument("--batch", required=True, help="package.module:name of a batch")
    own.add_argument("--loss", help="package.module:name of a function of the outputs")
    own.add_argument("--seeds", type=int, default=8, help="networks to draw (8)")
    own.add_argument("--json", action="store_true", help="print JSON")
    own.add_argument("--plot", type=Path, metavar="FILE", help="save the plot here")
    return parser


def _object(argument: str, name: str) -> Any:
    """What ``package.module:name`` means."""
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise _BadUse(f"argument {argument}: must be package.module:name; got {name!r}")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise _BadUse(f"argument {argument}: {name!r}: {_one_line(error)}") from error
    return found


def _made(argument: str, name: str) -> Any:
    """The object, or what a function without required arguments returns."""
    found = _object(argument, name)
    if not _is_factory(found):
        return found
    try:
        return found()
    except Exception as error:
        raise _BadUse(f"argument {argument}: {name}(): {_one_line(error)}") from error


def _is_factory(found: Any) -> bool:
    """Whether it can be called without arguments, and is no model itself."""
    import inspect

    import flax.linen as nn
    from flax import nnx

    if not callable(found) or isinstance(found, nn.Module | nnx.Module):
        return False
    try:
        inspect.signature(found).bind()
    except (TypeError, ValueError):
        return False
    return True


def _print(found: Diagnosis, *, as_json: bool) -> None:
    if as_json:
        print(found.to_json(indent=2))
        return
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        print(found)
        return
    Console().print(found)


def _save(found: Diagnosis, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    try:
        found.plot()[0].figure.savefig(path)
    except (ValueError, OSError) as error:  # an unknown format, a folder
        raise _BadUse(f"argument --plot: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {text[0]}" if text[0] else type(error).__name__
