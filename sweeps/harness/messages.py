"""What a person is told: one short line that a terminal can show."""

import sys

_LONGEST = 900


def one_line(text: str) -> str:
    r"""Text without line breaks and control characters, and not endless.

    Example:
        >>> one_line("a\n  b\x1b[2J")
        'a b�[2J'
    """
    words = " ".join(text.split())
    shown = "".join(c if c.isprintable() else "�" for c in words)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def in_words(error: BaseException) -> str:
    """Kind and message of an error, however ill-behaved.

    Example:
        >>> in_words(KeyError("x"))
        "KeyError: 'x'"
    """
    try:
        words = str(error)
    except Exception:
        words = "it cannot say what"
    return one_line(f"{type(error).__name__}: {words}")


def refuse(message: str) -> int:
    """Say in one line what is wrong; the exit code."""
    print(one_line(f"error: {message}"), file=sys.stderr)
    return 2
