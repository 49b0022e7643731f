"""The array API standard's namespace: dtypes, inspection, signatures, and what is composed."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt
from oracle import DTYPES, FLOATS, INTEGERS, SIGNED, UNSIGNED, make, numpy_dtype

INFO = vt.__array_namespace_info__()


def same(got: vt.Tensor, expected: np.ndarray) -> None:
    assert isinstance(got, vt.Tensor)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(got), expected)


# ---- dtypes -----------------------------------------------------------------------------------


@pytest.mark.unwatched
@pytest.mark.parametrize("name", DTYPES)
def test_dtype_objects_are_equal_to_numpys_both_ways_and_in_sets(name):
    ours, theirs = getattr(vt, name), numpy_dtype(name)
    assert ours == theirs and theirs == ours and ours == theirs.type
    assert ours in {theirs} and theirs in {ours}
    assert {theirs: 1}[ours] == 1
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert np.zeros(2, dtype=ours.dtype).dtype == theirs


@pytest.mark.unwatched
@pytest.mark.parametrize("other", [None, {}, {"a": 1}, [], 3, float, "nonsense", object(), ()])
def test_dtype_objects_are_not_equal_to_what_is_no_dtype(other):
    assert vt.float64 != other and vt.bfloat16 != other


@pytest.mark.unwatched
def test_every_kind_has_its_dtypes():
    kinds = {
        "bool": ["bool"],
        "signed integer": SIGNED,
        "unsigned integer": UNSIGNED,
        "integral": INTEGERS,
        "real floating": FLOATS,
        "numeric": [*INTEGERS, *FLOATS],
    }
    for kind, names in kinds.items():
        for name in DTYPES:
            assert vt.isdtype(getattr(vt, name), kind) == (name in names)
            assert vt.isdtype(numpy_dtype(name), (kind, vt.bool)) == (name in [*names, "bool"])
    assert vt.isdtype(vt.complex64, ("complex floating", "numeric"))
    with pytest.raises(ValueError, match="isdtype: expected a kind"):
        vt.isdtype(vt.int8, "integer")


@pytest.mark.unwatched
@pytest.mark.parametrize("name", FLOATS)
def test_finfo_gives_python_numbers(name):
    info, expected = vt.finfo(getattr(vt, name)), ml_dtypes.finfo(numpy_dtype(name))
    assert (info.bits, info.dtype) == (expected.bits, numpy_dtype(name))
    for field in ("eps", "max", "min", "smallest_normal"):
        value = getattr(info, field)
        assert type(value) is float and value == float(getattr(expected, field))


@pytest.mark.unwatched
@pytest.mark.parametrize("name", INTEGERS)
def test_iinfo_gives_python_numbers(name):
    info, expected = vt.iinfo(getattr(vt, name)), np.iinfo(name)
    assert (info.bits, info.min, info.max) == (expected.bits, expected.min, expected.max)
    assert type(info.max) is int and info.dtype == np.dtype(name)


def test_finfo_and_iinfo_take_tensors_and_refuse_other_kinds():
    assert vt.finfo(vt.ones(2)).bits == 32
    assert vt.iinfo(vt.arange(2)).bits == 64
    with pytest.raises(TypeError, match="finfo: expected a floating-point dtype, got int64"):
        vt.finfo(vt.int64)
    with pytest.raises(TypeError, match="iinfo: expected an integer dtype, got bool"):
        vt.iinfo(vt.bool)


@pytest.mark.unwatched
@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_can_cast_follows_promotion_inside_a_kind(source, target):
    a, b = numpy_dtype(source), numpy_dtype(target)
    together = {source, target} <= set(INTEGERS) or {source, target} <= set(FLOATS)
    expected = a == b or together and vt.result_type(a, b) == b
    assert vt.can_cast(getattr(vt, source), getattr(vt, target)) == expected


def test_astype_moves_and_copies_as_asked():
    x = vt.asarray([1.5, 2.5])
    assert vt.astype(x, vt.float32, copy=False) is x
    assert vt.astype(x, vt.float32, copy=False, device=x.device) is x
    copied = vt.astype(x, vt.float32)
    copied[0] = 9
    same(x, np.array([1.5, 2.5], np.float32))
    same(vt.astype(x, vt.int8, device=vt.default_device()), np.array([1, 2], np.int8))


# ---- inspection -------------------------------------------------------------------------------


@pytest.mark.unwatched
def test_the_inspection_functions_describe_the_default_device():
    assert vt.__array_api_version__ == "2025.12"
    assert INFO.default_device() == vt.default_device()
    assert INFO.default_device() in INFO.devices() and isinstance(INFO.devices(), tuple)
    assert INFO.capabilities()["max dimensions"] == 16
    assert vt.zeros((1,) * 16).ndim == 16
    defaults = INFO.default_dtypes()
    assert defaults["real floating"] == vt.ones(1).dtype
    assert defaults["integral"] == vt.arange(1).dtype
    assert defaults["indexing"] == vt.argmax(vt.ones(1)).dtype


@pytest.mark.unwatched
def test_info_lists_the_dtypes_of_the_standard_that_a_device_has():
    found = INFO.dtypes(device=vt.default_device())
    has_float64 = vt.default_device().features["float64"]
    assert ("float64" in found) == has_float64
    assert "float16" not in found and "bfloat16" not in found
    assert all(getattr(vt, name) == dtype for name, dtype in found.items())
    assert list(INFO.dtypes(kind="signed integer")) == SIGNED
    assert set(INFO.dtypes(kind=("bool", "unsigned integer"))) == {"bool", *UNSIGNED}


@pytest.mark.unwatched
def test_the_namespace_of_a_tensor_is_the_module():
    x = vt.ones(1)
    for version in (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        assert x.__array_namespace__(api_version=version) is vt
    with pytest.raises(ValueError, match="2020.12"):
        x.__array_namespace__(api_version="2020.12")


def public_callables() -> list[str]:
    # Python 3.11 knows no signature of an exception, its own included.
    found = {name: getattr(vt, name) for name in vt.__all__}
    errors = [name for name, x in found.items() if isinstance(x, type) and issubclass(x, Exception)]
    return [name for name, x in found.items() if callable(x) and name not in errors]


@pytest.mark.unwatched
@pytest.mark.parametrize("name", public_callables())
def test_every_public_callable_has_a_signature_and_a_docstring(name):
    item = getattr(vt, name)
    inspect.signature(item)
    assert inspect.getdoc(item)


# ---- compositions -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "bfloat16", "float32"])
def test_triangles_keep_what_lies_on_their_side(dtype):
    base, view = make(dtype, (2, 4, 6), "strided")
    for k in (-9, -4, -1, 0, 2, 6, 2**70, -(2**70)):
        near = max(-9, min(9, k))
        same(vt.tril(view(vt.asarray(base)), k=k), np.tril(view(base), near))
        same(vt.triu(view(vt.asarray(base)), k=k), np.triu(view(base), near))
        same(vt.eye(3, 5, k=k), np.eye(3, 5, near, dtype=np.float32))
    with pytest.raises(ValueError, match="triu: expected at least 2 dimensions"):
        vt.triu(vt.ones(3))


def test_meshgrid_agrees_with_numpy():
    a, b, c = np.arange(3), np.array([1.5, 2.5], np.float32), np.arange(4, dtype=np.int8)
    for arrays in ((a,), (a, b), (a, b, c), (a, b[:0]), (np.array(5), b)):
        for indexing in ("xy", "ij"):
            got = vt.meshgrid(*(vt.asarray(x) for x in arrays), indexing=indexing)
            expected = np.meshgrid(*arrays, indexing=indexing)
            assert isinstance(got, tuple) and len(got) == len(expected)
            for g, e in zip(got, expected, strict=True):
                same(g, e)
    assert vt.meshgrid() == ()
    with pytest.raises(ValueError, match="indexing"):
        vt.meshgrid(vt.ones(2), indexing="yx")
    with pytest.raises(ValueError, match="1-d"):
        vt.meshgrid(vt.ones((2, 2)))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64"])
def test_diff_agrees_with_numpy(dtype):
    base, _ = make(dtype, (3, 5, 4))
    x = vt.asarray(base)
    for axis in (0, 1, -1):
        for n in (0, 1, 2, 6):
            same(vt.diff(x, axis=axis, n=n), np.diff(base, axis=axis, n=n))
        same(
            vt.diff(x, axis=axis, prepend=x, append=x[:1] if axis == 0 else None),
            np.diff(base, axis=axis, prepend=base, **({"append": base[:1]} if axis == 0 else {})),
        )
    with pytest.raises(ValueError, match="n >= 0"):
        vt.diff(x, n=-1)
    with pytest.raises(ValueError, match="out of bounds"):
        vt.diff(x, axis=3)


@pytest.mark.parametrize("dtype", ["bool", "int16", "bfloat16", "float64"])
def test_take_along_axis_agrees_with_numpy(dtype):
    rng = np.random.default_rng(3)
    for layout in ("contiguous", "transposed", "broadcast"):
        base, view = make(dtype, (4, 5, 6), layout)
        a, x = view(base), view(vt.asarray(base))
        for axis, shape in ((0, (7, 5, 6)), (1, (4, 2, 6)), (-1, (4, 5, 1)), (1, (1, 3, 6))):
            for kind in (np.int8, np.int64, np.uint16):
                low = 0 if kind is np.uint16 else -a.shape[axis]
                at = rng.integers(low, a.shape[axis], shape).astype(kind)
                got = vt.take_along_axis(x, vt.asarray(at), axis=axis)
                same(got, np.take_along_axis(a, at, axis=axis))
        same(
            vt.take_along_axis(x, vt.zeros((4, 0, 6), dtype=vt.int64), axis=1),
            np.take_along_axis(a, np.zeros((4, 0, 6), np.int64), axis=1),
        )


def test_take_along_axis_refuses_bad_indices_by_name():
    x = vt.reshape(vt.arange(6), (2, 3))
    for bad in (3, -4):
        with pytest.raises(IndexError, match=f"take_along_axis: index {bad} is out of bounds"):
            vt.take_along_axis(x, vt.asarray([[0], [bad]]), axis=1)
    with pytest.raises(TypeError, match="integer indices"):
        vt.take_along_axis(x, vt.ones((2, 1)))
    with pytest.raises(ValueError, match="2 dimensions"):
        vt.take_along_axis(x, vt.asarray([0]))
    same(vt.take_along_axis(x, vt.asarray([[0]]), axis=1), np.array([[0], [3]]))


def test_repeat_by_counts_agrees_with_numpy():
    base, _ = make("int32", (3, 4))
    x = vt.asarray(base)
    for axis, counts in ((0, [0, 2, 1]), (1, [3, 0, 0, 1]), (None, list(range(12))), (0, [2])):
        for dtype in (np.int8, np.int64, np.uint32):
            by = np.array(counts, dtype)
            # NumPy takes no uint32 here, though it takes the same numbers as int64.
            expected = np.repeat(base, by.astype(np.int64), axis)
            same(vt.repeat(x, vt.asarray(by), axis=axis), expected)
    same(vt.repeat(vt.ones(0), vt.zeros(0, dtype=vt.int64)), np.ones(0, np.float32))
    with pytest.raises(ValueError, match="repeats >= 0"):
        vt.repeat(x, vt.asarray([1, -1, 1]), axis=0)
    with pytest.raises(ValueError, match="expected 3 integers"):
        vt.repeat(x, vt.asarray([1, 1]), axis=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_searchsorted_agrees_with_numpy(dtype):
    rng = np.random.default_rng(5)
    kind = numpy_dtype(dtype)
    for n in (0, 1, 2, 7, 1000, 70001):
        a = np.sort((rng.standard_normal(n) * 50).astype(kind))
        v = (rng.standard_normal((3, 111)) * 60).astype(kind)
        if dtype in FLOATS:
            v[0, :4] = [np.nan, np.inf, -np.inf, -0.0]
            a[n - n // 3 :] = np.nan
        wide = np.float32 if dtype == "bfloat16" else kind
        for side in ("left", "right"):
            expected = np.searchsorted(a.astype(wide), v.astype(wide), side=side)
            same(vt.searchsorted(vt.asarray(a), vt.asarray(v), side=side), expected)


def test_searchsorted_takes_views_scalars_sorters_and_mixed_dtypes():
    a = np.array([5, 1, 3, 3], np.int16)
    x, order = vt.asarray(a), np.argsort(a)
    same(vt.searchsorted(x, 3, sorter=vt.asarray(order)), np.array(1))
    same(vt.searchsorted(vt.asarray(np.sort(a))[::-1][::-1], 3.5), np.array(3))
    values = np.linspace(0, 6, 9, dtype=np.float64)
    expected = np.searchsorted(a, values[::2], sorter=order)
    same(vt.searchsorted(x, vt.asarray(values)[::2], sorter=vt.asarray(order)), expected)
    with pytest.raises(ValueError, match="side"):
        vt.searchsorted(x, 3, side="middle")
    with pytest.raises(ValueError, match="1-d"):
        vt.searchsorted(vt.ones((2, 2)), 3)
    with pytest.raises(ValueError, match="sorter"):
        vt.searchsorted(x, 3, sorter=vt.asarray([0]))


def test_isin_agrees_with_numpy():
    base, _ = make("int8", (5, 7))
    tests = np.array([-3, 0, 2], np.int64)
    for invert in (False, True):
        got = vt.isin(vt.asarray(base), vt.asarray(tests), invert=invert)
        same(got, np.isin(base, tests, invert=invert))
        same(vt.isin(vt.asarray(base), 2, invert=invert), np.isin(base, 2, invert=invert))
        same(vt.isin(2, vt.asarray(tests), invert=invert), np.isin(2, tests, invert=invert))
        empty = vt.ones(0, dtype=vt.int8)
        same(vt.isin(vt.asarray(base), empty, invert=invert), np.full((5, 7), invert))
    with pytest.raises(TypeError, match="isin: expected a Tensor"):
        vt.isin(1, 2)


def test_the_parts_of_real_tensors_are_themselves_and_zeros():
    for dtype in ("int8", "uint64", "float16", "float64"):
        a, _ = make(dtype, (3, 4))
        x = vt.asarray(a)
        same(vt.real(x), a)
        same(vt.conj(x), a)
        same(vt.imag(x), np.zeros_like(a))


def test_infinite_operands_divide_as_the_standard_says():
    x = np.array([np.inf, -np.inf, 1.0, -1.0, 1.0, np.inf, 0.0], np.float32)
    y = np.array([2.0, 2.0, -np.inf, np.inf, np.inf, np.inf, -np.inf], np.float32)
    for dtype in (np.float32, np.float64, np.float16):
        got = np.asarray(vt.floor_divide(vt.asarray(x.astype(dtype)), vt.asarray(y.astype(dtype))))
        np.testing.assert_array_equal(got, [np.inf, -np.inf, -0.0, -0.0, 0.0, np.nan, -0.0])
        np.testing.assert_array_equal(np.signbit(got[:5]), [False, True, True, True, False])


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_functions_end_as_the_standard_says(dtype):
    inf, nan = np.inf, np.nan
    cases = [
        (vt.expm1, complex(-0.0, 0.0), complex(0.0, 0.0)),
        (vt.tanh, complex(inf, 2.0), complex(1.0, 0.0)),
        (vt.tanh, complex(-inf, -2.0), complex(-1.0, -0.0)),
        (vt.atanh, complex(nan, 1e19), complex(nan, nan)),
        (vt.atanh, complex(nan, inf), complex(0.0, np.pi / 2)),
        (vt.atanh, complex(1e19, nan), complex(nan, nan)),
        (vt.atanh, complex(inf, nan), complex(0.0, nan)),
    ]
    for function, z, expected in cases:
        got = function(vt.asarray(z, dtype=dtype)).item()
        for part, wanted in ((got.real, expected.real), (got.imag, expected.imag)):
            assert np.isclose(part, wanted, rtol=1e-6, atol=0, equal_nan=True), (function, z, got)
            assert np.isnan(wanted) or np.signbit(part) == np.signbit(wanted), (function, z, got)


def test_a_device_without_float64_says_so():
    code = """
