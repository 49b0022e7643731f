"""The sizes kernels are cut to: what may be chosen, choosing it for a while, and measuring it."""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from vktensor import _core, creation, elementwise, manipulation, profiling, runtime
from vktensor._core import Device, Tensor
from vktensor._typing import DeviceLike

__all__ = ["candidates", "measure", "use"]

#: How much faster than the value in force a candidate must be to replace it: beyond the noise.
MARGIN = 0.02
#: Seconds of work before a round: clocks of a GPU fall while kernels are compiled.
WARM_UP = 0.05
#: Calls in a row of which one sample is made.
CALLS = 3

Work = Callable[[], Tensor]


def find_device(device: DeviceLike) -> Device:
    """The Device that `device` means."""
    return _core.default_device() if device is None else _core.device_at(device)


def candidates(device: DeviceLike = None) -> dict[str, tuple[int, ...]]:
    """Values that each tunable may have, as far as a device has them.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.

    Returns
    -------
    dict of tuple
        By name; docs/architecture.md says what the names mean. Results are the same bits with all
        of them.

    Raises
    ------
    ValueError
        There is no such device.

    Examples
    --------
    >>> vt.tuning.candidates()["elementwise.vector"]
    (4, 8, 16, 32, 64)
    """
    most_invocations = find_device(device).limits["max_workgroup_invocations"]
    found = {}
    for name, (least, most, counts) in _core.tunables().items():
        if "workgroup" in name:
            most = min(most, most_invocations)
        powers = (1 << e for e in range(least.bit_length() - 1, most.bit_length()))
        found[name] = tuple(range(least, most + 1) if counts else powers)
    return found


@contextmanager
def use(values: Mapping[str, int], device: DeviceLike = None) -> Iterator[None]:
    """Cuts kernels to other sizes inside the `with` block.

    Expressions not yet computed take the sizes in force when they are.

    Parameters
    ----------
    values : mapping of int
        The values by name; the others stay.
    device : Device, int, str or None, optional
        The default device for None.

    Yields
    ------
    None
        While the block runs; `Device.tuning` shows what is in force.

    Raises
    ------
    ValueError
        An unknown name, or a value that is not among the candidates; then nothing has changed.

    Examples
    --------
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


def elementwise_works(device: Device, n: int) -> tuple[list[Work], list[Work]]:
    """Programs without and with transcendental functions, on `n` bytes of each dtype width."""
    light: list[Work] = []
    heavy: list[Work] = []
    for dtype in ("int8", "float16", "float32", "float64"):
        if dtype == "float64" and not device.features["float64"]:
            continue
        width = {"int8": 1, "float16": 2, "float32": 4, "float64": 8}[dtype]
        x = creation.ones(n // width, dtype=dtype, device=device)
        square = x.reshape((-1, 1 << 10))
        light += [lambda x=x: x + x + 1, lambda x=square: x[:, 1:] + 1]  # type: ignore[misc]
        if dtype in ("float32", "float64"):
            heavy += [lambda x=x: elementwise.sin(x) * elementwise.exp(x)]  # type: ignore[misc]
    return light, heavy


def gather_works(device: Device, n: int) -> list[Work]:
    """Single elements and rows, taken from all over `n` bytes."""
    x = creation.ones(n // 4, device=device)
    place = creation.arange(n // 4, device=device) * 40503 % (n // 4)
    rows = creation.arange(n // 256, device=device) * 40503 % (n // 256)
    runtime.eval(x, place, rows)
    return [
        lambda: manipulation.take(x, place),
        lambda: manipulation.take(x.reshape((-1, 64)), rows, axis=0),
    ]


def matmul_works(device: Device, sides: tuple[int, ...], dtype: str) -> list[Work]:
    """Square products, as they lie and transposed."""
    found: list[Work] = []
    for side in sides:
        a = creation.ones((side, side), dtype=dtype, device=device)
        found += [lambda a=a: a @ a, lambda a=a: a @ a.T]  # type: ignore[misc]
    return found


def make_works(device: Device, quick: bool) -> dict[str, list[Work]]:
    """What each tunable is measured on, in the order in which they are chosen."""
    n = 1 << (26 if device.kind != "cpu" else 22) - 2 * quick
    light, heavy = elementwise_works(device, n)
    gathers = gather_works(device, n)
    found = {
        "elementwise.vector": light + heavy,
        "elementwise.workgroup": light,
        "elementwise.workgroup_heavy": heavy,
        "gather.items": gathers,
        "gather.workgroup": gathers,
    }
    # Kernels for processors have no tiles.
    if device.kind != "cpu":
        large, medium = ((2048,), (512,)) if quick else ((2048, 4096), (512, 1024))
        found["matmul.large"] = matmul_works(device, large, "float32")
        found["matmul.medium"] = matmul_works(device, medium, "float32")
        if device.features["float64"]:
            found["matmul.large8"] = matmul_works(device, large[:1], "float64")
            found["matmul.medium8"] = matmul_works(device, medium[:1], "float64")
    return found


def time_work(work: Work, device: Device) -> float:
    """Nanoseconds of one call: the device's time, or the host's where it has no timestamps."""
    runtime.async_eval(work())
    runtime.synchronize(device)
    start = time.perf_counter_ns()
    with profiling.profile(device) as p:
        for _ in range(CALLS):
            runtime.async_eval(work())
    spent = sum(entry.ns for entry in p.dispatches)
    return (spent or time.perf_counter_ns() - start) / CALLS


def keep_busy(work: Work, device: Device) -> None:
    """Calls `work` again and again until the device's clocks are up."""
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP:
        for _ in range(CALLS):
            runtime.async_eval(work())
        runtime.synchronize(device)


