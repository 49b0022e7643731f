"""Times vktensor beside NumPy, and beside PyTorch and CuPy where they are installed, in one run.

    python benchmarks/run.py [--suite quick|full|gpu] [--json FILE] [CASE ...]

Throughput is wall clock around pipelined calls ended by one synchronisation; each result is dropped
before the next call, so that consecutive calls write the same memory and cannot overlap. Medians
over repeats, after warm-up. Memory-bound rows are in bytes that must move and in % of our own copy
kernel in the same run; peers get the same arrays.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import vktensor as vt
from vktensor import _core

Array = Any


class Library:
    """One array library: how it makes arrays, starts work and waits."""

    def __init__(self, name: str, xp: Any) -> None:
        self.name, self.xp = name, xp

    def put(self, array: np.ndarray) -> Array:
        """`array` on the library's device."""
        return self.xp.asarray(array)

    def start(self, result: Array) -> None:
        """Makes sure the work behind `result` is under way."""

    def wait(self) -> None:
        """Returns when all work is finished."""

    def fetch(self, x: Array) -> np.ndarray:
        """`x` as a NumPy array."""
        return np.asarray(x)


class Vktensor(Library):
    """This package."""

    def start(self, result: Array) -> None:
        """Lazy results are recorded."""
        vt.async_eval(result)

    def wait(self) -> None:
        """Waits for the queue."""
        vt.synchronize()


class Torch(Library):
    """PyTorch on CUDA."""

    def put(self, array: np.ndarray) -> Array:
        """From NumPy."""
        return self.xp.from_numpy(np.ascontiguousarray(array)).cuda()

    def wait(self) -> None:
        """Waits for the device."""
        self.xp.cuda.synchronize()

    def fetch(self, x: Array) -> np.ndarray:
        """A copy on the host."""
        return x.cpu().numpy()


class Cupy(Library):
    """CuPy."""

    def wait(self) -> None:
        """Waits for the device."""
        self.xp.cuda.Device().synchronize()

    def fetch(self, x: Array) -> np.ndarray:
        """A copy on the host."""
        return self.xp.asnumpy(x)


def libraries(with_numpy: bool) -> list[Library]:
    """vktensor first, then what can be imported and has a device."""
    found: list[Library] = [Vktensor("vktensor", vt)]
    for name, kind in (("torch", Torch), ("cupy", Cupy)):
        try:
            module = importlib.import_module(name)
            library = kind(name, module)
            library.put(np.zeros(1, np.float32))
        except Exception:  # a peer without a device fails in its own way
            continue
        found.append(library)
    if with_numpy:
        found.append(Library("numpy", np))
    return found


@dataclass
class Case:
    """One work: `run(library, *arrays)`; `moved` bytes or `flops` per call, else a latency."""

    name: str
    arrays: Callable[[], tuple[np.ndarray, ...]]
    run: Callable[..., Array]
    moved: float = 0.0
    flops: float = 0.0
    numpy: bool = True


def median_seconds(library: Library, case: Case, seconds: float) -> float:
    """Median time of one call, over repeats of as many pipelined calls as fit."""
    inputs = [library.put(a) for a in case.arrays()]

    def batch(count: int) -> float:
        library.wait()
        began = time.perf_counter()
        for _ in range(count):
            result = case.run(library, *inputs)
            library.start(result)
            del result
        library.wait()
        return (time.perf_counter() - began) / count

    batch(2)
    once = batch(1)
    count = max(1, min(1000, int(seconds / 7 / max(once, 1e-7))))
    return statistics.median(batch(count) for _ in range(7))


