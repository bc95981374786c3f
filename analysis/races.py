"""Who was how fast: ratios, shares of the ceiling and growth from a table of races."""

import pandas as pd

from analysis.bands import Absent

NAMES = {
    "initjax": "initjax",
    "initjax_measure": "initjax, weights drawn before",
    "torch_eager": "torch, eager, one by one",
    "torch_batched": "torch, batched",
    "torch_ghost": "torch, batched, no gradients made",
    "plain_jax": "plain Flax and JAX",
    "jax_sample": "JAX",
    "torch_sample": "torch",
    "import_flax": "jax, flax",
}
_WIDE = {"wide": "width 1024: "}
_OURS = ("initjax", "initjax_sample", "import_initjax")
_CEILINGS = ("matmul_jax", "matmul_torch")


def _seconds(table: pd.DataFrame) -> pd.DataFrame:
    """Warm seconds [round × contestant] of one task."""
    return table.pivot(index="round", columns="contestant", values="warm_s")


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Time of every other contestant over ours, round by round: median and range."""
    rows = []
    for task, same in table.groupby("task", sort=False):
        seconds = _seconds(same)
        ours = [name for name in _OURS if name in seconds]
        others = [n for n in seconds if n not in (*_OURS, *_CEILINGS, "initjax_measure")]
        fresh = same.groupby("contestant")[["cold_s", "again_s"]].first()
        for name in others if ours else []:
            ratio = seconds[name] / seconds[ours[0]]
            first = fresh.loc[name] / fresh.loc[ours[0]]
            again = fresh.loc[name].ffill()["again_s"] / fresh.loc[ours[0], "again_s"]
            rows.append(
                {
                    "panel": "initialization" if "_" in str(task) else "networks",
                    "task": task,
                    "contestant": name,
                    "label": _label(str(task), name),
                    "ratio": ratio.median(),
                    "low": ratio.min(),
                    "high": ratio.max(),
                    "cold": first["cold_s"],
                    "again": again,
                }
            )
    if not rows:
        raise Absent("no task has two contestants")
    return pd.DataFrame(rows)


def networks_and_kernels(table: pd.DataFrame) -> pd.DataFrame:
    """The ratios but those of imports, which are too small to draw beside the others."""
    rows = ratios(table)
    rows = rows[rows["task"] != "import"]
    return rows.sort_values(["panel", "task", "ratio"], ascending=[False, True, False])


def _label(task: str, contestant: str) -> str:
    law, _, size = task.rpartition("_")
    size = size.replace("x", " × ")
    of = f"{law.replace('_', ' ')}, {size}²: " if law else _WIDE.get(task, "")
    return of + NAMES[contestant]


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Rate of necessary operations over that of a large product, and range of rounds."""
    rows = []
    for task, same in table.groupby("task", sort=False):
        rates = (same["gflop"] / same["warm_s"]).groupby(
            [same["round"], same["contestant"]]
        )
        by_round = rates.first().unstack()
        ceilings = [name for name in _CEILINGS if name in by_round]
        for name in by_round.columns.difference(_CEILINGS) if ceilings else []:
            ceiling = by_round[ceilings].max(axis=1)
            share = by_round[name] / ceiling
            rows.append(
                {
                    "task": task,
                    "contestant": name,
                    "gflop_per_s": by_round[name].median(),
                    "ceiling": ceiling.median(),
                    "share": share.median(),
                    "low": share.min(),
                    "high": share.max(),
                }
            )
    if not rows:
        raise Absent("no task has a ceiling")
    return pd.DataFrame(rows)


def scaling(table: pd.DataFrame) -> pd.DataFrame:
    """Time per unit of work over that of the largest work, and range, by what grows."""
    named = table["task"].str.extract(r"^(?P<axis>depth|seeds|schemes)_(?P<by>\d+)x$")
    rows = table.assign(**named).dropna(subset=["axis"])
    if rows.empty:
        raise Absent("nothing was scaled")
    rows = rows.assign(by=rows["by"].astype(int))
    kinds = {"seconds": "median", "low": "min", "high": "max"}
    found = rows.groupby(["axis", "by"])["warm_s"].agg(**kinds).reset_index()
    each = found[list(kinds)].div(found["by"], axis=0)
    each = each.div(each["seconds"].groupby(found["axis"]).transform("last"), axis=0)
    ends = each.rename(columns={"seconds": "relative"})
    return found[["axis", "by", "seconds"]].join(ends).assign(panel="scaling")
