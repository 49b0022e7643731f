"""The .npz format: archives of .npy files, written in pieces and read without trust."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vktensor import _npy
from vktensor._core import Tensor
from vktensor._typing import DeviceLike

#: The most that deflate makes of a byte: 258 bytes take at least two bits.
MAX_RATIO = 1032
#: What zipfile and zlib raise for bytes that are no archive.
_UNSOUND = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError)


def is_inside(name: str) -> bool:
    """Whether a member's name leads out of no folder, should somebody unpack it."""
    parts = name.replace("\\", "/").split("/")
    return all(parts) and ".." not in parts and "." not in parts and ":" not in parts[0]


def write(file: Any, tensors: dict[str, Tensor], packed: bool) -> None:
    """Writes an archive of these tensors by name, deflated if `packed`."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method, allowZip64=True) as archive:
        for name, x in tensors.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                _npy.write_array(member, x)


class NpzFile(Mapping[str, Tensor]):
    """The Tensors in a .npz file by name, each read when it is asked for: what `vt.load` gives.

    `files` lists the names. Close it, or use it in a `with` statement. Names are keys and never
    paths of files. An archive is refused whole if a name stands there twice or leads out of a
    folder, a member is encrypted, packed by anything but deflate or larger than deflate could
    make it, or members overlap. Bytes are checked against the archive's CRC-32.
    """

    def __init__(
        self, file: Any, name: str, dtype: np.dtype[Any] | None, device: DeviceLike, *, own: bool
    ) -> None:
        self._name = name
        self._dtype = dtype
        self._device = device
        self._file = file if own else None
        self._archive: zipfile.ZipFile | None = None
        try:
            self._archive = zipfile.ZipFile(file)
            nbytes = file.seek(0, os.SEEK_END)
            self._members = _check(self._archive.infolist(), nbytes)
        except _UNSOUND as error:
            raise ValueError(f"load: {name}: not a sound .npz archive: {error}") from error
        self.files = list(self._members)

    def __getitem__(self, key: str) -> Tensor:
        if self._archive is None:
            raise ValueError(f"load: {self._name} is closed")
        key = key if key in self._members else key.removesuffix(".npy")
        member = self._members[key]
        name = f"{self._name}: {member.filename}"
        try:
            opened = self._archive.open(member)
        except _UNSOUND as error:
            raise ValueError(f"load: {name}: not sound: {error}") from error
        with opened:
            source = _npy.Source(_Member(opened, name), name, member.file_size)
            x = _npy.read_array(source, self._dtype, self._device)
            # What is left takes part in the CRC, which is looked at when the end is reached.
            while source.left:
                source.read(min(source.left, _npy.STEP), "elements")
        return x

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __contains__(self, key: object) -> bool:
        return key in self._members or (
            isinstance(key, str) and key.removesuffix(".npy") in self._members
        )

    def __repr__(self) -> str:
        return f"NpzFile({self._name!r}, keys: {', '.join(self.files)})"

    def close(self) -> None:
        """Closes the archive, and the file if `vt.load` opened it."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> NpzFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _Member:
    """A member of an archive whose errors are ValueErrors that name it."""

    def __init__(self, opened: Any, name: str) -> None:
        self._opened = opened
        self._name = name

    def readinto(self, view: memoryview) -> int:
        try:
            n: int = self._opened.readinto(view[: _npy.STEP])
        except (*_UNSOUND, EOFError) as error:
            raise ValueError(f"load: {self._name}: not sound: {error}") from error
        return n


def _check(members: list[zipfile.ZipInfo], nbytes: int) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive of `nbytes` by the names they are asked for by; ValueError for
    what no honest writer makes."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = member.filename
        if not is_inside(name):
            raise ValueError(f"expected a name inside the archive, got {name!r}")
        if member.flag_bits & 1:
            raise ValueError(f"{name} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name}: expected stored or deflated, got {member.compress_type}")
        most = member.compress_size
        most *= MAX_RATIO if member.compress_type == zipfile.ZIP_DEFLATED else 1
        if member.file_size > most:
            raise ValueError(
                f"{name}: expected at most {most} bytes of {member.compress_size} packed ones, got "
                f"{member.file_size}"
            )
        key = name.removesuffix(".npy")
        if key in found:
            raise ValueError(f"{key} stands there twice")
        found[key] = member
    total = sum(member.compress_size for member in members)
    if total > nbytes:
        raise ValueError(f"expected members of at most {nbytes} bytes in all, got {total}")
    return found
