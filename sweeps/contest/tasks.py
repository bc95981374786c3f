"""The tasks by name: the work, who competes, and what it costs at least."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from sweeps.contest.job import Job
from sweeps.contest.product import Product
from sweeps.contest.sample import Sample

Work: TypeAlias = Job | Sample | Product

CEILINGS = ("matmul_jax", "matmul_torch")
"""Contestants whose rate is the ceiling of a task."""


@dataclass(frozen=True)
class Task:
    """What is raced for.

    Attributes:
        work: What each contestant does, but the ceilings.
        contestants: Modules of ``sweeps.contest``; the first is the reference.
    """

    work: Work | None
    contestants: tuple[str, ...]

    def work_of(self, contestant: str) -> Work | None:
        """What this one does."""
        return Product() if contestant in CEILINGS else self.work


def _scaled(job: Job) -> Task:
    return Task(job, ("initjax",))


_SAMPLERS = ("initjax_sample", "jax_sample", "torch_sample")
_LAWS = ("normal", "truncated_normal", "uniform", "orthogonal")
_TIMES = (1, 10, 100)
_UNIT = Job(activations=("tanh",), depths=(20,))

TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "job": Task(
            Job(),
            (
                *("initjax", "initjax_measure", "torch_eager", "torch_batched"),
                *("torch_ghost", "plain_jax", *CEILINGS),
            ),
        ),
        "wide": Task(
            Job(seeds=2, width=1024, batch=64),
            ("initjax", "initjax_measure", "torch_ghost", *CEILINGS),
        ),
        **{f"{law}_100x256": Task(Sample(law, 100, 256), _SAMPLERS) for law in _LAWS},
        **{f"{law}_4096": Task(Sample(law, 1, 4096), _SAMPLERS) for law in _LAWS},
        **{f"depth_{by}x": _scaled(replace(_UNIT, depths=(20 * by,))) for by in _TIMES},
        **{f"seeds_{by}x": _scaled(replace(_UNIT, seeds=10 * by)) for by in _TIMES},
        **{f"schemes_{by}x": _scaled(replace(_UNIT, copies=by)) for by in _TIMES},
        "import": Task(None, ("import_initjax", "import_flax")),
    }
)
"""``job`` is the benchmark job; the scaled ones are one part of it, by 1, 10 and 100."""

SMOKE: Mapping[str, Work] = MappingProxyType(
    {
        "job": Job(depths=(2, 3), seeds=2, width=16, batch=4),
        "wide": Job(depths=(2, 3), seeds=1, width=32, batch=8),
        **{f"{law}_100x256": Sample(law, 3, 16) for law in _LAWS},
        **{f"{law}_4096": Sample(law, 1, 32) for law in _LAWS},
    }
)
"""The same tasks in a size that shows that they run."""


def task_of(name: str, size: str) -> Task:
    """The task of that name, full or smoke."""
    task = TASKS[name]
    return replace(task, work=SMOKE[name]) if size == "smoke" and name in SMOKE else task
