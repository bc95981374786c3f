"""A process that forks runs of the tiny sweep: starting python anew takes a second.

Reads a Command as JSON from each line of stdin; answers with the wait status.
"""

import io
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import ClassVar, NamedTuple

# What a run would import while its time is measured.
import pyarrow.parquet  # noqa: F401

from sweeps.harness import cost, provenance, work
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.lock import held
from sweeps.harness.runner import Engine, run
from tests.harness import tiny

MEASURE = tiny.measure
ODD = {1: float("nan"), 2: float("inf"), 3: -0.0}
"""y by seed, where it is not x² + seed."""
TOUCHES = {
    *("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"),
    *("os.chmod", "fcntl.flock", "os.scandir", "tempfile.mkstemp"),
}
"""What python is about to do to files, by its audit events."""


class Command(NamedTuple):
    """One run.

    Attributes:
        out: Directory of results.
        seeds: Number of seeds.
        after: Seconds after which it is killed, if it has not ended.
        touches: Number of touches of its files before which it dies.
        code: Of which it claims to be.
    """

    out: str
    seeds: int
    after: float | None = None
    touches: int | None = None
    code: str = "0123"


def origin(code: str) -> dict:
    """Provenance of a machine that does not exist, without JAX."""
    state = {"commit": "c0ffee", "dirty": False, "code": code}
    return {**state, "schema_version": tiny.SCHEMA.version, "device": "none"}


def measure(cells, config):
    """Columns of the tiny sweep, some of them odd."""
    columns = dict(MEASURE(cells, config))
    columns["y"] = [
        ODD.get(seed, y) for seed, y in zip(columns["seed"], columns["y"], strict=True)
    ]
    return columns


def measured(command: Command) -> None:
    """Measure the tiny sweep as its command line would."""
    config = tiny.Config(seeds=command.seeds, pause=0.0005)
    tiny.measure = measure
    provenance.collect = lambda name, settings, version: (
        origin(command.code) | {"sweep": name, "settings": settings}
    )
    work.capacity = lambda: cost.Capacity(1, False, 10**9)
    store = Store(command.out)
    prepare(store, plain(config), tiny.SCHEMA)
    with held(store, print):
        run("tiny", tiny, config, command.out, lambda *_: None, engine=Engine(at_once=1))


class Halves(io.FileIO):
    """A file that is written in two halves, so that one can die between them."""

    between: ClassVar = None

    def write(self, content):
        """Write all of it."""
        half = super().write(content[: len(content) // 2])
        Halves.between()
        return half + super().write(content[half:])


def die_at(touches: int, out: str) -> None:
    """Kill this process before it touches files of the directory so many times."""
    left = [touches]

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def touch(event: str, arguments: tuple) -> None:
        if event in TOUCHES and (event == "fcntl.flock" or out in str(arguments[0])):
            count()

    sys.addaudithook(touch)
    Halves.between = count
    os.fdopen = Halves


def child(command: Command) -> int:
    """Exit code of the run."""
    signal.alarm(60)
    try:
        if command.touches is not None:
            die_at(command.touches, command.out)
        measured(command)
    except BaseException:
        Path(f"{command.out}.log").write_text(traceback.format_exc())
        return 1
    return 0


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        command = Command(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            os._exit(child(command))
        if command.after is not None:
            time.sleep(command.after)
            os.kill(pid, signal.SIGKILL)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
