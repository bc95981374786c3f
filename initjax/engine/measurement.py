"""What a call of the engine returns, and how its depths are ordered."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from initjax.engine.passes import Pieces
from initjax.engine.statistics import Backward, Forward
from initjax.typing import HostArray


class Measurement(NamedTuple):
    """Per-layer statistics of many networks, as NumPy arrays.

    Attributes:
        forward: Arrays [seed, layer, scheme]; the first d layers are those of
            the network of depth d.
        backward: Arrays [seed, depth, layer, scheme], nan at layers that a
            network of that depth does not have.
    """

    forward: Forward
    backward: Backward


def checked_depths(depths: Sequence[int]) -> tuple[int, ...]:
    """Depths ascending, each once.

    Raises:
        ValueError: for a depth below 1, or none at all.
    """
    wanted = tuple(sorted(set(depths)))
    if not wanted or wanted[0] < 1:
        raise ValueError(f"depths must be numbers of hidden layers >= 1; got {depths}")
    return wanted


def assemble(
    pieces: Pieces, computed: tuple[int, ...], depths: Sequence[int]
) -> Measurement:
    """Depths in the order asked for, and nothing after a value left float32.

    Past the first layer that is not finite, values are artefacts of how the
    hardware treats nan, and so is every gradient of a network that has one.

    Args:
        pieces: NumPy arrays of ``measure_network`` with an axis of seeds before all
            others, and one of schemes after them.
        computed: The depths that were measured, ascending.
        depths: The depths to return.
    """
    rows = [computed.index(depth) for depth in depths]
    forward = jax.tree.map(
        lambda first, rest: np.concatenate([first[:, None], rest], 1), *pieces.forward
    )
    backward = jax.tree.map(lambda *a: _placed(a, computed)[:, rows], *pieces.backward)
    gone = ~np.logical_and.accumulate(forward.finite, axis=1)
    after = np.concatenate([np.zeros_like(gone[:, :1]), gone[:, :-1]], axis=1)
    lost = np.stack([gone[:, depth - 1] for depth in depths], axis=1)[:, :, None]
    return Measurement(
        jax.tree.map(lambda a: _blank(a, after), forward),
        jax.tree.map(lambda a: _blank(a, lost), backward),
    )


def _placed(pieces: tuple[HostArray, ...], depths: tuple[int, ...]) -> HostArray:
    """Pieces [seed, layer, network, scheme] from the top down as [seed, depth, layer, …].

    Layers that a network does not have are nan (or False).
    """
    seeds, _, _, *rest = pieces[0].shape
    missing = False if pieces[0].dtype == bool else np.nan
    full = np.full((seeds, len(depths), depths[-1], *rest), missing, pieces[0].dtype)
    end = depths[-1]
    for piece in pieces:
        layers, present = piece.shape[1:3]
        where = (slice(None), slice(len(depths) - present, None), slice(end - layers, end))
        full[where] = np.moveaxis(piece, 2, 1)
        end -= layers
    return full


def _blank(values: HostArray, where: HostArray) -> HostArray:
    """``values`` with nan (or False) at the places of ``where``."""
    return np.where(where, False if values.dtype == bool else np.nan, values)
