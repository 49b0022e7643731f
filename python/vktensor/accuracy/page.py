"""Makes `docs/accuracy.md` of the results of all devices, one JSON file each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from vktensor.accuracy import complexes
from vktensor.accuracy.reference import FLOATS, bound
from vktensor.accuracy.special import EXCEPTIONS

TITLE = """# Accuracy

Errors of the functions in ULP (units in the last place of the exact result), measured. This page is
generated from the files in `docs/accuracy/`:

    python -m vktensor accuracy --output docs           # measures the default device, in minutes
    python -m vktensor accuracy --output docs --page    # only makes this page anew

"""
HOW = """
- **bound**: what the op table promises on every device; a result above it is marked **!**, and
  `--check` then exits with 1. float16 and bfloat16 are computed in float32 and rounded once.
- **max** and **mean** error, with the **input** of the largest, exactly, in C's hexadecimal and
  rounded in decimal. An error of 0.5 is correct rounding. A result that is of another kind (NaN, an
  infinity or a zero of the wrong sign) has no ULP and is counted as wrong beside the maximum.
- **Exact** ops are NumPy's to the last bit on all inputs that were tried.
- **inputs**: all 65,536 of the half types (for two operands all pairs of every 32nd and some
  others); all 2^32 of float32 for functions of one argument on a GPU. Elsewhere a sample: random
  bits, the function's domain, neighbourhoods of 0, 1 and other points where methods change; with,
  for one argument, both sides of every power of two, multiples of pi/4, of ln 2 / 2 and of 1/2, the
  borders of overflow and underflow, NumPy's validation sets, and for sin, cos and tan the arguments
  of every exponent that are closest to a multiple of pi/2.
- **Reference**: NumPy's float64 for results up to float32 (in a sweep of all float32 the float64
  function of the device), C's 80-bit long double for float64. The references were compared with
  mpmath at {checked} points; their largest error is {reference}.
- lgamma below 1/8 and logaddexp and logaddexp2 below 1, near their zeros, are measured in ULP of
  these.
"""


COMPLEX = """
## Complex numbers

The error of a result w is abs(w - exact) in ULP of abs(exact): its distance in the plane, in units
of the last place of its length; of pow in 1 + abs(b log(a)) of these. **parts** is the larger error
of the real and the imaginary part, each in ULP of its own, where that is promised too; the real
part of a logarithm below the distance of 1 and the next number is measured in ULP of that. Wrong
are a NaN for a number and a zero of the wrong sign. Inputs are finite: any exponents,
neighbourhoods of zeros, poles, branch points and the circles abs(z) = 1 and abs(1 + z) = 1, both
sides of branch cuts by signed zeros, the borders of overflow and of subnormals. Left out are
multiply and square where a product of parts overflows, as it does in NumPy, and for exp2 imaginary
parts beyond 2^12. Infinities and NaN give what annex G of C says, which the tests compare with
NumPy.
"""
COMPLEX_REFERENCE = """
### {dtype}

The reference, {kind}, was compared with mpmath at {checked:,} points; its largest error is
{reference:.1g} ULP.
"""
SPECIAL = """
## Special values

NaN, infinities, both zeros, the smallest and largest normal and subnormal numbers, halves, numbers
beside 1; the smallest and largest integers, shift counts around once and twice the width, divisor
0. Operands are all of them, all pairs or all triples, in every dtype; rows of pairs for reductions
and scans; every dtype to every other for casts. Results are NumPy's to the last bit (any NaN is
NaN) for exact ops, and for functions where the exact result is a number of the dtype; else of
NumPy's kind and sign and within the bound. What differs on purpose stands under exceptions.
"""
SUMS = """
## Accumulation

u is the relative error of one rounding, in float32 for half types, whose own last rounding is
allowed besides. The bound of sums and scans is 2 log2(n), of products K + 8.
"""


def load(folder: Path) -> list[dict[str, Any]]:
    """The results of each device, CPU drivers first, then by name."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda r: (r["device"]["kind"] != "cpu", r["device"]["name"]))


def short_name(results: dict[str, Any]) -> str:
    """The device's name without what stands in brackets, and its driver's version number."""
    device = results["device"]
    number = re.search(r"\d+(\.\d+)+", device["driver_version"])
    name = device["name"].partition(" (")[0]
    return f"{name} {number.group(0) if number else device['driver_version']}"


def count_text(n: int) -> str:
    """A count as people say it."""
    if n >= 1 << 16 and n & (n - 1) == 0:
        return f"2^{n.bit_length() - 1}"
    return f"{n / 1e6:.3g} million" if n >= 1_000_000 else f"{n:,}"


def number_text(literal: str, dtype: str) -> str:
    """A C literal, short, and its decimal value."""
    value = float.fromhex(literal)
    hexadecimal = re.sub(r"\.?0*p", "p", literal) if "." in literal else literal
    digits = {"float16": 5, "bfloat16": 4, "float32": 9, "float64": 9}[dtype]
    return f"`{hexadecimal}` = {value:.{digits}g}"


