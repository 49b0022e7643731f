"""`vt.profile()`: what a device and its queue did, on one time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from vktensor import _core
from vktensor._core import Device
from vktensor._typing import DeviceLike

__all__ = ["Dispatch", "Profile", "profile"]


@dataclass(frozen=True)
class Event:
    """Something that took time.

    Parameters
    ----------
    name : str
        What it was.
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> p.waits[0].start_ns < p.waits[0].end_ns
    True
    """

    name: str
    start_ns: int
    ns: int
    thread: int

    @property
    def end_ns(self) -> int:
        """When it ended, from the profile's start."""
        return self.start_ns + self.ns


@dataclass(frozen=True)
class Dispatch(Event):
    """One kernel launch, or a copy by command.

    Parameters
    ----------
    name : str
        The kernel's.
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        Its time on the GPU, 0 where the device has no timestamps.
    thread : int
        The caller's `threading.get_ident()`.
    what : str
        The expression it computes, "sin(a)*b + exp(-a)"; "" where there is none.
    operands : str
        What the letters stand for: "a: float32[1000, 10], b: float32[10]".
    shape : tuple of int
        Of the result; a large result may take several launches.
    dtype : str
        Of the result.
    bytes : int
        Read and written, as far as necessary.
    groups : tuple of int
        Workgroups launched along x, y, z.
    recorded_ns : int
        When the host recorded it.
    submit : int
        The number of the submit it went out with.
    kind : str
        "dispatch" or "copy".

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> p.dispatches[0].what
    '1.0 + 1.0'
    """

    what: str
    operands: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    groups: tuple[int, int, int]
    recorded_ns: int
    submit: int
    kind: str

    @property
    def gb_per_s(self) -> float:
        """Bytes moved over time, in 10^9 bytes a second; 0 where the device has no timestamps."""
        return self.bytes / self.ns if self.ns else 0.0


@dataclass(frozen=True)
class Compile(Event):
    """A kernel made.

    Parameters
    ----------
    name : str
        The kernel's.
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.
    glslang_ns : int
        From GLSL to SPIR-V, or to read that from the cache on disk.
    driver_ns : int
        From SPIR-V to a pipeline.
    spirv_cached : bool
        The SPIR-V came from the cache on disk.
    pipeline_cached : bool
        The driver says that it had the pipeline.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> all(c.ns >= c.driver_ns for c in p.compiles)
    True
    """

    glslang_ns: int
    driver_ns: int
    spirv_cached: bool
    pipeline_cached: bool


@dataclass(frozen=True)
class Transfer(Event):
    """Bytes that the host copied to or from the device, waits included.

    Arrays that view memory the host shares with the device are none; copies by the GPU that such
    arrays ride on are among `copies`.

    Parameters
    ----------
    name : str
        "upload" or "download".
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.
    bytes : int
        How many.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     x = vt.asarray(np.ones(1000, np.float32))
    >>> [(t.name, t.bytes) for t in p.transfers]
    [('upload', 4000)]
    """

    bytes: int

    @property
    def gb_per_s(self) -> float:
        """Bytes over time, in 10^9 bytes a second."""
        return self.bytes / self.ns if self.ns else 0.0


@dataclass(frozen=True)
class Wait(Event):
    """The host waited for a submit.

    Parameters
    ----------
    name : str
        Why: "read" or "write" of memory, "synchronize", "slot" (too many submits in flight),
        "memory" (to reuse it), "staging" (of small uploads), "profile" (its own end).
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.
    submit : int
        The number of the submit.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> p.waits[0].name
    'read'
    """

    submit: int


@dataclass(frozen=True)
class Submit(Event):
    """Recorded commands were given to the driver.

    Parameters
    ----------
    name : str
        "submit".
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.
    submit : int
        Its number.
    n_commands : int
        How many commands.
    bytes : int
        What they read and write.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> [s.n_commands for s in p.submits]
    [1]
    """

    submit: int
    n_commands: int
    bytes: int


