"""One contestant in a process of its own: ``python -m sweeps.contest.contestant …``.

It does its work once when it starts and once for every line that it reads, and answers
each time with a line of JSON: how long it took, and what memory and device it has used.
"""

import importlib
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.contest.tasks import task_of


def main(argv: list[str]) -> int:
    """Words: contestant, task, size."""
    contestant, task, size = argv
    module = importlib.import_module(f"sweeps.contest.{contestant}")
    work = task_of(task, size).work_of(contestant)
    run = module.prepare(work) if hasattr(module, "prepare") else lambda: module.run(work)
    # What libraries print is not an answer.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for _ in itertools.chain([""], sys.stdin):
            print(json.dumps(told_of(contestant, run)), file=answers, flush=True)
    return 0


def told_of(contestant: str, run: Callable[[], Any]) -> dict[str, Any]:
    """What the work took."""
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_gb": peak(), **of_device("torch" in contestant)}


def peak() -> float:
    """Most memory that the process held, GB; not that of the process it came from."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) * 1024 / 1e9
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1e9 if sys.platform == "darwin" else size * 1024 / 1e9


def of_device(of_torch: bool) -> dict[str, Any]:
    """Name of the accelerator that was used, and the most memory held there, GB."""
    if not of_torch and "jax" in sys.modules:
        import jax

        device = jax.local_devices()[0]
        if device.platform != "cpu":
            held = (device.memory_stats() or {}).get("peak_bytes_in_use", float("nan"))
            return {"device": device.device_kind, "device_peak_gb": held / 1e9}
    if of_torch:
        import torch

        if torch.cuda.is_available():
            held = torch.cuda.max_memory_allocated()
            name = torch.cuda.get_device_name()
            return {"device": name, "device_peak_gb": held / 1e9}
    return {"device": "cpu", "device_peak_gb": float("nan")}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
