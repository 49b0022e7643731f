"""NumPy's validation sets, and IEEE 754 asked for in every kernel that is given to the driver."""

from __future__ import annotations

import csv
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import vktensor as vt

SETS = Path(np.__file__).parent / "_core/tests/data"
NAMES = {"arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh"}
NAMES |= {"arctan": "atan", "arctanh": "atanh"}
FILES = sorted(SETS.glob("umath-validation-set-*.csv"))


# ---- NumPy's validation sets ---------------------------------------------------------------------


def in_order(bits: np.ndarray, width: int) -> np.ndarray:
    """Patterns of floats as integers in the floats' order: neighbours differ by 1."""
    i = bits.astype(f"i{width // 8}").astype(object)
    return np.where(i < 0, -(2 ** (width - 1)) - i, i)


def of_width(path: Path, width: int) -> list[list[str]]:
    """The rows of a set for float32 or float64: dtype, input, result, ULPs."""
    with path.open() as file:
        return [row for row in csv.reader(file) if row and row[0] == f"np.float{width}"]


CASES = [(path, width) for path in FILES for width in (32, 64) if of_width(path, width)]


def test_numpy_brings_its_validation_sets():
    assert len(FILES) >= 20 and len(CASES) >= 35


@pytest.mark.parametrize(("path", "width"), CASES, ids=lambda x: getattr(x, "stem", x))
def test_numpys_validation_sets_hold_within_their_ulps(path, width):
    name = path.stem.rpartition("-")[2]
    rows = of_width(path, width)
    given, expected = (
        np.array([int(row[i], 16) for row in rows], f"u{width // 8}") for i in (1, 2)
    )
    got = np.asarray(getattr(vt, NAMES.get(name, name))(vt.asarray(given.view(f"f{width // 8}"))))
    want = expected.view(got.dtype)
    nan = np.isnan(want)
    np.testing.assert_array_equal(np.isnan(got), nan)
    words = f"u{width // 8}"
    apart = np.abs(in_order(got.view(words), width) - in_order(want.view(words), width))
    allowed = np.array([int(row[3]) for row in rows])
    wrong = ~nan & (apart > allowed)
    shown = [(given.view(got.dtype)[i], got[i], want[i]) for i in np.flatnonzero(wrong)[:5]]
    assert not wrong.any(), f"{wrong.sum()} of {wrong.size}, at most {allowed.max()}: {shown}"


# ---- NoContraction and float controls ------------------------------------------------------------

KERNELS = """
import numpy as np, vktensor as vt
rng = np.random.default_rng(1)
for dtype in ("float32", "float64", "float16", "complex64"):
    x = vt.asarray(rng.uniform(0.1, 0.9, (9, 33)).astype(dtype))
    for row in vt.ops():
        if row["kind"] in ("unary", "binary"):
            try:
                y = getattr(vt, row["name"])(*[x] * (1 + (row["kind"] == "binary")))
            except TypeError:
                continue
            y = vt.where(y, x, x) if y.dtype == np.bool_ else y
            vt.eval(y)
    vt.eval(vt.sum(x, axis=0)); vt.eval(vt.mean(x)); vt.eval(vt.prod(x, axis=1)); vt.eval(x @ x.T)
    vt.eval(vt.cumulative_sum(x, axis=1))
    if dtype != "complex64":
        vt.eval(vt.var(x, axis=1)); vt.eval(vt.max(x)); vt.eval(vt.argmax(x, axis=0))
    vt.eval(vt.sin(x) * x + vt.exp(-x.T[:33, :9].T))
vt.eval(vt.random.default_rng(1).normal(size=(99,)))
"""
# Opcodes of SPIR-V 1.6: OpFNegate, OpFAdd, ..., OpDot; no OpIAdd and the like between them.
ARITHMETIC = {127, 129, 131, 133, 136, 140, 141, *range(142, 149)}


def instructions(path: Path) -> Iterator[tuple[int, ...]]:
    """(opcode, word, ...) of each instruction of a module."""
    data = path.read_bytes()
    words = struct.unpack(f"<{len(data) // 4}I", data)
    assert words[0] == 0x07230203
    at = 5
    while at < len(words):
        n = words[at] >> 16
        yield (words[at] & 0xFFFF, *words[at + 1 : at + n])
        at += n


@pytest.mark.unwatched
@pytest.mark.parametrize("kernels", ["cpu", "gpu"])
def test_every_float_operation_is_exact_and_every_control_declared(kernels, tmp_path):
    modules, cache = tmp_path / "spirv", tmp_path / "cache"
    modules.mkdir()
    variables = {"VKTENSOR_SPIRV": str(modules), "VKTENSOR_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", KERNELS],
        env={**os.environ, **variables, "VKTENSOR_KERNELS": kernels},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    features = vt.default_device().features
    modes = {4461: "preserves_nan", 4462: "rounds_to_even", 4459: "preserves_subnormals"}
    n_arithmetic = 0
    paths = sorted(modules.glob("*.spv"))
    for path in paths:
        found = list(instructions(path))
        results = {words[2] for words in found if words[0] in ARITHMETIC}
        exact = {words[1] for words in found if words[0] == 71 and words[2] == 42}
        assert results <= exact, f"{path.name}: {len(results - exact)} operations may be contracted"
        widths = {words[2] for words in found if words[0] == 22}
        declared = {(words[2], words[3]) for words in found if words[0] == 16 and len(words) == 4}
        reported = {(m, w) for m, name in modes.items() for w in widths if features[f"{name}{w}"]}
        assert reported <= declared, f"{path.name}: lacks {reported - declared}"
        n_arithmetic += len(results)
    assert len(paths) > 100 and n_arithmetic > 5000
