"""Command lines and settings that make no sense: exit code 2 and words, no traceback."""

import contextlib
import io
import os
import re
import tempfile
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initjax.activations import resolve
from sweeps.data import INPUTS
from sweeps.depth_vs_init import PRESETS, Config, cells
from sweeps.harness import cli
from sweeps.schemes import canonical

SEEDED = settings(max_examples=200, derandomize=True, deadline=None, database=None)
OPTIONS = {
    *("out", "resume", "redo", "list", "dry-run", "at-once", "workers", "scheduler"),
    *("coordinator", "processes", "process-id", "preset", "help"),
    *(field.name for field in fields(Config)),
}
MOST = {"depths": 10**4, "widths": 10**5, "batches": 10**4, "seeds": 10**5, "layers": 10**4}
WHOLE = ("depths", "widths", "batches")
LEAST = {**dict.fromkeys(MOST, 1), "layers": 2}


def _known(check, *arguments):
    """Whether a name makes sense after all."""
    with contextlib.suppress(ValueError):
        check(*arguments)
        return True
    return False


ODD = (
    *("", " ", "\0", "\x1b[2J", "two\nlines", "\udc80", "√", "１", "[bold]x[/bold]", "[/]"),
    *("$x_$", "%s", "{0}", "nan", "-inf", "None", "()", "normal(", "a" * 999, "../.."),
    *("relu()", "normal(nan)", "normal(1,2)", "uniform(1, 0)", "leaky_relu(x)", "'; ls"),
)
text = st.one_of(st.sampled_from(ODD), st.text(max_size=20))
no_option = text.filter(lambda word: not word.startswith("-"))
no_scheme = no_option.filter(lambda name: not _known(canonical, name))
no_activation = no_option.filter(lambda name: not _known(resolve, name))
no_input = no_option.filter(lambda name: name not in INPUTS)
no_number = no_option.filter(lambda word: not _known(int, word))
no_preset = text.filter(lambda name: name not in PRESETS)


def _outside(axis):
    below = st.integers(max_value=LEAST[axis] - 1)
    return st.one_of(below, st.integers(min_value=MOST[axis] + 1))


def _bad_value(axis):
    """Words after an option of the sweep's own, at least one of which is wrong."""
    names = {"schemes": no_scheme, "activations": no_activation, "inputs": no_input}
    one = names[axis] if axis in names else no_number | _outside(axis).map(str)
    least = 0 if axis in names or axis in WHOLE else 1
    most = 1 if axis in ("seeds", "layers") else 3
    return st.lists(one, min_size=least, max_size=most).map(lambda v: [f"--{axis}", *v])


def _unknown(word):
    return word.replace("_", "-") not in OPTIONS


words = st.from_regex(r"[a-z][a-z_-]{0,20}", fullmatch=True).filter(_unknown)
UNKNOWN = (
    words.map(lambda word: [f"--{word}"]),
    words.map(lambda word: [f"--{word}=1"]),
    words.map(lambda word: [f"-z{word}"]),
    no_scheme.filter(_unknown).map(lambda word: ["--resume", word]),
)
HARNESS = (
    no_preset.map(lambda name: [f"--preset={name}"]),
    no_number.map(lambda word: ["--at-once", word]),
    st.integers(max_value=-1).map(lambda n: ["--at-once", str(n)]),
    st.integers(min_value=10**6 + 1).map(lambda n: ["--at-once", str(n)]),
    st.just(["--resume", "--redo"]),
    no_number.map(lambda word: ["--workers", word]),
    st.integers().map(lambda n: ["--process-id", str(n)]),
    st.integers().map(lambda n: ["--processes", str(n)]),
    no_option.filter(lambda w: w != "auto" and ":" not in w).map(
        lambda word: ["--coordinator", word, "--processes", "2", "--process-id", "0"]
    ),
    st.sampled_from([":1", "h:", "h:0", "h:65536", "h:-1", "h:x", "h:1.5"]).map(
        lambda word: ["--coordinator", word, "--processes", "2", "--process-id", "0"]
    ),
    st.sampled_from(["h:1", "auto"]).map(lambda h: ["--coordinator", h, "--workers", "2"]),
    st.integers(2, 9).map(
        lambda n: ["--coordinator", "h:1", "--processes", "2", "--process-id", str(n)]
    ),
    st.just(["--coordinator", "h:1"]),
    st.from_regex(r"x[a-z]{1,9}://[a-z]{0,9}", fullmatch=True).map(lambda u: ["--out", u]),
    st.sampled_from(["\0", "a\0b", "file://\0", "a\nb://c"]).map(lambda w: ["--out", w]),
    st.sampled_from(["file", "file/in", "a" * 5000]).map(lambda word: ["--out", word]),
)
SWEEP = tuple(_bad_value(field.name) for field in fields(Config))
VALID = {
    "--schemes": ["he_normal", "orthogonal"],
    "--activations": ["relu"],
    "--inputs": ["gaussian"],
    "--depths": ["2", "3"],
    "--widths": ["4"],
    "--seeds": ["1"],
    "--layers": ["2"],
    "--at-once": ["1"],
    "--out": ["out"],
}


