"""`python -m vktensor accuracy`: measures a device, prints, keeps the results, makes the page."""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import vktensor as vt
from vktensor._core import Device
from vktensor.accuracy import complexes, page, reference
from vktensor.accuracy.reference import FLOATS, bound, can_hold, has_long_double

HELP = "measure the errors of the functions in ULP"
PARTS = ("functions", "complex", "special", "accumulation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--device", help="a device's index, UUID or part of its name")
    parser.add_argument(
        "--dtype", action="append", choices=(*FLOATS, *complexes.COMPLEX), help="only this dtype"
    )
    parser.add_argument("--function", action="append", help="only this function")
    parser.add_argument(
        "--part",
        action="append",
        choices=PARTS,
        help="only this part; without it all, or functions and complex where some are named",
    )
    parser.add_argument("--quick", action="store_true", help="2^18 inputs a function at most")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bound is broken")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument(
        "--output",
        type=Path,
        help="keep the results in OUTPUT/accuracy/DEVICE.json and make OUTPUT/accuracy.md",
    )
    parser.add_argument("--page", action="store_true", help="only make OUTPUT/accuracy.md")


def rows_of(functions: list[str] | None) -> list[dict[str, Any]]:
    """The rows of the functions that are measured: functions of one or two floats. ValueError for a
    name that is none."""
    rows = [r for r in reference.rows() if r["kind"] in ("unary", "binary")]
    rows = [r for r in rows if "float" in r["takes"]]
    names = [r["name"] for r in rows]
    for name in functions or ():
        if name not in names:
            raise ValueError(f"accuracy: expected one of {', '.join(names)}, got {name}")
    return [r for r in rows if not functions or r["name"] in functions]


def describe_device(device: Device) -> dict[str, str]:
    """What identifies the device and its driver."""
    names = ("name", "kind", "driver", "driver_version", "api_version")
    return {name: getattr(device, name) for name in names}


def line_of(row: dict[str, Any], seconds: float) -> str:
    """A measured row for the terminal."""
    name, inputs = row["function"], page.count_text(row["inputs"])
    mark = "!" if page.is_over(row) else " "
    wrong = f"  {row['wrong']} wrong, first at {row['wrong_at']}" if row["wrong"] else ""
    if "max" not in row:
        return f"{name:<13}exact {mark}{'':15} {seconds:8.2f}  {inputs:<13}{wrong}"
    errors = f"{row['max']:8.3f} {row['mean']:6.3f}"
    limit = bound(name, row["dtype"])
    at = ", ".join(row["at"])
    return f"{name:<13}{limit:5g} {mark}{errors} {seconds:8.2f}  {inputs:<13} {at}{wrong}"


def measure_functions(args: argparse.Namespace, device: Device) -> list[dict[str, Any]]:
    """The errors of the functions, a line of print each."""
    from vktensor.accuracy.measure import measure

    found = []
    for dtype in (d for d in args.dtype or FLOATS if d in FLOATS):
        if not can_hold(device, dtype):
            print(f"{dtype} is not measured: the device has none")
            continue
        if dtype == "float64" and not has_long_double():
            print("float64 is not measured: here C's long double is too short to judge it")
            continue
        print(f"\n{dtype:<13}bound       max   mean  seconds  inputs")
        for row in rows_of(args.function):
            start = time.perf_counter()
            one = measure(row, dtype, device, args.quick)
            seconds = time.perf_counter() - start
            print(line_of(one, seconds), flush=True)
            found.append(one)
    return found


def measure_complex(args: argparse.Namespace, device: Device) -> list[dict[str, Any]]:
    """The errors of the functions of complex numbers, a line of print each."""
    found = []
    for dtype in (d for d in args.dtype or complexes.COMPLEX if d in complexes.COMPLEX):
        if not can_hold(device, complexes.COMPLEX[dtype]) or not complexes.has_reference(dtype):
            print(f"{dtype} is not measured: the device has none, or here is nothing to judge it")
            continue
        print(f"\n{dtype:<13}bound       max   mean  seconds  inputs")
        for row in complexes.rows():
            if args.function and row["name"] not in args.function:
                continue
            start = time.perf_counter()
            one = complexes.measure(row, dtype, device, args.quick)
            mark = "!" if complexes.is_over(one) else " "
            text = f"{row['name']:<13}{complexes.BOUNDS[row['name']][0]:5g} {mark}"
            text += f"{one['max']:8.3f} {one['mean']:6.3f} {time.perf_counter() - start:8.2f}  "
            text += f"{page.count_text(one['inputs']):<13} {', '.join(one['at'])}"
            print(text + (f"  {one['wrong']} wrong" if one["wrong"] else ""), flush=True)
            found.append(one)
    return found