import vktensor as vt
info = vt.__array_namespace_info__()
assert not {"float64", "complex128"} & set(info.dtypes())
assert vt.std(vt.arange(5)).dtype == "float32"
for make in (lambda: vt.ones(2, dtype=vt.float64), lambda: vt.arange(2, dtype="complex128")):
    try:
        make()
    except TypeError as error:
        print(error)
"""
    environment = {**os.environ, "VKTENSOR_WITHOUT": "float64"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("has no float64: convert to float32")
    assert lines[1].endswith("has no complex128: convert to complex64")


# ---- corners ----------------------------------------------------------------------------------


def test_numpy_integers_are_integers_everywhere():
    n = np.int64
    a = np.arange(6).reshape(2, 3)
    x = vt.asarray(a)
    pairs = [
        (vt.expand_dims(x, n(1)), a[:, None]),
        (vt.expand_dims(x, axis=np.array([0, -1])), a[None, ..., None]),
        (vt.squeeze(x[None], n(0)), a),
        (vt.flip(x, axis=n(0)), a[::-1]),
        (vt.roll(x, n(1)), np.roll(a, 1)),
        (vt.roll(x, n(1), axis=n(0)), np.roll(a, 1, 0)),
        (vt.repeat(x, n(2), axis=n(0)), np.repeat(a, 2, 0)),
        (vt.tile(x, n(2)), np.tile(a, 2)),
        (vt.moveaxis(x, n(0), n(1)), a.T),
        (vt.stack([x, x], axis=n(1)), np.stack([a, a], 1)),
        (vt.unstack(x, axis=n(1))[2], a[:, 2]),
        (vt.take_along_axis(x, vt.asarray([[0]]), axis=n(1)), a[:, :1]),
        (vt.tensordot(x, x.T, axes=n(1)), a @ a.T),
        (vt.tensordot(x, x, axes=(n(0), 0)), a.T @ a),
        (vt.diff(x, axis=n(0), n=n(1)), np.diff(a, axis=0)),
        (vt.cumulative_sum(x, axis=n(0)), np.cumsum(a, 0)),
        (vt.arange(n(5), n(1), n(-2)), np.arange(5, 1, -2)),
    ]
    for got, expected in pairs:
        same(got, expected)


def test_axes_that_are_no_integers_are_refused_by_name():
    x = vt.ones((1, 2))
    for function in (vt.expand_dims, vt.squeeze, vt.flip):
        for axis in (1.0, "0", (0.5,)):
            with pytest.raises(TypeError, match=f"{function.__name__}: expected axis to be"):
                function(x, axis=axis)
    with pytest.raises(TypeError, match="roll: expected shift to be integers, got float"):
        vt.roll(x, 1.5, axis=0)
    with pytest.raises(TypeError, match="tile: expected repetitions to be integers, got float"):
        vt.tile(x, 1.5)
    with pytest.raises(ValueError, match="tile: expected repetitions >= 0"):
        vt.tile(x, (-1,))


def test_repeats_may_be_anything_that_holds_integers():
    a = np.arange(4).reshape(2, 2)
    x = vt.asarray(a)
    for by in ([1, 2], (0, 3), np.array([2, 1], np.uint8), [3], np.array(2)):
        same(vt.repeat(x, by, axis=1), np.repeat(a, by, axis=1))
    for wrong in (1.5, [1.0, 2.0], vt.asarray([2.0]), vt.asarray(2.0), np.array([1.0, 1.0])):
        with pytest.raises(TypeError, match="repeat: expected integer repeats, got float"):
            vt.repeat(x, wrong, axis=1)


def test_diff_takes_numbers_before_and_behind():
    a = np.array([[1, 4, 9], [2, 3, 5]], np.int16)
    x = vt.asarray(a)
    for axis in (0, 1):
        same(vt.diff(x, axis=axis, prepend=0), np.diff(a, axis=axis, prepend=np.int16(0)))
        both = vt.diff(x, axis=axis, prepend=vt.asarray(7, dtype=vt.int16), append=-1)
        same(both, np.diff(a, axis=axis, prepend=np.int16(7), append=np.int16(-1)))
    same(vt.diff(x, n=0, prepend=x), np.diff(a, n=0, prepend=a))
    same(vt.diff(x, append=0.5), np.diff(a, append=0.5).astype(np.float32))


def test_isdtype_refuses_tuples_in_tuples():
    with pytest.raises(TypeError, match="isdtype: expected a dtype or the name of a kind, got a t"):
        vt.isdtype(vt.float32, (("numeric",), "bool"))


def test_default_dtypes_asks_which_device():
    assert INFO.default_dtypes(device=vt.default_device()) == INFO.default_dtypes()
    with pytest.raises(ValueError, match="nope"):
        INFO.default_dtypes(device="nope")


def test_complex_numbers_are_not_searched_for_in_order():
    z = vt.asarray([1j, 2j])
    for x1, x2 in ((z, z), (z, 1.0), (vt.ones(2), 1j), (vt.ones(2), z)):
        with pytest.raises(TypeError, match="searchsorted: expected real numbers, .* complex64"):
            vt.searchsorted(x1, x2)


def test_tensordot_names_an_axis_that_comes_twice():
    x = vt.ones((2, 2))
    with pytest.raises(ValueError, match=r"tensordot: repeated axis in \[0, 0\]"):
        vt.tensordot(x, x, axes=((0, 0), (0, 1)))


@pytest.mark.parametrize("dtype", [*DTYPES, "complex64"])
def test_isin_of_many_agrees_with_numpy(dtype):
    rng = np.random.default_rng(8)
    kind = numpy_dtype(dtype)
    a = (rng.standard_normal((31, 41)) * 90).astype(kind)
    for n in (1, 32, 33, 500):
        tests = (rng.standard_normal(n) * 90).astype(kind)
        if a.dtype.kind not in "biu":
            a[0, :4] = [np.nan, np.inf, -0.0, 5]
            tests[: min(n, 3)] = [np.nan, np.inf, 0.0][: min(n, 3)]
        expected = (a[..., None] == tests).any(-1)
        same(vt.isin(vt.asarray(a), vt.asarray(tests)), expected)
        same(vt.isin(vt.asarray(a), vt.asarray(tests), invert=True), ~expected)


def test_isin_compares_in_the_promoted_dtype():
    a, tests = np.arange(-5, 300, dtype=np.int16), np.arange(200, 256, dtype=np.uint8)
    same(vt.isin(vt.asarray(a), vt.asarray(tests)), np.isin(a, tests))
    same(vt.isin(vt.asarray(tests), vt.asarray(a) / 2), np.isin(tests, a / 2))


def test_reductions_of_complex_numbers_have_complex_results():
    z = vt.asarray([1j, 2.0])
    for function in (vt.sum, vt.prod, vt.cumulative_sum, vt.cumulative_prod):
        with pytest.raises(TypeError, match="expected a complex dtype for the result, got float32"):
            function(z, dtype=vt.float32)
        assert function(z, dtype=vt.complex128).dtype == vt.complex128


@pytest.mark.unwatched
def test_what_is_no_tensor_is_refused_by_the_name_of_the_function():
    calls = {
        **{name: () for name in ("unstack", "flip", "matrix_transpose", "nonzero", "diff")},
        **{name: () for name in ("cumulative_sum", "cumulative_prod", "tril", "triu", "meshgrid")},
        **{name: () for name in ("empty_like", "zeros_like", "ones_like", "broadcast_arrays")},
        **{name: (0,) for name in ("expand_dims", "squeeze", "full_like", "reshape", "roll")},
        **{name: (1,) for name in ("tile", "repeat", "take", "pad", "broadcast_to")},
        **{name: ([1],) for name in ("vecdot", "tensordot", "matmul", "searchsorted", "isin")},
        "moveaxis": (0, 0),
        "take_along_axis": ([0],),
    }
    for name, rest in calls.items():
        with pytest.raises(TypeError, match=f"^{name}: expected a Tensor, got list"):
            getattr(vt, name)([1], *rest)
    with pytest.raises(TypeError, match="^stack: expected a Tensor, got int"):
        vt.stack([1, 2])
    with pytest.raises(TypeError, match="^isin: expected a Tensor, got list"):
        vt.isin(vt.ones(2), [1])


@pytest.mark.parametrize("dtype", INTEGERS)
def test_comparisons_know_integers_beyond_the_dtype(dtype):
    limits = np.iinfo(dtype)
    a = np.array([limits.min, 0, 1, limits.max], dtype)
    x = vt.asarray(a)
    ends = (limits.min - 1, limits.min, -1, 0, limits.max, limits.max + 1)
    for scalar in (n for n in ends if -(2**63) <= n < 2**64):
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
            ours, theirs = getattr(vt, name), getattr(np, name)
            same(ours(x, scalar), theirs(a, scalar))
            same(ours(scalar, x), theirs(scalar, a))
        same(x == scalar, a == scalar)
    if dtype != "uint64":
        with pytest.raises(ValueError, match="add: the integer .* does not fit"):
            x + (limits.max + 1)


def test_an_axis_out_of_bounds_is_numpys_error():
    x = vt.ones((2, 3))
    at = vt.asarray([0])
    calls = [
        *(lambda f=f: f(x, axis=2) for f in (vt.sum, vt.argmax, vt.sort, vt.flip, vt.unstack)),
        *(lambda f=f: f(x, axis=-3) for f in (vt.diff, vt.cumulative_sum, vt.squeeze)),
        lambda: vt.take(x, at, axis=2),
        lambda: vt.concat([x, x], axis=2),
        lambda: vt.stack([x, x], axis=3),
        lambda: vt.expand_dims(x, -4),
        lambda: vt.moveaxis(x, 0, 2),
        lambda: vt.repeat(x, 2, axis=2),
        lambda: vt.roll(x, 1, axis=2),
        lambda: vt.permute_dims(x, (0, 2)),
        lambda: vt.vecdot(x, x, axis=-3),
        lambda: vt.tensordot(x, x, axes=((2,), (0,))),
        lambda: x.sum(2),
        lambda: np.mean(x, axis=2),
    ]
    for call in calls:
        with pytest.raises(np.exceptions.AxisError, match=r"axis -?\d is out of bounds for"):
            call()
