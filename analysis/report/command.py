"""The command line of the report: a directory of results in, figures and pages out."""

import argparse
import importlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from analysis.report.facts import ROOT, Missing, Sweep, names
from analysis.report.gather import gather
from sweeps.harness.files import write_whole


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw every figure of every sweep from the tables, and write the report.

    Returns:
        Exit code: 0 done; 1 if something is missing, which the report then says; 2 for a
        directory that is not there or cannot be written.
    """
    options = _options(argv)
    if not options.results.is_dir():
        print(f"error: {options.results} is no directory of results", file=sys.stderr)
        return 2
    out = options.results if options.out is None else options.out
    try:
        (out / "report").mkdir(parents=True, exist_ok=True)
        sweeps = collect(options.results, out, options.processes)
        from analysis.report.page import html, markdown

        for path, text in (
            (out / "report" / "index.html", html(sweeps)),
            (out / "REPORT.md", markdown(sweeps)),
        ):
            write_whole(path, text.encode())
            print(path)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for line in problems(sweeps):
        print(f"missing: {line}", file=sys.stderr)
    return int(not all(sweep.whole for sweep in sweeps))


def collect(results: Path, out: Path, processes: int) -> list[Sweep]:
    """Draw all sweeps, each in one process, and find what the report says of them."""
    todo = sorted(names(), key=lambda name: -_size(results / name / "table.parquet"))
    if processes == 1:
        done = [gather(name, results, out) for name in todo]
    else:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(processes, len(todo)), mp_context=spawn) as pool:
            waiting = [pool.submit(gather, name, results, out) for name in todo]
            importlib.import_module("analysis.report.page")  # while others draw
            done = [future.result() for future in waiting]
    return sorted(done, key=lambda sweep: sweep.name)


def problems(sweeps: Sequence[Sweep]) -> list[str]:
    """What is missing, one line each."""
    lines = [f"{s.name}: {problem}" for s in sweeps for problem in s.problems]
    for sweep in sweeps:
        for figure in sweep.figures:
            if isinstance(figure, Missing) and figure.reason not in "".join(sweep.problems):
                lines.append(f"{sweep.name}, figure {figure.name}: {figure.reason}")
    return lines


def _size(path: Path) -> int:
    """Bytes of a table, by which the longest work is begun first; 0 if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description=(main.__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "results",
        nargs="?",
        type=Path,
        default=ROOT / "results",
        help="directory with <sweep>/table.parquet (default: results)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="directory for <sweep>/figures, report/index.html and REPORT.md "
        "(default: that of the tables)",
    )
    parser.add_argument(
        "--processes",
        type=_positive,
        default=os.cpu_count() or 1,
        help="at most so many at once (default: one per core)",
    )
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of processes; give 1 or more"
        )
    return int(text)
