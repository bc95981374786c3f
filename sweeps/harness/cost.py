"""What a call of a sweep will cost, and what the device has to pay with."""

import os
from collections.abc import Hashable
from typing import NamedTuple


class Cost(NamedTuple):
    """Cost of one call of ``measure``.

    Attributes:
        programs: What XLA compiles for the call; equal values are compiled once.
        memory: Bytes at the peak, on one device that runs the whole call.
        rows: Rows of the table.
    """

    programs: frozenset[Hashable]
    memory: int
    rows: int


class Capacity(NamedTuple):
    """What a process can measure with.

    Attributes:
        devices: Number of its local devices.
        accelerated: Whether these are no CPUs.
        memory: Bytes that are free on one of them.
        cores: Processor cores of the process.
    """

    devices: int
    accelerated: bool
    memory: int
    cores: int = 1


def available() -> int:
    """Bytes that are free on the first local device.

    An accelerator reports them; the CPU devices of a process share the machine's.
    """
    import jax
    import psutil

    devices = jax.local_devices()
    told = devices[0].memory_stats() or {}
    if "bytes_limit" in told:
        return int(told["bytes_limit"] - told.get("bytes_in_use", 0))
    return int(psutil.virtual_memory().available) // len(devices)


def capacity() -> Capacity:
    """The capacity of this process."""
    import jax

    devices = jax.local_devices()
    mine = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(mine(0)) if mine else os.cpu_count() or 1
    return Capacity(len(devices), devices[0].platform != "cpu", available(), cores)
