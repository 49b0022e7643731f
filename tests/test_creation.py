"""Making, joining and rearranging tensors, against NumPy."""

from __future__ import annotations

import array

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt
from oracle import assert_same_bits

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "bfloat16", "float32", "float64"]


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def same(got: vt.Tensor, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_arrays_go_there_and_back(dtype):
    for shape in ((), (0,), (1,), (7,), (3, 0, 2), (3, 5), (2, 3, 4)):
        a = np.arange(int(np.prod(shape))).reshape(shape).astype(numpy_dtype(dtype))
        same(vt.asarray(a), a)
    wide = np.arange(60).reshape(6, 10).astype(numpy_dtype(dtype))
    for view in (wide.T, wide[::2, ::-3], wide[:, 1:2], np.broadcast_to(wide[0], (3, 10))):
        same(vt.asarray(view), np.array(view))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (True, "bool"),
        (3, "int64"),
        (-(2**63), "int64"),
        (2**63, "uint64"),
        (1.5, "float32"),
        ([1, 2], "int64"),
        ([1, 2.5], "float32"),
        ([[True], [False]], "bool"),
        ([], "float32"),
        ([[], []], "float32"),
        (np.float64(2), "float64"),
        (np.int8(2), "int8"),
        ([np.float64(1), np.float64(2)], "float64"),
        (range(4), "int64"),
        (array.array("d", [1.0, 2.0]), "float64"),
        (b"abc", "uint8"),
    ],
)
def test_python_values_have_the_default_dtypes(value, dtype):
    t = vt.asarray(value)
    assert t.dtype == np.dtype(dtype)
    if not isinstance(value, bytes):
        np.testing.assert_array_equal(np.asarray(t), np.asarray(value, dtype))


def test_nested_tensors_are_stacked():
    t = vt.asarray([vt.asarray([1, 2]), vt.asarray([3, 4])])
    same(t, np.array([[1, 2], [3, 4]]))


@pytest.mark.parametrize(
    "bad", [[[1, 2], [3]], "text", [1, "a"], object(), [None], np.array(["a"]), {1: 2}]
)
def test_what_is_no_array_is_refused(bad):
    with pytest.raises((TypeError, ValueError)):
        vt.asarray(bad)


def test_big_endian_arrays_are_converted():
    a = np.arange(5, dtype=">f4")
    np.testing.assert_array_equal(np.asarray(vt.asarray(a)), a)


def test_copy_false_tells_the_truth():
    t = vt.ones(3)
    assert vt.asarray(t, copy=False) is t or np.shares_memory(
        np.asarray(t), np.asarray(vt.asarray(t, copy=False))
    )
    with pytest.raises(ValueError, match="copy"):
        vt.asarray(t, dtype=vt.float64, copy=False)
    with pytest.raises(ValueError, match="copy"):
        vt.asarray([1, 2], copy=False)


