"""Programs that XLA has compiled are kept, so that the next run starts at once."""

import hashlib
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

_FOLDER = "JAX_COMPILATION_CACHE_DIR"
_SHORTEST = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"


_NO = ("false", "off", "no", "n", "f", "0")


def keep_compilations() -> Path | None:
    """Use JAX's cache on disk, in this process and those that it starts.

    It is ``initjax/xla`` in the user's cache directory ($XDG_CACHE_HOME, else ~/.cache),
    or where $JAX_COMPILATION_CACHE_DIR says; JAX_ENABLE_COMPILATION_CACHE=false turns
    it off. A sweep has few programs, all of them worth keeping.

    Returns:
        The directory; None if it cannot be written, if JAX is told otherwise, and
        for jaxlib < 0.10.2.
    """
    off = os.environ.get("JAX_ENABLE_COMPILATION_CACHE", "true").lower() in _NO
    if off or _FOLDER in os.environ or _noisy():
        return None
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "initjax" / "xla" / _processor()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a user without a home
        return None
    if not os.access(folder, os.W_OK):
        return None
    os.environ[_FOLDER] = str(folder)
    shortest = os.environ.setdefault(_SHORTEST, "0")
    if "jax" in sys.modules:  # which has read the environment already
        import jax

        jax.config.update(_FOLDER.lower(), str(folder))
        jax.config.update(_SHORTEST.lower(), float(shortest))
    return folder


def _noisy() -> bool:
    """Whether XLA says on stderr, for each program it loads, that it may not fit."""
    return tuple(map(int, re.findall(r"\d+", version("jaxlib"))[:3])) < (0, 10, 2)


def _processor() -> str:
    """What machine code is made for: a home may be shared by unlike machines."""
    told, listed = platform.machine() + platform.processor(), Path("/proc/cpuinfo")
    if listed.exists():
        lines = listed.read_text().splitlines()
        told += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(told.encode()).hexdigest()[:12]
