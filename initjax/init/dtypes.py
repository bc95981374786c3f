"""In which dtype a kernel is drawn, and how it gets into the one asked for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, DType


def requested_dtype(*candidates: DType) -> DType:
    """The first dtype that is not None, as JAX can hold it; else JAX's float.

    Without x64 a 64-bit dtype becomes the 32-bit one, with JAX's own warning.
    """
    for dtype in candidates:
        if dtype is not None:
            wanted = jnp.dtype(dtype)
            if jax.dtypes.canonicalize_dtype(wanted) != wanted:
                return jnp.zeros((), wanted).dtype
            return wanted
    return jnp.result_type(float)


def check_drawable(dtype: DType, *, allow_complex: bool = True) -> None:
    """Raise a TypeError unless kernels can be drawn in ``dtype``."""
    wanted = jnp.dtype(dtype)
    if jnp.issubdtype(wanted, jnp.complexfloating):
        if not allow_complex:
            raise TypeError(f"this law has no complex form; got dtype={wanted}")
        return
    if not jnp.issubdtype(wanted, jnp.floating):
        raise TypeError(f"dtype must be floating-point or complex; got dtype={wanted}")
    limits = jnp.finfo(wanted)
    if limits.bits < 8 or float(limits.min) >= 0:
        raise TypeError(
            f"dtype={wanted} cannot hold a kernel: it has no sign or fewer than 8 bits. "
            "Draw in float32 and quantize"
        )


def has_zero(dtype: DType) -> bool:
    """Whether a constant kernel can be held: float8_e8m0fnu has powers of two only."""
    wanted = jnp.dtype(dtype)
    return not jnp.issubdtype(wanted, jnp.floating) or float(jnp.finfo(wanted).min) < 0


def sampling_dtype(dtype: DType) -> DType:
    """The dtype to draw in: 32 bits, or the wider dtype that is asked for."""
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return jnp.dtype(dtype)
    return jnp.dtype(dtype) if jnp.finfo(dtype).bits > 32 else jnp.dtype(jnp.float32)


def check_range(dtype: DType, size: object, name: str) -> None:
    """Raise a ValueError if entries of typical ``size`` overflow ``dtype``.

    A traced size has no value yet and is let through.
    """
    if isinstance(size, jax.core.Tracer) or not jnp.issubdtype(dtype, jnp.inexact):
        return
    largest, most = float(np.max(np.abs(np.asarray(size)))), float(jnp.finfo(dtype).max)
    if jnp.finfo(dtype).bits >= 16 and dtype != jnp.float16:
        most /= 10  # room for the tail, which is not clipped in a dtype of this range
    if not largest <= most:
        raise ValueError(
            f"{name} has entries of size {largest:g}, and dtype={jnp.dtype(dtype)} has "
            f"room for {most:g}. Ask for a wider dtype or a smaller scale"
        )


def narrow(drawn: Array, dtype: DType) -> Array:
    """Cast, rounding to nearest; a rare tail beyond a short range is kept at its end.

    Without that, float8_e4m3fn turns anything over 448 into nan.
    """
    short = jnp.issubdtype(dtype, jnp.floating) and jnp.issubdtype(
        drawn.dtype, jnp.floating
    )
    if short and float(jnp.finfo(dtype).max) < float(jnp.finfo(jnp.bfloat16).max):
        most = float(jnp.finfo(dtype).max)
        drawn = jnp.clip(drawn, -most, most)
    return drawn.astype(dtype)


def inside(low: float, high: float, dtype: DType) -> tuple[Any, Any]:
    """The smallest and the largest number of ``dtype`` in [low, high]."""
    kind, limits = np.dtype(dtype).type, np.finfo(dtype)
    low, high = max(low, float(limits.min)), min(high, float(limits.max))
    least, most = kind(low), kind(high)
    if float(least) < low:
        least = np.nextafter(least, kind(np.inf))
    if float(most) > high:
        most = np.nextafter(most, kind(-np.inf))
    return least, most
