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
    """All devices the Vulkan drivers show, best first: discrete, integrated, virtual, CPU.

    RuntimeError, with what to install, where there is no Vulkan loader or driver.
    """
    return tuple(_core.devices())


def default_device() -> Device:
    """The device new tensors are made on: the one `VKTENSOR_DEVICE` names, else the first that is
    not a CPU."""
    return _core.default_device()


def set_default_device(device: DeviceLike, /) -> None:
    """Makes `device` (a Device, index, UUID or part of a name) the default; None goes back to the
    choice at start."""
    _core.set_default_device(device)


def eval(*tensors: Tensor) -> None:
    """Computes the tensors and waits until their values are there."""
    _core.eval(*tensors)


def async_eval(*tensors: Tensor) -> None:
    """Starts computing the tensors on the device and returns at once.

    While the device is busy, small work is collected and starts with what follows, at the latest
    with the next wait.
    """
    _core.async_eval(*tensors)


def synchronize(device: DeviceLike = None, /) -> None:
    """Waits until all work given to `device` (the default one for None) is finished; errors found
    late are raised here."""
    _core.synchronize(device)


class MemoryStats(dict[str, int]):
    """What `vt.memory_stats` gives: a dict that notebooks show as a table."""

    def _repr_html_(self) -> str:
        from vktensor import _html

        return _html.memory(self)


def memory_stats(device: DeviceLike = None, /) -> MemoryStats:
    """What the memory pool of `device` (the default one for None) holds.

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
    """What `device` (the default one for None) has done since it was opened, as counters that only
    grow; all 0 for one that is not open yet. Cheap, never waits and opens nothing: made to be
    read every few seconds in production.

    Returns
    -------
    dict of int
        Recording: dispatches, copies, barriers, submits, waits, waits_blocked. Kernels:
        kernel_lookups, kernels_found, kernels_compiled, kernels_from_disk, pipelines,
        pipelines_cached, compile_ns (nanoseconds). Transfers: uploads, downloads, bytes_uploaded,
        bytes_downloaded, bytes_copied. Pool: blocks_allocated, blocks_reused, blocks_freed,
        bytes_allocated, bytes_peak, slabs_cut, slabs_dissolved, driver_allocations, driver_frees,
        memory_retries. Expressions: expressions_built, expressions_computed.
        `csrc/vulkan/metrics.def` says what each one counts.

    Examples
    --------
    >>> before = vt.metrics()
    >>> vt.eval(vt.ones(10) * 2 + 1)
    >>> vt.metrics()["dispatches"] - before["dispatches"]
    1
    """
    return _core.metrics(device)


def empty_cache() -> None:
    """Gives memory that no tensor uses back to the driver."""
    _core.empty_cache()


def set_memory_limit(nbytes: int, /, device: DeviceLike = None) -> None:
    """Limits what is reserved from the driver, in bytes; beyond it OutOfMemoryError is raised."""
    _core.set_memory_limit(nbytes, device)


def ops() -> list[dict[str, Any]]:
    """The op table: name, kind, dtypes taken, result rule, error bound in ULP, facts and test
    domain of each op."""
    return _core.ops()
