"""Long contiguous arrays, for which CPU drivers have kernels of their own, give the same bits as
short ones, for every dtype, length and place in memory."""

from __future__ import annotations

import os

import numpy as np
import pytest

import vktensor as vt

LONG = 20_011  # beyond the shortest stream, and no multiple of anything
DTYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)


def numbers(dtype: str, n: int, seed: int = 0) -> np.ndarray:
    """Numbers of all kinds of a dtype, none of them NaN."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(n) < 0.5
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(n) + 1j * rng.standard_normal(n)).astype(dtype)
    return rng.standard_normal(n).astype(dtype)


def kernels(action) -> list[str]:
    """Names of the kernels that `action` launches."""
    vt.synchronize()
    with vt.profile() as p:
        result = action()
        vt.eval(result)
    return [d.name for d in p.dispatches]


@pytest.fixture(autouse=True)
def at_once():
    """Streams from the first run on."""
    with vt.tuning.use({"stream.elements": 16384, "stream.after": 1}):
        yield


@pytest.fixture
def streams() -> bool:
    """True where the device has such kernels at all."""
    a = vt.asarray(np.ones(1 << 16, np.float32))
    return any(name.startswith("stream") for name in kernels(lambda: a + 1))


def test_cpu_drivers_stream(streams):
    kind = os.environ.get("VKTENSOR_KERNELS") or vt.default_device().kind
    assert streams == (kind == "cpu")


def test_what_runs_seldom_has_one_kernel(streams):
    def first_kernel(function, n, reduce):
        def work():
            y = function(a[:n]) * a[:n] - 0.125
            return vt.sum(y) if reduce else y

        return kernels(work)[0]

    # Elements are counted by a hash of the program: another test's may have come before.
    a, fresh = vt.asarray(numbers("float32", 1 << 15)), 0
    with vt.tuning.use({"stream.elements": 1 << 15, "stream.after": 1 << 17}):
        for function in (vt.cosh, vt.sinh, vt.asinh, vt.expm1):
            for reduce in (False, True):
                names = [first_kernel(function, 1 << 15, reduce) for _ in range(4)]
                assert ("stream_" in names[3]) == streams
                fresh += names[0] == names[1] == names[2] and (names[3] != names[2]) == streams
            assert first_kernel(function, 100, False).startswith("flat")
    assert fresh >= 6


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_moves_unchanged(dtype):
    a = numbers(dtype, LONG)
    np.testing.assert_array_equal(np.asarray(vt.asarray(a, copy=True).copy()), a)
    t = vt.empty(LONG, dtype=dtype)
    t[:] = vt.asarray(a)
    np.testing.assert_array_equal(np.asarray(t), a)


@pytest.mark.parametrize("to", DTYPES[:12])
@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "float16", "float32"])
def test_widths_mix(dtype, to):
    a = numbers(dtype, LONG)
    if np.dtype(dtype).kind == "f":
        a = np.abs(a * 10)  # casts of negative floats to unsigned are anything
    found = np.asarray(vt.astype(vt.asarray(a), to))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found, a.astype(to))


@pytest.mark.parametrize("n", [16383, 16384, 16385, 20480, 24575, (1 << 22) + 8191, 9_000_001])
def test_every_length_is_computed_to_its_end(n):
    a = np.arange(n, dtype=np.int32)
    t = vt.asarray(a)
    np.testing.assert_array_equal(np.asarray(t * 3 - 7), a * 3 - 7)


@pytest.mark.parametrize("offset", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_views_begin_anywhere(dtype, offset):
    a, b = numbers(dtype, LONG + 9), numbers(dtype, LONG + 9, 1)
    x, y = vt.asarray(a)[offset : offset + LONG], vt.asarray(b)[1 : 1 + LONG]
    expected = a[offset : offset + LONG] + b[1 : 1 + LONG]
    np.testing.assert_array_equal(np.asarray(x + y), expected)
    t = vt.asarray(a, copy=True)
    t[offset : offset + LONG] += y
    a[offset : offset + LONG] += b[1 : 1 + LONG]
    np.testing.assert_array_equal(np.asarray(t), a)


def test_single_elements_stand_still_beside_long_operands():
    a = numbers("float32", LONG)
    one, other = vt.asarray(np.float32([2.5])), vt.asarray(np.float32(3))
    t = vt.asarray(a)
    np.testing.assert_array_equal(np.asarray(t * one + other), a * np.float32(2.5) + np.float32(3))
    np.testing.assert_array_equal(np.asarray(one - t), np.float32(2.5) - a)
    b = vt.broadcast_to(one, (LONG,))
    np.testing.assert_array_equal(np.asarray(b * 2), np.full(LONG, 5, np.float32))


def test_counters_count_on():
    np.testing.assert_array_equal(
        np.asarray(vt.arange(5, 5 + 3 * LONG, 3)), np.arange(LONG) * 3 + 5
    )
    np.testing.assert_array_equal(
        np.asarray(vt.arange(5_000_000) % 1000), np.arange(5_000_000) % 1000
    )


def test_several_outputs_of_different_widths():
    a, b = numbers("float32", LONG), numbers("float32", LONG, 1)
    x, y = vt.asarray(a), vt.asarray(b)
    total = x + y
    mask = total > 0
    wide = vt.astype(mask, vt.int64) + 1
    vt.eval(wide, mask, total)
    np.testing.assert_array_equal(np.asarray(total), a + b)
    np.testing.assert_array_equal(np.asarray(mask), a + b > 0)
    np.testing.assert_array_equal(np.asarray(wide), (a + b > 0).astype(np.int64) + 1)


def test_long_and_short_arrays_give_the_same_bits():
    a, b = numbers("float32", LONG), numbers("float32", LONG, 1)

    def work(x, y):
        return vt.sin(x * 100) * y + vt.exp(-x) / vt.tanh(y) - vt.log(vt.abs(x)) ** 2

    whole = np.asarray(work(vt.asarray(a), vt.asarray(b)))
    parts = [
        np.asarray(work(vt.asarray(a[i : i + 1000]), vt.asarray(b[i : i + 1000])))
        for i in range(0, LONG, 1000)
    ]
    np.testing.assert_array_equal(whole.view(np.uint32), np.concatenate(parts).view(np.uint32))


def test_many_operands_and_scalars_are_computed_all_the_same():
    arrays = [numbers("float32", LONG, seed) for seed in range(8)]
    total, expected = vt.zeros(LONG), np.zeros(LONG, np.float32)
    for i, array in enumerate(arrays):
        total = total * 1.5 + vt.asarray(array) * (i + 0.25)
        expected = expected * np.float32(1.5) + array * np.float32(i + 0.25)
    np.testing.assert_array_equal(np.asarray(total), expected)


def test_a_long_computation_is_one_stream_and_its_rest(streams):
    a = vt.asarray(numbers("float32", LONG))
    names = kernels(lambda: vt.sqrt(vt.abs(a)) * 2)
    assert len(names) == (2 if streams else 1)
    assert not streams or (names[0].startswith("stream") and names[1].startswith("flat"))


# ---- reductions ---------------------------------------------------------------------------------

REDUCTIONS = ("sum", "mean", "prod", "min", "max", "var", "std", "argmin", "argmax", "any", "all")
SHAPES = [((50_001,), None), ((70, 1500), 1), ((3, 40_000), 1), ((5, 7, 2048), 2), ((90_112,), 0)]


def bits(t) -> list:
    """What a tensor holds, NaNs told apart."""
    a = np.asarray(t)
    return a.tolist() if a.dtype.kind in "biu" else a.view(f"u{a.dtype.itemsize}").tolist()


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int32", "float64"])
def test_long_rows_reduce_to_the_same_bits_wherever_they_lie(op, dtype, shape, axis):
    n = int(np.prod(shape))
    a = numbers(dtype, n).reshape(shape)
    if op == "prod":
        a = np.where(np.abs(a) > 1, a.dtype.type(1), a.dtype.type(-1))
    if op in ("var", "std", "mean") and np.dtype(dtype).kind == "i":
        a = a.astype(np.float32)
    if op in ("any", "all"):
        a = a > 0
    reduce = getattr(vt, op)
    found = reduce(vt.asarray(a), axis=axis)
    expected = getattr(np, op)(a.astype(np.float64) if a.dtype.kind == "f" else a, axis=axis)
    if a.dtype.kind == "f" and not op.startswith("arg"):
        scale = np.abs(a.astype(np.float64)).sum(axis) if op in ("sum", "mean") else 1
        error = np.abs(np.asarray(found, dtype=np.float64) - expected)
        assert (error <= 16 * np.finfo(a.dtype).eps * np.maximum(scale, np.abs(expected))).all()
    else:
        np.testing.assert_array_equal(np.asarray(found), expected)
    # The same elements with gaps between them, at an odd place, and as an expression.
    wide = np.zeros((*shape[:-1], 2 * shape[-1]), a.dtype)
    wide[..., ::2] = a
    assert bits(reduce(vt.asarray(wide)[..., ::2], axis=axis)) == bits(found)
    odd = np.zeros(n + 1, a.dtype)
    odd[1:] = a.reshape(-1)
    assert bits(reduce(vt.reshape(vt.asarray(odd)[1:], shape), axis=axis)) == bits(found)
    if a.dtype.kind == "f":
        assert bits(reduce(vt.asarray(a) * 1 + vt.asarray(-0.0, dtype=dtype), axis=axis)) == bits(
            found
        )


def test_a_fused_sum_of_long_operands_is_that_of_their_stored_result():
    a, b = (vt.asarray(numbers("float32", 1 << 18, seed)) for seed in range(2))
    stored = (a - b) ** 2
    vt.eval(stored)
    assert bits(vt.sum((a - b) ** 2)) == bits(vt.sum(stored))
    c = vt.asarray(numbers("float32", 1 << 9, 3))
    rows = vt.reshape(a, (1 << 9, 1 << 9)) * vt.reshape(c, (1 << 9, 1))
    stored = rows + 0
    vt.eval(stored)
    assert bits(vt.max(rows, axis=1)) == bits(vt.max(stored, axis=1))
    rows = vt.reshape(a, (1 << 7, 1 << 11)) * vt.asarray(numbers("float32", 1 << 7, 3))[:, None]
    stored = rows + 0
    vt.eval(stored)
    assert bits(vt.sum(rows, axis=1)) == bits(vt.sum(stored, axis=1))


@pytest.mark.parametrize("n", [1 << 15, 123_457, 20_000_003])
def test_the_first_of_equal_extremes_is_found(n):
    a = np.zeros(n, np.float32)
    a[[n // 3, n // 2, n - 1]] = 5
    t = vt.asarray(a)
    assert int(vt.argmax(t)) == n // 3 and int(vt.argmin(t)) == 0
    a[n // 2] = np.nan
    assert int(vt.argmax(vt.asarray(a))) == n // 2
    assert np.isnan(float(vt.max(vt.asarray(a)))) and np.isnan(float(vt.sum(vt.asarray(a))))


def test_a_long_sum_is_exact_where_it_can_be():
    assert float(vt.sum(vt.ones(30_000_001))) == 30_000_000  # rounded to even
    assert int(vt.sum(vt.arange(20_000_000))) == 19_999_999 * 10_000_000


def test_a_long_sum_streams(streams):
    a = vt.asarray(numbers("float32", 1 << 17))
    names = kernels(lambda: vt.sum(a))
    assert any("stream" in name for name in names) == streams
