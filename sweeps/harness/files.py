"""Files of results: whole or not there, on this machine or behind any fsspec URL.

A file is written beside its place and renamed into it, so that a reader sees all of
it or none; on a local disk its bytes and its name are made durable first.
"""

import contextlib
import functools
import os
import re
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

# A name of ours, hidden, and what mkstemp or uuid4 has added.
_HALF = re.compile(r"\.(\.probe|\.lease|[\w-]+\.(parquet|png|svg|csv))\.(\w{8}|\w{32})")


def write_whole(path: Path, content: bytes) -> None:
    """Write a local file so that a reader sees all of it or none.

    Raises:
        OSError: if the directory is full or not writable; nothing is left behind.
    """
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.umask(mask := os.umask(0))  # mkstemp makes files private
        Path(beside).chmod(0o666 & ~mask)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in a directory as durable as the files; not all systems can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


class _Driver:
    """A file system of fsspec whose every error is an OSError."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._files, name)

        @functools.wraps(method)
        def call(*args: Any, **named: Any) -> Any:
            try:
                return method(*args, **named)
            except OSError:
                raise
            except Exception as error:  # each driver has errors of its own
                raise OSError(f"{type(error).__name__}: {error}") from error

        return call


class Store:
    """A directory of results, by names relative to it.

    Attributes:
        url: As it was given.
        local: Its path, None if it is not on a local file system.
    """

    def __init__(self, url: str | Path) -> None:
        """Open a directory that may not exist yet.

        Args:
            url: A local path, or a URL that fsspec knows, such as s3://bucket/run.

        Raises:
            ValueError: for an unknown protocol, or one whose driver is not installed.

        Example:
            >>> store = Store("memory://example")
            >>> store.write("a", b"1")
            >>> store.read("a"), store.names()
            (b'1', ['a'])
        """
        self.url = str(url)
        self.local: Path | None = None
        if "\0" in self.url or not self.url:
            raise ValueError(f"--out {self.url!r} is no name of a directory")
        if "://" not in self.url:
            self.local = Path(self.url)
            return
        try:
            files, root = fsspec.url_to_fs(self.url, use_listings_cache=False)
        except Exception as error:  # each driver has errors of its own
            raise ValueError(f"--out {self.url} cannot be opened: {error}") from error
        if isinstance(files, LocalFileSystem):
            self.local = Path(root)
        self._files = _Driver(files)
        self._root = root.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def make(self) -> None:
        """Make the directory; others' files in it are left alone.

        Raises:
            OSError: if it cannot be made.
        """
        if self.local is not None:
            self.local.mkdir(parents=True, exist_ok=True)
        else:
            self._files.makedirs(self._root, exist_ok=True)

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises FileNotFoundError if it is not there."""
        if self.local is not None:
            return (self.local / name).read_bytes()
        return self._files.cat_file(self._at(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that a reader sees all of it or none."""
        if self.local is not None:
            path = self.local / name
            path.parent.mkdir(exist_ok=True)
            write_whole(path, content)
            return
        folder, _, last = name.rpartition("/")
        beside = self._at(f"{folder}/" if folder else "") + f".{last}.{uuid.uuid4().hex}"
        self._files.makedirs(self._at(folder), exist_ok=True)
        try:
            self._files.pipe_file(beside, content)
            self._files.mv(beside, self._at(name))
        except BaseException:
            with contextlib.suppress(Exception):
                self._files.rm_file(beside)
            raise

    def names(self, folder: str = "") -> list[str]:
        """Names of the files directly in a folder, none if there is no such folder."""
        try:
            if self.local is not None:
                with os.scandir(self.local / folder) as entries:
                    return sorted(entry.name for entry in entries if entry.is_file())
            found = self._files.ls(self._at(folder), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(f["name"].rpartition("/")[2] for f in found if f["type"] == "file")

    def clear_halves(self, folder: str = "") -> None:
        """Remove what writers that were killed have left half-written."""
        for name in self.names(folder):
            if _HALF.fullmatch(name):
                self.remove(f"{folder}/{name}" if folder else name)

    def exists(self, name: str) -> bool:
        """Whether there is a file or folder of this name."""
        if self.local is not None:
            return (self.local / name).exists()
        return bool(self._files.exists(self._at(name)))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        if self.local is not None:
            (self.local / old).rename(self.local / new)
        else:
            self._files.mv(self._at(old), self._at(new))

    def remove(self, name: str) -> None:
        """Remove a file; fine if it is gone."""
        with contextlib.suppress(FileNotFoundError):
            if self.local is not None:
                (self.local / name).unlink()
            else:
                self._files.rm_file(self._at(name))

    def remove_folder(self, name: str) -> None:
        """Remove a folder that holds nothing; object stores have none to remove."""
        if self.local is not None:
            with contextlib.suppress(OSError):  # not empty, or gone
                (self.local / name).rmdir()
