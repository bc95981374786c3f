"""One sweep from its table to all that the report says of it; runs in any process."""

import dataclasses
import importlib
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from analysis.report import facts, svg, words
from analysis.report.facts import Missing, Shown, Sweep
from analysis.report.once import once

if TYPE_CHECKING:
    import pandas as pd

    from analysis.figures import Figure


def gather(name: str, results: Path, out: Path) -> Sweep:
    """Draw the figures of a sweep and find what else there is to say.

    Args:
        name: Of the sweep.
        results: With ``<name>/table.parquet``.
        out: ``<name>/figures`` in it gets the files of the figures.
    """
    # What draws is imported where it draws: whoever starts this needs none of it.
    analysis = importlib.import_module(f"analysis.{name}")
    sweep = importlib.import_module(f"sweeps.{name}")
    here = dataclasses.replace(facts.told(name), commands=_commands(name, sweep, {}))
    path = results / name / "table.parquet"
    try:
        table = _load(path)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        return _without(here, analysis, f"{path} is not there" if missing else str(error))
    provenance = table.attrs["provenance"]
    here = dataclasses.replace(
        here,
        provenance=facts.origin(provenance),
        settings=facts.settings(provenance),
        commands=_commands(name, sweep, provenance),
    )
    if reason := changed(table, sweep):
        return _without(here, analysis, f"{reason}; run python -m sweeps.{name} again")
    return _with(here, analysis, table, out / name / "figures")


def changed(table: "pd.DataFrame", sweep: ModuleType) -> str:
    """How a table differs from the schema of its sweep; "" if it does not."""
    found = table.attrs["provenance"].get("schema_version")
    if found != sweep.SCHEMA.version:
        return f"its table has schema {found}, this code reads {sweep.SCHEMA.version}"
    gone = [column for column in sweep.SCHEMA.names if column not in table.columns]
    return f"its table lacks {', '.join(gone)}" if gone else ""


def _load(path: Path) -> "pd.DataFrame":
    from sweeps.harness.table import load

    return load(path)


def _without(here: Sweep, analysis: ModuleType, reason: str) -> Sweep:
    figures = [Missing(f.name, f.caption, reason) for f in analysis.FIGURES]
    return dataclasses.replace(here, figures=tuple(figures), problems=(reason,))


def _with(here: Sweep, analysis: ModuleType, table: "pd.DataFrame", folder: Path) -> Sweep:
    from analysis.bands import Absent

    drawn: list[Shown | Missing] = []
    absent = []
    for figure in analysis.FIGURES:
        try:
            drawn.append(_draw(here.name, figure, table, folder))
        except Absent as error:
            absent.append((figure.name, str(error)))
        except Exception as error:  # one figure that cannot be drawn costs no other
            reason = f"{type(error).__name__}: {error}"
            drawn.append(Missing(figure.name, figure.caption, reason))
    said, problems = _said(here.name, table)
    return dataclasses.replace(
        here,
        figures=tuple(drawn),
        absent=tuple(absent),
        answer=said.get("answer", ""),
        comparison=said.get("compare"),
        claims=tuple(tuple(claim) for claim in said.get("claims", ())),
        problems=problems,
    )


def _said(name: str, table: "pd.DataFrame") -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the table answers, by part, and what went wrong."""
    from analysis.bands import Absent

    said: dict[str, Any] = {}
    problems = []
    for part in ("answer", "compare", "claims"):
        try:
            function = spoken(name, part)
        except LookupError as error:
            if part != "claims":  # which only some sweeps put to the test
                problems.append(str(error))
            continue
        try:
            found = function(table)
        except (Absent, LookupError):  # rows that other settings have not
            continue
        except Exception as error:
            problems.append(f"no {part}: {type(error).__name__}: {error}")
            continue
        if not re.search(r"\bnan\b", str(found)):
            said[part] = found
    return said, tuple(problems)


def spoken(name: str, part: str) -> Callable[["pd.DataFrame"], Any]:
    """The function ``answer`` or ``compare`` of a sweep.

    Raises:
        LookupError: if neither its module in ``analysis`` nor one in
            ``analysis.report.answers`` has it.
    """
    for place in (f"analysis.{name}", f"analysis.report.answers.{name}"):
        if importlib.util.find_spec(place) is not None:
            function = getattr(importlib.import_module(place), part, None)
            if function is not None:
                return cast(Callable[["pd.DataFrame"], Any], function)
    raise LookupError(f"analysis.{name} has no function {part}(table)")


def _draw(sweep: str, figure: "Figure", table: "pd.DataFrame", folder: Path) -> Shown:
    from analysis.figures import draw

    rows = once(figure.data, table)
    alone = SimpleNamespace(FIGURES=(dataclasses.replace(figure, data=lambda _: rows),))
    draw(cast(ModuleType, alone), table, folder)
    root = svg.parse((folder / f"{figure.name}.svg").read_bytes())
    note = str(rows.attrs.get("note") or "")
    return Shown(
        name=figure.name,
        caption=figure.caption,
        note=" ".join(note.split()),
        alt=words.read(root).alt(),
        drawing=svg.shrink(root, f"{sweep}-{figure.name}-", (figure.caption, note)),
        csv=(folder / f"{figure.name}.csv").read_bytes(),
    )


def _commands(name: str, sweep: ModuleType, provenance: dict[str, Any]) -> tuple[str, ...]:
    """That make a table of these settings, as far as a preset does, and its figures."""
    presets = getattr(sweep, "PRESETS", {})
    found = provenance.get("settings")
    same = [key for key, value in presets.items() if _plain(value) == found]
    option = "" if not same or same[0] == "default" else f" --preset {same[0]}"
    return f"python -m sweeps.{name}{option}", f"python -m analysis.{name}"


def _plain(config: Any) -> Any:
    """Settings as they come back from the metadata of a table."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))
