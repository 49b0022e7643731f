"""Sharing memory with NumPy and other libraries: the host's arrays as Tensors and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pickle import PickleBuffer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vktensor import _core, _dtypes
from vktensor._core import Tensor
from vktensor._typing import DeviceLike

__all__ = ["from_dlpack", "from_numpy", "host_memory", "to_numpy"]


def from_dlpack(x: Any, /, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """Tensor of another library's array, handed over by DLPack.

    Parameters
    ----------
    x : object
        Anything with `__dlpack__` and `__dlpack_device__`, or a capsule. Memory of another GPU
        library is asked for as a copy in the host's.
    device : Device, int, str or None, optional
        Where to compute; the default device for None, a Tensor's own if `x` is one.
    copy : bool or None, optional
        As of `vt.from_numpy`: False shares or raises, True copies, None shares where computing
        there is as fast as on a copy.

    Returns
    -------
    Tensor
        With the array's shape and dtype. Where memory is shared, the producer keeps it until the
        last Tensor of it dies. Read-only memory gives a read-only Tensor (copy=False) or a copy.

    Raises
    ------
    TypeError
        A dtype there are no tensors of.
    BufferError
        The producer cannot give its memory, or what it gave is not sound.
    ValueError
        copy=False, but the device cannot use the memory where it lies.

    Examples
    --------
    >>> vt.from_dlpack(np.arange(3.0))
    Tensor([0., 1., 2.], dtype=float64)
    """
    return _core.from_dlpack(x, device, copy)


def from_numpy(
    array: NDArray[Any], /, *, device: DeviceLike = None, copy: bool | None = None
) -> Tensor:
    """Tensor of a NumPy array's own memory where that can be, else of a copy.

    Parameters
    ----------
    array : ndarray
        Any shape and strides, any dtype there are tensors of. A Tensor that shares its memory keeps
        it alive. From then on each side sees what the other writes: every op that touches the
        memory is finished when its call returns.
    device : Device, int, str or None, optional
        Where to compute; the default device for None.
    copy : bool or None, optional
        False shares or raises; True copies. None shares where computing there is as fast as on a
        copy (CPU and integrated devices, a writable array), else copies. On a discrete GPU each
        read of shared memory crosses the bus: worth it for data read once.

    Returns
    -------
    Tensor
        With the array's shape and dtype. Of a read-only array that is shared, a read-only Tensor:
        writing into it raises ValueError.

    Raises
    ------
    TypeError
        `array` is no NumPy array, or has a dtype there are no tensors of.
    ValueError
        copy=False, but the memory cannot be shared: a foreign byte order, misaligned elements, or a
        device that cannot import it (VK_EXT_external_memory_host). The text says which.

    Examples
    --------
    >>> a = np.arange(5.0)
    >>> t = vt.from_numpy(a, copy=False)
    >>> a[0] = 7
    >>> t.sum()
    Tensor(17., dtype=float64)
    """
    return _core.from_numpy(array, device, copy)


@contextmanager
def host_memory(device: DeviceLike = None) -> Iterator[None]:
    """Lets NumPy allocate its larger arrays in pinned memory inside the `with` block.

    Arrays of 64 KiB and more are meant. Such an array is an ordinary one in every way, also after
    the block. On CPU and integrated devices `vt.asarray` makes a Tensor of its very memory, as
    `vt.from_numpy` does: each side sees what the other writes. On a discrete GPU it copies at the
    full speed of the bus, and so does `vt.to_numpy(x, out=array)`. Where there is no pinned memory
    left, arrays are allocated as always.

    The setting belongs to the current context (`contextvars`): other threads and tasks do not see
    it. It is NumPy's own (NEP 49): a handler set inside the block ends with it.

    Parameters
    ----------
    device : Device, int, str or None, optional
        Whose memory; the default device's for None.

    Yields
    ------
    None
        While the block runs.

    Examples
    --------
    >>> with vt.host_memory():
    ...     a = np.ones((300, 300), np.float32)
    >>> vt.asarray(a).sum()
    Tensor(90000., dtype=float32)
    """
    before = _core.allocate_on(device)
    try:
        yield
    finally:
        _core.set_handler(before)


def to_numpy(x: Tensor, /, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Elements as a NumPy array: `x.numpy()`, or copied into an array there is.

    Parameters
    ----------
    x : Tensor
        Any Tensor; it is computed.
    out : ndarray or None, optional
        A writable array of `x`'s shape and dtype, with any strides. It may overlap `x`. Fastest
        when it is contiguous, and faster yet when it was made under `vt.host_memory()`.

    Returns
    -------
    ndarray
        `out` itself, or an array that shares `x`'s memory where the host can view it cached, else
        owns one copy.

    Raises
    ------
    TypeError
        `out` is no array, or has another dtype.
    ValueError
        `out` has another shape, or is read-only.

    Examples
    --------
    >>> vt.to_numpy(vt.arange(3), out=np.empty(3, np.int64))
    array([0, 1, 2])
    """
    return _core.to_numpy(x, out)


def rebuild_tensor(dtype: str, shape: tuple[int, ...], elements: Any) -> Tensor:
    """What a pickled Tensor calls: `elements`, bytes in C order, copied to the default device."""
    array = np.frombuffer(elements, np.uint8)
    array = array.view(_dtypes.bfloat16.dtype if dtype == "bfloat16" else np.dtype(dtype))
    return _core.asarray(array.reshape(shape), copy=True)


def reduce_tensor(self: Tensor, protocol: Any, /) -> tuple[Any, ...]:
    """For pickle: the elements in C order and nothing else.

    From protocol 5 on they go as a PickleBuffer: out of band, without a copy on the host, where the
    pickler has a `buffer_callback`. The Tensor is made on the default device of who unpickles it.
    """
    elements = np.ascontiguousarray(self.numpy()).reshape(-1).view(np.uint8)
    return rebuild_tensor, (
        self.dtype.name,
        self.shape,
        PickleBuffer(elements.data) if protocol >= 5 else elements.tobytes(),
    )
