"""Sharing memory with NumPy and other libraries: the host's arrays as Tensors and back."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from vktensor import _core
from vktensor._core import Tensor
from vktensor._typing import DeviceLike

__all__ = ["from_dlpack", "from_numpy"]


def from_dlpack(x: Any, /, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """A Tensor of another library's array, handed over by DLPack.

    Parameters
    ----------
    x
        Anything with `__dlpack__` and `__dlpack_device__`, or a capsule. Memory of another GPU
        library is asked for as a copy in the host's.
    device
        Where to compute; the default device for None, a Tensor's own if `x` is one.
    copy
        As of `from_numpy`: False shares or raises, True copies, None shares where computing there
        is as fast as on a copy.

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

    >>> import numpy as np
    >>> vt.from_dlpack(np.arange(3.0))
    Tensor([0., 1., 2.], dtype=float64)
    """
    return _core.from_dlpack(x, device, copy)


def from_numpy(
    array: NDArray[Any], /, *, device: DeviceLike = None, copy: bool | None = None
) -> Tensor:
    """A Tensor of a NumPy array's own memory where that can be, else of a copy.

    Parameters
    ----------
    array
        Any shape and strides, any dtype there are tensors of. A Tensor that shares its memory keeps
        it alive. From then on each side sees what the other writes: every op that touches the
        memory is finished when its call returns.
    device
        Where to compute; the default device for None.
    copy
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

    >>> import numpy as np
    >>> a = np.arange(5.0)
    >>> t = vt.from_numpy(a, copy=False)
    >>> a[0] = 7
    >>> t.sum()
    Tensor(17., dtype=float64)
    """
    return _core.from_numpy(array, device, copy)
