"""The .npy format: headers read without trust, elements moved between files and device memory in
pieces, so that the host never holds an array whole.

The format is that of NumPy's enhancement proposal 1 and its versions 1.0, 2.0 and 3.0. bfloat16 is
stored as NumPy stores ml_dtypes' type, with the descr '<V2'.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vktensor import _core, _dtypes, exchange
from vktensor._core import Tensor

MAGIC = b"\x93NUMPY"
#: Bytes of the longest header, as NumPy has it.
MAX_HEADER = 10_000
#: Bytes that pass the host at a time, at least half of them where there are more: NumPy's tofile
#: asks the file system for room, which halves the time of writing, from 16 MiB on.
PIECE = 32 << 20
#: Bytes asked of a plain file at a time: between two of these, signals are looked at.
LONG_STEP = 64 << 20
#: Bytes asked of other file objects at a time: many put them into an object of their own first.
STEP = 1 << 20

# ---- headers ----------------------------------------------------------------------------------


class Header(NamedTuple):
    """What stands before the elements: their dtype in the file's byte order, and their layout."""

    dtype: np.dtype[Any]
    fortran_order: bool
    shape: tuple[int, ...]


_TOKEN = re.compile(
    r"[ \t\n]*(?:'([^'\\]*)'|\"([^\"\\]*)\"|([0-9]{1,20})L?|(True|False)|([{}():,]))"
)
_DESCR = re.compile(r"([<>|=]?)([A-Za-z?])([0-9]{0,4})")
_CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
_REFUSED = {
    "O": "Python objects, which only pickle reads",
    "S": "byte strings",
    "U": "strings",
    "V": "untyped bytes",
    "M": "dates",
    "m": "time spans",
    "f": "a float of another width",
    "c": "a complex number of another width",
}


def _tokens(text: str) -> Iterator[Any]:
    """Strings (with a mark before them), integers, truth values and signs of a Python literal."""
    text = text.rstrip(" \t\n")
    at = len(text) - len(text.lstrip(" \t"))
    if text[at : at + 1] == "\n":
        raise ValueError("unexpected line break at its start")
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"unexpected {text[at : at + 20].strip()!r}")
        single, double, number, truth, sign = found.groups()
        if sign:
            yield sign
        elif number:
            yield int(number)
        elif truth:
            yield truth == "True"
        else:
            yield "'" + (single if double is None else double)
        at = found.end()
    while True:
        yield "its end"


def _expect(tokens: Iterator[Any], *wanted: str) -> str:
    found = next(tokens)
    if type(found) is not str or found not in wanted:
        raise ValueError(f"expected {' or '.join(wanted)}, got {found}")
    return found


def _read_shape(tokens: Iterator[Any]) -> tuple[int, ...]:
    """What follows an opening bracket, up to the closing one."""
    shape: list[int] = []
    while (found := next(tokens)) != ")":
        if type(found) is not int or found >= 1 << 63:
            raise ValueError(f"expected lengths from 0 to 2**63 - 1 in shape, got {found}")
        shape.append(found)
        if _expect(tokens, ",", ")") == ")":
            if len(shape) == 1:
                raise ValueError(f"expected a tuple as shape, got {found}")
            break
    return tuple(shape)


def _read_fields(text: str) -> dict[str, Any]:
    """The fields of a header; ValueError for all that is not one."""
    fields: dict[str, Any] = {}
    tokens = _tokens(text)
    _expect(tokens, "{")
    while (key := _expect(tokens, "'descr", "'fortran_order", "'shape", "}")[1:]) != "":
        _expect(tokens, ":")
        value = next(tokens)
        if key in fields:
            raise ValueError(f"{key} stands there twice")
        if key == "shape" and type(value) is str and value == "(":
            fields[key] = _read_shape(tokens)
        elif key == "fortran_order" and type(value) is bool:
            fields[key] = value
        elif key == "descr" and type(value) is str and value[0] == "'":
            fields[key] = value[1:]
        else:
            raise ValueError(f"expected a {key}, got {value}")
        if _expect(tokens, ",", "}") == "}":
            break
    _expect(tokens, "its end")
    missing = {"descr", "fortran_order", "shape"} - set(fields)
    if missing:
        raise ValueError(f"{' and '.join(sorted(missing))} missing")
    return fields


def _find_dtype(descr: str, wanted: np.dtype[Any] | None) -> np.dtype[Any]:
    """The dtype that `descr` spells; untyped bytes are bfloat16 where that is wanted."""
    found = _DESCR.fullmatch(descr)
    order, kind, width = found.groups() if found else ("", "", "")
    if kind + width in _CODES:
        return np.dtype(descr)
    if kind + width == "V2" and (order == "<" or (order == "|" and wanted == _dtypes.bfloat16)):
        return _dtypes.bfloat16.dtype
    meaning = f" ({_REFUSED[kind]})" if kind in _REFUSED else ""
    hint = ": give dtype='bfloat16' if that is what it holds" if descr == "|V2" else ""
    raise ValueError(f"there are no tensors of dtype {descr!r}{meaning}{hint}")


