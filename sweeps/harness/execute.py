"""Run the calls of a sweep: here one after the other, or by any Executor."""

import contextlib
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any, Protocol, TypeVar

from sweeps.harness.messages import in_words
from sweeps.harness.shards import Log
from sweeps.harness.stopping import Interrupted
from sweeps.harness.work import Job, Unit, measure_units, record_death

T = TypeVar("T")
_POLL = 0.2
"""Seconds between looks at whether a run should stop."""


class Stopping(Protocol):
    """Whether a run has been asked to stop."""

    def check(self) -> None:
        """Raise ``Interrupted`` if it has."""
        ...


def here(
    job: Job, calls: list[list[Unit]], stop: Stopping, log: Log
) -> Iterator[list[Unit]]:
    """Measure in this process; yields the units of each call when they are written."""
    for units in calls:
        stop.check()
        measure_units(job, units, log)
        yield units


def ask(executor: Executor, stop: Stopping, function: Callable[..., T], *args: Any) -> T:
    """The answer of one worker, however long it takes to come up."""
    answers: queue.SimpleQueue[Future[T]] = queue.SimpleQueue()
    _submit(executor, function, *args).add_done_callback(answers.put)
    while True:
        with contextlib.suppress(queue.Empty):
            return _answer(answers.get(timeout=_POLL))
        stop.check()


def by_executor(
    executor: Executor, job: Job, calls: list[list[Unit]], stop: Stopping, log: Log
) -> Iterator[list[Unit]]:
    """Measure in the workers of an executor, which write the shards themselves.

    A call whose worker dies over it is halved; a unit that dies alone is recorded as
    failed. After a wish to stop, the calls that have begun are finished.

    Raises:
        ConnectionError: if the executor is gone; what was measured is kept.
        Interrupted: as ``stop`` says.
    """
    answers: queue.SimpleQueue[Future[list[str]]] = queue.SimpleQueue()
    running: dict[Future[list[str]], list[Unit]] = {}
    interrupted: Interrupted | None = None

    def submit(units: list[Unit]) -> None:
        future = _submit(executor, measure_units, job, units)
        running[future] = units
        future.add_done_callback(answers.put)

    try:
        for units in calls:
            submit(units)
        while running:
            interrupted = interrupted or _asked(stop)
            if interrupted:  # again and again: a worker may leave a call behind
                _cancel(running)
            try:
                future = answers.get(timeout=_POLL)
            except queue.Empty:
                continue
            units = running.pop(future)
            if interrupted is None or not future.cancelled():
                yield from _outcome(future, job, units, submit, log)
    finally:
        _cancel(running)
    if interrupted:
        raise interrupted


def _asked(stop: Stopping) -> Interrupted | None:
    try:
        stop.check()
    except Interrupted as interrupted:
        return interrupted
    return None


def _cancel(running: dict[Future[list[str]], list[Unit]]) -> None:
    for future in list(running):
        future.cancel()


def _outcome(
    future: Future[list[str]],
    job: Job,
    units: list[Unit],
    submit: Callable[[list[Unit]], None],
    log: Log,
) -> Iterator[list[Unit]]:
    """The units of a call, if it is settled."""
    try:
        told = _answer(future)
    except (ValueError, OSError):  # the worker's origin, or the place for the shards
        raise
    except Exception as error:
        words = in_words(error)
        half = len(units) // 2
        if half:
            log(f"{len(units)} units at once: {words}; trying {half} and the others")
            submit(units[:half])
            submit(units[half:])
            return
        told = [f"all {len(units[0].cells)} cells of a unit failed: {words}"]
        record_death(job, units[0], words)
    for line in told:
        log(line)
    yield units


def _submit(executor: Executor, function: Callable[..., T], *args: Any) -> Future[T]:
    try:
        return executor.submit(function, *args)
    except RuntimeError as error:  # of which BrokenExecutor is one
        raise _gone(error) from error


def _answer(future: Future[T]) -> T:
    """The result of a future that is done.

    Raises:
        ConnectionError: if it was lost with the executor.
    """
    try:
        return future.result()
    except (CancelledError, BrokenExecutor) as error:
        raise _gone(error) from error


def _gone(error: BaseException) -> ConnectionError:
    words = f"{type(error).__name__} {error}".strip()
    return ConnectionError(
        f"the workers are gone ({words}); what was measured is kept, and the same "
        "command continues from there"
    )
