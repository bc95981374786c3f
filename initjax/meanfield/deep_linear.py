"""How long a deep linear network takes to learn one mode of a task."""

import numpy as np

from initjax.quadrature.kinks import legendre_rule
from initjax.typing import HostArray


def mode_time(
    depth: HostArray | int,
    *,
    strength: HostArray | float = 1.0,
    start: HostArray | float,
    stop: HostArray | float,
) -> HostArray:
    """Time of gradient flow from one strength of a mode to another.

        τ du/dt = D u^(2 − 2/D) (s − u),   t/τ = ∫ du / (D u^(2 − 2/D) (s − u))

    for D equal weight matrices whose singular vectors are those of the task. With a
    learning rate of η/D a mode takes D t/η steps: a number that has a limit as D grows
    if the mode starts at a strength of order 1, as in orthogonal weights, and none if it
    starts lower with each layer.

    Args:
        depth: D ≥ 1, number of weight matrices; broadcast against the others.
        strength: s > 0, the strength of the mode in the task.
        start: u(0) > 0.
        stop: u(t), on the same side of ``strength`` as ``start`` and nearer to it.

    Returns:
        t/τ in float64, of the broadcast shape.

    Raises:
        ValueError: for a depth below 1, and unless stop lies between start and strength.

    Example:
        >>> round(float(mode_time(2, start=0.001, stop=0.5)), 8)  # ½ ln 999
        3.45337739

    References:
        Saxe, McClelland & Ganguli (2014), arXiv:1312.6120.
    """
    numbers = np.broadcast_arrays(depth, strength, start, stop)
    d, s, u0, u1 = (np.asarray(a, np.float64)[..., None] for a in numbers)
    if not np.all((d >= 1) & np.isfinite(d)):
        raise ValueError(f"depth must be >= 1; got depth={depth!r}")
    rising, falling = (u0 > 0) & (u0 <= u1) & (u1 < s), (s > 0) & (s < u1) & (u1 <= u0)
    if not np.all((rising | falling) & np.isfinite(u0 + s)):
        raise ValueError(
            "stop must lie between start and strength, all of them > 0: the strength "
            f"itself is never reached; got start={start!r}, stop={stop!r}, "
            f"strength={strength!r}"
        )
    # In w the last factor is gone: ln(u/(s − u)) from below, ln(u − s) from above.
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = [np.where(rising, np.log(u / (s - u)), np.log(u - s)) for u in (u0, u1)]
        first, span = ends[0], ends[1] - ends[0]
    pieces = max(1, int(np.ceil(np.abs(span).max(initial=0))))
    nodes, weights = legendre_rule()
    parts = ((np.arange(pieces)[:, None] + (1 + nodes) / 2) / pieces).ravel()
    w = first + span * parts
    with np.errstate(over="ignore"):
        u = np.where(rising, s / (1 + np.exp(-w)), s + np.exp(w))
    power = np.where(rising, u ** (2 / d - 1) / s, -(u ** (2 / d - 2)))
    return (power / d * span * np.tile(weights / (2 * pieces), pieces)).sum(-1)


def task_time(
    depth: int, *, strengths: HostArray, start: float = 1.0, error: float = 0.02
) -> float:
    """Time of gradient flow until all modes of a task together are learned.

        ½ Σ (u_i − s_i)² = error,   τ du_i/dt = D u_i^(2 − 2/D) (s_i − u_i),  u_i(0) = start

    Args:
        depth: D ≥ 1, number of equal weight matrices aligned with the task.
        strengths: s_i ≥ 0, the singular values of the task.
        start: Strength of every mode at first, > 0; 1 for orthogonal weights.
        error: Squared error, halved, at which the task counts as learned, > 0.

    Returns:
        t/τ; 0 if the error is that small at first.

    Raises:
        ValueError: for numbers outside their range.

    Example:
        >>> one = task_time(5, strengths=[0.5], start=1.0, error=0.02)
        >>> round(one / float(mode_time(5, strength=0.5, start=1.0, stop=0.7)), 9)
        1.0

    References:
        Saxe, McClelland & Ganguli (2014), arXiv:1312.6120.
    """
    from scipy.integrate import solve_ivp

    s = np.atleast_1d(np.asarray(strengths, np.float64))
    if not (depth >= 1 and start > 0 and error > 0 and np.all((s >= 0) & np.isfinite(s))):
        raise ValueError(
            "depth must be >= 1, start and error > 0 and strengths finite and >= 0; got "
            f"depth={depth!r}, start={start!r}, error={error!r}, strengths={strengths!r}"
        )

    def excess(_: float, log_u: HostArray) -> float:
        return float(np.log(np.square(np.exp(log_u) - s).sum() / (2 * error)))

    excess.terminal = True  # type: ignore[attr-defined]
    log_u = np.full(s.shape, np.log(start))
    if excess(0.0, log_u) <= 0:
        return 0.0
    # In ln u, so that no mode crosses 0, and in D t, of which the limit is finite.
    found = solve_ivp(
        lambda _, v: np.exp((1 - 2 / depth) * v) * (s - np.exp(v)),
        (0.0, np.inf),
        log_u,
        method="LSODA",
        events=excess,
        rtol=1e-11,
        atol=1e-12,
    )
    return float(found.t_events[0][0]) / depth
