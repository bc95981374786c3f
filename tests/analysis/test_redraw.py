import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.depth_vs_init import main

COMMITTED = Path(__file__).resolve().parents[2] / "results" / "depth_vs_init"


def test_missing_table(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/table.parquet is not there\n"


def test_foreign_table(tmp_path, capsys):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "table.parquet")
    assert main([str(tmp_path)]) == 2
    assert "carries no provenance" in capsys.readouterr().err


@pytest.mark.slow
def test_committed_figures_are_those_of_the_committed_table(tmp_path):
    shutil.copy(COMMITTED / "table.parquet", tmp_path)
    assert main([str(tmp_path)]) == 0
    for kept in sorted((COMMITTED / "figures").iterdir()):
        drawn = tmp_path / "figures" / kept.name
        assert drawn.exists()
        if drawn.suffix == ".csv":
            pd.testing.assert_frame_equal(pd.read_csv(drawn), pd.read_csv(kept), rtol=1e-4)
