"""Tensors in files: NumPy's .npy and .npz, straight to and from device memory.

The formats are imported when a file is first asked for: zipfile and what it needs take a third of
our own import time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeAlias

from vktensor import _core
from vktensor._core import Tensor
from vktensor._typing import DeviceLike, DTypeLike

__all__ = ["load", "save", "savez", "savez_compressed"]

#: What a file is given as: a path, or an object with `read` or `write`.
File: TypeAlias = str | bytes | os.PathLike[Any] | Any

# ---- paths ------------------------------------------------------------------------------------


@contextmanager
def _replacing(path: str) -> Iterator[Any]:
    """A new file to write, which takes the place of the one at `path` when the block ends well.

    It lies beside it until then and is removed if the block raises. What is there and no regular
    file is written into.
    """
    target = os.path.realpath(path)
    mode = None
    with suppress(FileNotFoundError):
        mode = os.stat(target).st_mode
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:
            yield file
        return
    temporary = os.path.join(os.path.dirname(target), f".vktensor-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        error.filename = target
        raise
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            yield file
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


@contextmanager
def _writing(file: File, suffix: str) -> Iterator[Any]:
    """The file object that `file` is, or a new file at the path, which gets the suffix it lacks."""
    if hasattr(file, "write"):
        yield file
        return
    path = os.fsdecode(file)
    with _replacing(path if path.endswith(suffix) else path + suffix) as opened:
        yield opened


def _name(file: File) -> str:
    """What errors call it."""
    if isinstance(file, (str, bytes, os.PathLike)):
        return os.fsdecode(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else f"<{type(file).__name__}>"


# ---- saving -----------------------------------------------------------------------------------


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else _core.asarray(x, None, None, None)


def save(file: File, x: Any) -> None:
    """Writes a Tensor to a .npy file, the same bytes as `numpy.save`.

    Elements go from the device to the file in pieces of 32 MiB; views are put together on the way.
    A Tensor that lies in Fortran order is written so. bfloat16 is written as NumPy writes
    ml_dtypes' (`vt.load` knows it, `np.load` gives two bytes without a type).

    Parameters
    ----------
    file : path or file object
        A path, to which '.npy' is appended if it does not end so, or an object with `write`. A path
        has the whole file or what it had before: the bytes are written to a new file beside it,
        which then takes its place.
    x : Tensor or array_like
        A Tensor, or what `vt.asarray` takes.

    Raises
    ------
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> vt.save(file, vt.arange(3))
    >>> np.load(io.BytesIO(file.getvalue()))
    array([0, 1, 2])
    """
    from vktensor import _npy

    x = _tensor(x)
    _core.eval(x)
    with _writing(file, ".npy") as opened:
        _npy.write_array(opened, x)


def _save_archive(file: File, args: tuple[Any, ...], named: dict[str, Any], packed: bool) -> None:
    from vktensor import _npz

    tensors = {name: _tensor(x) for name, x in named.items()}
    for i, x in enumerate(args):
        name = f"arr_{i}"
        if name in tensors:
            raise ValueError(f"savez: {name} is the name of an unnamed tensor and of a named one")
        tensors[name] = _tensor(x)
    for name, x in tensors.items():
        if not _npz.is_inside(f"{name}.npy"):
            raise ValueError(f"savez: expected a name that leads out of no folder, got {name!r}")
        _core.eval(x)
    with _writing(file, ".npz") as opened:
        _npz.write(opened, tensors, packed)


def savez(file: File, *args: Any, **kwds: Any) -> None:
    """Writes several Tensors to a .npz file, an archive of .npy files, as `numpy.savez`.

    Parameters
    ----------
    file : path or file object
        As of `vt.save`; the suffix is '.npz'.
    *args : Tensor or array_like
        Tensors that are called arr_0, arr_1, ...
    **kwds : Tensor or array_like
        Tensors by name.

    Raises
    ------
    ValueError
        A name is given twice, arr_0 as a keyword beside an argument without a name; or leads out of
        a folder, as '../a' does.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> vt.savez(file, vt.arange(3), weights=vt.ones((2, 2)))
    >>> sorted(np.load(io.BytesIO(file.getvalue())))
    ['arr_0', 'weights']
    """
    _save_archive(file, args, kwds, False)


def savez_compressed(file: File, *args: Any, **kwds: Any) -> None:
    """Writes several Tensors to a .npz file whose members are deflated.

    As `vt.savez` otherwise, and as `numpy.savez_compressed`.

    Parameters
    ----------
    file : path or file object
        As of `vt.save`; the suffix is '.npz'.
    *args : Tensor or array_like
        Tensors that are called arr_0, arr_1, ...
    **kwds : Tensor or array_like
        Tensors by name.

    Raises
    ------
    ValueError
        A name is given twice, arr_0 as a keyword beside an argument without a name; or leads out of
        a folder, as '../a' does.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> vt.savez_compressed(file, zeros=vt.zeros(100_000))
    >>> len(file.getvalue()) < 1000
    True
    """
    _save_archive(file, args, kwds, True)


# ---- loading ----------------------------------------------------------------------------------


def load(
    file: File,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    allow_pickle: bool = False,
) -> Any:
    """The Tensor in a .npy file, or those in a .npz file.

    Elements go from the file to the device in pieces of 32 MiB, on CPU and integrated devices
    straight into the Tensor's memory: the host never holds an array whole. Nothing a file says is
    trusted: its header is parsed as data, never evaluated, and sizes are compared with the file's
    before memory is taken. Where a file object cannot tell its size, at most twice the bytes that
    have come are allocated. Python objects are never unpickled.

    Parameters
    ----------
    file : path or file object
        A path, or an object with `read` (better `readinto`), which is left behind the array; for
        .npz also with `seek`. As in NumPy, bytes after an array are left alone.
    dtype : dtype, optional
        Elements are converted to it as they are read, on the host: a file of float64 can be loaded
        on a device that has none. None keeps the file's dtype in native byte order. Two bytes
        without a type (NumPy's ``'|V2'``) are taken for bfloat16 where that is given.
    device : Device, int, str or None, optional
        Where to load to; the default device for None.
    allow_pickle : bool, optional
        Only False: here for calls written for NumPy.

    Returns
    -------
    Tensor or NpzFile
        A Tensor with the file's shape, in Fortran order if the file is. For .npz a mapping from
        names to Tensors, each read when it is asked for; close it, or use it in a `with` statement.

    Raises
    ------
    ValueError
        The file is of neither kind, not sound, or of a dtype there are no tensors of.
    EOFError
        It ends early.
    OSError
        It cannot be read.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> np.save(file, np.arange(6.0).reshape(2, 3))
    >>> vt.load(io.BytesIO(file.getvalue()))
    Tensor([[0., 1., 2.],
            [3., 4., 5.]], dtype=float64)
    """
    if allow_pickle:
        raise ValueError("load: pickled objects are never loaded: expected allow_pickle=False")
    wanted = None if dtype is None else _core.result_type(dtype)
    if hasattr(file, "read"):
        return _load(file, _name(file), wanted, device, own=False)
    with ExitStack() as stack:
        opened = stack.enter_context(open(os.fsdecode(file), "rb"))
        result = _load(opened, _name(file), wanted, device, own=True)
        if not isinstance(result, Tensor):
            stack.pop_all()  # it closes the file
        return result


def _load(file: Any, name: str, dtype: Any, device: Any, *, own: bool) -> Any:
    from vktensor import _npy

    left = _npy.count_left(file)
    start = _npy.Source(file, name, left).read(len(_npy.MAGIC), "magic string")
    if start == _npy.MAGIC:
        source = _npy.Source(file, name, None if left is None else left - len(start))
        return _npy.read_array(source, dtype, device, start)
    if start[:4] not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise ValueError(
            f"load: {name}: expected a .npy or .npz file, got one that begins with {start!r}"
        )
    if not (hasattr(file, "seek") and file.seekable()):
        raise ValueError(f"load: {name}: expected a file with seek for a .npz archive")
    file.seek(-len(start), os.SEEK_CUR)
    from vktensor import _npz

    return _npz.NpzFile(file, name, dtype, device, own=own)
