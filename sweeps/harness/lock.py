"""One run at a time in a directory of results: a lock that the dead do not hold."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from sweeps.harness.files import Store
from sweeps.harness.lease import leased
from sweeps.harness.shards import Log

LOCK = ".lock"


@contextlib.contextmanager
def held(store: Store, log: Log) -> Iterator[None]:
    """Hold a directory of results for the time of the block.

    On a local file system by the kernel's lock on an open file, which ends with the
    process, however that ends; elsewhere by a file that the holder keeps renewing.

    Raises:
        ValueError: if another run holds it.
        OSError: if the file cannot be made.
    """
    with _locked(store.local) if store.local is not None else leased(store, log):
        yield


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    handle = _acquired(out)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)
        os.close(handle)  # which releases it


def _acquired(out: Path) -> int:
    """The open lock file, locked."""
    while True:
        handle = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 200, 0).decode(errors="replace") or "another run"
            os.close(handle)
            raise ValueError(
                f"{out} is in use by {holder}; wait for it, or name another --out"
            ) from error
        # A run that ended between the two calls has taken this file's name away.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), (out / LOCK).stat()):
                return handle
        os.close(handle)