def compare(name: str, works: list[Work], device: Device, rounds: int) -> dict[int, float]:
    """The speed of each candidate relative to the value in force: the geometric mean over works of
    medians over rounds, in which the candidates take turns."""
    values = candidates(device)[name]
    samples: dict[int, list[list[float]]] = {value: [[] for _ in works] for value in values}
    for value in values:
        with use({name: value}, device):
            runtime.async_eval(*(work() for work in works))
    for _ in range(rounds):
        keep_busy(works[0], device)
        for value in values:
            with use({name: value}, device):
                for work, times in zip(works, samples[value], strict=True):
                    times.append(time_work(work, device))
    medians = {value: [statistics.median(t) for t in times] for value, times in samples.items()}
    base = medians[device.tuning[name]]
    return {
        value: math.exp(statistics.fmean(math.log(b / t) for b, t in zip(base, times, strict=True)))
        for value, times in medians.items()
    }


def measure(
    device: DeviceLike = None, *, quick: bool = False
) -> Iterator[tuple[str, dict[int, float]]]:
    """Measures every tunable on a device and puts the best values in force, one by one.

    Takes seconds to minutes, by the device's timestamps, and up to 256 MiB of its memory.

    Parameters
    ----------
    device : Device, int, str or None, optional
        The default device for None.
    quick : bool, optional
        True takes smaller arrays and fewer rounds.

    Yields
    ------
    tuple
        A name, and the speed of each candidate over that of the value that was in force. A
        candidate replaces it when it is more than 2 % faster.

    Raises
    ------
    ValueError
        There is no such device.

    Examples
    --------
    >>> with vt.tuning.use({}):  # puts back what is in force now
    ...     name, speeds = next(vt.tuning.measure(quick=True))
    >>> name
    'elementwise.vector'
    """
    found = find_device(device)
    for name, works in make_works(found, quick).items():
        speeds = compare(name, works, found, 3 if quick else 9)
        best = max(speeds, key=lambda value: speeds[value])
        if speeds[best] > 1 + MARGIN:
            _core.set_tuning(as_text({name: best}), found)
        yield name, speeds


HELP = "measure kernel sizes on a device and keep the best ones beside the cached kernels"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("--device", help="an index, a UUID or part of a name")
    parser.add_argument("--quick", action="store_true", help="smaller arrays, fewer rounds")


def main(args: argparse.Namespace) -> int:
    """Measures, prints what was found, and stores it; 1 when it could not be stored."""
    wished = args.device
    device = find_device(int(wished) if wished and wished.isdigit() else wished)
    print(f"{device.name}  ({device.driver} {device.driver_version})")
    before = device.tuning
    for name, speeds in measure(device, quick=args.quick):
        shown = "  ".join(f"{value}: {speed:.3f}" for value, speed in speeds.items())
        change = f"{before[name]} -> {device.tuning[name]}"
        print(f"{name:<28} {change if before[name] != device.tuning[name] else before[name]}")
        print(f"    speed  {shown}", flush=True)
    if not _core.store_tuning(device):
        print("not stored: there is no cache directory that can be written (VKTENSOR_CACHE_DIR)")
        return 1
    print(f"stored in {_core.cache_directory()}")
    return 0
