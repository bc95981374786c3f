"""The command line of every sweep: settings, a progress bar, a summary, figures.

Bad settings and a directory that cannot be written end with one line and exit
code 2; an interruption keeps what was measured and ends with 130.
"""

import dataclasses
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from sweeps.harness.grid import content_id
from sweeps.harness.runner import Sweep, plain, prepare, run
from sweeps.harness.table import load

_RESULTS = Path(__file__).resolve().parents[2] / "results"


class _Rate(ProgressColumn):
    """Cells per second."""

    def render(self, task: Task) -> Text:
        if not task.completed or not task.elapsed:
            return Text("– cells/s")
        return Text(f"{task.completed / task.elapsed:,.0f} cells/s")


def main(name: str, argv: Sequence[str] | None = None) -> int:
    """Run the sweep ``sweeps.<name>`` from its command line.

    Returns:
        Exit code: 0 done, 2 bad input, 130 interrupted.
    """
    console = Console(stderr=True)
    sweep = cast(Sweep, importlib.import_module(f"sweeps.{name}"))
    config, named = _parse(name, sweep, list(sys.argv[1:] if argv is None else argv))
    out = named or _default_directory(name, sweep, config)
    try:
        sweep.cells(config)
        prepare(out, plain(dataclasses.asdict(config)) if named else None)
    except ValueError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot write results: {error}")
    try:
        _finish(name, _run(name, sweep, config, out, console), console)
    except OSError as error:
        return _refuse(f"cannot write results: {error}")
    except KeyboardInterrupt:
        console.print(
            f"interrupted; what was measured is kept in {out}, and the same command "
            "continues from there"
        )
        return 130
    return 0


def _parse(name: str, sweep: Sweep, argv: list[str]) -> tuple[Any, Path | None]:
    """Settings, and the directory if named; the preset, wherever it stands, is the base."""
    chosen = _preset(sweep, argv)
    arguments = dataclasses.make_dataclass(
        "Arguments",
        [
            (
                "preset",
                Annotated[
                    str,
                    tyro.conf.arg(
                        help="Settings to start from: " + ", ".join(sweep.PRESETS) + "."
                    ),
                ],
                dataclasses.field(default=chosen),
            ),
            (
                "out",
                Annotated[
                    Path | None,
                    tyro.conf.arg(
                        help="Directory of the table and figures; results/<sweep> for "
                        "the default settings, else results/<sweep>-<id of settings>."
                    ),
                ],
                dataclasses.field(default=None),
            ),
            (
                "config",
                Annotated[sweep.Config, tyro.conf.arg(name="")],
                dataclasses.field(default=sweep.PRESETS[chosen]),
            ),
        ],
    )
    given: Any = tyro.cli(
        arguments,
        args=argv,
        prog=f"python -m sweeps.{name}",
        description=sweep.__doc__,
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return given.config, given.out


def _preset(sweep: Sweep, argv: list[str]) -> str:
    chosen = "default"
    for i, word in enumerate(argv):
        if word == "--preset" and i + 1 < len(argv):
            chosen = argv[i + 1]
        elif word.startswith("--preset="):
            chosen = word.removeprefix("--preset=")
    if chosen not in sweep.PRESETS:
        _refuse(f"--preset must be one of {', '.join(sweep.PRESETS)}; got {chosen!r}")
        raise SystemExit(2)
    return chosen


def _default_directory(name: str, sweep: Sweep, config: Any) -> Path:
    if config == sweep.PRESETS["default"]:
        return _RESULTS / name
    return _RESULTS / f"{name}-{content_id(plain(dataclasses.asdict(config)))}"


def _run(name: str, sweep: Sweep, config: Any, out: Path, console: Console) -> Path:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=None)
        return run(
            name,
            sweep,
            config,
            out,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _finish(name: str, table: Path, console: Console) -> None:
    """Summary and figures, by the analysis module of the same name."""
    analysis = importlib.import_module(f"analysis.{name}")
    from analysis.figures import draw

    frame = load(table)
    Console().print(analysis.summary(frame))
    with console.status("drawing figures"):
        drawn = draw(analysis, frame, table.parent / "figures")
    print(f"table    {_short(table)}  ({len(frame):,} rows)")
    print(f"figures  {_short(table.parent / 'figures')}  ({len(drawn)} files)")


def _short(path: Path) -> Path:
    """A path as a person would type it from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _refuse(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return 2