def test_copy_true_is_independent():
    a = np.ones(3, np.float32)
    t = vt.asarray(a, copy=True)
    a[0] = 5
    u = vt.asarray(t, copy=True)
    u[1] = 9
    np.testing.assert_array_equal(np.asarray(t), np.ones(3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_filled_tensors(dtype):
    np_dtype = numpy_dtype(dtype)
    same(vt.zeros((2, 3), dtype=np_dtype), np.zeros((2, 3), np_dtype))
    same(vt.ones(5, dtype=np_dtype), np.ones(5, np_dtype))
    same(vt.full((2, 2), 1, dtype=np_dtype), np.full((2, 2), 1, np_dtype))
    same(vt.full_like(vt.zeros((3,), dtype=np_dtype), 1), np.ones(3, np_dtype))
    same(vt.eye(3, 4, k=1, dtype=np_dtype), np.eye(3, 4, k=1).astype(np_dtype))
    assert vt.empty((4, 5), dtype=np_dtype).dtype == np_dtype


@pytest.mark.parametrize(
    "args",
    [
        (5,),
        (0,),
        (-3,),
        (2, 9),
        (2, 9, 3),
        (9, 2, -2),
        (9, 2),
        (0.5, 3.0),
        (0, 1, 0.1),
        (5, 0, -0.5),
        (0, 70_000),
    ],
)
def test_arange(args):
    floating = any(isinstance(a, float) for a in args)
    expected = np.arange(*args).astype(np.float32 if floating else np.int64)
    got = vt.arange(*args)
    assert got.shape == expected.shape and got.dtype == expected.dtype
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-6)


@pytest.mark.parametrize("num", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(num, endpoint):
    expected = np.linspace(-1.5, 3, num, endpoint=endpoint, dtype=np.float32)
    got = np.asarray(vt.linspace(-1.5, 3, num, endpoint=endpoint))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
    if num > 1 and endpoint:
        assert got[-1] == 3


def test_arange_step_zero_is_refused():
    with pytest.raises(ValueError, match="step"):
        vt.arange(0, 5, 0)


def test_arange_keeps_the_dtype_it_is_given():
    same(vt.arange(0.5, 4, dtype=vt.int64), np.array([0, 1, 2, 3]))
    same(vt.arange(2, 0, -0.5, dtype=vt.int8), np.array([2, 1, 1, 0], np.int8))
    same(vt.arange(1.0, 3, dtype=vt.complex64), np.array([1, 2], np.complex64))
    same(vt.arange(3, dtype=vt.float16), np.arange(3, dtype=np.float16))
    big = 2**63 + 5
    same(vt.arange(big, big + 9, 3, dtype=vt.uint64), np.arange(big, big + 9, 3, dtype=np.uint64))
    same(vt.arange(3, 0, -1, dtype=vt.uint8), np.array([3, 2, 1], np.uint8))


def test_arange_takes_any_real_number():
    same(vt.arange(np.int64(4)), np.arange(4))
    same(vt.arange(np.uint8(4), np.int32(0), np.int8(-1)), np.arange(4, 0, -1))
    same(vt.arange(0, np.float32(1), vt.asarray(0.25)), np.arange(0, 1, 0.25, dtype=np.float32))
    same(vt.arange(vt.asarray(3)), np.arange(3))
    for bad in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="arange: expected finite numbers"):
            vt.arange(bad)
    for wrong in (1j, "a", [1], vt.asarray(1j)):
        with pytest.raises(TypeError, match="arange: expected real numbers"):
            vt.arange(wrong)


def test_linspace_of_complex_numbers():
    for endpoint in (True, False):
        for num in (0, 1, 2, 5):
            got = vt.linspace(1 - 2j, 3.5, num, endpoint=endpoint)
            expected = np.linspace(1 - 2j, 3.5, num, endpoint=endpoint).astype(np.complex64)
            assert got.dtype == vt.complex64 and got.shape == expected.shape
            np.testing.assert_allclose(np.asarray(got), expected, rtol=3e-7)
    assert vt.linspace(0, 1j, 3, dtype=vt.complex128).dtype == vt.complex128
    assert vt.linspace(0, 1, 3, dtype=vt.complex64).dtype == vt.complex64
    with pytest.raises(TypeError, match="linspace: expected a complex dtype"):
        vt.linspace(0, 1j, 3, dtype=vt.float32)


def test_linspace_of_integers_is_rounded_down():
    for ends in ((-1, 0, 4), (0, 2**40 + 1, 2), (0, 2**40, 7), (10, -10, 8)):
        same(vt.linspace(*ends, dtype=vt.int64), np.linspace(*ends, dtype=np.int64))
    same(vt.linspace(-0.5, 3.5, 5, dtype=vt.int8), np.array([-1, 0, 1, 2, 3], np.int8))


def test_linspace_of_integers_is_exact():
    for start, stop, num in ((2**62, -(2**62), 5), (0, 2**63 - 1, 8), (7, 7, 3), (-5, 11, 1)):
        for endpoint in (True, False):
            divisions = max(num - 1 if endpoint else num, 1)
            expected = [start + i * (stop - start) // divisions for i in range(num)]
            got = vt.linspace(start, stop, num, dtype=vt.int64, endpoint=endpoint)
            assert np.asarray(got).tolist() == expected
    whole = vt.linspace(0, 2**64 - 1, 4, dtype=vt.uint64)
    assert np.asarray(whole).tolist() == [i * (2**64 - 1) // 3 for i in range(4)]


def test_linspace_spans_all_numbers_there_are():
    for dtype in (vt.float32, vt.float64):
        most = vt.finfo(dtype).max
        for num in (2, 3, 5):
            got = np.asarray(vt.linspace(-most, most, num, dtype=dtype))
            expected = most * np.linspace(-1, 1, num)
            np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(-1,), (2, -3), (2**40, 2**40), (2**62,), (2**31, 2**31)])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises((ValueError, MemoryError)):
        vt.empty(shape)
    assert float(vt.ones(1)[0]) == 1


# ---- joining and rearranging --------------------------------------------------------------------


def test_the_device_of_another_tensor_is_taken_only_where_none_is_named():
    for like in (
        vt.empty_like,
        vt.zeros_like,
        vt.ones_like,
        lambda x, **kw: vt.full_like(x, 1, **kw),
    ):
        assert like(vt.ones(2), device=0).device.index == 0
        with pytest.raises(ValueError, match="has the name or UUID ''"):
            like(vt.ones(2), device="")


@pytest.mark.parametrize("bad", [5, [1.0, 2.0], None, "a", 1j, np.ones(2)], ids=repr)
@pytest.mark.parametrize(
    "name",
    [
        *("argwhere", "flatnonzero", "clip", "einsum", "eye", "fabs", "isneginf", "isposinf"),
        *("modf", "spacing", "nan_to_num", "divmod", "float_power", "heaviside", "isin"),
        *("searchsorted", "linspace"),
    ],
)
def test_an_error_names_the_function_that_was_called(name, bad):
    args = {"einsum": ("i->", bad), "linspace": (0, 1, bad), "eye": (bad,)}
    args |= dict.fromkeys(("divmod", "float_power", "heaviside", "isin"), (bad, bad))
    args |= {"searchsorted": (bad, bad)}
    if isinstance(bad, int) and name in ("eye", "linspace"):
        return
    with pytest.raises(TypeError, match=f"^{name}: "):
        getattr(vt, name)(*args.get(name, (bad,)))


def test_numbers_that_are_no_integers_are_refused_by_name():
    x = vt.ones((2, 2))
    for call, error, text in (
        (lambda: vt.eye(2, k=0.5), TypeError, "eye: expected k to be an integer, got float"),
        (lambda: vt.tril(x, k=0.5), TypeError, "tril: expected k to be an integer, got float"),
        (lambda: vt.triu(x, k="a"), TypeError, "triu: expected k to be an integer, got str"),
        (lambda: vt.einsum(5, x), TypeError, "einsum: expected subscripts as str, got int"),
        (lambda: vt.pad(x, 1.5), TypeError, "pad: expected integer widths, got float64"),
        (lambda: vt.pad(x, [1, 2, 3]), ValueError, "pad: expected widths for 2 axes"),
        (lambda: vt.pad(x, 1, constant_values=[1, 2, 3]), ValueError, "pad: expected constants"),
        (lambda: vt.zeros((2, 0.5)), TypeError, "full: a shape is an int or a tuple .* got float"),
        (
            lambda: x.reshape(4.0, 1),
            TypeError,
            "reshape: a shape is an int or a tuple .* got float",
        ),
        (lambda: vt.arange(1e300), ValueError, "arange: expected fewer than 2"),
        (lambda: vt.arange(2**70), ValueError, "arange: expected fewer than 2"),
    ):
        with pytest.raises(error, match=text):
            call()


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "float64"])
def test_concat_and_stack(dtype):
    parts = [np.arange(n * 3).reshape(n, 3).astype(dtype) for n in (2, 0, 5, 1)]
    tensors = [vt.asarray(p) for p in parts]
    same(vt.concat(tensors), np.concatenate(parts))
    same(vt.concat([t.T for t in tensors], axis=1), np.concatenate([p.T for p in parts], axis=1))
    same(vt.concat(tensors, axis=None), np.concatenate(parts, axis=None))
    for axis in (0, 1, 2, -1):
        same(
            vt.stack([tensors[0], tensors[0]], axis=axis), np.stack([parts[0], parts[0]], axis=axis)
        )


