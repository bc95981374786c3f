import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweeps.harness.files import write_whole
from sweeps.harness.table import Column, Schema, encode, load

SCHEMA = Schema(
    version=1,
    columns=(
        Column("name", "str", "a label"),
        Column("layer", "int", "an index"),
        Column("log", "float", "a logarithm", decimals=3),
        Column("mean", "float", "a mean", digits=3),
    ),
    order=("name", "layer"),
)


def _frame(**changes):
    rows = {
        "mean": [123456.0, -0.00123456, 0.0, np.nan],
        "log": [1.23456, -np.inf, np.inf, np.nan],
        "layer": [1, 0, 1, 0],
        "name": ["b", "b", "a", "a"],
    }
    return {**rows, **changes}


def test_types_order_and_rounding():
    frame = SCHEMA.conform(_frame())
    assert list(frame.columns) == ["name", "layer", "log", "mean"]
    assert list(frame["name"]) == ["a", "a", "b", "b"]
    assert frame["layer"].dtype == np.int32
    assert frame["log"].dtype == np.float32
    np.testing.assert_array_equal(
        frame["log"], np.array([np.nan, np.inf, -np.inf, 1.235], np.float32)
    )
    np.testing.assert_array_equal(
        frame["mean"], np.array([np.nan, 0, -0.00123, 123000], np.float32)
    )


def test_values_that_leave_float_survive_a_file(tmp_path):
    frame = SCHEMA.conform(_frame())
    (tmp_path / "t.parquet").write_bytes(encode(frame, {"settings": {"a": [1]}}))
    back = load(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs["provenance"] == {"settings": {"a": [1]}}


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (_frame(extra=[1, 2, 3, 4]), "unknown: ..extra"),
        ({k: v for k, v in _frame().items() if k != "log"}, "missing: ..log"),
        (_frame(layer=[1, 1, 1, 0]), "two rows agree in name, layer"),
    ],
)
def test_violations_are_named(rows, match):
    with pytest.raises(ValueError, match=match):
        SCHEMA.conform(rows)


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(ValueError, match="not a Parquet table"):
        load(tmp_path / "text.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(ValueError, match="no provenance"):
        load(tmp_path / "plain.parquet")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "t"
    write_whole(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_relative_path_is_written_where_it_points(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole(Path("t"), b"abc")
    assert Path("t").read_bytes() == b"abc"
