"""The tables whose claims are tested: the committed ones, or measured anew."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sweeps.harness.table import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def committed(request) -> bool:
    """Whether the tables are the committed ones, whose numbers the docstrings print.

    Measured anew, on another machine or with another jax, their last digits may differ.
    """
    return not request.config.getoption("--remeasure")


@pytest.fixture(scope="session")
def measured(committed, tmp_path_factory) -> Callable[[str], pd.DataFrame]:
    """From the name of a sweep to its table at the default preset.

    The committed table; with ``pytest --remeasure tests/claims``, that of a new run.
    """
    if committed:
        return lambda name: load(ROOT / "results" / name / "table.parquet")
    folder = tmp_path_factory.mktemp("measured")

    def run(name: str) -> pd.DataFrame:
        out = folder / name
        if not out.exists():
            command = [sys.executable, "-m", f"sweeps.{name}", "--out", str(out)]
            # Compiled as users compile, unlike the other tests.
            plain = {k: v for k, v in os.environ.items() if not k.startswith("JAX_DISABLE")}
            subprocess.run(command, cwd=ROOT, env=plain, check=True)
        return load(out / "table.parquet")

    return run
