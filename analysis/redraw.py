"""The command line of every analysis module: a directory of results in, files out."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.figures import draw
from sweeps.harness.table import load

_RESULTS = Path(__file__).resolve().parents[1] / "results"


def main(name: str, argv: Sequence[str]) -> int:
    """Redraw the figures of ``analysis.<name>`` from the table alone.

    Returns:
        Exit code: 0 done, 2 for a missing or foreign table.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m analysis.{name}", description=main.__doc__
    )
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=_RESULTS / name,
        help=f"directory with table.parquet (default: results/{name})",
    )
    folder = parser.parse_args(argv).directory
    analysis = importlib.import_module(f"analysis.{name}")
    try:
        table = load(folder / "table.parquet")
        version = table.attrs["provenance"].get("schema_version")
        sweep = importlib.import_module(f"sweeps.{name}")
        if version != sweep.SCHEMA.version:
            raise ValueError(
                f"{folder}/table.parquet has schema {version}, this code reads "
                f"{sweep.SCHEMA.version}; run python -m sweeps.{name} again"
            )
        for path in draw(analysis, table, folder / "figures"):
            print(path)
    except FileNotFoundError:
        print(f"error: {folder}/table.parquet is not there", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