@dataclass(frozen=True)
class MemoryEvent(Event):
    """The memory pool changed.

    Parameters
    ----------
    name : str
        "alloc" and "free" of a block of 1 MiB or more, "reserve" and "release" of the driver's
        memory, "trim"; "import" and "unimport" of NumPy's memory, which is not the pool's; "start"
        and "stop" of the profile and "submit" tell the state.
    start_ns : int
        When it began, from the profile's start, on the host's clock (also for what ran on the GPU);
        negative for what other threads had begun before.
    ns : int
        How long it took.
    thread : int
        The caller's `threading.get_ident()`.
    bytes : int
        The size.
    in_use : int
        Bytes of live blocks after it.
    reserved : int
        Bytes held from the driver after it.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> p.memory[0].name, p.memory[-1].name
    ('start', 'stop')
    """

    bytes: int
    in_use: int
    reserved: int


def _gpu_event(event: dict[str, Any]) -> Dispatch:
    return Dispatch(
        event["name"],
        event["start_ns"],
        event["ns"],
        event["thread"],
        event["what"],
        event["operands"],
        event["shape"],
        event["dtype"],
        event["nbytes"],
        event["groups"],
        event["recorded_ns"],
        event["submit"],
        event["kind"],
    )


class Profile:
    """All that happened on a device between enter and exit; made by `vt.profile()`.

    The lists are filled at exit, which waits for the device, and stay valid whatever becomes of it.
    Profiles may nest and overlap, on any threads: each sees the work of all threads.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Attributes
    ----------
    dispatches, copies : list of Dispatch
        Kernel launches and copies by command, timed on the GPU.
    compiles : list of Compile
        Kernels made.
    transfers : list of Transfer
        What the host copied.
    waits : list of Wait
        Waits of the host.
    submits : list of Submit
        Commands given to the driver.
    memory : list of MemoryEvent
        Changes of the pool.
    ns : int
        From enter to exit.
    calibrated : bool
        The device told its clock beside the host's (VK_EXT_calibrated_timestamps); otherwise the
        two were aligned in the middle of a submit's round trip.
    clock_error_ns : int
        The most that GPU times may be off on the host's axis.
    dropped : int
        Events beyond the 262,144 that are kept.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> len(p.dispatches), p.ns > 0
    (1, True)
    """

    def __init__(self, device: DeviceLike = None) -> None:
        self._device = device
        self._mark: tuple[int, int, int] | None = None
        self.device: Device | None = None
        self._clear()

    def _clear(self) -> None:
        self.dispatches: list[Dispatch] = []
        self.copies: list[Dispatch] = []
        self.compiles: list[Compile] = []
        self.transfers: list[Transfer] = []
        self.waits: list[Wait] = []
        self.submits: list[Submit] = []
        self.memory: list[MemoryEvent] = []
        self.ns = self.clock_error_ns = self.dropped = 0
        self.calibrated = False

    def __enter__(self) -> Profile:
        if self._mark:
            raise RuntimeError("profile: this one is running already; make another")
        # The default device may change inside the block.
        wished = self._device
        self.device = _core.default_device() if wished is None else _core.device_at(wished)
        self._clear()
        self._mark = _core.profile_start(self.device)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mark, self._mark = self._mark, None
        if mark is None:
            raise RuntimeError("profile: it is not running")
        try:
            record = _core.profile_stop(mark, self.device)
        except RuntimeError:
            if error is None:
                raise
            return  # a lost device: what raised in the block says more
        self.ns = record["ns"]
        self.calibrated = record["calibrated"]
        self.clock_error_ns = record["clock_error_ns"]
        self.dropped = record["dropped"]
        for event in record["events"]:
            self._add(event)

    def __del__(self) -> None:
        mark = getattr(self, "_mark", None)  # nothing is there when __init__ has failed
        if mark is not None:
            with suppress(RuntimeError):  # the devices may have gone before us
                _core.profile_drop(mark, self.device)

    def _add(self, event: dict[str, Any]) -> None:
        when = (event["name"], event["start_ns"], event["ns"], event["thread"])
        nbytes, submit = event["nbytes"], event["submit"]
        match event["kind"]:
            case "dispatch":
                self.dispatches.append(_gpu_event(event))
            case "copy":
                self.copies.append(_gpu_event(event))
            case "compile":
                cached = (event["spirv_cached"], event["pipeline_cached"])
                times = (event["glslang_ns"], event["driver_ns"])
                self.compiles.append(Compile(*when, *times, *cached))
            case "transfer":
                self.transfers.append(Transfer(*when, nbytes))
            case "wait":
                self.waits.append(Wait(*when, submit))
            case "submit":
                self.submits.append(Submit(*when, submit, event["n_commands"], nbytes))
                state = (event["in_use"], event["reserved"])
                self.memory.append(
                    MemoryEvent("submit", self.submits[-1].end_ns, 0, when[3], 0, *state)
                )
            case "memory":
                state = (event["in_use"], event["reserved"])
                self.memory.append(MemoryEvent(*when, nbytes, *state))

    @property
    def gpu_ns(self) -> int:
        """Time in which the GPU ran at least one of the commands, in nanoseconds."""
        busy = reached = 0
        for event in sorted((*self.dispatches, *self.copies), key=lambda e: e.start_ns):
            busy += max(0, event.end_ns - max(reached, event.start_ns))
            reached = max(reached, event.end_ns)
        return busy

    def summary(self) -> str:
        """Table of kernels by total time, then what the host did.

        Returns
        -------
        str
            Of each kernel calls, total, mean, bandwidth, share of the GPU's time and its
            expression.

        Examples
        --------
        >>> with vt.profile() as p:
        ...     vt.eval(vt.ones(1000) + 1)
        >>> print(p.summary().splitlines()[0].split()[0])
        kernel
        """
        kernels = self.kernels()
        width = max([30, *(len(row.name) for row in kernels)])
        head = f"{'calls':>6} {'total ms':>10} {'mean us':>10} {'GB/s':>8} {'GPU':>6}"
        lines = [f"{'kernel':<{width}} {head}"]
        for row in kernels:
            lines.append(
                f"{row.name:<{width}} {row.calls:>6} {row.ns / 1e6:>10.3f} "
                f"{row.ns / row.calls / 1e3:>10.1f} {row.gb_per_s:>8.1f} {row.share:>6.1%}"
            )
            for text in (row.what, row.types):
                if text:
                    lines.append(f"    {_shorten(text, 96)}")
        return "\n".join([*lines, "", *(f"{label:<12} {text}" for label, text in self.host())])

    def kernels(self) -> list[KernelTime]:
        """Launches added up by kernel.

        Returns
        -------
        list of KernelTime
            The longest first.

        Examples
        --------
        >>> with vt.profile() as p:
        ...     vt.eval(vt.ones(1000) + 1)
        >>> [row.calls for row in p.kernels()]
        [1]
        """
        rows: dict[str, KernelTime] = {}
        for event in (*self.dispatches, *self.copies):
            rows.setdefault(event.name, KernelTime(event.name)).add(event)
        total = sum(row.ns for row in rows.values())
        for row in rows.values():
            row.share = row.ns / total if total else 0.0
        return sorted(rows.values(), key=lambda row: -row.ns)

    def host(self) -> list[tuple[str, str]]:
        """What the host did, line by line.

        Returns
        -------
        list of tuple
            Label and text of each line of the summary's second part.

        Examples
        --------
        >>> with vt.profile() as p:
        ...     vt.eval(vt.ones(1000) + 1)
        >>> [label for label, text in p.host()][0]
        'GPU'
        """
        busy = self.gpu_ns
        share = busy / self.ns if self.ns else 0.0
        lines = [
            (
                "GPU",
                f"busy {_ms(busy)} of {_ms(self.ns)} ({share:.1%}), "
                f"idle {_ms(max(0, self.ns - busy))}",
            )
        ]
        if self.compiles:
            cached = sum(c.spirv_cached for c in self.compiles)
            glslang, driver = (
                sum(getattr(c, f"{part}_ns") for c in self.compiles)
                for part in ("glslang", "driver")
            )
            lines.append(
                (
                    "compiles",
                    f"{_count(self.compiles)} (glslang {_ms(glslang)}, driver "
                    f"{_ms(driver)}; SPIR-V of {cached} from the cache)",
                )
            )
        for name in ("upload", "download"):
            found = [t for t in self.transfers if t.name == name]
            if found:
                nbytes = sum(t.bytes for t in found)
                rate = nbytes / (sum(t.ns for t in found) or 1)
                lines.append(
                    (f"{name}s", f"{_count(found)}, {nbytes / 1e6:.3f} MB, {rate:.1f} GB/s")
                )
        reasons = sorted({w.name for w in self.waits})
        parts = ", ".join(
            f"{why} {_count([w for w in self.waits if w.name == why])}" for why in reasons
        )
        lines.append(("waits", _count(self.waits) + (f" ({parts})" if parts else "")))
        lines.append(("submits", _count(self.submits)))
        if self.memory:
            peak = max(m.in_use for m in self.memory)
            held = max(m.reserved for m in self.memory)
            fresh = sum(m.name == "reserve" for m in self.memory)
            back = sum(m.name == "release" for m in self.memory)
            lines.append(
                (
                    "memory",
                    f"peak {peak / 2**20:.1f} MiB in use, {held / 2**20:.1f} MiB "
                    f"reserved; {fresh} allocations by the driver, {back} given back",
                )
            )
        if self.dropped:
            lines.append(("dropped", f"{self.dropped} later events"))
        return lines

    def save(self, path: str | Path) -> None:
        """Writes a Chrome trace, for ui.perfetto.dev or chrome://tracing.

        A track of the GPU, tracks of the host (compile, transfer, submit, wait) for each thread,
        and the pool's counters. Arrows lead from a submit to its commands.

        Parameters
        ----------
        path : str or Path
            Of the file, which is replaced.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> with vt.profile() as p:
        ...     vt.eval(vt.ones(1000) + 1)
        >>> import json, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     p.save(f"{folder}/trace.json")
        ...     sorted(json.loads(pathlib.Path(f"{folder}/trace.json").read_text()))
        ['displayTimeUnit', 'traceEvents']
        """
        import json

        name = self.device.name if self.device else "device"
        trace = {"traceEvents": list(_trace(self, name)), "displayTimeUnit": "ns"}
        Path(path).write_text(json.dumps(trace), encoding="utf-8")

    @property
    def running(self) -> bool:
        """True between enter and exit."""
        return self._mark is not None

    def _repr_html_(self) -> str:
        from vktensor import _html

        return _html.profile(self)

    def __repr__(self) -> str:
        if self._mark:
            return "<Profile, running>"
        return f"<Profile of {_ms(self.ns)}: {len(self.dispatches)} dispatches>"


