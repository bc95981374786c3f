"""The command line of every sweep: settings, a progress bar, a summary, figures.

Bad settings, a directory that cannot be written or is in use end with one line and
exit code 2; an interruption keeps what was measured and ends with 130 or 143.
"""

import contextlib
import importlib
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

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

from sweeps.harness.cluster import workers_of
from sweeps.harness.compilations import keep_compilations
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.grid import content_id
from sweeps.harness.hosts import Hosts, join
from sweeps.harness.lock import held
from sweeps.harness.messages import refuse
from sweeps.harness.options import check, parse
from sweeps.harness.runner import Engine, Outcome, run
from sweeps.harness.shards import Log
from sweeps.harness.state import forecast, listed
from sweeps.harness.stopping import Interrupted, graceful
from sweeps.harness.sweep import Sweep
from sweeps.harness.table import load

_RESULTS = Path(__file__).resolve().parents[2] / "results"


class _Rate(ProgressColumn):
    """Cells per second."""

    def render(self, task: Task) -> Text:
        if not task.completed or not task.elapsed:
            return Text("– cells/s")
        return Text(f"{task.completed / task.elapsed:,.0f} cells/s")


def main(name: str, argv: Sequence[str] | None = None, *, renew: bool = True) -> int:
    """Run the sweep ``sweeps.<name>`` from its command line.

    Args:
        name: Of the sweep.
        argv: Its words; those of the process if None.
        renew: Whether the table of the default settings in results/<sweep>, which is
            that of the project, is measured again if it is whole. Others are not.

    Returns:
        Exit code: 0 done, 1 some cells failed, 2 bad input, 130 or 143 interrupted.
    """
    console = Console(stderr=True)
    # What a cell's text contains is text, not Rich's markup.
    log = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    sweep = cast(Sweep, importlib.import_module(f"sweeps.{name}"))
    given = parse(name, sweep, list(sys.argv[1:] if argv is None else argv))
    where = given.out
    try:
        check(given)
        hosts = join(given.coordinator, given.processes, given.process_id)
        sweep.cells(given.config)
        if where is None:
            where = _short(_default_directory(name, sweep, given.config))
        store = Store(where)
        if given.list:
            print(listed(name, sweep, given.config, store, log))
            return 0
        own = given.out is None and given.config == sweep.PRESETS["default"]
        renew = (own and renew) or given.redo
        if given.dry_run:
            at_once = given.at_once
            print(forecast(name, sweep, given.config, store, log, at_once, renew))
            return 0
        return _measure(name, sweep, given, store, hosts, console, renew)
    except ValueError as error:
        return refuse(str(error))
    except ConnectionError as error:  # of the workers, not of the results
        return refuse(str(error))
    except OSError as error:
        return refuse(f"cannot write results: {error}")
    except (Interrupted, KeyboardInterrupt) as interruption:
        log(
            f"interrupted; what was measured is kept in {where or 'results'}, and the "
            "same command continues from there"
        )
        return 128 + getattr(interruption, "signal", signal.SIGINT)


def _default_directory(name: str, sweep: Sweep, config: Any) -> Path:
    if config == sweep.PRESETS["default"]:
        return _RESULTS / name
    return _RESULTS / f"{name}-{content_id(plain(config))}"


def _measure(
    name: str,
    sweep: Sweep,
    given: Any,
    store: Store,
    hosts: Hosts,
    console: Console,
    renew: bool,
) -> int:
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
    log = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    keep_compilations()  # before the workers start, which inherit it
    with (
        workers_of(given.scheduler, given.workers) as executor,
        _place(store, plain(given.config), sweep, hosts, log),
        graceful(log) as stop,
        Progress(*columns, console=console, disable=hosts.index > 0) as progress,
    ):
        task = progress.add_task(name, total=None)
        outcome = run(
            name,
            sweep,
            given.config,
            store.url,
            lambda done, total: progress.update(task, completed=done, total=total),
            redo=given.redo,
            renew=renew,
            stop=stop,
            log=log,
            engine=Engine(executor, hosts, given.at_once),
        )
        progress.refresh()
        progress.stop()
        return 0 if hosts.index else _finish(name, outcome, store, log)


@contextlib.contextmanager
def _place(
    store: Store, settings: dict[str, Any], sweep: Sweep, hosts: Hosts, log: Log
) -> Iterator[None]:
    """The directory, made and held by the first process for all."""
    with contextlib.ExitStack() as stack:
        error: Exception | None = None
        if hosts.index == 0:
            try:
                prepare(store, settings, sweep.SCHEMA)
                stack.enter_context(held(store, log))
                for folder in ("", "shards", "figures"):
                    store.clear_halves(folder)
            except (ValueError, OSError) as caught:
                error = caught
        hosts.agree(error)
        yield


def _finish(name: str, outcome: Outcome, store: Store, log: Log) -> int:
    """Summary and figures, by the analysis module of the same name."""
    failed = outcome.failed
    for error, count in Counter(error for _, error in failed).items():
        log(f"{count} cells failed: {error}")
    if outcome.table is None:
        log("no cell could be measured; there is no table")
        return 1
    analysis = importlib.import_module(f"analysis.{name}")
    frame = load(outcome.table)
    Console().print(analysis.summary(frame))
    count = _draw(analysis, frame, store)
    print(f"table    {outcome.table}  ({len(frame):,} rows)")
    print(f"figures  {store}/figures  ({count} files)")
    return 1 if failed else 0


def _draw(analysis: Any, frame: Any, store: Store) -> int:
    """Write the figures, by way of this machine if the directory is elsewhere."""
    from analysis.figures import draw

    if store.local is not None:
        return len(draw(analysis, frame, store.local / "figures"))
    with tempfile.TemporaryDirectory() as folder:
        drawn = draw(analysis, frame, Path(folder))
        for path in drawn:
            store.write(f"figures/{path.name}", path.read_bytes())
    return len(drawn)


def _short(path: Path) -> Path:
    """A path as a person would type it from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
