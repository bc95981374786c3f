"""Examples in an ``.npz`` file, which a person made with ``numpy.savez``.

Arrays are read as numbers only: nothing in a file is ever unpickled. A file is known
by its name and the hash of its bytes, so that another place or day makes no difference
and another content does.
"""

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.data.examples import CLASSES, Examples, standardized

INPUTS = ("x", "inputs", "images")
"""Names of the array of inputs; without them, the only one of 2 or more dimensions."""
LABELS = ("y", "labels")
"""Names of the array of classes, which a file need not have."""


class Archive(NamedTuple):
    """A file that was read.

    Attributes:
        name: ``<stem>.npz#<first 8 hexadecimal digits of the SHA-256 of its bytes>``.
        examples: What is in it, standardized, classes numbered from 0.
    """

    name: str
    examples: Examples


def is_archive(kind: str) -> bool:
    """Whether the name of an input is the path of a file.

    Example:
        >>> is_archive("my/own.npz"), is_archive("mnist")
        (True, False)
    """
    return kind.lower().endswith(".npz")


def archive(path: str) -> Archive:
    """The examples of a file, read once as long as it does not change.

    Raises:
        ValueError: if it is missing, damaged, or holds no examples; the message names
            path, array and remedy.
    """
    try:
        state = Path(path).stat()
        return _read(path, state.st_ino, state.st_size, state.st_mtime_ns)
    except FileNotFoundError as error:
        raise ValueError(f"--inputs {path} is not there; give a file's path") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"--inputs {path}: {error}") from error


@cache
def _read(path: str, *state: int) -> Archive:
    """The file at ``path``, anew for another ``state``."""
    content = Path(path).read_bytes()
    held = _arrays(content)
    name = _inputs_of(held)
    inputs = _array(held, name)
    if inputs.ndim < 2 or not inputs.size:
        raise ValueError(f"array {name!r} is {_shaped(inputs)}; make it [example, feature]")
    if inputs.dtype.kind not in "iuf":
        raise ValueError(f"array {name!r} is of {inputs.dtype}; make it integer or float")
    try:
        standard = standardized(inputs)
    except ValueError as error:
        raise ValueError(f"array {name!r} cannot be standardized: {error}") from error
    digest = hashlib.sha256(content).hexdigest()[:8]
    stem = Path(path).stem.encode(errors="replace").decode()
    return Archive(f"{stem}.npz#{digest}", Examples(standard, _labels(held, len(standard))))


def _arrays(content: bytes) -> np.lib.npyio.NpzFile:
    try:
        held = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(held, np.lib.npyio.NpzFile):
            raise ValueError("it is one array")
    except Exception as error:  # whatever a file that is something else may raise
        raise ValueError("it is no whole .npz file; write it with numpy.savez") from error
    return held


def _array(held: np.lib.npyio.NpzFile, name: str) -> HostArray:
    try:
        found = held[name]
    except Exception as error:  # whatever pickles and damaged bytes raise
        raise ValueError(
            f"array {name!r} cannot be read as numbers ({error}); write it with "
            "numpy.savez, without Python objects"
        ) from error
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{name!r} is no array; write it with numpy.savez")
    return found


def _named(held: np.lib.npyio.NpzFile, names: tuple[str, ...]) -> str | None:
    """The one of these names that the file has."""
    found = [name for name in names if name in held.files]
    if len(found) > 1:
        raise ValueError(f"it has arrays {' and '.join(found)}; keep one of them")
    return found[0] if found else None


def _inputs_of(held: np.lib.npyio.NpzFile) -> str:
    if name := _named(held, INPUTS):
        return name
    others = [name for name in held.files if name not in LABELS]
    deep = [name for name in others if _array(held, name).ndim >= 2]
    if len(deep) != 1:
        raise ValueError(
            f"none of its arrays ({', '.join(held.files) or 'it has none'}) is named "
            f"{', '.join(INPUTS)}, and {len(deep) or 'none'} have 2 or more dimensions; "
            f"name the inputs {INPUTS[0]}"
        )
    return deep[0]


def _labels(held: np.lib.npyio.NpzFile, count: int) -> HostArray | None:
    """Classes of the examples, numbered from 0 in their order."""
    if (name := _named(held, LABELS)) is None:
        return None
    labels = _array(held, name)
    if labels.shape != (count,):
        raise ValueError(
            f"array {name!r} is {_shaped(labels)} for {count} examples; give each one class"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"array {name!r} is of {labels.dtype}; make it integer")
    classes, numbered = np.unique(labels, return_inverse=True)
    if len(classes) > CLASSES:
        raise ValueError(
            f"array {name!r} has {len(classes)} classes, the networks {CLASSES} outputs; "
            f"keep {CLASSES} classes, or leave {name} out for random labels"
        )
    return numbered.astype(np.int32)


def _shaped(array: HostArray) -> str:
    return f"of shape {array.shape}"