class KernelTime:
    """Launches of a kernel, added up.

    Parameters
    ----------
    name : str
        The kernel's.

    Attributes
    ----------
    calls : int
        How many.
    ns, bytes : int
        Time on the GPU and bytes moved of all of them.
    share : float
        Of all GPU time.
    what, types : str
        What the slowest one computed, of which operands.

    Examples
    --------
    >>> with vt.profile() as p:
    ...     vt.eval(vt.ones(1000) + 1)
    >>> p.kernels()[0].what
    '1.0 + 1.0'
    """

    def __init__(self, name: str) -> None:
        self.name, self.what, self.types, self.slowest = name, "", "", -1
        self.calls = self.ns = self.bytes = 0
        self.share = 0.0

    def add(self, event: Dispatch) -> None:
        """Counts a launch; the slowest says what the kernel computes.

        Parameters
        ----------
        event : Dispatch
            Of this kernel.

        Examples
        --------
        >>> with vt.profile() as p:
        ...     vt.eval(vt.ones(1000) + 1)
        >>> row = p.kernels()[0]
        >>> row.add(p.dispatches[0])
        >>> row.calls
        2
        """
        self.calls += 1
        self.ns += event.ns
        self.bytes += event.bytes
        if event.ns > self.slowest:
            self.slowest = event.ns
            self.what = event.what
            if event.what:
                result = f"{event.dtype}{list(event.shape)}"
                self.types = f"{event.operands} -> {result}" if event.operands else result

    @property
    def gb_per_s(self) -> float:
        """Bytes over time, in 10^9 bytes a second."""
        return self.bytes / self.ns if self.ns else 0.0


