"""``python -m analysis`` on a folder with one small sweep, whole and broken."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis import learning_time
from analysis.report import command, gather
from analysis.report.facts import Missing, Shown

ROOT = Path(__file__).resolve().parents[2]
NAME = "learning_time"


@pytest.fixture(autouse=True)
def one_sweep(monkeypatch):
    """Nothing but the sweep with the smallest table and one figure."""
    monkeypatch.setattr(command, "names", lambda: [NAME])


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results" / NAME
    folder.mkdir(parents=True)
    content = (ROOT / "results" / NAME / "table.parquet").read_bytes()
    (folder / "table.parquet").write_bytes(content)
    return tmp_path / "results"


def _change(results, change):
    """Write the table again with changed columns or provenance."""
    path = results / NAME / "table.parquet"
    rows = pq.read_table(path)
    origin = json.loads(rows.schema.metadata[b"provenance"])
    rows, origin = change(rows, origin)
    pq.write_table(
        rows.replace_schema_metadata({b"provenance": json.dumps(origin).encode()}), path
    )


def _run(results, *more):
    return command.main([str(results), "--processes", "1", *map(str, more)])


def test_it_draws_and_writes_the_report(results, capsys):
    assert _run(results) == 0
    told = capsys.readouterr()
    assert told.out.split() == [
        str(results / "report" / "index.html"),
        str(results / "REPORT.md"),
    ]
    assert told.err == ""
    kinds = sorted(p.suffix for p in (results / NAME / "figures").iterdir())
    assert kinds == [".csv", ".png", ".svg"]
    text = (results / "REPORT.md").read_text()
    assert learning_time.FIGURES[0].caption.rstrip(".") in text
    assert "Between 3 and 60 weight matrices" in text
    assert "Largest deviation" in text
    page = (results / "report" / "index.html").read_text()
    assert "<svg" in page
    assert "not drawn" not in page


def test_two_runs_are_equal_to_the_byte(results, tmp_path, monkeypatch):
    """At another time, elsewhere, and with a date that other tools take for theirs."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert _run(results, "--out", tmp_path / "a") == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert _run(results, "--out", tmp_path / "b") == 0
    a, b = (
        {p.relative_to(top): p.read_bytes() for p in top.rglob("*") if p.is_file()}
        for top in (tmp_path / "a", tmp_path / "b")
    )
    assert len(a) == 5
    assert a == b


def test_tables_are_left_alone_when_the_report_goes_elsewhere(results, tmp_path):
    assert _run(results, "--out", tmp_path / "out") == 0
    assert [p.name for p in (results / NAME).iterdir()] == ["table.parquet"]


def test_a_missing_table(results, capsys):
    (results / NAME / "table.parquet").unlink()
    assert _run(results) == 1
    assert "table.parquet is not there" in capsys.readouterr().err
    for path in (results / "report" / "index.html", results / "REPORT.md"):
        text = path.read_text()
        assert "Missing:" in text
        assert "is not there" in text
        assert f"python -m sweeps.{NAME}" in text


def test_a_table_of_another_schema(results, capsys):
    _change(results, lambda rows, origin: (rows, origin | {"schema_version": -3}))
    assert _run(results) == 1
    assert "has schema -3, this code reads" in capsys.readouterr().err
    assert "has schema -3" in (results / "REPORT.md").read_text()


def test_a_table_without_a_column(results, capsys):
    _change(results, lambda rows, origin: (rows.drop_columns(["steps"]), origin))
    assert _run(results) == 1
    assert "its table lacks steps; run python -m sweeps" in capsys.readouterr().err


def test_a_file_that_is_no_table(results, capsys):
    (results / NAME / "table.parquet").write_bytes(b"PAR1 no")
    assert _run(results) == 1
    assert "is not a Parquet table" in capsys.readouterr().err


def test_a_figure_that_cannot_be_drawn_costs_no_other(results, tmp_path, monkeypatch):
    (good,) = learning_time.FIGURES

    def fail(table):
        raise TypeError("of a kind")

    bad = type(good)("bad", good.plot, fail, "panel")
    monkeypatch.setattr(learning_time, "FIGURES", (bad, good))
    found = gather.gather(NAME, results, tmp_path / "out")
    assert found.figures[0] == Missing("bad", good.caption, "TypeError: of a kind")
    assert isinstance(found.figures[1], Shown)
    assert not found.whole


def test_a_sentence_that_cannot_be_said(results, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_time, "answer", lambda table: 1 / 0, raising=False)
    found = gather.gather(NAME, results, tmp_path / "out")
    assert found.problems == ("no answer: ZeroDivisionError: division by zero",)
    assert found.comparison is not None


def test_a_sentence_of_a_table_of_other_settings(results, tmp_path, monkeypatch):
    monkeypatch.setattr(learning_time, "answer", lambda table: {}["row"], raising=False)
    found = gather.gather(NAME, results, tmp_path / "out")
    assert found.answer == ""
    assert found.whole


@pytest.mark.parametrize(
    "arguments", [["--processes", "0"], ["--processes", "x"], ["--what"]]
)
def test_bad_use(arguments):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2


def test_no_folder_of_results(tmp_path, capsys):
    assert _run(tmp_path / "nothing") == 2
    assert "is no directory of results" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(results, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert _run(results, "--out", tmp_path / "file") == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_command_is_light():
    """What starts the processes that draw loads neither what draws nor what measures."""
    code = (
        "import analysis.report.command, sys; "
        "print([m for m in ('jax', 'matplotlib', 'pandas', 'seaborn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