def chain_of(xp: Any, length: int, a: Array) -> Array:
    """`length` cheap operations in a row."""
    for i in range(length // 2):
        a = a * 1.0001 + (0.5 + i)
    return a


@functools.cache
def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 numbers; kept, because making them costs more than what is timed."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def cases(suite: str) -> list[Case]:
    """The works of a suite."""
    big = 1 << (28 if suite == "gpu" else 22)
    side = 16384 if suite == "gpu" else 2048

    def vectors(k: int, n: int = big) -> Callable[[], tuple[np.ndarray, ...]]:
        return lambda: tuple(normal(n, seed=i) for i in range(k))

    def square(n: int, k: int = 1) -> Callable[[], tuple[np.ndarray, ...]]:
        return lambda: tuple(normal(n, n, seed=i) for i in range(k))

    def copy(lib: Library, a: Array) -> Array:
        return a.clone() if lib.name == "torch" else a.copy()

    nbytes = 4.0 * big
    found = [
        Case("copy", vectors(1), copy, 2 * nbytes),
        Case("add", vectors(2), lambda lib, a, b: a + b, 3 * nbytes),
        Case("mul", vectors(2), lambda lib, a, b: a * b, 3 * nbytes),
        Case("exp", vectors(1), lambda lib, a: lib.xp.exp(a), 2 * nbytes),
        Case("sin", vectors(1), lambda lib, a: lib.xp.sin(a), 2 * nbytes),
        Case(
            "log",
            lambda: (np.abs(normal(big)),),
            lambda lib, a: lib.xp.log(a),
            2 * nbytes,
        ),
        Case(
            "sin(a)*b + exp(-a)",
            vectors(2),
            lambda lib, a, b: lib.xp.sin(a) * b + lib.xp.exp(-a),
            3 * nbytes,
        ),
        Case("four cheap ops", vectors(1), lambda lib, a: chain_of(lib.xp, 4, a), 2 * nbytes),
        Case("twenty cheap ops", vectors(1), lambda lib, a: chain_of(lib.xp, 20, a), 2 * nbytes),
        Case("((a-b)**2).sum()", vectors(2), lambda lib, a, b: ((a - b) ** 2).sum(), 2 * nbytes),
        Case("sum", vectors(1), lambda lib, a: a.sum(), nbytes),
        Case("sum axis 0", square(side), lambda lib, a: a.sum(0), 4.0 * side * side),
        Case("sum axis 1", square(side), lambda lib, a: a.sum(1), 4.0 * side * side),
        Case(
            "max axis 1",
            square(side),
            lambda lib, a: lib.xp.amax(a, 1) if lib.name == "torch" else a.max(axis=1),
            4.0 * side * side,
        ),
        Case("argmax", vectors(1), lambda lib, a: a.argmax(), nbytes),
        Case("var axis 1", square(side), lambda lib, a: a.var(axis=1), 4.0 * side * side),
        Case(
            "transposed copy",
            square(side),
            lambda lib, a: (
                copy(lib, a.T)
                if lib.name == "vktensor"
                else (a.T.contiguous() if lib.name == "torch" else lib.xp.ascontiguousarray(a.T))
            ),
            8.0 * side * side,
        ),
        Case(
            "a + row + column",
            lambda: (
                normal(side, side),
                normal(1, side),
                normal(side, 1),
            ),
            lambda lib, a, r, c: a + r + c,
            8.0 * side * side,
        ),
        Case("a[:, ::2] + 1", square(side), lambda lib, a: a[:, ::2] + 1, 6.0 * side * side),
        Case(
            "cumulative sum",
            vectors(1, big // 4),
            lambda lib, a: vt.cumulative_sum(a) if lib.name == "vktensor" else a.cumsum(0),
            2 * nbytes / 4,
        ),
        Case(
            "take",
            lambda: (
                normal(big // 4),
                np.random.default_rng(1).integers(0, big // 4, big // 4),
            ),
            lambda lib, a, i: vt.take(a, i) if lib.name == "vktensor" else a[i],
            4 * nbytes / 4,
        ),
    ]
    sizes = {"quick": (512,), "full": (64, 256, 512, 1024), "gpu": (512, 1024, 2048, 4096, 8192)}[
        suite
    ]
    for n in sizes:
        found.append(Case(f"matmul {n}", square(n, 2), lambda lib, a, b: a @ b, flops=2.0 * n**3))
    if suite == "gpu":
        found.append(
            Case(
                "matmul 64 x 512",
                lambda: tuple(normal(64, 512, 512, seed=i) for i in range(2)),
                lambda lib, a, b: a @ b,
                flops=2.0 * 64 * 512**3,
            )
        )
        found.append(
            Case(
                "matvec 4096",
                lambda: (normal(4096, 4096), normal(4096)),
                lambda lib, a, b: a @ b,
                4.0 * 4096**2,
            )
        )
    return found


def latencies(found: list[Library]) -> dict[str, dict[str, float]]:
    """Costs of small operations in microseconds, from Python."""
    small = np.random.default_rng(0).standard_normal(1024).astype(np.float32)
    results: dict[str, dict[str, float]] = {}

    def timed(library: Library, action: Callable[[], Any], count: int) -> float:
        times = []
        for _ in range(9):
            library.wait()
            began = time.perf_counter()
            for _ in range(count):
                action()
            times.append((time.perf_counter() - began) / count * 1e6)
            library.wait()
        return statistics.median(times)

    for library in found:
        a, b = library.put(small), library.put(small)
        row = results.setdefault("op and read: float((a+b)[0])", {})
        row[library.name] = timed(library, lambda a=a, b=b: float((a + b)[0]), 200)
        row = results.setdefault("dispatched op: a + b, started", {})
        row[library.name] = timed(library, lambda a=a, b=b, lib=library: lib.start(a + b), 400)
        if library.name == "vktensor":
            row = results.setdefault("lazy op: a + b, built", {})
            row[library.name] = timed(library, lambda a=a, b=b: a + b, 1000)
    return results


def transfers(found: list[Library], nbytes: int) -> dict[str, dict[str, float]]:
    """GB/s to and from NumPy."""
    host = normal(nbytes // 4)
    results: dict[str, dict[str, float]] = {}
    for library in found:
        if library.name == "numpy":
            continue
        times: dict[str, list[float]] = {"asarray": [], "numpy()": []}
        x = library.put(host)
        for _ in range(7):
            del x
            library.wait()
            began = time.perf_counter()
            x = vt.asarray(host, copy=True) if library.name == "vktensor" else library.put(host)
            library.wait()
            times["asarray"].append(time.perf_counter() - began)
            began = time.perf_counter()
            back = x.numpy() if library.name == "vktensor" else library.fetch(x)
            times["numpy()"].append(time.perf_counter() - began)
            del back
        for name, seconds in times.items():
            key = f"{name} of {nbytes >> 20} MiB"
            results.setdefault(key, {})[library.name] = nbytes / statistics.median(seconds) / 1e9
    return results


def show(label: str, row: dict[str, float], unit: str, note: str = "") -> None:
    """One line: each library's figure."""
    cells = "  ".join(f"{name} {value:9.4g}" for name, value in row.items())
    print(f"{label:<32} {cells}  {unit}  {note}", flush=True)


def main() -> int:
    """Runs the suite and prints or saves the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", choices=("quick", "full", "gpu"), default="quick")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=0.7, help="per case and library")
    parser.add_argument("cases", nargs="*", help="parts of case names")
    options = parser.parse_args()

    device = vt.default_device()
    print(f"device: {device.name}; driver: {device.driver} {device.driver_version}")
    found = libraries(options.suite != "gpu")
    for library in found:
        print(f"  {library.name} {getattr(library.xp, '__version__', '')}")
    table: dict[str, dict[str, float]] = {}
    copy_rate = 0.0
    for case in cases(options.suite):
        wanted = not options.cases or any(part in case.name for part in options.cases)
        if not wanted and case.name != "copy":
            continue
        row = {}
        for library in found:
            seconds = median_seconds(library, case, options.seconds)
            _core.empty_cache()
            row[library.name] = (case.moved / 1e9 or case.flops / 1e12) / seconds
        if case.name == "copy":
            copy_rate = row["vktensor"]
        note = f"{row['vktensor'] / copy_rate:6.1%} of copy" if case.moved else ""
        show(case.name, row, "GB/s" if case.moved else "TFLOP/s", note)
        table[case.name] = row
    if not options.cases or "latency" in options.cases:
        for name, row in latencies(found).items():
            show(name, row, "us")
            table[name] = row
    if not options.cases or "transfer" in options.cases:
        for name, row in transfers(found, (512 if options.suite == "gpu" else 32) << 20).items():
            show(name, row, "GB/s")
            table[name] = row
    if options.json:
        options.json.write_text(json.dumps({"device": device.name, "results": table}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
