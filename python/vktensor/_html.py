"""What notebooks show: tables of tensors, devices, memory and profiles as HTML.

Everything that comes from outside (names of devices and kernels, values) is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from vktensor import _core

if TYPE_CHECKING:
    from vktensor._core import Device, Tensor
    from vktensor.profiling import Event, Profile

#: Kernels listed for a profile; the summary has all.
MOST_ROWS = 12
#: The timeline's picture, in pixels.
WIDTH, LABEL, ROW = 760, 70, 18
COLORS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#bbbbbb",
)  # Tol, bright


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Names and values, a row each."""
    body = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table>{body}</table>"


def size(nbytes: int) -> str:
    """Bytes as a reader wants them."""
    value = float(nbytes)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{nbytes} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def preview(x: Tensor) -> str:
    """The values that `str` shows, or why they cannot be had."""
    try:
        return str(x)
    except Exception as error:  # a lost device, no memory: a display must not raise
        return f"{type(error).__name__}: {error}"


def tensor(x: Tensor) -> str:
    """Shape, dtype, device, size and state, then the values that `str` shows."""
    pending = _core.pending(x)
    rows = [
        ("shape", x.shape),
        ("dtype", x.dtype.name),
        ("device", x.device.name),
        ("size", size(x.nbytes)),
        ("state", "was pending, computed for this preview" if pending else "computed"),
    ]
    return f"{table(rows)}<pre>{escape(preview(x))}</pre>"


def device(d: Device) -> str:
    """What the device is and has."""
    rows = [
        ("device", f"{d.index}: {d.name} ({d.kind})"),
        ("driver", f"{d.driver} {d.driver_version}, Vulkan {d.api_version}"),
    ]
    if d.usable:
        has = [name for name, there in d.features.items() if there]
        lacks = [name for name, there in d.features.items() if not there]
        rows += [
            ("memory", size(d.limits["device_nbytes"])),
            ("has", ", ".join(has)),
            ("lacks", ", ".join(lacks) or "nothing we know of"),
        ]
    else:
        rows.append(("cannot be used", d.missing))
    return table(rows)


def memory(stats: Mapping[str, int]) -> str:
    """The statistics with their units, and how much of what is reserved is in use."""
    counts = ("allocations", "driver_allocations")
    rows = [(name, f"{n:,}" if name in counts else size(n)) for name, n in stats.items()]
    reserved = stats.get("reserved", 0)
    share = stats.get("in_use", 0) / reserved if reserved else 0.0
    bar = (
        '<div style="width:300px;border:1px solid gray;height:10px">'
        f'<div style="width:{300 * min(share, 1.0):.0f}px;background:{COLORS[0]};height:10px">'
        "</div></div>"
    )
    return f"{table(rows)}{bar}<small>{share:.0%} of what is reserved is in use</small>"


def profile(p: Profile) -> str:
    """The kernels, a picture of the timeline, and the host's part."""
    if p.running:
        return "<p>a profile that is still running</p>"
    head = "".join(
        f"<th>{name}</th>"
        for name in ("kernel", "expression", "calls", "total ms", "mean us", "GB/s", "GPU")
    )
    kernels = p.kernels()
    body = "".join(
        f'<tr><td style="text-align:left">{escape(row.name)}</td>'
        f'<td style="text-align:left"><code title="{escape(row.types)}">{escape(row.what)}</code>'
        f"</td><td>{row.calls}</td><td>{row.ns / 1e6:.3f}</td>"
        f"<td>{row.ns / row.calls / 1e3:.1f}</td><td>{row.gb_per_s:.1f}</td>"
        f"<td>{row.share:.1%}</td></tr>"
        for row in kernels[:MOST_ROWS]
    )
    more = len(kernels) - MOST_ROWS
    rest = f"<p>and {more} more kernels: see summary()</p>" if more > 0 else ""
    return f"<table><tr>{head}</tr>{body}</table>{rest}{timeline(p)}{table(p.host())}"


def boxes(events: Sequence[Event], y: int, scale: float, colors: dict[str, str]) -> Iterable[str]:
    """A box for each event that can be seen beside the one before."""
    reached = -1.0
    for event in sorted(events, key=lambda e: e.start_ns):
        start = max(0, event.start_ns)  # others may have begun it before the profile
        x, width = LABEL + start * scale, max((event.end_ns - start) * scale, 0.5)
        if x + width < reached + 0.5:
            continue
        reached = x + width
        color = colors.setdefault(event.name, COLORS[len(colors) % len(COLORS)])
        text = escape(f"{event.name}: {event.ns / 1e3:.1f} us at {event.start_ns / 1e6:.3f} ms")
        yield (
            f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 4}" '
            f'fill="{color}"><title>{text}</title></rect>'
        )


def timeline(p: Profile) -> str:
    """Tracks of the GPU and the host from the profile's start to its end, as SVG."""
    tracks: list[tuple[str, Sequence[Event]]] = [
        ("GPU", [*p.dispatches, *p.copies]),
        ("compile", p.compiles),
        ("transfer", p.transfers),
        ("submit", p.submits),
        ("wait", p.waits),
    ]
    scale = (WIDTH - LABEL) / max(p.ns, 1)
    parts, colors = [], dict[str, str]()
    for i, (label, events) in enumerate(tracks):
        y = i * ROW
        parts.append(f'<text x="0" y="{y + 13}" font-size="12" fill="currentColor">{label}</text>')
        parts += boxes(events, y, scale, colors)
    height = len(tracks) * ROW + 16
    parts.append(
        f'<text x="{LABEL}" y="{height - 3}" font-size="11" fill="currentColor">0</text>'
        f'<text x="{WIDTH}" y="{height - 3}" font-size="11" text-anchor="end" '
        f'fill="currentColor">{p.ns / 1e6:.3f} ms</text>'
    )
    return f'<svg width="{WIDTH}" height="{height}">{"".join(parts)}</svg>'