def _ms(ns: int) -> str:
    return f"{ns / 1e6:.3f} ms"


def _count(events: Iterable[Event]) -> str:
    events = list(events)
    return f"{len(events)} in {_ms(sum(event.ns for event in events))}"


def _shorten(text: str, n: int) -> str:
    return text if len(text) <= n else text[: n - 3] + "..."


HOST, GPU = 1, 2
COMMON = ("name", "start_ns", "ns", "thread")
TRACKS = ("compile", "transfer", "submit", "wait")


def _slice(event: Event, track: str, pid: int, tid: int, **args: Any) -> dict[str, Any]:
    """A box on a track; what began before the profile is cut off there."""
    start = max(0, event.start_ns)
    return {
        "name": event.name,
        "cat": track,
        "ph": "X",
        "ts": start / 1e3,
        "dur": (event.end_ns - start) / 1e3,
        "pid": pid,
        "tid": tid,
        "args": args,
    }


def _trace(profile: Profile, device: str) -> Iterable[dict[str, Any]]:
    """The events of a Chrome trace; times in microseconds (Trace Event Format, Google 2016)."""
    yield {"name": "process_name", "ph": "M", "pid": HOST, "args": {"name": "host"}}
    yield {"name": "process_name", "ph": "M", "pid": GPU, "args": {"name": device}}
    yield {"name": "thread_name", "ph": "M", "pid": GPU, "tid": 1, "args": {"name": "queue"}}
    for d in sorted((*profile.dispatches, *profile.copies), key=lambda e: e.start_ns):
        args: dict[str, Any] = {"bytes": d.bytes, "GB/s": round(d.gb_per_s, 3), "submit": d.submit}
        if d.what:
            args |= {"expression": d.what, "operands": d.operands}
            args |= {"shape": list(d.shape), "dtype": d.dtype}
        yield _slice(d, d.kind, GPU, 1, groups=d.groups, **args)
    lists: tuple[Sequence[Event], ...] = (
        profile.compiles,
        profile.transfers,
        profile.submits,
        profile.waits,
    )
    threads: list[int] = []
    for track, events in zip(TRACKS, lists, strict=True):
        for event in events:
            if event.thread not in threads:
                threads.append(event.thread)
            tid = 1 + TRACKS.index(track) + len(TRACKS) * threads.index(event.thread)
            details = {k: v for k, v in vars(event).items() if k not in COMMON}
            yield _slice(event, track, HOST, tid, **details)
    for i in range(len(TRACKS) * len(threads)):
        label = TRACKS[i % len(TRACKS)] + (
            f", thread {i // len(TRACKS)}" if len(threads) > 1 else ""
        )
        yield {"name": "thread_name", "ph": "M", "pid": HOST, "tid": 1 + i, "args": {"name": label}}
    yield from _arrows(profile, threads)
    for m in sorted(profile.memory, key=lambda m: m.end_ns):
        state = {"in use": m.in_use / 2**20, "reserved": m.reserved / 2**20}
        yield {"name": "pool MiB", "ph": "C", "ts": m.end_ns / 1e3, "pid": HOST, "args": state}
        if m.name not in ("start", "stop", "submit"):
            yield {
                "name": f"{m.name} {m.bytes / 2**20:.1f} MiB",
                "cat": "memory",
                "ph": "i",
                "s": "p",
                "ts": max(0, m.start_ns) / 1e3,
                "pid": HOST,
                "tid": 1,
            }


