"""Kernels that are not random: identity, Dirac, Hadamard."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from initjax.init.arguments import check_finite, check_whole
from initjax.init.laws import Law, discrete
from initjax.init.sampled import SampledInitializer
from initjax.typing import Array, DType, Key, Shape


def identity(gain: float | Array = 1.0, dtype: DType = None) -> SampledInitializer:
    """Gain on the diagonal, 0 elsewhere; rectangular shapes keep the main diagonal.

        W[i, j] = gain · 1[i = j]

    Args:
        gain: Value on the diagonal.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``gain`` is not finite; when called, unless the shape has
            two axes.

    Example:
        >>> identity(2.0)(None, (2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]

    References:
        Keras' Identity; ``torch.nn.init.eye_``; Le, Jaitly & Hinton (2015),
        arXiv:1504.00941, for recurrent kernels.
    """
    gain = check_finite("gain", gain)

    def check(shape: Shape) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"identity needs a shape of two axes; got shape={shape}. "
                "Use dirac() for the kernel of a convolution"
            )

    return _fixed(f"identity({gain!r})", gain, _eye, lambda s: (min(s), 0), check, dtype)


def eye(dtype: DType = None) -> SampledInitializer:
    """1 on the diagonal, 0 elsewhere: ``identity`` with gain 1, by torch's name.

    Args:
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: when called, unless the shape has two axes.

    Example:
        >>> eye()(None, (2, 2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    References:
        ``torch.nn.init.eye_``.
    """
    return identity(1.0, dtype)


def dirac(
    groups: int = 1, dtype: DType = None, *, gain: float | Array = 1.0
) -> SampledInitializer:
    """A convolution that passes its input on, channel by channel.

        W[center, i, g · out/groups + i] = gain,   0 elsewhere,   g < groups

    for channel i of a group; the center of a window of k taps is tap k // 2.

    Args:
        groups: ``feature_group_count`` of the layer; each group is an identity.
        dtype: Used when the initializer is called without one.
        gain: Value of the entries that are not 0.

    Raises:
        ValueError: if ``groups`` is not positive or ``gain`` not finite; when
            called, unless the shape is (*window, in / groups, out) with one to
            three window axes and groups that divide the outputs.

    Example:
        >>> dirac()(None, (3, 1, 2))[:, 0, :].tolist()
        [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]

    References:
        ``torch.nn.init.dirac_``, same entries in Flax's layout.
    """
    gain = check_finite("gain", gain)
    groups = check_whole("groups", groups, least=1)

    def check(shape: Shape) -> None:
        check_window("dirac", shape)
        if shape[-1] % groups:
            raise ValueError(
                f"groups={groups} must divide the {shape[-1]} output channels of {shape}"
            )

    def build(shape: Shape, dtype: DType) -> Array:
        *window, rows, columns = shape
        tap = jnp.tile(jnp.eye(rows, columns // groups, dtype=dtype), (1, groups))
        center = tuple(size // 2 for size in window)
        return jnp.zeros(shape, dtype).at[center].set(tap)

    def ones(shape: Shape) -> tuple[int, int]:
        return groups * min(shape[-2], shape[-1] // groups), 0

    return _fixed(f"dirac({groups})", gain, build, ones, check, dtype)


def hadamard(gain: float | Array = 1.0, dtype: DType = None) -> SampledInitializer:
    """ZerO initialization: partial identities and Hadamard matrices, not random.

        W = gain · I                                if in ≥ out
        W = gain · 2^(-k/2) · H[:in, :out],  2^k = the power of 2 next to out,
            H[i, j] = (-1)^popcount(i & j)          if in < out

    A partial identity that widens a layer would leave units without input and
    keep the rank at the narrowest width for ever; H mixes instead. Convolutions
    hold the matrix in the central tap.

    Args:
        gain: Factor on every entry.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``gain`` is not finite; when called, for fewer than two axes
            and for even windows, which have no central tap.

    Example:
        >>> hadamard()(None, (2, 4)).tolist()
        [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5]]

    References:
        Zhao et al. (2022), arXiv:2110.12661; scaled as in the authors' code.
    """
    gain = check_finite("gain", gain)

    def check(shape: Shape) -> None:
        if len(shape) < 2:
            raise ValueError(
                f"hadamard needs a shape of at least two axes; got shape={shape}. "
                "Biases are zeros() in this scheme"
            )
        check_odd("hadamard", shape)

    def build(shape: Shape, dtype: DType) -> Array:
        *window, rows, columns = shape
        tap = _eye((rows, columns), dtype)
        if rows < columns:
            meets = jnp.arange(rows)[:, None] & jnp.arange(columns)
            tap = (1 - 2 * (jax.lax.population_count(meets) % 2)).astype(dtype)
        center = tuple(size // 2 for size in window)
        return jnp.zeros(shape, dtype).at[center].set(tap)

    def unit(shape: Shape) -> float:
        rows, columns = shape[-2:]
        return 1.0 if rows >= columns else 2 ** (-math.ceil(math.log2(columns)) / 2)

    def signs(shape: Shape) -> tuple[int, int]:
        rows, columns = shape[-2:]
        if rows >= columns:
            return columns, 0
        meets = np.arange(rows)[:, None] & np.arange(columns)
        odd = int(np.sum(np.bitwise_count(meets) % 2))
        return rows * columns - odd, odd

    return _fixed(f"hadamard({gain!r})", gain, build, signs, check, dtype, unit)


def check_window(name: str, shape: Shape) -> None:
    """Raise unless ``shape`` is a kernel with one to three window axes."""
    if not 3 <= len(shape) <= 5:
        raise ValueError(
            f"{name} needs a kernel (*window, in, out) with one to three window axes; "
            f"got shape={shape}"
        )


def check_odd(name: str, shape: Shape) -> None:
    """Raise if a window axis is even, so that no tap is central."""
    if any(size % 2 == 0 for size in shape[:-2] if size):
        raise ValueError(
            f"{name} needs windows of odd size, which have a central tap; got "
            f"shape={shape}. Use an odd kernel_size, or orthogonal()"
        )


def _eye(shape: Shape, dtype: DType) -> Array:
    rows, columns = shape
    return jnp.eye(rows, columns, dtype=dtype)


def _fixed(
    name: str,
    gain: float | Array,
    build: Callable[[Shape, DType], Array],
    count: Callable[[Shape], tuple[int, int]],
    check: Callable[[Shape], None],
    dtype: DType,
    unit: Callable[[Shape], float] = lambda shape: 1.0,
) -> SampledInitializer:
    """An initializer that ignores its key: gain · unit(shape) · entries of 1, -1, 0.

    Args:
        name: The factory call.
        gain: Factor on every entry.
        build: The entries.
        count: How many are 1, and how many -1.
        check: Raises for a shape without a meaning.
        dtype: Default dtype.
        unit: Size of the entries that are not 0, at gain 1.
    """

    def sample(key: Key, shape: Shape, wide: DType) -> Array:
        del key
        return jnp.asarray(gain * unit(shape), wide) * build(shape, wide)

    def entry_law(shape: Shape, dtype: DType) -> Law:
        del dtype
        up, down = count(shape)
        value = float(gain) * unit(shape)
        counts = {0.0: math.prod(shape) - up - down}
        for entry, number in ((value, up), (-value, down)):
            counts[entry] = counts.get(entry, 0) + number
        return discrete(counts)

    return SampledInitializer(name, sample, entry_law, check, dtype, size=gain)
