"""What the report tells of a sweep, as plain data that goes from process to process."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from analysis.report.svg import Drawing

ROOT = Path(__file__).resolve().parents[2]


class Comparison(NamedTuple):
    """How far a table is from theory.

    Attributes:
        theory: What the measurement is compared with, and by whom.
        deviation: The largest deviation, and where it is.
    """

    theory: str
    deviation: str


@dataclass(frozen=True)
class Shown:
    """A figure that was drawn.

    Attributes:
        name: Of its files, without suffix.
        caption: First line of its docstring.
        note: What the rows say of themselves: sizes and seeds.
        alt: For those who do not see it.
        drawing: For the page, without the title.
        csv: The rows that it shows.
    """

    name: str
    caption: str
    note: str
    alt: str
    drawing: Drawing
    csv: bytes


@dataclass(frozen=True)
class Missing:
    """A figure that should be there, and the reason why it is not."""

    name: str
    caption: str
    reason: str


@dataclass(frozen=True)
class Sweep:
    """A section of the report.

    Attributes:
        name: Of the sweep.
        question: First line of its docstring.
        told: The other paragraphs: what was expected, and measured.
        cost: What a run costs; "" if not stated.
        answer: One sentence from the table; "" if there is none.
        comparison: Theory and the largest deviation; None if there is none.
        claims: What is told of it, whether that is so, and by which numbers.
        figures: Drawn or missing, in order.
        absent: Figures for which a table of these settings has no rows, with the reason.
        provenance: Where the table is from, by item.
        settings: Of the run, by option.
        commands: That make the table and the figures again.
        problems: What went wrong beside the figures.
    """

    name: str
    question: str
    told: tuple[str, ...]
    cost: str
    answer: str = ""
    comparison: Comparison | None = None
    claims: tuple[tuple[str, str, str], ...] = ()
    figures: tuple[Shown | Missing, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every figure and every sentence is there."""
        return not self.problems and all(isinstance(f, Shown) for f in self.figures)


def names() -> list[str]:
    """The sweeps that have figures: modules of the same name in both folders.

    Example:
        >>> "depth_vs_init" in names()
        True
    """
    figures, sweeps = (
        {path.stem for path in (ROOT / folder).glob("[!_]*.py")}
        for folder in ("analysis", "sweeps")
    )
    return sorted(figures & sweeps)


def told(name: str) -> Sweep:
    """What the docstring of a sweep says, read without running the module."""
    source = (ROOT / "sweeps" / f"{name}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or "No question is stated."
    first, *rest = [" ".join(part.split()) for part in re.split(r"\n\n+", text)]
    costs = [part for part in rest if part.startswith("Cost ")]
    return Sweep(
        name=name,
        question=first,
        told=tuple(part for part in rest if part not in costs),
        cost=costs[0] if costs else "",
    )


def origin(provenance: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where a table is from, for people."""
    versions = provenance.get("versions") or {}
    dirty = " and changes that were not committed" if provenance.get("dirty") else ""
    items = {
        "measured": str(provenance.get("written", ""))[:10],
        "commit": f"{str(provenance.get('commit', ''))[:12]}{dirty}",
        "device": f"{provenance.get('devices', '?')} × {provenance.get('device', '?')}, "
        f"{provenance.get('cores', '?')} cores, {provenance.get('platform', '?')}",
        "seconds": str(provenance.get("wall_seconds", "")),
        "versions": ", ".join(
            [f"python {provenance.get('python', '?')}"]
            + [f"{library} {version}" for library, version in versions.items()]
        ),
        "random numbers": str(
            (provenance.get("random") or {}).get("jax_default_prng_impl")
        ),
        "schema": str(provenance.get("schema_version", "")),
    }
    if provenance.get("failed"):
        items["failed cells"] = str(len(provenance["failed"]))
    return tuple(items.items())


def settings(provenance: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The settings of a run by option; lists as words."""
    found = provenance.get("settings") or {}
    return tuple(
        (str(key), " ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in found.items()
    )
