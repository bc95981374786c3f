"""Ctrl-C and SIGTERM end a run after the shard in hand; a second one ends it now."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from sweeps.harness.shards import Log


class Interrupted(BaseException):
    """A run that was asked to stop and has kept what it measured.

    No Exception, like KeyboardInterrupt, so that nothing takes it for an error.

    Attributes:
        signal: The signal that asked; the exit code is 128 more.
    """

    def __init__(self, number: int) -> None:
        """Keep the number of the signal."""
        super().__init__(signal.Signals(number).name)
        self.signal = number


class Stop:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.asked: int | None = None

    def check(self) -> None:
        """Raise ``Interrupted`` if a signal came."""
        if self.asked is not None:
            raise Interrupted(self.asked)


@contextlib.contextmanager
def graceful(log: Log) -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into a wish to stop, for the time of the block.

    Signals can be caught in the main thread only.
    """
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.asked is not None:
            raise Interrupted(number)
        stop.asked = number
        log("stopping after the group in hand; once more to stop at once")

    before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
