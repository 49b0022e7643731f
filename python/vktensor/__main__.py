"""`python -m vktensor`: the doctor. What Vulkan shows, what is chosen and why, what is missing, and
a self-check. `python -m vktensor accuracy` measures the errors of the functions,
`python -m vktensor tune` the best sizes of kernels."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import vktensor as vt
from vktensor import _core, tuning
from vktensor.accuracy import command as accuracy

GOOD, BAD = "ok", "!!"


def show(label: str, value: object) -> None:
    """One aligned line."""
    print(f"  {label:<22} {value}")


def describe(device: vt.Device, chosen: bool) -> None:
    """A device's drivers, features and limits."""
    print(f"\n{'*' if chosen else ' '} [{device.index}] {device.name}  ({device.kind})")
    show("driver", f"{device.driver} {device.driver_version}")
    show("Vulkan", device.api_version)
    show("uuid", device.uuid)
    if not device.usable:
        show("cannot be used", device.missing)
        return
    features = device.features
    show("has", ", ".join(name for name, there in features.items() if there is True) or "-")
    show("lacks", ", ".join(name for name, there in features.items() if there is False) or "-")
    facts = device.arithmetic
    show("arithmetic", ", ".join(name for name, holds in facts.items() if holds) or "-")
    show("not so", ", ".join(name for name, holds in facts.items() if not holds) or "-")
    limits = device.limits
    show("memory", f"{limits['device_nbytes'] / 2**30:.1f} GiB")
    show("largest block", f"{limits['max_block_nbytes'] / 2**30:.1f} GiB")
    show("subgroup", limits["subgroup_size"])
    show("workgroup", limits["max_workgroup_invocations"])
    show("shared memory", f"{limits['shared_nbytes'] // 1024} KiB")


def reason(device: vt.Device) -> str:
    """Why this device is the default."""
    wish = os.environ.get("VKTENSOR_DEVICE")
    if wish:
        return f"VKTENSOR_DEVICE={wish}"
    if device.kind == "cpu":
        return "no GPU driver was found; a CPU driver computes correctly, but not fast"
    return "the first device that is not a CPU"


def check(name: str, action: Callable[[], Any], expected: Any, tolerance: float = 0.0) -> bool:
    """Runs one self-check, prints its time, and says whether the answer is NumPy's."""
    start = time.perf_counter()
    got = np.asarray(action())
    seconds = time.perf_counter() - start
    right = bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance))
    print(f"  {GOOD if right else BAD}  {name:<34} {seconds * 1e3:9.2f} ms")
    return right


def self_check() -> bool:
    """A few operations of each kind, cold and warm, against NumPy."""
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal(1 << 20).astype(np.float32) for _ in range(2))
    m, n = (rng.standard_normal((192, 160)).astype(np.float32) for _ in range(2))
    x, y, p, q = (vt.asarray(v) for v in (a, b, m, n))
    chain = np.sin(a) * b + np.exp(-a)
    right = True
    for round_name in ("first", "again"):
        right &= check(
            f"sin(a) * b + exp(-a), {round_name}", lambda: vt.sin(x) * y + vt.exp(-x), chain, 1e-5
        )
        right &= check(f"sum, {round_name}", lambda: vt.sum(x), a.sum(dtype=np.float64), 1e-2)
        right &= check(f"matmul, {round_name}", lambda: p @ q.T, m @ n.T, 1e-3)
        right &= check(f"copy there and back, {round_name}", lambda: vt.asarray(a, copy=True), a)
    return right


def doctor() -> int:
    """Prints the report; the exit status is 0 when tensors can be computed and the self-check
    passes."""
    print(f"vktensor {vt.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}")
    try:
        devices = vt.devices()
        chosen = vt.default_device()
    except RuntimeError as error:
        print(f"\n{BAD}  {error}")
        return 1
    for device in devices:
        describe(device, device == chosen)
    print(f"\nchosen: [{chosen.index}] {chosen.name}: {reason(chosen)}")
    show("kernel cache", _core.cache_directory() or "off")
    print("\nself-check")
    try:
        right = self_check()
    except (RuntimeError, MemoryError) as error:
        print(f"  {BAD}  {error}")
        return 1
    counts = vt.metrics()
    show("kernels compiled", counts["kernels_compiled"])
    show("taken from the cache", counts["kernels_from_disk"])
    show("memory reserved", f"{vt.memory_stats()['reserved'] / 2**20:.1f} MiB")
    print(
        "\neverything works" if right else f"\n{BAD}  wrong answers: please report the lines above"
    )
    return 0 if right else 1


def main(argv: list[str] | None = None) -> int:
    """Runs the command that the arguments name, the doctor where they name none."""
    parser = argparse.ArgumentParser(prog="python -m vktensor")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("doctor", help="show devices and check that they compute (the default)")
    tuning.add_arguments(commands.add_parser("tune", help=tuning.HELP))
    accuracy.add_arguments(commands.add_parser("accuracy", help=accuracy.HELP))
    args = parser.parse_args(argv)
    run = {"accuracy": accuracy.main, "tune": tuning.main}.get(args.command)
    try:
        return run(args) if run else doctor()
    except (OSError, ValueError) as error:  # a device, function or path there is not
        print(f"python -m vktensor: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
