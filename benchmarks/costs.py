"""Costs around the kernels: compiling, transfers, the call itself, the memory pool, and how kernels
are cut into workgroups."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import vktensor as vt
from cases import find_cases, normal
from libraries import Library, Vktensor
from method import Batch, Row, Spread, measure, repeat

# ---- Compiling -----------------------------------------------------------------------------------

#: Run in a process of its own: seconds of each step, as JSON.
PROBE = """
import json, sys, time
began = time.perf_counter()
import numpy as np
numpy_there = time.perf_counter()
import vktensor as vt
seconds = {"import vktensor": time.perf_counter() - numpy_there}
began = time.perf_counter()
vt.eval(vt.ones(8))
seconds["open the device, first kernel"] = time.perf_counter() - began
a, s = (vt.asarray(np.ones(shape, np.float32)) for shape in (4096, (96, 96)))
families = {
    "a + b": lambda: a + a,
    "sin(a)*b + exp(-a)": lambda: vt.sin(a) * a + vt.exp(-a),
    "sum axis 1": lambda: vt.sum(s, axis=1),
    "cumulative sum": lambda: vt.cumulative_sum(a),
    "matmul": lambda: s @ s,
}
for turn in ("first", "again"):
    for name, family in families.items():
        began = time.perf_counter()
        vt.eval(family())
        seconds[name, turn] = time.perf_counter() - began
