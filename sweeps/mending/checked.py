"""The check-up of a network before anything is trained, and both of its starts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from initjax.checkup import Diagnosis, diagnose
from sweeps.mending.images import images
from sweeps.mending.models import MODELS

STATES = ("before", "after")
BATCH = 64
"""Images that a check-up looks at."""


class Checked(NamedTuple):
    """A network's diagnosis, and its verdict before and after the remedy."""

    found: Diagnosis
    verdicts: dict[str, str]

    @property
    def remedy(self) -> str:
        """The calls that mend it, one a finding; none of a healthy network."""
        calls = [finding.remedy.call for finding in self.found.findings if finding.remedy]
        return "; ".join(dict.fromkeys(calls))


@cache
def checked(network: str) -> Checked:
    """Diagnose a network on the first images, then with its remedies.

    Args:
        network: Its name.
    """
    model = MODELS[network]
    batch = images(model.shape).train[:BATCH]
    found = diagnose(model.module, batch)
    again = diagnose(model.module, batch, variables=found.remedied)
    return Checked(found, {"before": str(found.verdict), "after": str(again.verdict)})


def starts(network: str, states: Sequence[str], seeds: Sequence[int]) -> Any:
    """Variables of some networks, stacked along a first axis.

    Before and after, a seed draws the same weights; those of the remedies come anew.

    Args:
        network: Its name.
        states: before or after, of each.
        seeds: Of each.
    """
    mended = checked(network).found
    written = replace(mended, findings=())  # the same without anything to mend
    drawn = [
        (mended if state == "after" else written).remedied(_key(seed))
        for state, seed in zip(states, seeds, strict=True)
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *drawn)


def _key(seed: int) -> Any:
    """Of a draw that no check-up has looked at."""
    return jax.random.fold_in(jax.random.key(seed), 1)