def parse_header(text: str, wanted: np.dtype[Any] | None = None) -> Header:
    """The header that `text`, a Python literal, spells.

    Parameters
    ----------
    text
        What a file holds between the header's length and the elements.
    wanted
        The dtype that is asked for: for bfloat16, bytes without a type are taken as such.

    Raises
    ------
    ValueError
        It is no header, or one of a dtype there are no tensors of.
    """
    if re.search(r"'descr'\s*:\s*\[", text):
        raise ValueError("there are no tensors of structured dtypes")
    fields = _read_fields(text)
    return Header(_find_dtype(fields["descr"], wanted), fields["fortran_order"], fields["shape"])


# ---- reading ----------------------------------------------------------------------------------


class Source:
    """An open binary file to read from, which may hold anything.

    Parameters
    ----------
    file
        With `readinto` or `read`.
    name
        What errors call it.
    left
        Bytes it still has, None if nobody knows.
    """

    def __init__(self, file: Any, name: str, left: int | None) -> None:
        self.file = file
        self.name = name
        self.left = left

    def fill(self, view: memoryview, what: str) -> None:
        """Reads as many bytes as `view` has; EOFError if there are fewer."""
        readinto = getattr(self.file, "readinto", None)
        done = 0
        while done < len(view):
            part = view[done : done + (STEP if self.left is None else LONG_STEP)]
            got = readinto(part) if readinto else self._copy(part)
            if got is None or not 0 <= got <= len(part):
                raise ValueError(f"load: {self.name}: expected up to {len(part)} bytes, got {got}")
            if got == 0:
                raise EOFError(
                    f"load: {self.name}: expected {len(view)} bytes of {what}, got {done}"
                )
            done += got
        if self.left is not None:
            self.left -= done

    def _copy(self, part: memoryview) -> int:
        data = self.file.read(len(part))
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"load: {self.name}: expected a file that gives bytes, got {type(data).__name__}"
            )
        if len(data) <= len(part):
            part[: len(data)] = data
        return len(data)

    def read(self, n: int, what: str) -> bytes:
        """The next `n` bytes; EOFError if there are fewer."""
        data = bytearray(n)
        self.fill(memoryview(data), what)
        return bytes(data)


