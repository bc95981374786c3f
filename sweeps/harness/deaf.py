"""Loaded by the workers that ``--workers`` starts: Ctrl-C is for the run, not for them."""

import signal


def dask_setup(worker: object) -> None:
    """Let a call be finished when the terminal sends SIGINT to all its processes."""
    del worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
