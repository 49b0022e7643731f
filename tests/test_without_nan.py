"""Reductions that leave NaN out, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import vktensor as vt
from vktensor import without_nan

RNG = np.random.default_rng(4)
NAMES = [name for name in without_nan.__all__ if "arg" not in name]
POSITIONS = [name for name in without_nan.__all__ if "arg" in name]


def sample(dtype: str, share: float) -> np.ndarray:
    """Random numbers, of floats this share NaN, but not all of a row or column."""
    x = (RNG.normal(size=(5, 40, 6)) * 20).astype(dtype)
    if x.dtype.kind == "f":
        x[RNG.random(x.shape) < share] = np.nan
        x[:, 3, :] = x[2, :, :1].shape[0]
        x[1, :, 2] = 7
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_beside_nan_are_reduced_as_numpy_does(name, dtype):
    for share in (0.0, 0.3, 0.95):
        x = sample(dtype, share)
        x = np.sign(x) if name == "nanprod" else x
        wide = x.astype(np.float64) if x.dtype.kind == "f" else x
        for axis in (None, 0, -1, (0, 2)):
            for keepdims in (False, True):
                expected = getattr(np, name)(wide, axis=axis, keepdims=keepdims)
                got = getattr(vt, name)(vt.asarray(x), axis=axis, keepdims=keepdims)
                moment = name in ("nanmean", "nanvar", "nanstd")
                kept = np.asarray(expected).dtype if dtype == "int32" else np.dtype(dtype)
                assert got.dtype == (np.float32 if dtype == "int32" and moment else kept)
                limit = {"float16": 2e-3, "float64": 1e-12}.get(dtype, 1e-5)
                np.testing.assert_allclose(
                    np.asarray(got), expected, limit, limit, err_msg=f"{name} {axis}"
                )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", POSITIONS)
def test_places_of_extremes_beside_nan_are_numpys(name, dtype):
    x = sample(dtype, 0.5)
    for axis in (None, 1, -2):
        got = getattr(vt, name)(vt.asarray(x), axis=axis)
        np.testing.assert_array_equal(np.asarray(got), getattr(np, name)(x, axis=axis))
    assert getattr(vt, name)(vt.asarray(x), axis=1, keepdims=True).shape == (5, 1, 6)


def test_means_of_many_halves_do_not_overflow():
    x = np.full((4, 3000), 1000, np.float16)
    x[:, ::7] = np.nan
    for name in ("nanmean", "nanstd", "nanvar"):
        got = getattr(vt, name)(vt.asarray(x), axis=1)
        assert got.dtype == np.float16 and got.tolist() == [1000.0 * (name == "nanmean")] * 4
    y = vt.asarray(x)
    assert y.mean(axis=1, where=~vt.isnan(y)).tolist() == [1000.0] * 4


def test_moments_of_complex_numbers_are_numpys():
    z = (sample("float64", 0.2) + 1j * sample("float64", 0.0)).astype(np.complex128)
    for name in ("nanmean", "nanvar", "nanstd", "nansum"):
        got, expected = getattr(vt, name)(vt.asarray(z), axis=1), getattr(np, name)(z, axis=1)
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(got), expected, 1e-12)


def test_corrections_are_numpys():
    x = sample("float64", 0.4)
    for name in ("nanvar", "nanstd"):
        expected = getattr(np, name)(x, axis=1, ddof=1)
        got = getattr(vt, name)(vt.asarray(x), axis=1, correction=1)
        np.testing.assert_allclose(np.asarray(got), expected, 1e-12)


def test_nothing_but_nan_has_sums_and_no_extremes():
    x = vt.asarray([[np.nan, np.nan], [1.0, np.nan]])
    assert vt.nansum(x, axis=1).tolist() == [0, 1]
    assert vt.nanprod(x, axis=1).tolist() == [1, 1]
    for name in ("nanmin", "nanmax", "nanmean", "nanvar", "nanstd"):
        assert np.isnan(getattr(vt, name)(x, axis=1)).tolist() == [True, False], name
    for name in POSITIONS:
        with pytest.raises(ValueError, match=f"{name}: a slice holds nothing but NaN"):
            getattr(vt, name)(x, axis=1)
    for name in without_nan.__all__:
        with pytest.raises(TypeError, match=f"{name}: expected a Tensor"):
            getattr(vt, name)([1.0])


def test_sums_and_moments_take_a_dtype_and_numpys_ddof():
    a = np.array([[1.5, np.nan, 4.0], [2.5, 3.0, np.nan]], np.float32)
    x = vt.asarray(a)
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd"):
        got = getattr(vt, name)(x, axis=0, dtype="float64")
        assert got.dtype == "float64"
        np.testing.assert_allclose(got.numpy(), getattr(np, name)(a, axis=0, dtype="float64"))
    for name in ("nanvar", "nanstd"):
        got = getattr(vt, name)(x, axis=1, ddof=1)
        np.testing.assert_allclose(got.numpy(), getattr(np, name)(a, axis=1, ddof=1), rtol=1e-6)
