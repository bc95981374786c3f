"""The full MNIST, from the four IDX files that a person has, gzipped or not.

An IDX file is four bytes (0, 0, the kind of number, the number of axes), the length of
each axis as a big-endian 32-bit integer, and the numbers. Nothing is ever unpickled.
"""

import gzip
import hashlib
import math
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

PARTS = {
    "train images": ("train-images", 3),
    "train labels": ("train-labels", 1),
    "test images": ("t10k-images", 3),
    "test labels": ("t10k-labels", 1),
}
"""Beginning of the name of each file, and its axes."""

_BYTES, _GZIP = 0x08, b"\x1f\x8b"
_SIDE = 28


class Files(NamedTuple):
    """What the four files hold.

    Attributes:
        train: Images [image, 28, 28] and classes [image], as bytes.
        test: Likewise.
        digest: First 8 hexadecimal digits of the SHA-256 of all numbers, by which a table
            knows them; compressed or not makes no difference.
    """

    train: tuple[HostArray, HostArray]
    test: tuple[HostArray, HostArray]
    digest: str


@cache
def mnist_files(folder: str) -> Files:
    """Read the four files of a folder, once for a process.

    Raises:
        ValueError: if one is missing, damaged, or does not fit the others; the message
            names it and the remedy.
    """
    found = {part: _part(Path(folder), part) for part in PARTS}
    digest = hashlib.sha256()
    for array in found.values():
        digest.update(array.tobytes())
    for part in ("train", "test"):
        images, labels = found[f"{part} images"], found[f"{part} labels"]
        if images.shape[1:] != (_SIDE, _SIDE) or len(images) != len(labels):
            raise ValueError(
                f"{folder}: {part} images are {images.shape} and labels {labels.shape}; "
                f"MNIST has (n, {_SIDE}, {_SIDE}) and (n,)"
            )
        if not len(labels) or labels.max() > 9:
            raise ValueError(f"{folder}: {part} labels are not digits from 0 to 9")
    return Files(
        (found["train images"], found["train labels"]),
        (found["test images"], found["test labels"]),
        digest.hexdigest()[:8],
    )


def read_idx(path: Path, axes: int) -> HostArray:
    """The bytes in an IDX file, as an array of so many axes.

    Raises:
        ValueError: if it is no such file, or not a whole one.
    """
    try:
        content = path.read_bytes()
        if content[:2] == _GZIP:
            content = gzip.decompress(content)  # which checks its sum
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read ({error}); fetch it again") from error
    start = 4 + 4 * axes
    if content[:4] != bytes((0, 0, _BYTES, axes)) or len(content) < start:
        raise ValueError(f"{path} is no IDX file of bytes with {axes} axes; fetch it again")
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path} says {shape} and holds {len(content) - start} numbers; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _part(folder: Path, part: str) -> HostArray:
    """One of the four files, under any of the names that it goes by."""
    stem, axes = PARTS[part]
    names = [
        f"{stem}{dot}idx{axes}-ubyte{ending}" for dot in "-." for ending in ("", ".gz")
    ]
    for name in names:
        if (folder / name).is_file():
            return read_idx(folder / name, axes)
    raise ValueError(f"--data-dir {folder} has no {names[0]}, nor with .gz; put it there")