def _plain_nbytes(file: Any) -> int | None:
    """Bytes of a regular file that Python itself opened, else None."""
    buffered = type(file) in (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
    raw = file.raw if buffered else file
    if type(raw) is not io.FileIO:
        return None
    status = os.fstat(raw.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def count_left(file: Any) -> int | None:
    """Bytes between a file's position and its end, None where only reading them would tell."""
    if type(file) is io.BytesIO:
        return max(0, file.getbuffer().nbytes - file.tell())
    # Files that are made when they are read, as in /proc, say that they are empty.
    nbytes = _plain_nbytes(file)
    return max(0, nbytes - int(file.tell())) if nbytes else None


def read_header(source: Source, wanted: np.dtype[Any] | None, start: bytes = b"") -> Header:
    """Reads what stands before the elements; `start` are bytes of it that were read already."""
    magic = start + source.read(8 - len(start), "magic string and version")
    version = (magic[6], magic[7])
    if magic[:6] != MAGIC:
        raise ValueError(f"load: {source.name}: expected {MAGIC!r}, got {magic[:6]!r}")
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(
            f"load: {source.name}: expected version 1.0, 2.0 or 3.0, got {version[0]}.{version[1]}"
        )
    length = int.from_bytes(source.read(2 if version == (1, 0) else 4, "header length"), "little")
    if length > MAX_HEADER:
        raise ValueError(
            f"load: {source.name}: expected a header of at most {MAX_HEADER} bytes, got {length}"
        )
    text = source.read(length, "header")
    try:
        return parse_header(text.decode("utf-8" if version == (3, 0) else "latin-1"), wanted)
    except ValueError as error:
        raise ValueError(f"load: {source.name}: the header is not sound: {error}") from None


def _view(x: Tensor) -> NDArray[Any] | None:
    """x's own memory, None where the host has no fast view of it."""
    try:
        return x.__array__(copy=False)
    except ValueError:
        return None


def _pinned(n: int, dtype: np.dtype[Any], device: Any) -> NDArray[Any]:
    """n elements in memory that the device reaches, if there is some left."""
    with exchange.host_memory(device):
        # Shorter arrays would not be pinned.
        buffer = np.empty(max(n * dtype.itemsize, 64 << 10), np.uint8)
    return buffer[: n * dtype.itemsize].view(dtype)


def _upload(x: Tensor, elements: NDArray[Any]) -> None:
    """Writes pinned elements, which may then be overwritten, into x."""
    try:
        value = _core.from_numpy(elements, x.device, False)
    except ValueError:  # there was no pinned memory left
        value = _core.asarray(elements, None, x.device, True)
    _core.assign(x, value)


def _fill(x: Tensor, source: Source, stored: np.dtype[Any]) -> None:
    """Reads x's elements, one-dimensional and contiguous, which the file has as `stored`."""
    host = _view(x)
    same = stored == x.dtype
    if host is not None and same:
        source.fill(host.view(np.uint8).data, "elements")
        return
    n = min(PIECE // max(stored.itemsize, x.itemsize), x.size)
    read = _pinned(n, stored, x.device)
    native = read if same or host is not None else _pinned(n, x.dtype, x.device)
    for begin in range(0, x.size, n):
        elements = read[: x.size - begin]
        end = begin + elements.size
        source.fill(elements.view(np.uint8).data, "elements")
        if host is not None:
            host[begin:end] = elements
            continue
        if not same:
            native[: elements.size] = elements
        _upload(x[begin:end], native[: elements.size])


def _read_elements(source: Source, n: int, stored: Any, dtype: Any, device: Any) -> Tensor:
    """n elements in one dimension. Where nobody knows how many bytes are to come, no more memory
    is taken than twice what has come."""
    parts: list[Tensor] = []
    have = 0
    while have < n or not parts:
        limit = n if source.left is not None else max(have, STEP // stored.itemsize)
        part = _core.empty((min(n - have, limit),), dtype, device)
        if part.size:
            _fill(part, source, stored)
        have += part.size
        parts.append(part)
    return parts[0] if len(parts) == 1 else _core.concat(parts, 0)


def read_array(
    source: Source, dtype: np.dtype[Any] | None, device: Any, start: bytes = b""
) -> Tensor:
    """The Tensor that begins, but for `start`, at the source's position, which afterwards is behind
    it. Converted to `dtype`, unless that is None."""
    stored, fortran_order, shape = read_header(source, dtype, start)
    n = prod(shape)
    if len(shape) > 16:
        raise ValueError(
            f"load: {source.name}: a tensor has at most 16 dimensions, got {len(shape)}"
        )
    nbytes = n * stored.itemsize
    if prod(length or 1 for length in shape) * stored.itemsize >= 1 << 63 and n == 0:
        raise ValueError(f"load: {source.name}: shape {shape} is too large")
    if source.left is not None and nbytes > source.left:
        raise EOFError(
            f"load: {source.name}: expected {nbytes} bytes of elements for shape {shape} and dtype "
            f"{stored}, got {source.left}"
        )
    own = stored.newbyteorder("=") if dtype is None else dtype
    flat = _read_elements(source, n, stored, own, device)
    if not fortran_order:
        return _core.reshape(flat, shape)
    return _core.permute_dims(_core.reshape(flat, shape[::-1]), range(len(shape))[::-1])


# ---- writing ----------------------------------------------------------------------------------


def _blocks(x: Tensor) -> Iterator[Tensor]:
    """x in parts of at most a piece, in C order."""
    if x.nbytes <= PIECE:
        yield x
        return
    n = max(1, PIECE // (x.nbytes // x.shape[0]))
    for begin in range(0, x.shape[0], n):
        yield from _blocks(x[begin : begin + n] if n > 1 or x.ndim == 1 else x[begin])


def _is_contiguous(x: Tensor) -> bool:
    expected = x.itemsize
    for length, stride in zip(x.shape[::-1], x.strides[::-1], strict=True):
        if length != 1 and stride != expected:
            return x.size == 0
        expected *= length
    return True


def _write(file: Any, data: Any) -> None:
    """All of `data`: a raw file may take part of it."""
    view = memoryview(data)
    while view:
        n = file.write(view)
        if n is None or n >= len(view):
            return
        view = view[n:]


def write_array(file: Any, x: Tensor) -> None:
    """Writes x as NumPy does, byte for byte: in Fortran order where it lies so in memory."""
    _core.eval(x)
    turned = _core.permute_dims(x, range(x.ndim)[::-1])
    fortran_order = not _is_contiguous(x) and _is_contiguous(turned)
    header = io.BytesIO()
    fields = {"descr": x.dtype.str, "fortran_order": fortran_order, "shape": x.shape}
    np.lib.format.write_array_header_1_0(header, fields)
    _write(file, header.getvalue())
    is_plain = _plain_nbytes(file) is not None
    for block in _blocks(turned if fortran_order else x):
        if block.size:
            data = np.ascontiguousarray(block.numpy()).reshape(-1).view(np.uint8)
            if is_plain:
                data.tofile(file)
            else:
                _write(file, data.data)