def is_over(row: dict[str, Any]) -> bool:
    """Whether the row breaks its bound."""
    return bool(row["wrong"] or row.get("max", 0) > bound(row["function"], row["dtype"]))


def failures(results: dict[str, Any]) -> list[str]:
    """What breaks its bound or differs from NumPy, by name."""
    found = [f"{r['function']} {r['dtype']}" for r in results.get("rows", []) if is_over(r)]
    found += [
        f"{r['function']} {r['dtype']}" for r in results.get("complex", []) if complexes.is_over(r)
    ]
    found += [f"{r['op']} on special values" for r in results.get("special", []) if r["different"]]
    sums = results.get("accumulation", [])
    return found + [r["what"] for r in sums if r["value"] > r["bound"]]


def cells(row: dict[str, Any] | None) -> list[str]:
    """A device's columns: max, mean, input, inputs."""
    if row is None or "max" not in row:
        return ["", "", "", ""]
    worst = f"**! {row['max']:.3g}**" if is_over(row) else f"{row['max']:.3f}"
    if row["wrong"]:
        wrong_at = ", ".join(number_text(x, row["dtype"]) for x in row["wrong_at"])
        worst += f"; {row['wrong']:,} wrong, the first at {wrong_at}"
    at = ", ".join(number_text(x, row["dtype"]) for x in row["at"])
    return [worst, f"{row['mean']:.3f}", at, count_text(row["inputs"])]


def exact_lines(found: list[dict[str, Any]], devices: list[dict[str, Any]]) -> list[str]:
    """What is said of the ops of a dtype that are exact, a line a device."""
    lines = []
    for rows, results in zip(found, devices, strict=True):
        exact = [row for row in rows.values() if "max" not in row]
        for n in sorted({row["inputs"] for row in exact}):
            names = [r["function"] for r in exact if r["inputs"] == n and not r["wrong"]]
            text = f"{', '.join(names)} ({count_text(n)} inputs each)"
            lines.append(f"- Exact on {short_name(results)}: {text}")
        for row in exact:
            if row["wrong"]:
                at = ", ".join(number_text(x, row["dtype"]) for x in row["wrong_at"])
                lines.append(
                    f"- **! {row['function']}** on {short_name(results)} is not NumPy's for "
                    f"{row['wrong']:,} of {count_text(row['inputs'])}, the first {at}"
                )
    return ["", *lines] if lines else []


def table(dtype: str, devices: list[dict[str, Any]]) -> list[str]:
    """The table of one dtype; nothing where no device measured it."""
    found = [{r["function"]: r for r in d["rows"] if r["dtype"] == dtype} for d in devices]
    names = list(dict.fromkeys(n for rows in found for n, row in rows.items() if "max" in row))
    if not names:
        return []
    heads = [f"{short_name(d)}: max | mean | input | inputs" for d in devices]
    lines = [f"\n## {dtype}\n", f"| function | bound | {' | '.join(heads)} |"]
    lines.append("|---" * (2 + 4 * len(devices)) + "|")
    for name in names:
        columns = [name, f"{bound(name, dtype):g}"]
        columns += [cell for rows in found for cell in cells(rows.get(name))]
        lines.append(f"| {' | '.join(columns)} |")
    return lines + exact_lines(found, devices)


def complex_text(literals: list[str], dtype: str) -> str:
    """Operands of which the parts are C literals, rounded, in Python's form."""
    parts = [float.fromhex(x) for x in literals]
    digits = {"complex64": 9, "complex128": 17}[dtype]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return ", ".join(f"{x:.{digits}g}{y:+.{digits}g}j" for x, y in pairs)


def complex_cells(row: dict[str, Any] | None) -> list[str]:
    """A device's columns: max, mean, parts, input."""
    if row is None:
        return ["", "", "", ""]
    worst = f"**! {row['max']:.3g}**" if complexes.is_over(row) else f"{row['max']:.3f}"
    if row["wrong"]:
        worst += (
            f"; {row['wrong']:,} wrong, the first at {complex_text(row['wrong_at'], row['dtype'])}"
        )
    parts = f"{row['parts']:.3f}" if "parts" in row else ""
    return [worst, f"{row['mean']:.3f}", parts, complex_text(row["at"], row["dtype"])]


def complex_table(dtype: str, devices: list[dict[str, Any]]) -> list[str]:
    """The table of one complex dtype; nothing where no device measured it."""
    found = [
        {r["function"]: r for r in d.get("complex", []) if r["dtype"] == dtype} for d in devices
    ]
    every = [row for rows in found for row in rows.values()]
    if not every:
        return []
    text = COMPLEX_REFERENCE.format(
        dtype=dtype,
        kind={"complex64": "NumPy's complex128", "complex128": "C's 80-bit complex"}[dtype],
        checked=sum(row["checked"] for row in every),
        reference=max(row["reference_error"] for row in every),
    )
    heads = [f"{short_name(d)}: max | mean | parts | input" for d in devices]
    lines = [text, f"| function | bound | bound of parts | {' | '.join(heads)} |"]
    lines.append("|---" * (3 + 4 * len(devices)) + "|")
    for name in dict.fromkeys(row["function"] for row in every):
        norm, parts = complexes.BOUNDS[name]
        columns = [name, f"{norm:g}", "" if parts is None else f"{parts:g}"]
        columns += [cell for rows in found for cell in complex_cells(rows.get(name))]
        lines.append(f"| {' | '.join(columns)} |")
    n = max(row["inputs"] for row in every)
    return [*lines, "", f"Of each function {count_text(n)} inputs, or nearly so many."]


