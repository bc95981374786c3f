"""Contestants of one task, each in its process, turn by turn.

In every round each does the work once, so that what disturbs the machine for a while
disturbs all of them; the order turns from round to round.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def race(
    task: str, contestants: Sequence[str], rounds: int, size: str
) -> list[dict[str, Any]]:
    """One row per contestant and round, see ``sweeps.throughput.SCHEMA``.

    The seconds of a fresh process are those from its start to its first result, with
    nothing in the cache of compiled programs, and once more with what the first has
    left there; nan for those who have no such cache.

    Raises:
        RuntimeError: if a contestant fails, with the end of what it said.
    """
    with contextlib.ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        racers, fresh = {}, {}
        for name in contestants:
            racers[name] = stack.enter_context(_started(name, task, size, cache))
            fresh[name] = {"cold_s": racers[name].since_start, "again_s": float("nan")}
        for name in filter(_compiles, contestants):
            with _started(name, task, size, cache) as again:
                fresh[name]["again_s"] = again.since_start
        rows = []
        for turn in range(rounds):
            shift = turn % len(contestants)
            for name in (*contestants[shift:], *contestants[:shift]):
                told = racers[name].once_more()
                rows.append(
                    {
                        "task": task,
                        "contestant": name,
                        "round": turn,
                        "warm_s": told.pop("seconds"),
                        **fresh[name],
                        **told,
                    }
                )
        return rows


def _compiles(contestant: str) -> bool:
    """Whether it leaves compiled programs behind: those of JAX do."""
    return "torch" not in contestant and "import" not in contestant


class _Racer:
    """A contestant's process, after its first result."""

    def __init__(self, process: subprocess.Popen[str], errors: Any) -> None:
        self._process, self._errors = process, errors
        begun = time.perf_counter()
        self._answer()
        self.since_start = time.perf_counter() - begun

    def once_more(self) -> dict[str, Any]:
        """What the next run took."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"a contestant failed: {self._errors.read()[-500:]}")
        told: dict[str, Any] = json.loads(line)
        return told


@contextlib.contextmanager
def _started(name: str, task: str, size: str, cache: str) -> Iterator[_Racer]:
    """A fresh process that has done its work once."""
    environment = {
        **os.environ,
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_COMPILATION_CACHE_DIR": str(Path(cache) / name),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    words = [sys.executable, "-m", "sweeps.contest.contestant", name, task, size]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            words,
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield _Racer(process, errors)
        finally:
            if process.stdin:
                process.stdin.close()
            process.terminate()