print(json.dumps([[k, v] if isinstance(k, str) else [*k, v] for k, v in seconds.items()]))
"""


def run_probe(cache: str) -> list[list[str | float]]:
    """The probe in a new process with its kernels' cache in `cache`."""
    environment = dict(os.environ, VKTENSOR_CACHE_DIR=cache)
    # What the driver keeps for itself would make a cold start warm.
    environment |= {"__GL_SHADER_DISK_CACHE": "0", "MESA_SHADER_CACHE_DISABLE": "true"}
    paths = [str(Path(vt.__file__).parents[1]), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: list[list[str | float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def compiling(repeats: int) -> Iterator[Row]:
    """Cold: nothing is cached anywhere. Disk-warm: a new process with our cache filled.
    Memory-warm: the same process again."""
    values: dict[str, list[float]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            for state in ("cold", "disk-warm"):
                for *name, seconds in run_probe(cache):
                    if name[-1] == "again":
                        key = f"{name[0]}, memory-warm"
                    else:
                        key = f"{name[0]}, {state}"
                    values.setdefault(key, []).append(float(seconds))
    for key in sorted(values, key=lambda key: key.rsplit(", ", 1)[0]):
        yield Row("compiling", key, "ms", libraries={"vktensor": Spread.of(values[key])})


# ---- Transfers -----------------------------------------------------------------------------------


def say_size(nbytes: int) -> str:
    """Bytes in the unit that gives a whole number."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if nbytes >= 1 << shift and nbytes % (1 << shift) == 0:
            return f"{nbytes >> shift} {unit}"
    return f"{nbytes} B"


def transfer_batches(library: Library, host: np.ndarray) -> dict[str, Batch]:
    """The ways this library has, each ending when the bytes have arrived."""
    device = library.put(host)
    first, second = library.fetch(device), library.fetch(device)
    is_view = np.shares_memory(first, second)  # where the host sees the device's memory: no copy
    out = np.empty_like(host)
    out[...] = 0
    pinned = library.pinned(host)

    def put() -> None:
        library.wait(library.put(host))

    def put_pinned() -> None:
        library.wait(library.put_pinned(pinned))

    ways = {
        "to the device": put,
        "to a new array": lambda: (
            library.fetch(device).copy() if is_view else library.fetch(device)
        ),
        "into an array": lambda: library.fetch_into(device, out),
    }
    if pinned is not None:
        ways["to the device, pinned"] = put_pinned
    return {way: repeat(call) for way, call in ways.items()}


def transfers(suite: str, libraries: list[Library], seconds: float) -> Iterator[Row]:
    """Both ways, from pageable and from pinned memory."""
    sizes = {
        "quick": (4 << 10, 1 << 20, 16 << 20),
        "full": (4 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20, 1 << 30),
    }.get(suite, (4 << 10, 1 << 20, 64 << 20, 512 << 20, 1 << 30))
    for nbytes in sizes:
        host = normal(nbytes // 4)
        ways: dict[str, dict[str, Batch]] = {}
        for library in libraries:
            for way, batch in transfer_batches(library, host).items():
                ways.setdefault(way, {})[library.name] = batch
        for way, batches in ways.items():
            row = Row("transfers", f"{say_size(nbytes)} {way}", "GB/s", nbytes)
            row.libraries = measure(batches, seconds, rounds=7)
            yield row
        del ways, batches
        for library in libraries:
            library.trim()


def files(suite: str, libraries: list[Library], seconds: float) -> Iterator[Row]:
    """A .npy file that the system has in its cache, read to the device and written from it."""
    nbytes = (16 if suite == "quick" else 256) << 20
    host = normal(nbytes // 4)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "given.npy")
        np.save(path, host)
        loading, saving = {}, {}
        for library in libraries:
            device = library.put(host)
            target = os.path.join(folder, f"{library.name}.npy")

            def load(library: Library = library) -> None:
                library.wait(library.load(path))

            def save(library: Library = library, device=device, target: str = target) -> None:
                library.save(target, device)

            loading[library.name], saving[library.name] = repeat(load), repeat(save)
        for way, batches in (("loaded", loading), ("saved", saving)):
            row = Row("files", f"{say_size(nbytes)} {way}", "GB/s", nbytes)
            row.libraries = measure(batches, seconds, rounds=5)
            yield row


# ---- The call itself -----------------------------------------------------------------------------


def overhead(libraries: list[Library], seconds: float) -> Iterator[Row]:
    """What an operation on 1024 elements costs from Python."""
    host = normal(1024)
    inputs = {library.name: (library.put(host), library.put(host)) for library in libraries}

    def timed(name: str, action, only: tuple[str, ...] | None = None) -> Row:
        batches = {}
        for library in libraries:
            a, b = inputs[library.name]
            if only is None or library.name in only:
                batches[library.name] = repeat(
                    lambda library=library, a=a, b=b: action(library, a, b)
                )
        return Row("overhead", name, "us", libraries=measure(batches, seconds))

    def finish(library: Library, a, b):
        result = a + b
        library.start(result)
        library.wait(result)

    def chain(library: Library, a, b):
        for _ in range(50):
            a = a * 0.5 + b
        return a

    yield timed("a + b built, not started", lambda lib, a, b: a + b, ("vktensor",))
    yield timed("a + b started", lambda lib, a, b: lib.start(a + b))
    yield timed("a + b finished", finish)
    yield timed("a + b read: float((a+b)[0])", lambda lib, a, b: float((a + b)[0]))
    yield timed("a + b as a NumPy array", lambda lib, a, b: lib.fetch(a + b))
    yield timed("sum read: float(a.sum())", lambda lib, a, b: float(a.sum()))
    yield timed("100 dependent ops, read", lambda lib, a, b: lib.fetch(chain(lib, a, b)))


# ---- The pool ------------------------------------------------------------------------------------


def churn(steps: int, live: int) -> tuple[float, float]:
    """(seconds a step, largest reserved / in use) of blocks of random sizes that come and go."""
    rng = random.Random(1)
    vt.empty_cache()
    before = vt.memory_stats()
    held: list[vt.Tensor] = []
    worst, spent = 1.0, 0.0
    for step in range(steps):
        n = int(2 ** rng.uniform(4, 20))
        began = time.perf_counter()
        if len(held) >= live:
            held.pop(rng.randrange(len(held)))
        held.append(vt.empty(n))
        spent += time.perf_counter() - began
        if step >= live:
            stats = vt.memory_stats()
            used = stats["in_use"] - before["in_use"]
            worst = max(worst, (stats["reserved"] - before["reserved"]) / used)
    return spent / steps, worst


def pool(seconds: float) -> Iterator[Row]:
    """A block and its end: from the cache, and from the driver."""
    for nbytes in (4 << 10, 256 << 10, 16 << 20):
        n = nbytes // 4

        def missed(count: int, n: int = n) -> float:
            spent = 0.0
            for _ in range(count):
                vt.empty_cache()
                began = time.perf_counter()
                block = vt.empty(n)
                spent += time.perf_counter() - began
                del block
            return spent / count

        hits = measure({"vktensor": repeat(lambda n=n: vt.empty(n))}, seconds)
        yield Row("pool", f"{say_size(nbytes)} from the cache", "us", libraries=hits)
        misses = measure({"vktensor": missed}, seconds)
        yield Row("pool", f"{say_size(nbytes)} from the driver", "us", libraries=misses)
    found = [churn(1500, 100) for _ in range(3)]
    vt.empty_cache()
    steps, shares = (Spread.of(list(values)) for values in zip(*found, strict=True))
    yield Row("pool", "mixed sizes, 100 live: a step", "us", libraries={"vktensor": steps})
    yield Row("pool", "mixed sizes: reserved / in use", "ratio", libraries={"vktensor": shares})


# ---- How kernels are cut -------------------------------------------------------------------------

#: Works by the prefix of the tunables that shape them.
FAMILIES = {
    "elementwise": ("elementwise: a + b", "fused: sin(a)*b + exp(-a)"),
    "reduce": ("reductions: sum", "reductions: sum axis 0", "reductions: sum axis 1"),
    "scan": ("scans: cumulative sum",),
    "matmul": ("matmul: 512 x 512", "matmul: 4096 x 4096"),
}


def settings(family: str) -> list[dict[str, int]]:
    """All combinations of the family's tunables; beyond 40, each alone beside the defaults."""
    values = {
        name: found
        for name, found in vt.tuning.candidates().items()
        if name.split(".")[0] == family
    }
    combined = [
        dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())
    ]
    if len(combined) > 40:
        combined = [{name: value} for name, found in values.items() for value in found]
    return combined if values else []


def configurations(suite: str, seconds: float) -> Iterator[Row]:
    """Each work with each setting of its kernels' tunables."""
    library = Vktensor()
    works = {f"{case.group}: {case.name}": case for case in find_cases(suite)}
    for family, keys in FAMILIES.items():
        for key in keys:
            case = works.get(key)
            if case is None:
                continue
            inputs = [library.put(a) for a in case.arrays()]
            batch = library.pipelined(lambda case=case, inputs=inputs: case.run(library, *inputs))
            for setting in settings(family):
                with vt.tuning.use(setting):
                    found = measure({"vktensor": batch}, seconds, rounds=5)
                name = f"{case.name}: " + ", ".join(f"{k}={v}" for k, v in setting.items())
                unit = "GB/s" if case.nbytes else "TFLOP/s"
                yield Row("configurations", name, unit, case.nbytes or case.flops, found)
            del batch, inputs
            library.trim()
