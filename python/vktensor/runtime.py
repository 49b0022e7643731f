"""Devices, computing now, memory, and the log."""

from __future__ import annotations

from typing import Any

from vktensor import _core
from vktensor._core import Device, Tensor
from vktensor._typing import DeviceLike

__all__ = [
    "async_eval",
    "default_device",
    "devices",
    "empty_cache",
    "eval",
    "memory_stats",
    "metrics",
    "ops",
    "set_default_device",
    "set_memory_limit",
    "synchronize",
]


def devices() -> tuple[Device, ...]:
    """Devices that the Vulkan drivers show: discrete, integrated, virtual, CPU.

    Returns
    -------
    tuple of Device
        The preferred kinds first.

    Raises
    ------
    RuntimeError
        There is no Vulkan loader or driver; the text says what to install.

    Examples
    --------
    >>> vt.default_device() in vt.devices()
    True
    """
    return tuple(_core.devices())


def default_device() -> Device:
    """Device that new tensors are made on.

    Returns
    -------
    Device
        The one `vt.set_default_device` or `VKTENSOR_DEVICE` names, else the first that is not a
        CPU.

    Raises
    ------
    RuntimeError
        There is no Vulkan loader or driver; the text says what to install.

    Examples
    --------
    >>> vt.ones(3).device == vt.default_device()
    True
    """
    return _core.default_device()


def set_default_device(device: DeviceLike, /) -> None:
    """Chooses the device that new tensors are made on.

    Parameters
    ----------
    device : Device, int, str or None
        A Device, its index, its UUID or part of its name; None goes back to the choice at start.

    Raises
    ------
    ValueError
        There is no such device.

    Examples
    --------
    >>> vt.set_default_device(vt.devices()[0])
    >>> vt.set_default_device(None)
    """
    _core.set_default_device(device)


def eval(*tensors: Tensor) -> None:
    """Computes tensors and waits until their values are there.

    Parameters
    ----------
    *tensors : Tensor
        Any; those that have values already cost nothing.

    Raises
    ------
    TypeError
        What is no Tensor.

    Examples
    --------
    >>> x = vt.ones(3) + 1
    >>> vt.eval(x)
    >>> x
    Tensor([2., 2., 2.], dtype=float32)
    """
    _core.eval(*tensors)


def async_eval(*tensors: Tensor) -> None:
    """Starts computing tensors on the device and returns at once.

    While the device is busy, small work is collected and starts with what follows, at the latest
    with the next wait.

    Parameters
    ----------
    *tensors : Tensor
        Any; those that have values already cost nothing.

    Raises
    ------
    TypeError
        What is no Tensor.

    Examples
    --------
    >>> x = vt.ones(3) + 1
    >>> vt.async_eval(x)
    >>> x
    Tensor([2., 2., 2.], dtype=float32)
    """
    _core.async_eval(*tensors)


def synchronize(device: DeviceLike = None, /) -> None:
    """Waits until all work given to a device is finished.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Raises
    ------
    RuntimeError
        Errors that are found late, like a lost device, are raised here.

    Examples
    --------
    >>> vt.async_eval(vt.ones(3) + 1)
    >>> vt.synchronize()
    """
    _core.synchronize(device)


class MemoryStats(dict[str, int]):
    """What `vt.memory_stats` gives: a dict that notebooks show as a table."""

    def _repr_html_(self) -> str:
        from vktensor import _html

        return _html.memory(self)


def memory_stats(device: DeviceLike = None, /) -> MemoryStats:
    """What the memory pool of a device holds.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Returns
    -------
    MemoryStats
        A dict. Bytes: in_use (live tensors), peak, cached (kept for reuse), reserved (obtained from
        the driver), limit. Counts since the start: allocations (blocks), driver_allocations.

    Examples
    --------
    >>> stats = vt.memory_stats()
    >>> stats["in_use"] + stats["cached"] <= stats["reserved"] <= stats["limit"]
    True
    """
    return MemoryStats(_core.memory_stats(device))


def metrics(device: DeviceLike = None, /) -> dict[str, int]:
    """What a device has done since it was opened, as counters that only grow.

    Cheap, never waits and opens nothing: made to be read every few seconds in production.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Returns
    -------
    dict of int
        All 0 for a device that is not open yet. Recording: dispatches, copies, barriers, submits,
        waits, waits_blocked. Kernels: kernel_lookups, kernels_found, kernels_compiled,
        kernels_from_disk, pipelines, pipelines_cached, compile_ns (nanoseconds). Transfers:
        uploads, downloads, bytes_uploaded, bytes_downloaded, bytes_copied. Pool: blocks_allocated,
        blocks_reused, blocks_freed, bytes_allocated, bytes_peak, slabs_cut, slabs_dissolved,
        driver_allocations, driver_frees, memory_retries. Expressions: expressions_built,
        expressions_computed. `csrc/vulkan/metrics.def` says what each one counts.

    Examples
    --------
    >>> before = vt.metrics()
    >>> vt.eval(vt.ones(10) * 2 + 1)
    >>> vt.metrics()["dispatches"] - before["dispatches"]
    1
    """
    return _core.metrics(device)


def empty_cache() -> None:
    """Gives memory that no tensor uses back to the driver.

    Examples
    --------
    >>> vt.empty_cache()
    """
    _core.empty_cache()


def set_memory_limit(nbytes: int, /, device: DeviceLike = None) -> None:
    """Limits the memory that is reserved from the driver.

    Parameters
    ----------
    nbytes : int
        Beyond so many bytes `vt.OutOfMemoryError` is raised; at most what the device has.
    device : Device, int, str or None, optional
        The default device for None.

    Raises
    ------
    ValueError
        A negative number.

    Examples
    --------
    >>> before = vt.memory_stats()["limit"]
    >>> vt.set_memory_limit(2**30)
    >>> vt.set_memory_limit(before)
    """
    _core.set_memory_limit(nbytes, device)


def ops() -> list[dict[str, Any]]:
    """Table of the ops that the device computes.

    Returns
    -------
    list of dict
        Of each op the name, kind, classes of dtypes it takes, rule of its result, error bound in
        ULP, facts, and the domain tests draw from.

    Examples
    --------
    >>> next(op for op in vt.ops() if op["name"] == "exp")["ulp"]
    2.0
    """
    return _core.ops()