def test_concat_of_expressions_and_mixed_dtypes():
    a, b = np.arange(4, dtype=np.int32), np.ones(3, np.float32)
    got = vt.concat([vt.asarray(a) * 2, vt.asarray(b)])
    np.testing.assert_array_equal(np.asarray(got), np.concatenate([a * 2, b]))
    assert got.dtype == np.float32


def test_take():
    a = np.arange(60, dtype=np.float32).reshape(4, 5, 3)
    for axis in (0, 1, 2, -1):
        i = np.array([[0, -1], [2, 1]])
        same(vt.take(vt.asarray(a), vt.asarray(i), axis=axis), np.take(a, i, axis=axis))
    for dtype in DTYPES:
        b = np.arange(50).astype(numpy_dtype(dtype))
        same(vt.take(vt.asarray(b), vt.asarray(np.array([3, 1, 49, -50]))), b[[3, 1, 49, -50]])
    with pytest.raises(IndexError, match="take: index 5 .*axis 1.*5"):
        vt.take(vt.asarray(a), vt.asarray([5]), axis=1)
    with pytest.raises(IndexError):
        vt.take(vt.asarray(a), vt.asarray([-6]), axis=1)
    assert vt.take(vt.asarray(a), vt.asarray(np.zeros(0, np.int64)), axis=1).shape == (4, 0, 3)


