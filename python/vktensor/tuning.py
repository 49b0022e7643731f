"""The sizes kernels are cut to: what may be chosen, and choosing it for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from vktensor import _core
from vktensor._core import Device
from vktensor._typing import DeviceLike

__all__ = ["candidates", "use"]


def find_device(device: DeviceLike) -> Device:
    """The Device that `device` means."""
    return _core.default_device() if device is None else _core.device_at(device)


def candidates(device: DeviceLike = None) -> dict[str, tuple[int, ...]]:
    """The values each tunable may have, by name: powers of two, as far as `device` has them.

    What the names mean stands in docs/architecture.md. Results are the same bits with all of them.

    >>> vt.tuning.candidates()["elementwise.vector"]
    (4, 8, 16, 32, 64)
    """
    most_invocations = find_device(device).limits["max_workgroup_invocations"]
    found = {}
    for name, (least, most) in _core.tunables().items():
        if "workgroup" in name:
            most = min(most, most_invocations)
        values = []
        while least <= most:
            values.append(least)
            least *= 2
        found[name] = tuple(values)
    return found


@contextmanager
def use(values: Mapping[str, int], device: DeviceLike = None) -> Iterator[None]:
    """A context in which kernels of `device` are cut to `values`, by name; the others stay.

    `Device.tuning` shows what is in force. ValueError for an unknown name or a value that is not
    among the candidates; then nothing has changed. Expressions not yet computed take the sizes in
    force when they are.

    >>> with vt.tuning.use({"elementwise.workgroup": 128}):
    ...     vt.eval(vt.ones(4) + 1)
    """
    before = find_device(device).tuning
    _core.set_tuning(as_text(values), device)
    try:
        yield
    finally:
        _core.set_tuning(as_text(before), device)


def as_text(values: Mapping[str, int]) -> str:
    """As VKTENSOR_TUNING spells them."""
    return ", ".join(f"{name}={value}" for name, value in values.items())
