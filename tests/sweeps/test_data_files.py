"""A person's own examples: what is read, what it is called, and what is refused."""

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest

from sweeps import data, depth_vs_init
from sweeps.data.archive import archive
from sweeps.depth_vs_init import Config, cells
from sweeps.harness import cli, provenance
from sweeps.harness.directory import plain
from sweeps.harness.options import parse
from sweeps.harness.table import load

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (12, 3, 2)).astype(np.uint8)
CLASSES = np.tile([7, 3, 9], 4)
SMALL = {"activations": ("identity",), "schemes": ("orthogonal",), "depths": (2,)}
SMALL |= {"widths": (8,), "batches": (12,), "seeds": 1}


@pytest.fixture
def mine(tmp_path):
    """A file of twelve images of 3 x 2 pixels in three classes."""
    path = tmp_path / "mine.npz"
    np.savez(path, x=IMAGES, y=CLASSES)
    return str(path)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64"])
@pytest.mark.parametrize("name", ["x", "inputs", "images", "anything"])
def test_inputs_are_found_flattened_and_standardized(tmp_path, name, dtype):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, names=np.arange(3), **{name: IMAGES.astype(dtype)})
    inputs, labels = archive(str(path)).examples
    wide = IMAGES.reshape(12, 6).astype(float)
    np.testing.assert_allclose(inputs, (wide - wide.mean()) / wide.std(), rtol=1e-6)
    assert inputs.dtype == np.float32
    assert labels is None
    assert (data.count(str(path)), data.features(str(path), 99)) == (12, 6)


@pytest.mark.parametrize("name", ["y", "labels"])
def test_classes_are_numbered_from_0(tmp_path, name):
    path = tmp_path / "a.npz"
    np.savez(path, x=IMAGES, **{name: CLASSES})
    labels = archive(str(path)).examples.labels
    np.testing.assert_array_equal(labels, np.tile([1, 0, 2], 4))


def test_a_batch_is_of_different_examples_with_their_labels(mine):
    inputs, labels = archive(mine).examples
    batch = data.draw(mine, jax.random.key(3), batch=12, width=99)
    rows = [int(np.flatnonzero((inputs == x).all(1))[0]) for x in np.asarray(batch.inputs)]
    assert sorted(rows) == list(range(12)) != rows
    np.testing.assert_array_equal(batch.labels, labels[rows])


def test_without_labels_they_are_those_of_noise(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=IMAGES)
    key = jax.random.key(3)
    batch, noise = (data.draw(k, key, batch=12, width=6) for k in (str(path), "gaussian"))
    np.testing.assert_array_equal(batch.labels, noise.labels)
    assert len(np.unique(np.asarray(batch.inputs), axis=0)) == 12


def test_a_file_is_called_by_its_stem_and_content(mine, tmp_path):
    digest = hashlib.sha256(Path(mine).read_bytes()).hexdigest()[:8]
    assert data.name(mine) == f"mine.npz#{digest}"
    other = tmp_path / "elsewhere" / "mine.npz"
    other.parent.mkdir()
    other.write_bytes(Path(mine).read_bytes())
    both = Config(inputs=(mine, str(other), "ones"), **SMALL)
    assert [cell["inputs"] for cell in cells(both)] == [data.name(mine), "ones"]
    np.savez(other, x=IMAGES[::-1], y=CLASSES)
    assert [cell["inputs"] for cell in cells(both)] == [
        *(data.name(mine), data.name(str(other)), "ones")
    ]
    assert data.name(str(other)) != data.name(mine)
    assert plain(both)["inputs"] == [data.name(mine), data.name(str(other)), "ones"]
    assert str(tmp_path) not in str([plain(both), *cells(both)])


def test_a_batch_is_no_larger_than_the_file(mine):
    with pytest.raises(ValueError, match=r"goes to 13, but mine.npz#\w{8} has 12 examples"):
        cells(Config(inputs=("gaussian", mine), **{**SMALL, "batches": (2, 13)}))
    with pytest.raises(ValueError, match="goes to 1798, but digits has 1797 examples"):
        cells(Config(inputs=("digits",), **{**SMALL, "batches": (1798,)}))


