"""Compiled programs are kept between processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.harness.compilations import _noisy, keep_compilations

ROOT = Path(__file__).resolve().parents[2]
COMPILE = """
import sys
{first}
from sweeps.harness.compilations import keep_compilations
folder = keep_compilations()
import jax
found = []
jax.monitoring.register_event_listener(lambda event, **_: found.append(event))
jax.jit(lambda x: x * 3.14159)(2.0).block_until_ready()
print(folder, "/jax/compilation_cache/cache_hits" in found)
"""


def _run(home, first="", **environment):
    given = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE.format(first=first)],
        cwd=ROOT,
        env={**given, "XDG_CACHE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(_noisy(), reason="not kept by this jaxlib")
def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    folder, found = _run(tmp_path)
    assert Path(folder).parent == tmp_path / "initjax" / "xla"
    assert found == "False"
    assert _run(tmp_path, first="import jax")[1] == "True"


def test_what_jax_is_told_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAX_ENABLE_COMPILATION_CACHE", "False")
    assert keep_compilations() is None
    monkeypatch.delenv("JAX_ENABLE_COMPILATION_CACHE")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "elsewhere")
    assert keep_compilations() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "closed"])
def test_a_place_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch, kind):
    for name in ("JAX_ENABLE_COMPILATION_CACHE", "JAX_COMPILATION_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    if kind == "file":
        (tmp_path / "initjax").write_text("")
    else:
        monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert keep_compilations() is None
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
