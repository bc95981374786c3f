"""A headless Chromium on two pipes, for tests: the DevTools protocol and nothing else."""

import fcntl
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
BINARY = next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one empty page.

    Attributes:
        events: What the browser has told, in order, without answers.
    """

    def __init__(self, home: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()
        read, write = (
            fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (ours[0], theirs[1])
        )
        arguments = [
            str(BINARY),
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--remote-debugging-pipe", f"--user-data-dir={home}", "--no-first-run"),
            *("--disable-background-networking", "--hide-scrollbars", "about:blank"),
        ]
        self.events: list[dict[str, Any]] = []
        self._pid = os.posix_spawn(
            str(BINARY),
            arguments,
            {**os.environ, "HOME": str(home)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read, 3),
                (os.POSIX_SPAWN_DUP2, write, 4),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        for fd in (read, write, ours[0], theirs[1]):
            os.close(fd)
        self._in, self._out = os.fdopen(ours[1], "wb", 0), os.fdopen(theirs[0], "rb")
        self._count, self._session, self._rest = 0, "", b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command; events that come before it are kept."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._count:
                assert "error" not in told, told["error"]
                return dict(told["result"])
            self.events.append(told)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = self._out.read1(1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        content, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(content))

    def open(self, url: str) -> None:
        """Load a page, and wait until all of it is there."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._read())

    def run(self, code: str) -> Any:
        """Value of a JavaScript expression, awaited if it is a promise."""
        found = self.call(
            "Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        """The size of the window in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **size, mobile=width < 500)

    def prefer(self, scheme: str, medium: str = "") -> None:
        """Light or dark; on another medium than the browser would take."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def close(self) -> None:
        """End the browser and what it has started."""
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._in.close()
        self._out.close()
