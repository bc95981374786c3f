"""The command line of every sweep: settings, a progress bar, a summary, figures.

Bad settings, a directory that cannot be written or is in use end with one line and
exit code 2; an interruption keeps what was measured and ends with 130 or 143.
"""

import dataclasses
import importlib
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
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
from sweeps.harness.lock import held
from sweeps.harness.runner import Outcome, Sweep, plain, prepare, run, state
from sweeps.harness.shards import Log
from sweeps.harness.stopping import Interrupted, Stop, graceful
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
        Exit code: 0 done, 1 some cells failed, 2 bad input, 130 or 143 interrupted.
    """
    console = Console(stderr=True)
    # What a cell's text contains is text, not Rich's markup.
    log = partial(console.print, markup=False, highlight=False)
    sweep = cast(Sweep, importlib.import_module(f"sweeps.{name}"))
    given = _parse(name, sweep, list(sys.argv[1:] if argv is None else argv))
    config = given.config
    out = given.out or _default_directory(name, sweep, config)
    try:
        sweep.cells(config)
        if given.list:
            done, total = state(name, sweep, config, out, log)
            there = "a table" if (out / "table.parquet").exists() else "no table"
            print(f"{name}: {done}/{total} cells in shards, {there}, in {_short(out)}")
            return 0
        prepare(out, plain(dataclasses.asdict(config)) if given.out else None)
        with held(out):
            with graceful(log) as stop:
                outcome = _run(name, sweep, given, out, console, stop)
            return _finish(name, outcome, log)
    except ValueError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot write results: {error}")
    except (Interrupted, KeyboardInterrupt) as interruption:
        log(
            f"interrupted; what was measured is kept in {out}, and the same command "
            "continues from there"
        )
        return 128 + getattr(interruption, "signal", signal.SIGINT)


def _parse(name: str, sweep: Sweep, argv: list[str]) -> Any:
    """The command line; the preset, wherever it stands, is the base of the settings."""
    chosen = _preset(sweep, argv)
    presets = "Settings to start from: " + ", ".join(sweep.PRESETS) + "."
    options = [_option("preset", str, chosen, presets), *_OPTIONS]
    settings: Any = Annotated[sweep.Config, tyro.conf.arg(name="")]
    base = dataclasses.field(default=sweep.PRESETS[chosen])
    return tyro.cli(
        dataclasses.make_dataclass("Arguments", [*options, ("config", settings, base)]),
        args=argv,
        prog=f"python -m sweeps.{name}",
        description=sweep.__doc__,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )


def _option(name: str, kind: Any, default: Any, words: str) -> Any:
    """A field of the command line that is no setting of the sweep."""
    return (
        name,
        Annotated[kind, tyro.conf.arg(help=words)],
        dataclasses.field(default=default),
    )


_OPTIONS = (
    _option(
        *("out", Path | None, None),
        "Directory of the table and figures; results/<sweep> for the default settings, "
        "else results/<sweep>-<id of settings>.",
    ),
    _option(
        *("redo", bool, False),
        "Measure again what an interrupted run has left; without it that run is continued.",
    ),
    _option("list", bool, False, "Say how many cells are measured, and end."),
)


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


def _run(
    name: str, sweep: Sweep, given: Any, out: Path, console: Console, stop: Stop
) -> Outcome:
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
            given.config,
            out,
            lambda done, total: progress.update(task, completed=done, total=total),
            redo=given.redo,
            stop=stop,
            log=partial(progress.console.print, markup=False, highlight=False),
        )


def _finish(name: str, outcome: Outcome, log: Log) -> int:
    """Summary and figures, by the analysis module of the same name."""
    failed, table = outcome.failed, outcome.table
    for error, count in Counter(error for _, error in failed).items():
        log(f"{count} cells failed: {error}")
    if table is None:
        log("no cell could be measured; there is no table")
        return 1
    analysis = importlib.import_module(f"analysis.{name}")
    from analysis.figures import draw

    frame = load(table)
    Console().print(analysis.summary(frame))
    drawn = draw(analysis, frame, table.parent / "figures")
    print(f"table    {_short(table)}  ({len(frame):,} rows)")
    print(f"figures  {_short(table.parent / 'figures')}  ({len(drawn)} files)")
    return 1 if failed else 0


def _short(path: Path) -> Path:
    """A path as a person would type it from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _refuse(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return 2
