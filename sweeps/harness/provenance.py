"""Where a number comes from: code, settings, versions, device, random numbers."""

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def code_state() -> dict[str, Any]:
    """Commit of the checkout, whether its code differs from it, and a hash of the code."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--", "initjax", "sweeps")
    digest = hashlib.sha256()
    for path in sorted([*_ROOT.glob("initjax/**/*.py"), *_ROOT.glob("sweeps/**/*.py")]):
        digest.update(str(path.relative_to(_ROOT)).encode() + path.read_bytes())
    return {
        "commit": commit or "unknown",
        "dirty": bool(changed) or not commit,
        "code": digest.hexdigest()[:12],
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def collect(sweep: str, settings: dict[str, Any], schema_version: int) -> dict[str, Any]:
    """Everything that a reader needs to make the same numbers again."""
    import jax

    devices = jax.local_devices()
    return {
        "sweep": sweep,
        "settings": settings,
        "schema_version": schema_version,
        **code_state(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("jax", "jaxlib", "flax", "numpy", "pandas")
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "device": devices[0].device_kind,
        "devices": len(devices),
        "cores": os.cpu_count(),
        "dtype": str(jax.numpy.ones(()).dtype),
        "random": {
            name: getattr(jax.config, name)
            for name in (
                "jax_default_prng_impl",
                "jax_threefry_partitionable",
                "jax_enable_x64",
            )
        },
    }


_SAME = ("settings", "schema_version", "code", "versions", "device", "random", "dtype")


def identity(origin: dict[str, Any]) -> list[Any]:
    """What runs have to share for one to take over the shards of the other.

    How many devices or machines measured makes no difference, nor does the commit
    beyond the code.
    """
    return [origin.get(name) for name in _SAME]


def differences(here: dict[str, Any], there: dict[str, Any]) -> str:
    """What two origins do not share, in words."""
    return "; ".join(
        f"{name} {there.get(name)} there, {here.get(name)} here"
        for name in _SAME
        if here.get(name) != there.get(name)
    )