def measure_special(device: Device) -> list[dict[str, Any]]:
    """Special values of every op; prints what is not NumPy's."""
    from vktensor.accuracy.special import compare_all

    found = []
    print("\nspecial values", end=" ", flush=True)
    for one in compare_all(device):
        found.append(asdict(one))
        print(".", end="", flush=True)
        if one.different:
            print(f"\n! {one.op}: {one.different}, first: {one.first}")
    print(f" {sum(one['values'] for one in found):,} compared")
    return found


def measure_accumulation(args: argparse.Namespace, device: Device) -> list[dict[str, Any]]:
    """Sums, scans and products, a line of print each."""
    from vktensor.accuracy.accumulate import measure_all

    found = []
    print()
    for one in measure_all(device, args.quick):
        mark = "!" if one["value"] > one["bound"] else " "
        print(f"{one['what']:<64} {mark}{one['value']:9.3g} of {one['bound']:9.3g} {one['unit']}")
        found.append(one)
    return found


def run(args: argparse.Namespace, device: Device) -> dict[str, Any]:
    """Measures; the results as JSON holds them."""
    results: dict[str, Any] = {
        "device": describe_device(device),
        "vktensor": vt.__version__,
        "numpy": np.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python -m vktensor accuracy", *(["--quick"] if args.quick else [])]),
    }
    print(page.short_name(results))
    parts = args.part or (PARTS[:2] if args.function or args.dtype else PARTS)
    if "functions" in parts:
        results["rows"] = measure_functions(args, device)
    if "complex" in parts:
        results["complex"] = measure_complex(args, device)
    if "special" in parts:
        results["special"] = measure_special(device)
    if "accumulation" in parts:
        results["accumulation"] = measure_accumulation(args, device)
    return results


def keep(results: dict[str, Any], folder: Path) -> Path:
    """Writes the results into the device's file, over what was measured anew."""
    slug = re.sub(r"[^a-z0-9.]+", "-", page.short_name(results).lower())
    path = folder / "accuracy" / f"{slug}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(path.read_text()) if path.exists() else {}
    merged = {}
    for key in ("rows", "complex"):
        fresh = {(r["dtype"], r["function"]): r for r in results.get(key, [])}
        rows = [fresh.pop((r["dtype"], r["function"]), r) for r in old.get(key, [])]
        merged[key] = rows + list(fresh.values())
    write_json(old | results | merged, path)
    return path


def write_json(results: dict[str, Any], path: Path) -> None:
    """One row a line: what changes shows in a diff."""
    members = []
    for name, value in results.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "\n ]"
        members.append(f" {json.dumps(name)}: {text}")
    path.write_text("{\n" + ",\n".join(members) + "\n}\n")


def main(args: argparse.Namespace) -> int:
    """0, or 1 where --check found an error above its bound. ValueError for a function, device or
    directory there is not."""
    if args.page:
        print(page.write(args.output or Path("docs")))
        return 0
    rows_of(args.function)
    if args.json and not args.json.parent.is_dir():  # to be known before the measuring
        raise ValueError(f"accuracy: there is no directory {args.json.parent}")
    if not importlib.util.find_spec("mpmath"):
        print("accuracy: needs mpmath, against which the references are checked", file=sys.stderr)
        return 2
    if args.device:
        vt.set_default_device(int(args.device) if args.device.isdigit() else args.device)
    results = run(args, vt.default_device())
    if args.json:
        write_json(results, args.json)
    if args.output:
        print(keep(results, args.output), page.write(args.output))
    over = page.failures(results)
    print(f"\nabove their bounds, or other than NumPy's: {', '.join(over) or 'none'}")
    return 1 if over and args.check else 0
