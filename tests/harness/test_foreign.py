"""What others wrote: it is left alone, never believed, never executed."""

import ast
import contextlib
import hashlib
import io
import pickle
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from analysis import depth_vs_init as figures
from analysis.figures import compose, draw
from sweeps.depth_vs_init import SCHEMA
from sweeps.harness import provenance
from sweeps.harness.plan import units_of
from sweeps.harness.table import as_frame, decode, encode, load
from tests.harness import tiny
from tests.harness.runs import CODE, finish, measure


@pytest.fixture(autouse=True)
def clean_code(monkeypatch):
    monkeypatch.setattr(provenance, "code_state", lambda: CODE)
    tiny.CALLS.clear()


@pytest.fixture
def whole(tmp_path):
    """The table of an undisturbed run."""
    frame = load(measure(tmp_path / "undisturbed").table)
    tiny.CALLS.clear()
    return frame


def test_a_damaged_table_is_refused_or_has_the_same_values(tmp_path, whole):
    content = (tmp_path / "undisturbed" / "table.parquet").read_bytes()
    refused = 0
    for n in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[n] ^= 1 << n % 8
        try:
            frame = as_frame(decode(bytes(damaged), "damaged")[0])
        except ValueError:
            refused += 1
        else:
            for name, expected in zip(frame, whole, strict=True):
                assert frame[name].to_list() == whole[expected].to_list()
    assert refused > len(content) / 12, "a page that is damaged has another checksum"


def _signed(content, unit, out):
    """Write content as a shard, with the hash that belongs to it."""
    name = f"{unit}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    (out / "shards" / name).write_bytes(content)
    return name


def _foreign(frame):
    """Tables that are no shards of the run, though signed as if they were."""
    bare, others = io.BytesIO(), frame.assign(seed=frame["seed"] + 100)
    frame.to_parquet(bare)
    return {
        "text": b"some text",
        "nothing": b"",
        "no provenance": bare.getvalue(),
        "another provenance": encode(frame, {"of": "another program"}),
        "another list of failures": encode(frame, {"failed": ["all"]}),
        "other columns": encode(frame.rename(columns={"y": "z"}), {"failed": []}),
        "other rows": encode(others, {"failed": []}),
        "no rows": encode(frame[:0], {"failed": []}),
    }


KINDS = list(_foreign(pd.DataFrame({"seed": [1], "y": [1]})))


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_file_signed_as_a_shard_is_set_aside(tmp_path, whole, kind):
    out, told = tmp_path / "out", []
    (out / "shards").mkdir(parents=True)
    origin = load(tmp_path / "undisturbed" / "table.parquet").attrs["provenance"]
    unit = units_of(tiny, tiny.Config(), origin)[1]
    rows = whole[whole["seed"] == 1].reset_index(drop=True)
    rows.attrs.clear()
    content = _foreign(rows)[kind]
    _signed(content, unit.id, out)
    finish(out, whole, told=told)
    assert len(told) == 1
    kept = [p.read_bytes() for p in (out / "shards").iterdir()]
    assert kept == [content], "nothing was deleted"


def test_foreign_files_beside_a_run_are_kept(tmp_path, whole):
    out, told = tmp_path / "out", []
    unit, digest = "0123456789ab", "0123456789abcdef"
    mine = {
        *("notes.txt", ".hidden", "figures/mine.png", "shards/notes.txt"),
        f"shards/{unit}-{digest}.parquet",
        f"shards/{unit}-{digest[1:]}.parquet",
        f"shards/.{unit}-{digest}.parquet.tmp",
        f"shards/{unit[::-1]}-{digest}.parquet/below.parquet",
    }
    for name in mine:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    (out / "shards" / "nowhere").symlink_to("/nonexistent")
    finish(out, whole, told=told)
    assert told == []
    found = {p for p in out.rglob("*") if p.is_file()}
    assert {str(p.relative_to(out)) for p in found} == mine | {"table.parquet"}
    assert all((out / name).read_text() == "mine" for name in mine)
    assert (out / "shards" / "nowhere").is_symlink()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def _armed(frame, payload):
    """Tables with a pickle wherever one could stand."""
    plain = pa.Table.from_pandas(frame, preserve_index=False)
    provenance, pandas = {"provenance": b'{"failed": []}'}, plain.schema.metadata[b"pandas"]
    pickles = pa.array([payload] * len(frame), pa.binary())
    extension = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": payload,
    }
    typed = pa.field("name", pa.binary(), metadata=extension)
    objects = pandas.replace(b'"numpy_type": "str"', b'"numpy_type": "object"')
    kinds = {
        "type": (plain.set_column(0, typed, pickles), provenance),
        "values": (plain.set_column(0, "name", pickles), {**provenance, "pandas": objects}),
        "pandas": (plain, {**provenance, "pandas": payload}),
        "provenance": (plain, {"provenance": payload}),
    }
    return {
        kind: table.replace_schema_metadata(meta) for kind, (table, meta) in kinds.items()
    }


