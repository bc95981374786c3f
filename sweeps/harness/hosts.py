"""Several processes of one run, on one machine or many, by ``jax.distributed``.

Each takes every n-th call and writes its shards to the same place; the first one
makes the table. Nothing but a few bytes at the start passes between them.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sweeps.harness.execute import Stopping
from sweeps.harness.shards import Log

T = TypeVar("T")
_LOOK = 1.0
"""Seconds between looks at what the others have written."""
_SPEAK = 60.0
"""Seconds between words about what is still missing."""


@dataclass(frozen=True)
class Hosts:
    """The processes of a run.

    Attributes:
        index: Position of this one.
        count: How many there are.
    """

    index: int = 0
    count: int = 1

    def mine(self, calls: list[T]) -> list[T]:
        """The calls that this process takes."""
        return calls[self.index :: self.count]

    def agree(self, error: Exception | None = None) -> None:
        """Wait for all processes at this point, and end all if one cannot go on.

        Raises:
            ValueError: if another process had an error; this one's is raised as it is.
        """
        if self.count > 1:
            import numpy as np
            from jax.experimental import multihost_utils

            well = multihost_utils.process_allgather(np.array(error is None))
            if error is None and not well.all():
                stopped = [n for n, one in enumerate(well) if not one]
                raise ValueError(f"process {stopped[0]} cannot go on; see what it says")
        if error is not None:
            raise error

    def wait(self, missing: Callable[[], int], stop: Stopping, log: Log) -> None:
        """Wait until nothing is missing that the others measure."""
        spoken = time.monotonic()
        while self.count > 1 and (left := missing()):
            stop.check()
            if time.monotonic() - spoken > _SPEAK:
                log(f"waiting for {left} units that other processes measure")
                spoken = time.monotonic()
            time.sleep(_LOOK)


def join(
    coordinator: str | None,
    processes: int | None,
    process_id: int | None,
    environment: Mapping[str, str] = os.environ,
) -> Hosts:
    """Join the processes of a run, before JAX looks for its devices.

    Args:
        coordinator: ``host:port`` of the first process, or ``auto`` for what JAX finds
            out itself (Slurm, MPI, TPU, Kubernetes). Without it a step of Slurm with
            several tasks, or a TPU slice of several hosts, is joined too.
        processes: How many there are, unless found out.
        process_id: Which one this is, from 0, unless found out.
        environment: The variables of the process.

    Raises:
        ValueError: for arguments that do not go together, or if the others do not
            come within five minutes.
    """
    _check(coordinator, processes, process_id)
    if coordinator is None and not _of_several(environment):
        return Hosts()
    import jax

    address = None if coordinator == "auto" else coordinator
    try:
        jax.distributed.initialize(address, processes, process_id)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"cannot join the other processes by --coordinator {coordinator or 'auto'}: "
            f"{error}"
        ) from error
    return Hosts(jax.process_index(), jax.process_count())


def _check(coordinator: str | None, processes: int | None, process_id: int | None) -> None:
    numbered = processes is not None or process_id is not None
    if coordinator in (None, "auto"):
        if numbered:
            raise ValueError(
                "--processes and --process-id need --coordinator host:port of process 0"
            )
        return
    host, _, port = str(coordinator).rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"--coordinator must be host:port or auto; got {coordinator!r}")
    if processes is None or process_id is None:
        raise ValueError(f"--coordinator {coordinator} needs --processes and --process-id")
    if processes < 1 or not 0 <= process_id < processes:
        raise ValueError(
            "--process-id must be from 0 to --processes - 1; got "
            f"--process-id {process_id} of --processes {processes}"
        )


def _of_several(environment: Mapping[str, str]) -> bool:
    """Whether this is one of several tasks of a Slurm step, or hosts of a TPU slice."""
    tasks = environment.get("SLURM_STEP_NUM_TASKS", "")
    workers = environment.get("TPU_WORKER_HOSTNAMES", "")
    return (tasks.isdigit() and int(tasks) > 1) or len(workers.split(",")) > 1
