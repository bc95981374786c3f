"""The options of every sweep's command line, beside its own settings."""

import dataclasses
from typing import Annotated, Any

import tyro

from sweeps.harness.messages import refuse
from sweeps.harness.sweep import Sweep


def _option(name: str, kind: Any, default: Any, words: str) -> Any:
    """A field of the command line that is no setting of the sweep."""
    return (
        name,
        Annotated[kind, tyro.conf.arg(help=words)],
        dataclasses.field(default=default),
    )


_OPTIONS = (
    _option(
        *("out", str | None, None),
        "Directory of the table and figures, or any fsspec URL such as s3://bucket/run; "
        "results/<sweep> for the default settings, else results/<sweep>-<id of settings>.",
    ),
    _option(
        *("resume", bool, False),
        "Continue what an interrupted run has left, and measure nothing twice; this is "
        "what happens anyway.",
    ),
    _option(*("redo", bool, False), "Measure again what is there."),
    _option("list", bool, False, "Say how many cells are measured, and end."),
    _option(
        *("dry_run", bool, False),
        "Say what would be measured, compiled, held in memory and written, and end.",
    ),
    _option(
        *("at_once", int, 0),
        "Units (for most sweeps, seeds) in one vmapped call; 0 for one per device on a "
        "CPU and as many as fit into memory on an accelerator.",
    ),
    _option(
        *("workers", int | None, None),
        "Measure in so many processes on this machine, by Dask.",
    ),
    _option(
        *("scheduler", str | None, None),
        "Measure in the workers of a Dask scheduler, such as tcp://host:8786.",
    ),
    _option(
        *("coordinator", str | None, None),
        "Measure in several processes by jax.distributed: host:port of the first one, "
        "or auto; several tasks of a Slurm step are found without it.",
    ),
    _option(*("processes", int | None, None), "How many processes --coordinator joins."),
    _option(*("process_id", int | None, None), "Which of them this one is, from 0."),
)


def parse(name: str, sweep: Sweep, argv: list[str]) -> Any:
    """The command line; the preset, wherever it stands, is the base of the settings.

    Raises:
        SystemExit: with code 2 and a message for what cannot be read.
    """
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


def check(given: Any) -> None:
    """See that the options go together.

    Raises:
        ValueError: if they do not.
    """
    if given.resume and given.redo:
        raise ValueError("--resume and --redo exclude each other; give one of them")
    if not 0 <= given.at_once <= 1_000_000:
        raise ValueError(f"--at-once must be from 0 to 1000000; got {given.at_once}")
    if given.scheduler is not None and given.workers is not None:
        raise ValueError("--scheduler and --workers exclude each other; give one of them")
    if given.workers is not None and not 1 <= given.workers <= 10_000:
        raise ValueError(f"--workers must be from 1 to 10000; got {given.workers}")
    by_dask = given.scheduler is not None or given.workers is not None
    if by_dask and given.coordinator is not None:
        raise ValueError(
            "--coordinator excludes --scheduler and --workers; let one of them share the "
            "work among machines"
        )


def _preset(sweep: Sweep, argv: list[str]) -> str:
    chosen = "default"
    for i, word in enumerate(argv):
        if word == "--preset" and i + 1 < len(argv):
            chosen = argv[i + 1]
        elif word.startswith("--preset="):
            chosen = word.removeprefix("--preset=")
    if chosen not in sweep.PRESETS:
        refuse(f"--preset must be one of {', '.join(sweep.PRESETS)}; got {chosen!r}")
        raise SystemExit(2)
    return chosen
