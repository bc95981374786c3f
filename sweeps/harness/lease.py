"""A lock for storage that knows no locks: a file that its holder keeps renewing.

Nothing here compares clocks. Who finds the file watches it; if it does not change for
``PATIENCE`` seconds, its holder is dead and the file is taken over.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator

from sweeps.harness.files import Store
from sweeps.harness.shards import Log

LEASE = ".lease"
BEAT = 5.0
"""Seconds between two renewals."""
PATIENCE = 30.0
"""Seconds after which a file that nobody renews is taken over."""


@contextlib.contextmanager
def leased(store: Store, log: Log) -> Iterator[None]:
    """Hold a directory for the time of the block.

    Two runs that begin within a moment of each other may both pass; their shards are
    named by content, so that the worst is work that is done twice.

    Raises:
        ValueError: if another run holds it.
    """
    _watch(store, log)
    token, ended = uuid.uuid4().hex, threading.Event()
    _renew(store, token, 0)
    beating = threading.Thread(target=_beat, args=(store, token, ended, log), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        if _content(store).get("token") == token:
            store.remove(LEASE)


def _watch(store: Store, log: Log) -> None:
    """Return when nobody holds the directory."""
    first = _content(store)
    if not first:
        return
    holder = first.get("holder", "another run")
    log(f"{store} was in use by {holder}; waiting {PATIENCE:.0f} s for a sign of life")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(min(1.0, BEAT / 5))
        now = _content(store)
        if not now:
            return
        if now != first:
            raise ValueError(
                f"{store} is in use by {holder}; wait for it, or name another --out"
            )
    log(f"{holder} gives no sign of life; its shards are taken over")


def _renew(store: Store, token: str, beat: int) -> None:
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    told = {"holder": holder, "token": token, "beat": beat}
    store.write(LEASE, json.dumps(told).encode())


def _beat(store: Store, token: str, ended: threading.Event, log: Log) -> None:
    """Renew the file until the block ends, or another run has taken it over."""
    beat = 0
    while not ended.wait(BEAT):
        beat += 1
        try:
            if _content(store).get("token") != token:
                log(f"{store} was taken over by another run; both write the same shards")
                return
            _renew(store, token, beat)
        except OSError as error:
            log(f"the lease on {store} could not be renewed: {error}")


def _content(store: Store) -> dict[str, object]:
    """What the file says; empty if there is none, or it is half-written."""
    try:
        told = json.loads(store.read(LEASE))
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