class _Trap:
    """What would leave a file behind if it were unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


BAD = {
    "no array": ({}, "none of its arrays (it has none) is named x, inputs, images"),
    "flat": ({"x": np.arange(5)}, "array 'x' is of shape (5,); make it [example, feature]"),
    "empty": ({"x": np.ones((0, 4))}, "array 'x' is of shape (0, 4)"),
    "only flat": ({"a": np.arange(5)}, "none have 2 or more dimensions; name the inputs x"),
    "two": ({"a": IMAGES, "b": IMAGES}, "2 have 2 or more dimensions; name the inputs x"),
    "both": ({"x": IMAGES, "images": IMAGES}, "it has arrays x and images; keep one"),
    "nan": ({"x": [[1.0, np.nan]]}, "array 'x' cannot be standardized: it has values that"),
    "inf": ({"x": [[1.0, np.inf]]}, "not finite; remove or replace them"),
    "constant": (
        {"x": np.full((3, 2), 0.1)},
        "all its values are 0.1; give it inputs that",
    ),
    "tiny": ({"x": [[1e-200, 2e-200]]}, "divide it by its largest value"),
    "huge": ({"x": [[1e200, -1e200]]}, "divide it by its largest value"),
    "text": ({"x": [["a", "b"]]}, "array 'x' is of <U1; make it integer or float"),
    "complex": ({"x": [[1j, 2]]}, "array 'x' is of complex128; make it integer or float"),
    "pickle": ({"x": np.array([[_Trap()]])}, "array 'x' cannot be read as numbers"),
    "pickled": ({"x": IMAGES, "y": np.array([_Trap()])}, "array 'y' cannot be read"),
    "classes": ({"x": IMAGES, "y": np.arange(12)}, "'y' has 12 classes, the networks 10"),
    "shape": ({"x": IMAGES, "y": np.eye(12, dtype=int)}, "'y' is of shape (12, 12) for 12"),
    "float": ({"x": IMAGES, "y": CLASSES / 2}, "array 'y' is of float64; make it integer"),
    "two sets": ({"x": IMAGES, "y": CLASSES, "labels": CLASSES}, "arrays y and labels"),
}


@pytest.mark.parametrize(("arrays", "says"), BAD.values(), ids=BAD)
def test_arrays_that_cannot_be_used(tmp_path, monkeypatch, arrays, says):
    monkeypatch.chdir(tmp_path)
    np.savez("bad.npz", **arrays)
    with pytest.raises(
        ValueError, match=re.escape(f"--inputs bad.npz: {says}"[:16])
    ) as told:
        cells(Config(inputs=("bad.npz",)))
    assert says in str(told.value)
    assert os.listdir() == ["bad.npz"], "nothing was unpickled"  # noqa: PTH208


def _bytes(write, *arrays, **named):
    buffer = io.BytesIO()
    write(buffer, *arrays, **named)
    return buffer.getvalue()


def _damaged(content):
    """A byte in the middle of the array's numbers, turned around."""
    at = content.index(IMAGES.tobytes()[:20]) + 40
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


def _member_without_array():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x", "words")
    return buffer.getvalue()


WHOLE = _bytes(np.savez, x=IMAGES)
FILES = {
    "empty": (b"", "no whole .npz file; write it with numpy.savez"),
    "text": (b"x,y\n1,2\n", "no whole .npz file"),
    "pickle": (b"\x80\x04N.", "no whole .npz file"),
    "one array": (_bytes(np.save, IMAGES), "no whole .npz file"),
    "half": (WHOLE[: len(WHOLE) // 2], "no whole .npz file"),
    "damaged": (_damaged(WHOLE), "array 'x' cannot be read as numbers"),
    "words": (_member_without_array(), "'x' is no array; write it with numpy.savez"),
}


@pytest.mark.parametrize(("content", "says"), FILES.values(), ids=FILES)
def test_files_that_are_damaged_or_something_else(tmp_path, content, says):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"--inputs {path}: ")) as told:
        cells(Config(inputs=(str(path),)))
    assert says in str(told.value)


@pytest.mark.parametrize("name", ["no.npz", "a\0b.npz", "folder.npz", f"{'a' * 999}.npz"])
def test_files_that_are_not_there_are_one_line(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    assert cli.main("depth_vs_init", ["--data", name]) == 2
    assert re.fullmatch(r"error: --inputs [^\n]+\n", capsys.readouterr().err)


def test_data_is_another_word_for_inputs(mine):
    for option in ("--data", "--inputs"):
        given = parse("depth_vs_init", depth_vs_init, [option, "digits", mine])
        assert given.config == Config(inputs=("digits", mine))


def _run(*data_, out):
    words = ["--activations", "relu", "--schemes", "orthogonal", "--depths", "2"]
    words += ["--widths", "8", "--batches", "12", "--seeds", "1", "--out", str(out)]
    return cli.main("depth_vs_init", ["--data", *data_, *words])


def test_a_run_measures_files_and_knows_when_they_change(
    mine, tmp_path, capsys, monkeypatch
):
    state = provenance.code_state()
    monkeypatch.setattr(provenance, "code_state", lambda: state)  # only the file changes
    out = tmp_path / "out"
    assert _run("digits", mine, out=out) == 0
    table = load(out / "table.parquet")
    name = data.name(mine)
    assert set(table["inputs"]) == {"digits", name}
    assert str(tmp_path) not in str(table.attrs["provenance"])
    assert table.attrs["provenance"]["settings"]["inputs"] == ["digits", name]
    # All examples at once have unit second moment, and six of them enter eight units
    # with orthonormal rows.
    z = table[(table["inputs"] == name) & (table["layer"] == 0)].iloc[0]
    square = z["preact_mean"] ** 2 + 10 ** (2 * float(z["preact_log10_std"]))
    assert square == pytest.approx(6 / 8, rel=5e-4)
    assert _run("digits", mine, out=out) == 0
    assert "holds all cells" in capsys.readouterr().err
    np.savez(mine, x=IMAGES * 0.5 + 1e-3 * RANDOM.normal(size=IMAGES.shape), y=CLASSES)
    assert _run("digits", mine, out=out) == 2
    assert re.search(rf"inputs: \['digits', '{name}'\] there", capsys.readouterr().err)


def test_a_file_that_changes_during_a_run_is_not_measured(mine):
    config = Config(inputs=(mine,), **SMALL)
    known = cells(config)
    np.savez(mine, x=IMAGES[:6], y=CLASSES[:6])
    with pytest.raises(ValueError, match="may not change while it is measured"):
        depth_vs_init.measure(known, config)


def test_what_a_file_costs_depends_on_its_features(mine):
    config = Config(inputs=(mine,), **SMALL)
    priced = depth_vs_init.cost(cells(config), config)
    noise = Config(inputs=("gaussian",), **SMALL)
    wider = depth_vs_init.cost(cells(noise), noise)
    assert priced.rows == wider.rows == 2
    assert priced.programs != wider.programs
    assert 0 < priced.memory < wider.memory
