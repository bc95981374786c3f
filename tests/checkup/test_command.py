"""The command line: exit codes, JSON, a plot, and one line for bad use."""

import json
import subprocess
import sys

import pytest

from initjax.checkup.command import run

MODELS = """
import flax.linen as nn
import numpy as np

def healthy():
    return nn.Sequential([nn.Dense(16), nn.tanh, nn.Dense(2)])

model = nn.Sequential([f for _ in range(14) for f in (nn.Dense(32), nn.relu)])
zeros = nn.Sequential([nn.Dense(8, kernel_init=nn.initializers.zeros) for _ in range(3)])

def batch():
    return np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32)

data = batch()
words = "no array"

def loss(y):
    return (y ** 2).mean()

def no_loss(y):
    return y

def broken():
    raise RuntimeError("first line\\nsecond line")
"""

HEALTHY = ("my_models:healthy", "--batch", "my_models:data")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_models", raising=False)
    return tmp_path


def call(*arguments):
    return run(["diagnose", *arguments])


def test_healthy_is_0(folder, capsys):
    given = ("my_models:healthy", "--batch", "my_models:batch", "--loss", "my_models:loss")
    assert call(*given, "--seeds", "3") == 0
    assert "healthy" in capsys.readouterr().out


def test_findings_are_1_and_json_holds_them(folder, capsys):
    assert call("my_models:model", "--batch", "my_models:data", "--json") == 1
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "vanishing"
    assert record["findings"][0]["remedy"] == "init.kaiming_normal()"


def test_a_plot_is_saved(folder):
    given = ("my_models:zeros", "--batch", "my_models:data", "--plot", "signals.png")
    assert call(*given) == 1
    assert (folder / "signals.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "model"),
        (("my_models:model",), "--batch"),
        (("my_models", "--batch", "my_models:data"), "argument model.*'my_models'"),
        (("nowhere:model", "--batch", "my_models:data"), "argument model.*nowhere"),
        (("my_models:other", "--batch", "my_models:data"), "argument model.*other"),
        (("my_models:broken", "--batch", "my_models:data"), "broken.*first line$"),
        (("my_models:model", "--batch", "my_models:words"), "batch"),
        (("my_models:words", "--batch", "my_models:data"), "model"),
        (("my_models:model", "--batch", "my_models:data", "--seeds", "0"), "--seeds"),
        (("my_models:model", "--batch", "my_models:data", "--seeds", "few"), "--seeds"),
        (("my_models:model", "--batch", "my_models:data", "--plot", "no/f.png"), "--plot"),
        (
            (
                "my_models:healthy",
                "--batch",
                "my_models:data",
                "--loss",
                "my_models:no_loss",
            ),
            "loss",
        ),
    ],
)
def test_bad_use_is_2_and_one_line(folder, capsys, arguments, said):
    assert call(*arguments) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1 and "Traceback" not in error
    import re

    assert re.search(said, error.strip())


@pytest.mark.slow
def test_it_runs_as_a_module_from_any_folder(folder):
    command = [sys.executable, "-m", "initjax", "diagnose", "my_models:model"]
    done = subprocess.run(
        [*command, "--batch", "my_models:data"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1, done.stderr
    assert "vanishing" in done.stdout
