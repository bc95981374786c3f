"""Patterns for paths: regular expressions that must match, each path once."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Patterns: TypeAlias = str | Sequence[str]
"""Regular expressions, one or several, each to match a whole path."""

_LISTED = 40  # paths that an error shows before it picks the closest ones


def assign(
    paths: Sequence[str],
    aims: Iterable[tuple[str, Patterns]],
    *,
    kind: str = "parameter",
) -> dict[str, int]:
    """Position of the aim that each path belongs to, for the paths that have one.

    Args:
        paths: What there is to match.
        aims: (name of the argument, patterns), in order.
        kind: What a path is the path of, for messages.

    Raises:
        ValueError: for a pattern that matches nothing, a path that two patterns
            match, and a bad regular expression.
    """
    owners: dict[str, int] = {}
    claims: dict[str, str] = {}
    for position, (argument, patterns) in enumerate(aims):
        for pattern in listed_patterns(argument, patterns):
            claim = f"{argument}={pattern!r}"
            found = [path for path in paths if _compiled(claim, pattern).fullmatch(path)]
            if not found:
                raise ValueError(f"{claim} matches no {kind}. {_listing(pattern, paths)}")
            for path in found:
                if path in claims:
                    raise ValueError(
                        f"{claims[path]} and {claim} both match {path!r}; narrow one, "
                        "so that only one rule changes it"
                    )
                owners[path], claims[path] = position, claim
    return {path: owners[path] for path in paths if path in owners}


def listed_patterns(argument: str, patterns: Patterns) -> tuple[str, ...]:
    """Patterns as a tuple.

    Raises:
        TypeError: for anything but a string or a sequence of strings.
    """
    listed = (patterns,) if isinstance(patterns, str) else patterns
    if not isinstance(listed, Sequence) or not all(isinstance(p, str) for p in listed):
        raise TypeError(
            f"{argument} must be a regular expression or a sequence of them, as "
            f"strings; got {argument}={patterns!r}"
        )
    return tuple(listed)


def _compiled(claim: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{claim} is not a regular expression: {error}") from error


def _listing(pattern: str, paths: Sequence[str]) -> str:
    """The paths there are; of many, those most like the pattern."""
    if not paths:
        return "The tree has none"
    if len(paths) <= _LISTED:
        return "A pattern matches a whole path, of these:\n  " + "\n  ".join(paths)
    plain = re.sub(r"\\.|[^\w/]", "", pattern)

    def likeness(path: str) -> float:
        return difflib.SequenceMatcher(None, plain, path).ratio()

    closest = sorted(paths, key=likeness, reverse=True)[: _LISTED // 2]
    return (
        f"A pattern matches a whole path; of the {len(paths)} there are, the closest:\n  "
        + "\n  ".join(closest)
    )
