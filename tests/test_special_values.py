"""Every op of the table and every cast on special values, bit-equal to NumPy but for the listed
exceptions."""

from __future__ import annotations

import numpy as np
import pytest

import vktensor as vt
from oracle import assert_same_bits
from vktensor.accuracy import reference, special

ROWS = {row["name"]: row for row in reference.rows()}
CASES = [(n, d) for n, row in ROWS.items() for d in special.DTYPES if special.takes(row, d)]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_special_values_equal_numpy(name, dtype):
    found = special.Compared(name)
    row = ROWS[name]
    reduces = row["kind"] in ("reduce", "scan")
    compare = special.compare_reduction if reduces else special.compare_op
    compare(row, dtype, vt.default_device(), found)
    assert found.values > 0 and not found.different, f"{found.different}: {found.first}"


@pytest.mark.parametrize("source", special.DTYPES)
@pytest.mark.parametrize("target", special.DTYPES)
def test_casts_of_special_values_equal_numpy(source, target):
    found = special.Compared("casts")
    special.compare_cast(source, target, vt.default_device(), found)
    assert not found.different, f"{found.different}: {found.first}"


@pytest.mark.unwatched
def test_the_rule_of_casts_is_what_numpy_does_in_range():
    for target in special.INTEGERS:
        info = np.iinfo(target)
        for value in (info.min, info.max // 2 + 1, 3.7, -0.9):
            assert special.as_integer(float(value), target) == np.float64(value).astype(target)
    assert special.as_integer(300.0, "int8") == 44
    assert special.as_integer(np.nan, "int16") == 0
    assert special.as_integer(np.inf, "int32") == -(2**31)
    assert special.as_integer(-1.0, "uint64") == 2**64 - 1


@pytest.mark.unwatched
def test_a_wrong_result_is_told_from_a_right_one():
    one = [np.array([1.0, 0.0, -0.0, np.nan, 3.0], np.float32)]
    right = np.array([1.0, 0.0, -0.0, np.nan, np.cbrt(3.0)], np.float32)
    row = ROWS["cbrt"]
    assert special.right_results(row, "float32", one, right).all()
    wrong = right.copy()
    wrong[:3] = [np.nextafter(np.float32(1), np.float32(2)), -0.0, 0.0]
    wrong[3:] = [1.0, wrong[4] * np.float32(1 + 1e-6)]
    assert not special.right_results(row, "float32", one, wrong).any()
    for name, dtype in (("minimum", "float16"), ("sign", "bfloat16"), ("add", "int8")):
        arrays = special.operands(ROWS[name], dtype)
        exact = special.exact_result(ROWS[name], dtype, arrays)
        assert special.right_results(ROWS[name], dtype, arrays, exact).all()
        off = np.where(exact == 1, exact.dtype.type(2), exact)
        found = special.right_results(ROWS[name], dtype, arrays, off)
        np.testing.assert_array_equal(found, ~(exact == 1))


EXCEPTIONS = ["minimum", "nextafter", "pow", "round", "floor_divide", "spacing"]
NARROW = {"pow": "int32", "round": "int64", "nextafter": "float16", "spacing": "float16"}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_one(name):
    """What NumPy itself gives differs: the list of exceptions has no idle row."""
    assert any(name in ops for ops, _ in special.EXCEPTIONS)
    dtype = NARROW.get(name, "float32")
    arrays = special.operands(ROWS[name], dtype)
    ours = special.exact_result(ROWS[name], dtype, arrays)
    if name == "pow":
        with pytest.raises(ValueError, match="negative"):
            np.power(*arrays)
        return
    function = {"round": np.rint}.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        numpys = function(*arrays).astype(ours.dtype)
    if name == "nextafter" and np.lib.NumpyVersion(np.__version__) >= "2.5.0":
        assert_same_bits(ours, numpys)  # from there on NumPy has it as C does
        return
    assert not special.same(ours, numpys).all()
    with pytest.raises(AssertionError):
        assert_same_bits(ours, numpys)
