"""x[...] with arrays: the same expression on NumPy and on a Tensor gives the same bits or the same
kind of error.

VKTENSOR_INDEX_CASES says how many random expressions are tried in place of the default, and
VKTENSOR_INDEX_SEED which ones.
"""

from __future__ import annotations

import os
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vktensor as vt

CASES = int(os.environ.get("VKTENSOR_INDEX_CASES", "1500"))
SEED = int(os.environ.get("VKTENSOR_INDEX_SEED", "5"))
PARTS = 15
DTYPES = [
    *(np.dtype(n) for n in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16")),
    *(np.dtype(n) for n in ("uint32", "uint64", "float16", "float32", "float64", "complex64")),
    *(np.dtype(n) for n in ("complex128", ml_dtypes.bfloat16)),
]
INTEGERS = [np.dtype(n) for n in ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")]


def bits(a: np.ndarray) -> bytes:
    """The elements in C order, as they lie in memory: NaN equals itself, -0 does not equal 0."""
    return np.ascontiguousarray(a).tobytes()


def same(got: vt.Tensor, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    assert bits(np.asarray(got)) == bits(expected)


class Case:
    """One random expression: its array, its key, and what is assigned."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.chance = self.rng.random
        self.shape = tuple(self.side() for _ in range(self.rng.integers(0, 5)))
        self.dtype = DTYPES[self.rng.integers(len(DTYPES))]
        self.base = self.numbers(self.shape, self.dtype)
        self.turned = self.rng.permutation(len(self.shape)) if self.chance() < 0.3 else None
        self.sliced = bool(self.shape and self.chance() < 0.2)
        self.keys = self.make_key(self.view(self.base).shape)

    def side(self) -> int:
        return 0 if self.chance() < 0.03 else int(self.rng.integers(1, 6))

    def numbers(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Random bits, so that every NaN may come; of bool 0 and 1."""
        if dtype.kind == "b":
            return np.asarray(self.rng.random(shape) < 0.5)
        count = int(np.prod(shape)) * dtype.itemsize
        return np.frombuffer(self.rng.bytes(count), dtype).reshape(shape).copy()

    def tensor(self) -> vt.Tensor:
        """The array as a Tensor; a number of its own would lose the bits of its NaN."""
        return vt.asarray(self.base.reshape(-1).copy()).reshape(self.shape)

    def view(self, x: Any) -> Any:
        """The array itself or a view of it, the same for both libraries."""
        if self.turned is not None:
            x = x.transpose([int(axis) for axis in self.turned])
        return x[::-2] if self.sliced else x

    def as_given(self, array: np.ndarray) -> tuple[Any, Any]:
        """An index array in one of the forms it may come in, for NumPy and for us."""
        how = self.chance()
        if how < 0.25 and array.dtype.kind in "ib":
            return array.tolist(), array.tolist()
        if how < 0.5:
            return array, array
        return array, vt.asarray(array)

    def integers(self, shape: tuple[int, ...], length: int) -> np.ndarray:
        dtype = INTEGERS[self.rng.integers(len(INTEGERS))]
        wrong = self.chance() < 0.02
        low = -length - wrong if dtype.kind == "i" else 0
        a = self.rng.integers(low, max(length, 1) + wrong, shape)
        a = a.astype(dtype)
        return a[..., ::-1].copy()[..., ::-1] if shape and self.chance() < 0.2 else a

    def mask(self, lengths: tuple[int, ...]) -> np.ndarray:
        """A mask, sometimes of a length that does not fit, or of 0, which always does."""
        if self.chance() < 0.02:
            lengths = (int(self.rng.choice([0, lengths[0] + 1])), *lengths[1:])
        return self.rng.random(lengths) < self.rng.choice([0.0, 0.3, 0.7, 1.0])

    def index_shape(self, whole: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `whole`, mostly."""
        shape = [1 if self.chance() < 0.2 else n for n in whole]
        if self.chance() < 0.02:
            shape.append(3)
        return tuple(
            shape[self.rng.integers(0, len(shape) + 1) :] if self.chance() < 0.3 else shape
        )

    def make_item(self, length: int, whole: tuple[int, ...], after: tuple[int, ...]) -> Any:
        """(item for NumPy, item for us, axes used up)."""
        kind = self.chance()
        if kind < 0.2:
            index = int(self.rng.integers(-length, max(length, 1)))
            return (index, index, 1)
        if kind < 0.4:
            start, stop = (int(n) for n in self.rng.integers(-length - 1, length + 2, 2))
            step = int(self.rng.choice([1, 1, 2, -1, -3]))
            part = slice(start if self.chance() < 0.7 else None, stop, step)
            return (part, part, 1)
        if kind < 0.85 or not MASKS:
            return (*self.as_given(self.integers(self.index_shape(whole), length)), 1)
        wide = self.chance() < 0.3 and after
        lengths = (length, *after[:1]) if wide else (length,)
        return (*self.as_given(self.mask(lengths)), len(lengths))

    def make_key(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        whole = tuple(self.side() for _ in range(self.rng.integers(0, 3)))
        if MASKS and shape and self.chance() < 0.15:
            return self.as_given(self.mask(shape))
        items: list[Any] = []
        axis = 0
        stop = len(shape) if self.chance() < 0.5 else self.rng.integers(0, len(shape) + 1)
        while axis < stop:
            if self.chance() < 0.1:
                items.append((None, None))
            if self.chance() < 0.05:
                truth = bool(self.chance() < 0.7)
                items.append((truth, truth if self.chance() < 0.5 else vt.asarray(truth)))
            *item, used = self.make_item(shape[axis], whole, shape[axis + 1 :])
            items.append(tuple(item))
            axis += used
        if self.chance() < 0.02:
            items += [(0, 0)] * 5
        if self.chance() < 0.3:
            items.insert(self.rng.integers(0, len(items) + 1), (..., ...))
        first, second = tuple(a for a, _ in items), tuple(b for _, b in items)
        alone = len(items) == 1 and self.chance() < 0.5
        return (first[0], second[0]) if alone else (first, second)

    def make_value(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Something that broadcasts to `shape`, mostly, for NumPy and for us. NumPy takes nothing
        but numbers for a single element."""
        if self.chance() < 0.2 or not shape:
            number = {"b": True, "c": 1.5 - 2j, "f": -2.5, "V": -2.5}.get(self.dtype.kind, 7)
            return number, number
        lengths = [1 if self.chance() < 0.15 else n for n in shape]
        if self.chance() < 0.3:
            lengths = lengths[self.rng.integers(0, len(lengths) + 1) :]
        if self.chance() < 0.1:
            lengths = [1, *lengths]
        if self.chance() < 0.04:
            lengths = [*lengths, 2]
        if self.chance() < 0.8:
            value = self.numbers(tuple(lengths) or (1,), self.dtype)
        else:  # of another dtype, but of numbers that both dtypes have
            value = self.rng.integers(0, 2, lengths).astype(self.rng.choice(["int8", "float32"]))
        if lengths and self.chance() < 0.2:
            value = value[..., ::-1]
        if not lengths and value.ndim:  # a number of its own would lose the bits of its NaN
            value = value[0] if value[0] == value[0] else np.asarray(1, self.dtype)
        return value, value if self.chance() < 0.5 else vt.asarray(value.copy())


MASKS = True


def outcome(run: Any) -> Any:
    """What it gives, or the kind of its error."""
    try:
        return run()
    except (IndexError, ValueError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("part", range(PARTS))
def test_reading_equals_numpy(part):
    for seed in range(part, CASES // 2, PARTS):
        case = Case(SEED * 1_000_000 + seed)
        ours, theirs = case.view(case.tensor()), case.view(case.base)
        expected = outcome(lambda: theirs[case.keys[0]])  # noqa: B023
        got = outcome(lambda: ours[case.keys[1]])  # noqa: B023
        said = f"case {seed}: {case.dtype}{theirs.shape}[{case.keys[0]}]"[:400]
        if isinstance(expected, tuple):
            assert isinstance(got, tuple) and got[0] is expected[0], f"{said}: {got}, {expected}"
            continue
        assert not isinstance(got, tuple), f"{said}: {got}"
        expected = np.asarray(expected)
        assert got.shape == expected.shape, f"{said}: {got.shape}, expected {expected.shape}"
        assert bits(np.asarray(got)) == bits(expected), said


def assigned(x: np.ndarray, key: Any, value: Any) -> np.ndarray:
    """`x` after x[key] = value, where the last of equal places wins in C order: NumPy promises that
    only for one index array."""
    trial = x.copy()
    trial[key] = value
    places = np.arange(x.size).reshape(x.shape)[key]
    values = np.asarray(value).astype(x.dtype)
    while values.ndim > places.ndim:
        values = values[0]
    result = x.copy()
    values = np.broadcast_to(values, places.shape)
    for place, element in zip(places.reshape(-1), values.reshape(-1), strict=True):
        result[np.unravel_index(place, x.shape)] = element
    return result


@pytest.mark.parametrize("part", range(PARTS))
def test_writing_equals_numpy(part):
    for seed in range(part, CASES // 2, PARTS):
        case = Case(SEED * 1_000_000 + 500_000 + seed)
        owner = case.tensor()
        ours, theirs = case.view(owner), case.view(case.base)
        found = outcome(lambda: np.asarray(theirs[case.keys[0]]).shape)  # noqa: B023
        value = case.make_value(found if not found or isinstance(found[0], int) else (2,))
        expected = outcome(lambda: assigned(theirs, case.keys[0], value[0]))  # noqa: B023
        got = outcome(lambda: ours.__setitem__(case.keys[1], value[1]))  # noqa: B023
        said = f"case {seed}: {case.dtype}{theirs.shape}[{case.keys[0]}] = {np.shape(value[0])}"[
            :400
        ]
        if isinstance(expected, tuple):
            assert isinstance(got, tuple) and got[0] is expected[0], f"{said}: {got}, {expected}"
            assert bits(np.asarray(owner)) == bits(case.base), f"{said}: written before the error"
            continue
        assert got is None, f"{said}: {got}"
        assert bits(np.asarray(ours)) == bits(expected), said
        case.view(case.base)[...] = expected
        assert bits(np.asarray(owner)) == bits(case.base), f"{said}: written beside the view"


def test_index_out_of_range_names_index_axis_and_length():
    x = vt.zeros((4, 5))
    at = vt.asarray([0, 7, 2, 9])
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 1 with size 5"):
        x[:, at]
    with pytest.raises(IndexError, match="index -5 is out of bounds for axis 0 with size 4"):
        x[[0, -5], [9, 0]]
    with pytest.raises(IndexError, match="index 9 is out of bounds for axis 1 with size 5"):
        x[vt.asarray([0, 0]), vt.asarray([9, 8])]
    huge = vt.asarray(np.array([0, 2**64 - 1], np.uint64))
    with pytest.raises(IndexError, match="index 18446744073709551615 is out of bounds for axis 0"):
        x[huge]
    same(x[at[:1]], np.zeros((1, 5), np.float32))


def test_results_of_index_arrays_are_copies():
    a = np.arange(6, dtype=np.int32).reshape(2, 3)
    x = vt.asarray(a.copy())
    for key in ([0, 1], True, (slice(None), [0, 1, 2])):
        x[key][...] = 99
    same(x, a)


def test_rows_are_gathered_at_every_width_and_alignment():
    rng = np.random.default_rng(1)
    for dtype in DTYPES:
        for width in (1, 2, 3, 4, 7, 8, 16, 33):
            a = np.frombuffer(rng.bytes(9 * width * dtype.itemsize), dtype).reshape(9, width)
            a = rng.random((9, width)) < 0.5 if dtype.kind == "b" else a
            x, at = vt.asarray(a), rng.integers(-9, 9, 11)
            assert bits(np.asarray(x[at])) == bits(a[at])
            assert bits(np.asarray(x[:, 1:][at])) == bits(a[:, 1:][at])


def test_index_arrays_of_many_shapes_broadcast_as_a_mesh():
    a = np.arange(5 * 6 * 7 * 8).reshape(5, 6, 7, 8)
    x = vt.asarray(a)
    rng = np.random.default_rng(2)
    for _ in range(5):
        key = np.ix_(*(rng.integers(-n, n, int(rng.integers(1, 9))) for n in a.shape))
        same(x[tuple(vt.asarray(k) for k in key)], a[key])
        same(x[key[0][..., 0], :, key[2][0]], a[key[0][..., 0], :, key[2][0]])


def test_the_last_of_equal_places_wins_in_dense_and_sparse_tensors():
    rng = np.random.default_rng(3)
    for length, spread in ((50, 50), (100_000, 100_000), (10_000_000, 3000), (10_000_000, 10**7)):
        a = np.zeros((length, 3), np.int16)
        x = vt.zeros((length, 3), dtype=vt.int16)
        at = rng.integers(0, spread, 5000) * (length // spread)
        value = rng.integers(1, 30_000, (5000, 3)).astype(np.int16)
        a[at] = value
        x[vt.asarray(at)] = vt.asarray(value)
        same(x[vt.asarray(at)], a[at])
        assert int(vt.count_nonzero(x)) == np.count_nonzero(a)


def test_a_hash_table_too_full_gives_way_to_a_word_for_each_place():
    # Numbers that MurmurHash3's finalizer, whose inverse this is, puts side by side.
    x = np.arange(2**21, dtype=np.uint32) * np.uint32(2048) + np.uint32(5)
    x ^= x >> 16
    x *= np.uint32(pow(0xC2B2AE35, -1, 2**32))
    x ^= x >> 13 ^ x >> 26
    x *= np.uint32(pow(0x85EBCA6B, -1, 2**32))
    x ^= x >> 16
    places = x[(x > 0) & (x <= 2**23)][:1000].astype(np.int64) - 1
    assert len(places) == 1000
    at = np.concatenate([places, places[::-1]])
    x = vt.zeros(2**23, dtype=vt.int16)
    x[vt.asarray(at)] = vt.arange(2000, dtype=vt.int16)
    same(
        x[vt.asarray(at)],
        np.concatenate([np.arange(1999, 999, -1), np.arange(1000, 2000)]).astype(np.int16),
    )


def test_assignment_reads_what_it_writes_before_it_writes():
    a = np.arange(12, dtype=np.float32)
    x = vt.asarray(a.copy())
    later = x + 1
    x[vt.arange(12)[::-1]] = x
    a[np.arange(12)[::-1]] = a.copy()
    same(x, a)
    same(later, np.arange(1, 13, dtype=np.float32))
    i = vt.asarray([3, 2, 1, 0])
    i[i] = i
    same(i, np.array([3, 2, 1, 0])[[3, 2, 1, 0]])
    x[[1, 1, 2]] += 10
    a[[1, 1, 2]] += 10
    same(x, a)


def test_masks_of_many_sizes_select_in_order():
    rng = np.random.default_rng(4)
    for n in (1, 31, 1023, 1024, 1025, 4096, 4097, 65_536, 300_001):
        a = rng.standard_normal(n).astype(np.float32)
        x = vt.asarray(a)
        for level in (-9.0, 0.0, 2.0, 9.0):
            same(x[x > level], a[a > level])
            same(x[(x > level) & (x < level + 1)], a[(a > level) & (a < level + 1)])
        same(x[::-1][x > 0], a[::-1][a > 0])
        y, b = vt.asarray(a), a.copy()
        y[y > 0] = 7
        b[b > 0] = 7
        same(y, b)
        y[y < 0] = -y[y < 0]
        b[b < 0] = -b[b < 0]
        same(y, b)


def test_masked_assignment_keeps_the_bits_of_what_it_leaves():
    rng = np.random.default_rng(6)
    for dtype in DTYPES:
        a = np.frombuffer(rng.bytes(101 * dtype.itemsize), dtype).copy()
        a = rng.random(101) < 0.5 if dtype.kind == "b" else a
        x, mask = vt.asarray(a.copy()), rng.random(101) < 0.5
        x[vt.asarray(mask)] = 1
        a[mask] = 1
        assert bits(np.asarray(x)) == bits(a)


def test_a_full_mask_takes_one_value_or_as_many_as_are_true():
    x = vt.arange(6)
    with pytest.raises(ValueError, match="2 values do not fit the 3 places"):
        x[x > 2] = [1, 2]
    with pytest.raises(TypeError, match="at most 1 dimension, got 2"):
        x[x > 2] = [[1]]
    with pytest.raises(IndexError, match="axis 0; size of axis is 6 .* boolean axis is 5"):
        x[vt.ones(5, dtype=vt.bool)]
    x[x > 2] = [7, 8, 9]
    same(x, np.array([0, 1, 2, 7, 8, 9]))


def test_a_mask_without_elements_fits_any_length():
    shapes = (((3,), (0,)), ((0, 1), (0, 0)), ((2, 3), (2, 0)), ((2, 3), (0,)), ((2, 3), (0, 0)))
    for shape, lengths in (*shapes, ((2, 3, 4), (0, 3)), ((4, 1, 0), (4, 0))):
        a, mask = np.ones(shape, np.int16), np.zeros(lengths, bool)
        x = vt.asarray(a.copy())
        same(x[vt.asarray(mask)], a[mask])
        same(x[None, mask], a[None, mask])
        x[vt.asarray(mask)] = 5
        x[mask] = np.zeros(a[mask].shape, np.int16)
        same(x, a)
    with pytest.raises(IndexError, match="axis 0; size of axis is 2 .* boolean axis is 5"):
        vt.ones((2, 3))[np.zeros((5, 0), bool)]
