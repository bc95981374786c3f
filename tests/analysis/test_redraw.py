import shutil
from pathlib import Path

import pandas as pd

from analysis import learning_time
from analysis.depth_vs_init import main

COMMITTED = Path(__file__).resolve().parents[2] / "results" / "learning_time"


def test_missing_table(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/table.parquet is not there\n"


def test_foreign_table(tmp_path, capsys):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "table.parquet")
    assert main([str(tmp_path)]) == 2
    assert "carries no provenance" in capsys.readouterr().err


def test_committed_figures_are_those_of_the_committed_table(tmp_path):
    """Of the smallest table; tests/report draws all of them, in processes that optimize."""
    shutil.copy(COMMITTED / "table.parquet", tmp_path)
    assert learning_time.main([str(tmp_path)]) == 0
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    assert drawn == {path.name for path in (COMMITTED / "figures").iterdir()}
    for kept in (COMMITTED / "figures").glob("*.csv"):
        again = pd.read_csv(tmp_path / "figures" / kept.name)
        pd.testing.assert_frame_equal(again, pd.read_csv(kept), rtol=1e-4)
