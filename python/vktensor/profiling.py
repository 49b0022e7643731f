"""`vt.profile()`: what the device did, dispatch by dispatch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from vktensor import _core
from vktensor._core import Device
from vktensor._typing import DeviceLike

__all__ = ["Dispatch", "Profile", "profile"]


@dataclass(frozen=True)
class Dispatch:
    """One kernel launch or copy: `ns` is its time on the GPU, `start_ns` counts from the profile's
    start."""

    name: str
    what: str
    ns: int
    bytes: int
    start_ns: int
    groups: tuple[int, int, int]
    kind: str

    @property
    def gb_per_s(self) -> float:
        """Bytes moved over time, in 10^9 bytes a second; 0 where the device has no timestamps."""
        return self.bytes / self.ns if self.ns else 0.0


class Profile:
    """Times every dispatch and copy on a device between enter and exit; made by `vt.profile()`.

    `dispatches` lists the kernel launches, `copies` the copy commands, `compiles` the (name, ns) of
    kernels made. They are filled at exit, which waits for the device.
    """

    def __init__(self, device: DeviceLike = None) -> None:
        self._device = device
        self.device: Device | None = None
        self.dispatches: list[Dispatch] = []
        self.copies: list[Dispatch] = []
        self.compiles: list[tuple[str, int]] = []

    def __enter__(self) -> Profile:
        _core.profile_start(self._device)
        wished = self._device
        self.device = _core.default_device() if wished is None else _core.device_at(wished)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for event in _core.profile_stop(self._device):
            if event["kind"] == "compile":
                self.compiles.append((event["name"], event["host_ns"]))
                continue
            entry = Dispatch(
                event["name"],
                event["what"],
                event["gpu_ns"],
                event["nbytes"],
                event["gpu_start"],
                tuple(event["groups"]),
                event["kind"],
            )
            (self.copies if entry.kind == "copy" else self.dispatches).append(entry)

    def summary(self) -> str:
        """A table of kernels by total time: calls, time, share, bandwidth."""
        totals: dict[str, list[int]] = {}
        for entry in (*self.dispatches, *self.copies):
            row = totals.setdefault(entry.name, [0, 0, 0])
            row[0] += 1
            row[1] += entry.ns
            row[2] += entry.bytes
        all_ns = sum(row[1] for row in totals.values()) or 1
        lines = [f"{'kernel':<44} {'calls':>6} {'total us':>10} {'share':>6} {'GB/s':>8}"]
        for name, (calls, ns, nbytes) in sorted(totals.items(), key=lambda item: -item[1][1]):
            rate = nbytes / ns if ns else 0.0
            lines.append(
                f"{name:<44} {calls:>6} {ns / 1e3:>10.1f} {ns / all_ns:>6.1%} {rate:>8.1f}"
            )
        return "\n".join(lines)

    def save(self, path: str | Path) -> None:
        """Writes a Chrome trace (chrome://tracing, ui.perfetto.dev): one row of GPU work, times in
        microseconds."""
        import json

        events: list[dict[str, Any]] = [
            {
                "name": entry.name,
                "cat": entry.kind,
                "ph": "X",
                "ts": entry.start_ns / 1e3,
                "dur": entry.ns / 1e3,
                "pid": 0,
                "tid": 0,
                "args": {"what": entry.what, "bytes": entry.bytes, "groups": entry.groups},
            }
            for entry in sorted((*self.dispatches, *self.copies), key=lambda e: e.start_ns)
        ]
        name = self.device.name if self.device else "device"
        events.append({"name": "process_name", "ph": "M", "pid": 0, "args": {"name": name}})
        Path(path).write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}))


def profile(device: DeviceLike = None) -> Profile:
    """A context manager that times the device's work, on the default device for None. Not nested
    (RuntimeError).

    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(4) + 1)
    >>> len(p.dispatches)
    1
    """
    return Profile(device)