@st.composite
def command_lines(draw):
    """A malformed part among valid ones, in any order."""
    part = draw(st.sampled_from([*UNKNOWN, *HARNESS, *SWEEP]))
    bad = draw(part)
    given_ = {word.partition("=")[0] for word in bad}
    valid = [[name, *values] for name, values in VALID.items() if name not in given_]
    return [word for words in draw(st.permutations([bad, *valid])) for word in words]


def _told(argv):
    """Exit code, stdout, stderr, and the files that were made."""
    out, err = io.StringIO(), io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(cli, "_RESULTS", Path(folder) / "results")
        Path("file").write_text("mine")
        try:
            code = cli.main("depth_vs_init", argv)
        except SystemExit as exit_:
            code = exit_.code
        assert Path("file").read_text() == "mine"
        Path("file").unlink()
        return code, out.getvalue(), err.getvalue(), os.listdir(".")  # noqa: PTH208


LINE = re.compile(r"error: [^\n]+\n")
BOX = re.compile(r"\W*(Unrecognized options|Value error|Missing argument|Parsing error)\s")
"""How the parser begins what it says."""


@SEEDED
@given(command_lines())
def test_a_malformed_command_line_ends_with_code_2_and_one_message(argv):
    code, out, err, made = _told(argv)
    assert code == 2, err
    assert LINE.fullmatch(err) or BOX.match(err), err
    assert len(BOX.findall(err)) <= 1, err
    assert "Traceback" not in err
    assert out == ""
    assert made == []


SMALL = [word for name, values in VALID.items() for word in (name, *values)][:-2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "dir://x"], "--out dir://x"),
        (["--out="], "--out"),
        (["--out", "out", "--workers", "0"], "--workers"),
        (["--out", "out", "--workers", "2", "--scheduler", "h:1"], "--workers"),
        (["--out", "out", "--scheduler", "nonsense://h:1"], "--scheduler"),
        (["--out", "\x1b[2J://x"], "--out"),
        (["--out", "out", "--schemes", "x" * 100_000], "scheme"),
    ],
    ids=["driver", "empty", "workers", "both", "scheduler", "control", "long"],
)
def test_a_message_is_one_short_printable_line(words, says):
    code, out, err, made = _told([*SMALL, *words])
    assert code == 2
    assert says in err
    assert re.fullmatch(r"error: [^\n]{1,1000}\n", err)
    assert err.rstrip("\n").isprintable()
    assert out == ""
    assert made == []


AXES = {
    "schemes": st.lists(no_scheme, max_size=3),
    "activations": st.lists(no_activation, max_size=3),
    "inputs": st.lists(no_input, max_size=3),
    **{
        axis: st.lists(_outside(axis), max_size=3)
        for axis in ("depths", "widths", "batches")
    },
}
NUMBERS = {axis: _outside(axis) for axis in ("seeds", "layers")}


@st.composite
def configs(draw):
    """An option and a value of its type that is out of range, unknown, or none at all."""
    name = draw(st.sampled_from([*AXES, *NUMBERS]))
    value = tuple(draw(AXES[name])) if name in AXES else draw(NUMBERS[name])
    return name, value


@SEEDED
@given(configs())
def test_a_malformed_config_is_refused_by_name(setting):
    name, value = setting
    with pytest.raises(ValueError) as raised:
        cells(Config(**{name: value}))
    assert name.removesuffix("s") in str(raised.value)


no_integer = st.one_of(
    st.none(), st.text(max_size=5), st.floats(), st.binary(max_size=3), st.just((1,))
)
no_text = st.one_of(st.none(), st.integers(), st.floats(), st.binary(max_size=3))
TYPES = {
    **dict.fromkeys(WHOLE, no_integer),
    **dict.fromkeys(("schemes", "activations", "inputs"), no_text),
}


@st.composite
def ill_typed(draw):
    """An option and a value of another type."""
    name = draw(st.sampled_from([*TYPES, *NUMBERS]))
    if name in NUMBERS:
        return name, draw(no_integer)
    wrong = TYPES[name]
    return name, draw(st.one_of(st.none(), st.integers(), st.tuples(wrong)))


@SEEDED
@given(ill_typed())
def test_a_setting_of_another_type_is_refused_by_name(setting):
    name, value = setting
    with pytest.raises(ValueError) as raised:
        cells(Config(**{name: value}))
    assert name.removesuffix("s") in str(raised.value)