def special_cell(row: dict[str, Any] | None) -> str:
    """What an op's special values gave on one device."""
    if row is None:
        return ""
    if not row["different"]:
        return "equal"
    counts = ", ".join(f"{count} of {dtype}" for dtype, count in row["different"].items())
    return f"**! {counts}**: {row['first']}"


def special_table(devices: list[dict[str, Any]]) -> list[str]:
    """Special values: a row for each op with an exception or a difference, one for the others."""
    found = [{r["op"]: r for r in d.get("special", [])} for d in devices]
    lines = [SPECIAL, f"| op | values | {' | '.join(map(short_name, devices))} | exceptions |"]
    lines.append("|---" * (3 + len(devices)) + "|")
    plain, n_values = [], 0
    for name in dict.fromkeys(name for rows in found for name in rows):
        rows = [r.get(name) for r in found]
        exceptions = " ".join(text for ops, text in EXCEPTIONS if name in ops.split(", "))
        values = max(r["values"] for r in rows if r)
        if exceptions or any(r and r["different"] for r in rows):
            columns = [name, f"{values:,}", *map(special_cell, rows), exceptions]
            lines.append(f"| {' | '.join(columns)} |")
        else:
            plain.append(name)
            n_values += values
    equal = ["equal" if rows else "" for rows in found]
    lines.append(f"| {', '.join(plain)} | {n_values:,} | {' | '.join(equal)} | |")
    everywhere = " ".join(text for ops, text in EXCEPTIONS if ops == "every op")
    return [*lines, f"\nOf every op: {everywhere}"]


def sums_table(devices: list[dict[str, Any]]) -> list[str]:
    """Sums, scans and products."""
    found = [{r["what"]: r for r in d.get("accumulation", [])} for d in devices]
    names = list(dict.fromkeys(name for rows in found for name in rows))
    heads = " | ".join(short_name(d) for d in devices)
    lines = [SUMS, f"| what | unit | bound | {heads} |", "|---" * (3 + len(devices)) + "|"]
    for name in names:
        rows = [r.get(name) for r in found]
        one = next(r for r in rows if r)
        values = [
            "" if r is None else f"{'**! ' * over}{r['value']:.3g}{'**' * over}"
            for r in rows
            for over in [r is not None and r["value"] > r["bound"]]
        ]
        lines.append(f"| {' | '.join([name, one['unit'], format(one['bound'], '.3g'), *values])} |")
    return lines


def device_lines(devices: list[dict[str, Any]]) -> list[str]:
    """What was measured where."""
    lines = ["| device | driver | vktensor, NumPy | measured | command |", "|---|---|---|---|---|"]
    for results in devices:
        device = results["device"]
        versions = f"{results['vktensor']}, {results['numpy']}"
        driver = f"{device['driver']} {device['driver_version']}, Vulkan {device['api_version']}"
        columns = [device["name"], driver, versions, results["date"], f"`{results['command']}`"]
        lines.append(f"| {' | '.join(columns)} |")
    return lines


def reference_text(devices: list[dict[str, Any]]) -> str:
    """The largest errors of the references, in ULP of each result."""
    rows = [row for results in devices for row in results["rows"]]
    found = []
    for dtype in ("float32", "float64"):
        worst = max(
            (r.get("reference_error", 0.0) for r in rows if r["dtype"] == dtype), default=0.0
        )
        found.append(f"{worst:.1g} ULP of {dtype}")
    return " and ".join(found)


def make(devices: list[dict[str, Any]]) -> str:
    """The page."""
    checked = f"{sum(row.get('checked', 0) for results in devices for row in results['rows']):,}"
    how = HOW.format(checked=checked, reference=reference_text(devices))
    lines = [TITLE + "\n".join(device_lines(devices)) + "\n" + how.rstrip()]
    for dtype in FLOATS:
        lines += table(dtype, devices)
    of_complex = [line for dtype in complexes.COMPLEX for line in complex_table(dtype, devices)]
    lines += [COMPLEX.rstrip(), *of_complex] if of_complex else []
    lines += special_table(devices) + sums_table(devices)
    return "\n".join(lines) + "\n"


def write(folder: Path) -> Path:
    """Makes `folder/accuracy.md` of `folder/accuracy/*.json`."""
    path = folder / "accuracy.md"
    path.write_text(make(load(folder / "accuracy")))
    return path
