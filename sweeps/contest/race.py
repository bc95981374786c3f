"""Contestants of one task, each in its process, turn by turn.

In every round each does the work once, so that what disturbs the machine for a while
disturbs all of them; their order is another one in every round.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_PAUSE = 0.3
"""Seconds before each run, for threads of the one before that still wait for work."""
_PATIENCE = 1800.0
"""Seconds after which a contestant is given up."""


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
        shuffled = random.Random(0)
        for turn in range(rounds):
            for name in shuffled.sample(contestants, len(contestants)):
                time.sleep(_PAUSE)
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

    def __init__(self, name: str, process: subprocess.Popen[str], errors: Any) -> None:
        self._name, self._process, self._errors = name, process, errors
        begun = time.perf_counter()
        self._answer()
        self.since_start = time.perf_counter() - begun

    def once_more(self) -> dict[str, Any]:
        """What the next run took."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # there will be no answer
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        timer = threading.Timer(_PATIENCE, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            said = self._errors.read()[-500:]
            raise RuntimeError(f"contestant {self._name} ended with {code}: {said}")
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
        # On an accelerator all contestants are alive at once.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
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
            yield _Racer(name, process, errors)
        finally:
            process.kill()