def _arrows(profile: Profile, threads: list[int]) -> Iterable[dict[str, Any]]:
    """From each submit to the first of its commands."""
    first: dict[int, Dispatch] = {}
    for d in (*profile.dispatches, *profile.copies):
        if d.submit not in first or d.start_ns < first[d.submit].start_ns:
            first[d.submit] = d
    for s in profile.submits:
        if s.submit in first:
            tid = 1 + TRACKS.index("submit") + len(TRACKS) * threads.index(s.thread)
            arrow = {"name": "submit", "cat": "submit", "id": s.submit}
            yield {**arrow, "ph": "s", "ts": max(0, s.start_ns) / 1e3, "pid": HOST, "tid": tid}
            at = first[s.submit].start_ns / 1e3
            yield {**arrow, "ph": "f", "bp": "e", "ts": at, "pid": GPU, "tid": 1}


def profile(device: DeviceLike = None) -> Profile:
    """Notes all that a device does inside the `with` block.

    Dispatches and copies with their times on the GPU, kernel compiles, transfers, waits, submits
    and the memory pool. Nothing is slowed down outside of profiles; inside, a launch costs some
    microseconds more.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Returns
    -------
    Profile
        A context manager, filled when the block ends, which waits for the device. `summary()` gives
        a table, `save()` a trace for ui.perfetto.dev.

    Raises
    ------
    ValueError
        There is no such device.

    Examples
    --------
    >>> a = vt.ones(1000)
    >>> with vt.profile() as p:
    ...     vt.eval(vt.sin(a) * a + 1)
    >>> [(d.what, d.operands, d.shape) for d in p.dispatches]
    [('sin(1.0)*1.0 + 1.0', '', (1000,))]
    """
    return Profile(device)