def test_roll_repeat_tile_flip():
    a = np.arange(24).reshape(2, 3, 4)
    x = vt.asarray(a)
    for shift, axis in (
        (1, None),
        (-5, None),
        (2, 0),
        (1, 2),
        ((1, 2), (0, 1)),
        (0, 1),
        ((1, 1), (2, 2)),
    ):
        same(vt.roll(x, shift, axis=axis), np.roll(a, shift, axis))
    for repeats, axis in ((0, None), (3, None), (2, 1), (2, -1)):
        same(vt.repeat(x, repeats, axis=axis), np.repeat(a, repeats, axis))
    for reps in ((2,), (1, 2, 1), (2, 1, 1, 3), (0, 1, 1)):
        same(vt.tile(x, reps), np.tile(a, reps))
    for axis in (None, 0, 1, (0, 2)):
        same(vt.flip(x, axis=axis), np.flip(a, axis))


def test_axes_come_and_go():
    a = np.arange(6).reshape(1, 2, 1, 3)
    x = vt.asarray(a)
    same(vt.squeeze(x, (0, 2)), a.squeeze())
    same(vt.squeeze(x, -2), np.squeeze(a, -2))
    same(vt.expand_dims(x, (0, -1)), np.expand_dims(a, (0, -1)))
    same(vt.moveaxis(x, 0, -1), np.moveaxis(a, 0, -1))
    same(vt.moveaxis(x, (0, 1), (3, 2)), np.moveaxis(a, (0, 1), (3, 2)))
    same(vt.permute_dims(x, (3, 1, 0, 2)), a.transpose(3, 1, 0, 2))
    assert [u.shape for u in vt.unstack(x, axis=3)] == [(1, 2, 1)] * 3
    with pytest.raises(ValueError, match="squeeze"):
        vt.squeeze(x, 1)
    with pytest.raises(ValueError, match="permute_dims"):
        vt.permute_dims(x, (0, 0, 1, 2))


@pytest.mark.parametrize("source", DTYPES)
def test_casts_equal_numpy(source):
    a = np.array([0, 1, 2, 3, 100, 127, 7, 55]).astype(numpy_dtype(source))
    if source in ("int8", "int16", "int32", "int64") or "float" in source:
        a = np.concatenate([a, -a])
    for target in DTYPES:
        got = vt.astype(vt.asarray(a), numpy_dtype(target))
        same(got, a.astype(numpy_dtype(target)))


def test_result_types():
    cases = [
        ((vt.int8, vt.int16), "int16"),
        ((vt.uint8, vt.int8), "int16"),
        ((vt.int64, vt.float32), "float32"),
        ((vt.int32, vt.float16), "float16"),
        ((vt.bool, vt.uint8), "uint8"),
        ((vt.float16, vt.bfloat16), "float32"),
        ((vt.float32, vt.float64), "float64"),
        ((vt.uint32, vt.int64), "int64"),
    ]
    for args, expected in cases:
        assert vt.result_type(*args) == np.dtype(expected)
        assert vt.result_type(*args[::-1]) == np.dtype(expected)
    assert (vt.ones(2, dtype=vt.float16) * 2.0).dtype == np.float16
    assert (vt.ones(2, dtype=vt.int8) + 1).dtype == np.int8
    assert (vt.ones(2, dtype=vt.int8) + 1.5).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_a_nan_without_dimensions_keeps_its_payload(dtype):
    kind = numpy_dtype(dtype)
    word = {2: 0xFC35, 4: 0xFFD23456, 8: 0xFFF8000000001234}[kind.itemsize]
    word = 0xFFA5 if dtype == "bfloat16" else 0xFFD234567FA11111 if kind.kind == "c" else word
    for bits in (word, word ^ (1 << (8 * kind.itemsize - 1))):
        a = np.array([bits], f"u{kind.itemsize}").view(kind)
        for given in (a.reshape(()), a[0]):
            assert_same_bits(np.asarray(vt.asarray(given))[None], a, dtype)
