"""Workers of Dask distributed, as a ``concurrent.futures.Executor``."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")

_TIMEOUT = 10.0
"""Seconds in which a scheduler has to answer."""


class DaskExecutor(Executor):
    """The workers of a Dask client.

    Unlike the client's own executor, a call that a worker has begun is not cancelled,
    so that its shard is written.
    """

    def __init__(self, client: Any) -> None:
        """Take the workers of ``client``, a ``distributed.Client``."""
        self.client = client

    def submit(self, function: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        """Call ``function`` in a worker."""
        # Two calls with equal arguments are two calls: a shard may have been damaged.
        there = self.client.submit(function, *args, **named, pure=False)
        here: _Call[T] = _Call(self.client, there)
        there.add_done_callback(here.settle)
        return here


class _Call(Future[T]):
    """A call that Dask looks after."""

    def __init__(self, client: Any, there: Any) -> None:
        super().__init__()
        self._client, self._there = client, there

    def cancel(self) -> bool:
        """Cancel it unless a worker has it."""
        if self.done() or self._with_a_worker():
            return False
        self._there.cancel()
        return True

    def _with_a_worker(self) -> bool:
        try:
            given = self._client.processing()
        except (OSError, RuntimeError):  # no scheduler, no workers
            return False
        return any(self._there.key in keys for keys in given.values())

    def settle(self, there: Any) -> None:
        """Take over how it ended, which Dask tells in a thread of its own."""
        try:
            self.set_result(there.result())
        except (
            CancelledError,
            asyncio.CancelledError,
        ):  # also while the result was on its way
            super().cancel()
            self.set_running_or_notify_cancel()
        except Exception as error:  # what the call raised, or how its worker died
            self.set_exception(error)


@contextlib.contextmanager
def workers_of(scheduler: str | None, workers: int | None) -> Iterator[Executor | None]:
    """The workers of a running cluster, or of one made on this machine; None for none.

    Args:
        scheduler: Address of a Dask scheduler, such as tcp://host:8786, whose workers
            run in this checkout and see the directory of results.
        workers: How many processes to start on this machine instead.

    Raises:
        ValueError: if Dask is not installed, or nobody answers.
    """
    if scheduler is None and workers is None:
        yield None
        return
    with _client(scheduler, workers) as client:
        yield DaskExecutor(client)


@contextlib.contextmanager
def _client(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ValueError(
            "--scheduler and --workers need Dask; pip install 'initjax[cluster]'"
        ) from error
    # What it would log, with a traceback, is raised here in one line.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            local = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=":0",
                preload=["sweeps.harness.deaf"],
            )
            address = stack.enter_context(local)
        try:
            client = Client(address, timeout=_TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"--scheduler {scheduler} does not answer: {error}") from error
        yield stack.enter_context(client)
