"""``python -m sweeps`` lists the sweeps; ``python -m sweeps run --all`` runs them.

What follows ``run --all``, such as ``--preset smoke``, goes to every sweep. Sweeps whose
tables are whole are passed over.
"""

import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sweeps.harness import cli
from sweeps.harness.table import load_provenance

_ROOT = Path(__file__).resolve().parents[1]


def names() -> list[str]:
    """The sweeps: modules that have figures of the same name.

    Example:
        >>> "depth_vs_init" in names()
        True
    """
    figures = {path.stem for path in (_ROOT / "analysis").glob("[!_]*.py")}
    return sorted(p.stem for p in (_ROOT / "sweeps").glob("*.py") if p.stem in figures)


def description(name: str) -> str:
    """Question, cost and state of a sweep, one line each."""
    text = importlib.import_module(f"sweeps.{name}").__doc__ or ""
    cost = re.search(r"^Cost (.*?)(?:\n\n|\Z)", text, re.M | re.S)
    return (
        f"{name}\n  {text.splitlines()[0]}\n"
        f"  cost: {' '.join(cost[1].split()) if cost else 'not stated'}\n"
        f"  {_state(_ROOT / 'results' / name)}"
    )


def _state(out: Path) -> str:
    left = len(list((out / "shards").glob("*.parquet")))
    begun = f"; an unfinished run has left {left} shards" if left else ""
    if not (out / "table.parquet").exists():
        return f"no table yet{begun}"
    origin = load_provenance(out / "table.parquet")
    return (
        f"table of {origin['written'][:10]}, commit {origin['commit'][:8]}, on "
        f"{origin['device']}{begun}"
    )


def main(argv: Sequence[str]) -> int:
    """List or run; the exit code is the largest of those of the sweeps."""
    if not argv:
        print("\n\n".join(description(name) for name in names()))
        return 0
    if list(argv[:2]) != ["run", "--all"]:
        print(
            "error: python -m sweeps lists the sweeps, python -m sweeps run --all "
            f"[options] runs them; got {' '.join(argv)!r}",
            file=sys.stderr,
        )
        return 2
    return max(cli.main(name, argv[2:], renew=False) for name in names())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