@pytest.mark.parametrize("place", ["type", "values", "pandas", "provenance"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # pyarrow says that it refuses
def test_a_pickle_in_a_table_is_never_loaded(tmp_path, monkeypatch, place):
    mark = tmp_path / "unpickled"
    payload = pickle.dumps(Bomb(mark))
    pickle.loads(payload)
    assert mark.exists(), "the bomb is live"
    mark.unlink()
    for name in ("loads", "load", "Unpickler"):
        monkeypatch.delattr(pickle, name)
    cell = [{"x": 1, "seed": 0}]
    frame = tiny.SCHEMA.conform(tiny.measure(cell, tiny.Config()))
    pq.write_table(_armed(frame, payload)[place], tmp_path / "table.parquet")
    with contextlib.suppress(ValueError):
        assert load(tmp_path / "table.parquet")["name"].to_list() in (["a"], [payload])
    with pytest.raises(ValueError, match="table"):
        measure(tmp_path)
    assert not mark.exists()


UNSAFE = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"),
    *("read_pickle", "to_pickle", "allow_pickle", "eval", "exec"),
}


def _names(path):
    """Modules, functions and arguments that a file names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (part for a in node.names for part in a.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (*node.module.split("."), *(a.name for a in node.names))
        elif isinstance(node, ast.Attribute):
            yield node.attr
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.keyword):
            yield node.arg


def _loads_safely(path):
    """Whether every use of numpy.load is a call that says allow_pickle=False."""
    tree = ast.parse(path.read_text())
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "load"]
    said = [
        node.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "allow_pickle" and getattr(word.value, "value", None) is False
    ]
    return all(use in said for use in uses)


def test_no_source_loads_pickles():
    """One file reads what numpy saved, as numbers only."""
    root = Path(__file__).resolve().parents[2]
    reader = root / "sweeps/data/archive.py"
    for path in [*root.glob("sweeps/**/*.py"), *root.glob("analysis/**/*.py")]:
        allowed = {"allow_pickle", "np.load"} if path == reader else set()
        unsafe = {*UNSAFE, "np.load", "numpy.load"} - allowed
        assert not unsafe & {*_names(path)}, path
    assert _loads_safely(reader)


@pytest.mark.parametrize(
    "call", ["np.load(f)", "np.load(f, allow_pickle=True)", "map(np.load, f)"]
)
def test_an_unsafe_load_would_be_found(tmp_path, call):
    (path := tmp_path / "reader.py").write_text(f"x = {call}\n")
    assert not _loads_safely(path)
    path.write_text("x = np.load(f, allow_pickle=False)\n")
    assert _loads_safely(path)


ODD = (
    *("[bold]x[/bold]", "$x_$", "$x", "<script>alert(1)</script>", "[/red]", ":smile:"),
    *("_hidden", "%s {x} \\n", "&amp;", "he_normal\x1b[2J", "two\nlines", "", "=1+1"),
)


@pytest.fixture
def odd():
    """A table whose schemes, and some activations, have odd names."""
    nothing = dict.fromkeys(SCHEMA.names, 0.0)
    rows = [
        {
            **nothing,
            **{"inputs": "gaussian", "activation": activation, "scheme": scheme},
            **{"width": 4, "depth": 3, "batch": 2, "layer": layer, "sigma_w": 1.0},
            **dict.fromkeys(("first_nonfinite", "first_flushed", "delta_flushed"), -1),
        }
        for activation in ("relu", *ODD[:2])
        for scheme in ODD
        for layer in range(3)
    ]
    return SCHEMA.conform(pd.DataFrame(rows))


def _shown(name):
    return "".join(c if c.isprintable() else "�" for c in name)


def test_text_in_a_table_is_text_in_a_terminal(odd):
    file = io.StringIO()
    console = Console(width=200, file=file, force_terminal=True, color_system=None)
    console.print(figures.summary(odd))
    told = file.getvalue()
    assert "\x1b[2J" not in told
    for name in ODD:
        assert _shown(name) in told


def test_text_in_a_table_is_text_in_a_figure(odd, tmp_path):
    drawn = [path for path in draw(figures, odd, tmp_path) if path.suffix == ".svg"]
    trees = [ET.parse(path) for path in drawn]
    assert len(trees) == 4
    for tree in trees:
        tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert "script" not in tags
        told = "".join(tree.getroot().itertext())
        assert all(name in told for name in ODD[:2])
    for name in ODD:
        assert _shown(name) in told, "the map has all schemes"


def test_a_legend_has_every_name(odd):
    figure = figures.FIGURES[0]
    some = odd[odd["scheme"].isin(["_hidden", "$x_$", "[/red]", "$x"])]
    legend = compose(figure, figure.data(some)).legends[0]
    told = [text.get_text().strip() for text in legend.get_texts()]
    names = [r"\$x", r"\$x_\$", "[/red]", "_hidden"]
    assert told == [*names, "mean field", "its 90 % band"]
