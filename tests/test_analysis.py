"""NumPy's functions of tensors that order, count, measure and put together, against NumPy."""

from __future__ import annotations

import io
import typing
from typing import Any

import numpy as np
import pytest

import vktensor as vt
from test_protocols import A, B, N, S, V, agree, to_tensors
from vktensor import _analysis, samples

C = (A + 1j * A[::-1]).astype(np.complex64)
K = np.array([3, 0, 2, 3, 3, 7], np.int64)
I = np.array([[0, 2], [1, 1]], np.int64)  # noqa: E741
T = A.reshape(2, 3, 2)
X = np.array([0.0, 1.0, 2.5, 4.0], np.float32)
QUANTILES = [((A, q, axis), {}) for q in (0.3, 1.0) for axis in (None, 0, -1)]
QUANTILES += [((B, np.array([[0.1, 0.5], [0.9, 0.0]])), {"axis": 1, "keepdims": True})]
QUANTILES += [((T, 0.25, (0, 2)), {}), ((N, 0.5, 1), {})]
QUANTILES += [
    ((V, [0.1, 0.125, 0.375, 0.5, 0.63]), {"method": m}) for m in typing.get_args(samples.Method)
]
QUANTILES += [((x, 0.4, 1), {"method": m}) for x in (B, N) for m in ("nearest", "hazen")]
PERCENTILES = [((a, np.asarray(q) * 100, *rest), k) for (a, q, *rest), k in QUANTILES]
MEDIANS = [((A,), {}), ((B, 0), {}), ((T, (0, 1)), {"keepdims": True}), ((N, 1), {}), ((V,), {})]
ORDERS = [((V,), {"ord": o}) for o in (None, 0, 1, 2, 3, np.inf, -np.inf, 0.5)]
ORDERS += [((A,), {"ord": o}) for o in (None, "fro", 1, -1, np.inf, -np.inf)]
ORDERS += [((A,), {"axis": 0}), ((A,), {"axis": 1, "ord": 1, "keepdims": True}), ((C,), {})]
ORDERS += [((T,), {"axis": (0, 2), "ord": 1}), ((T,), {"axis": (-1, 0), "keepdims": True})]
ORDERS += [((B,), {}), ((T,), {})]

# name: calls, each the arguments and keywords; names with a dot are of numpy.linalg.
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "angle": [((C,), {}), ((A,), {}), ((np.array([-0.0, np.inf, np.nan], np.float32),), {}),
              ((C,), {"deg": True}), ((B,), {})],
    "astype": [((A, np.int8), {}), ((B, np.float64), {})],
    "bincount": [((K,), {}), ((K > 2,), {}), ((K,), {"weights": np.arange(6)}),
                 ((K, A[0, [0, 1, 2, 3, 0, 1]]), {}),
                 ((np.tile(K, 99).astype(np.uint8), np.tile(V[[0, 1, 2, 3, 4, 1]], 99), 9), {}),
                 ((K,), {"minlength": 12}), ((K[:0],), {}), ((K[:0], None, 3), {})],
    "block": [(([A, A],), {}), (([[A, A], [A, A]],), {}), (([[A], [V[:4]]],), {}), ((A,), {})],
    "choose": [((I, [V[:2], V[2:4], 9.0]), {}), ((I + 5, [V[:2], V[2:4]]), {"mode": "wrap"}),
               ((I - 1, [V[:2], V[2:4]]), {"mode": "clip"})],
    "convolve": [((x, y, m), {}) for x, y in ((V, X), (V[:2], V), (K, K[:3]), (C[0], C[1]), (V, V))
                 for m in ("full", "same", "valid")] + [((V, [1.0, 2.0]), {}), ((V, V[:1]), {})],
    "correlate": [((x, y, m), {}) for x, y in ((V, X), (X, V), (C[0], C[1][:3]), (C[0][:2], C[1]))
                  for m in ("full", "same", "valid")] + [((V, V), {})],
    "corrcoef": [((A + B,), {}), ((V, V[::-1] ** 2), {}), ((A + B,), {"rowvar": False})],
    "cov": [((A + B,), {}), ((A, B), {}), ((V,), {}), ((A + B,), {"rowvar": False, "bias": True}),
            ((C.astype(np.complex128),), {"ddof": 0})],
    "cross": [((T.reshape(4, 3), A.T), {}), ((A, A[::-1]), {"axis": 0}),
              ((A[:, 0], T.reshape(4, 3)), {})],
    "delete": [((A, []), {}), ((A, 1), {}), ((A, 1, 0), {}), ((A, [0, -1], 1), {}),
               ((A, slice(0, 3, 2), 1), {}),
               ((V, V > 1), {}), ((A, K[:2], 1), {})],
    "diag_indices_from": [((S,), {})],
    "diagflat": [((I,), {}), ((V, 1), {})],
    "digitize": [((A, X), {}), ((A, X), {"right": True}), ((A, X[::-1]), {}), ((2.5, X), {}),
                 ((A, X[::-1]), {"right": True})],
    "ediff1d": [((A,), {}), ((V,), {"to_end": 7.0, "to_begin": [1.0, 2.0]})],
    "fix": [((A,), {})],
    "gradient": [((V,), {}), ((A,), {}), ((A, 2.0), {}), ((A, 2.0, X), {}), ((A,), {"axis": 1}),
                 ((T,), {"axis": (0, 2)})],
    "histogram": [((A,), {}), ((B,), {"bins": 4}), ((A, [-3.0, 0.0, 1.0, 2.5]), {}),
                  ((A, 5), {"range": (-1, 2)}), ((A, 4), {"weights": B}), ((V, V[:3]), {}),
                  ((V, 3), {"weights": V, "density": True}), ((A, X), {"weights": A}),
                  ((A, 3), {"density": True}),
                  ((B[:1], [0, 1, 5]), {})],
    "histogram_bin_edges": [((A,), {}), ((B, 3), {}), ((V[:0],), {}), ((V[:1],), {})],
    "insert": [((A, [], 5.0, 1), {}), ((A, 1, 5.0), {}), ((A, 1, V[:3], 1), {}),
               ((A, [0, 2], 7.0, 1), {}),
               ((V, [1, 3], [8.0, 9.0]), {}), ((A, slice(0, 2), A[:2], 0), {}),
               ((A, -1, V[:4], 0), {})],
    "interp": [((A, X, V[:4]), {}), ((A, X, V[:4]), {"left": -5.0, "right": 9.0}),
               ((2.0, X, X), {}), ((A, X[:1], V[:1]), {})],
    "intersect1d": [((B, K), {}), ((V, [1.0, 8.0, 9.0]), {}), ((A, A + 100), {})],
    "iscomplex": [((C,), {}), ((N,), {})],
    "isreal": [((C,), {}), ((N,), {})],
    "ix_": [((K[:2], V > 1), {})],
    "lexsort": [(((K[:4], B[0]),), {}), ((B,), {}), ((B[:2],), {"axis": 0})],
    "linspace": [((V[2:3].reshape(()), 5, 7), {}), ((V, V[::-1], 4), {"axis": -1}),
                 ((A, 3.0, 1), {}),
                 ((A, 3.0, 3), {"endpoint": False, "retstep": True}), ((V[:1], 9, 0), {}),
                 ((V[0], V, 5), {"dtype": np.int32})],
    "median": MEDIANS,
    "nanmedian": MEDIANS,
    "nanpercentile": PERCENTILES,
    "nanquantile": QUANTILES,
    "percentile": PERCENTILES,
    "piecewise": [((A, [A < 0, A > 1], [-1.0, 1.0]), {}),
                  ((A, [A < 0], [lambda x: -x, lambda x: x * 2]), {})],
    "polyval": [((V, A), {}), (([1, 2, 3], A), {})],
    "quantile": QUANTILES,
    "ravel_multi_index": [(((I, I), (3, 4)), {}), (((I, I), (3, 4)), {"order": "F"}),
                          (((I + 9, I - 9), (3, 4)), {"mode": ("wrap", "clip")})],
    "resize": [((A, (2, 9)), {}), ((V, 3), {}), ((V[:0], 3), {})],
    "rollaxis": [((T, 2), {}), ((T, 0, 3), {}), ((T, 1, 1), {}), ((T, 0, 2), {}), ((T, -1, 1), {})],
    "select": [(([A < 0, A > 1], [A, -A]), {}), (([A < 0, A > 1], [A, B]), {"default": 5}),
               (([A < 0], [[1, 2, 3, 4]]), {})],
    "setdiff1d": [((B, K), {}), ((V, [1.0, 8.0]), {})],
    "setxor1d": [((B, K), {}), ((V[:1], V[:0]), {}), ((V[:0], V[:0]), {})],
    "trapezoid": [((A,), {}), ((V,), {"dx": 0.5}), ((A, X), {}), ((A,), {"axis": 0}),
                  ((A, A * 2), {"axis": 0})],
    "tril_indices_from": [((A,), {}), ((A, 1), {})],
    "trim_zeros": [((np.pad(V, 2),), {}), ((np.pad(V, 2), "f"), {}), ((V * 0,), {})],
    "triu_indices_from": [((A,), {}), ((A,), {"k": -1})],
    "union1d": [((B, K), {}), ((V, [1.0, 9.0]), {})],
    "unravel_index": [((I, (3, 4)), {}), ((I, (3, 4)), {"order": "F"}), ((I, 4), {})],
    "unwrap": [((A * 5,), {}), ((V * 1.3,), {"period": 4.0}),
               ((A * 5,), {"axis": 0, "discont": 9})],
    "vander": [((V,), {}), ((V, 3), {"increasing": True}), ((K, 1), {})],
    "linalg.cross": [((T.reshape(4, 3), A.T), {})],
    "linalg.diagonal": [((T,), {}), ((S,), {"offset": 1})],
    "linalg.matmul": [((A, S), {})],
    "linalg.matrix_norm": [((A,), {}), ((T,), {"ord": 1, "keepdims": True})],
    "linalg.matrix_power": [((S / 10, n), {}) for n in (0, 1, 2, 3, 7)],
    "linalg.matrix_transpose": [((A,), {})],
    "linalg.multi_dot": [(([A, S, A.T],), {})],
    "linalg.norm": ORDERS,
    "linalg.outer": [((V, V), {})],
    "linalg.tensordot": [((A, S), {"axes": 1})],
    "linalg.trace": [((T,), {}), ((S,), {"offset": 1})],
    "linalg.vecdot": [((A, A), {}), ((A, A), {"axis": 0})],
    "linalg.vector_norm": [((A,), {}), ((A,), {"axis": 1, "ord": 3})],
}  # fmt: skip
#: Tested below.
ELSEWHERE = {"argpartition", "array2string", "fill_diagonal", "partition", "save", "savetxt"}
ELSEWHERE |= {"savez", "savez_compressed"}


def find(name: str) -> Any:
    module = np.linalg if name.startswith("linalg.") else np
    return getattr(module, name.removeprefix("linalg."), None)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
def test_numpy_functions_of_tensors_agree_with_numpy(name):
    function = find(name)
    if function is None:  # of NumPy 2 only
        return
    for args, kwargs in CALLS[name]:
        expected = function(*args, **kwargs)
        agree(function(*to_tensors(args), **to_tensors(kwargs)), expected, f"{name}{args}{kwargs}")


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 70_001])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_medians_and_quantiles_of_long_rows_agree_with_numpy(n, dtype):
    rng = np.random.default_rng(n)
    a = (rng.standard_normal((3, n)) * 1000).astype(dtype)
    x = vt.asarray(a)
    wide = a.astype(np.float64)
    np.testing.assert_allclose(np.median(x, axis=1).numpy(), np.median(wide, axis=1), rtol=1e-6)
    q = [0.01, 0.5, 0.999]
    found = np.quantile(x, q, axis=1).numpy()
    np.testing.assert_allclose(found, np.quantile(wide, q, axis=1), rtol=2e-5, atol=1e-4)
    counts, edges = np.histogram(x, 17)
    assert counts.sum().item() == a.size
    np.testing.assert_array_equal(counts.numpy(), np.histogram(a, edges.numpy())[0])


def test_quantiles_of_no_rows_have_no_elements():
    x = vt.ones((3, 1, 0))
    assert vt.nanquantile(x, [0.2, 0.5], axis=(0, 1)).shape == (2, 0)
    assert vt.quantile(x, [], axis=(0, 1)).shape == (0, 0)


def test_quantiles_reach_infinity_and_nothing_has_none():
    x = vt.asarray([np.inf, 1, np.inf, -np.inf], dtype="float32")
    assert np.quantile(x, [0.0, 0.5, 0.9]).tolist() == [-np.inf, np.inf, np.inf]
    assert np.isnan(np.median(vt.ones((3, 0)), axis=1)).all()
    assert np.isnan(np.nanmedian(vt.asarray([np.nan, np.nan]))).item()
    assert np.nanmedian(vt.asarray([np.nan, 3.0])).item() == 3


def test_long_convolutions_are_laid_out_in_parts(monkeypatch):
    monkeypatch.setattr(_analysis, "_WINDOWS", 1 << 10)
    rng = np.random.default_rng(0)
    a, v = rng.standard_normal(5000), rng.standard_normal(37)
    for mode in ("full", "same", "valid"):
        found = np.convolve(vt.asarray(a), vt.asarray(v), mode).numpy()
        np.testing.assert_allclose(found, np.convolve(a, v, mode), rtol=1e-12, atol=1e-12)


def test_partitions_put_every_element_where_it_belongs():
    x = vt.asarray(B)
    for axis in (0, 1, None):
        found = np.partition(x, 2, axis=axis).numpy()
        assert np.array_equal(found, np.sort(B, axis=axis))
    order = np.argpartition(x, 2, axis=1).numpy()
    assert np.array_equal(np.take_along_axis(B, order, 1), np.sort(B, axis=1))


def test_a_diagonal_is_filled_in_place():
    whole, turned = (lambda a: a), (lambda a: a.T)
    for shape, value, view in (
        ((3, 4), 9.0, whole),
        ((4, 3), [1.0, 2.0], whole),
        ((3, 3), V, whole),
        ((3, 3, 3), [1.0, 2.0], whole),
        ((3, 4), 9.0, turned),
        ((5, 6), [1.0, 2.0], lambda a: a[1:, ::-2]),
    ):
        for wrap in (False, True):
            a = np.ones(shape, np.float32)
            x = vt.asarray(a, copy=True)
            np.fill_diagonal(view(a), value, wrap)
            np.fill_diagonal(view(x), to_tensors(value), wrap)
            agree(x, a, "fill_diagonal")
    a = np.ones((7, 2), np.float32)
    x = vt.asarray(a, copy=True)
    np.fill_diagonal(a, 5, wrap=True)
    np.fill_diagonal(x, 5, wrap=True)
    agree(x, a, "fill_diagonal")
    for shape in ((3,), (2, 2, 3)):
        with pytest.raises(ValueError, match="fill_diagonal: expected"):
            np.fill_diagonal(vt.ones(shape), 1)


def test_numpys_functions_for_files_write_tensors(tmp_path):
    x = vt.asarray(A)
    for name in ("save", "savez", "savez_compressed"):
        theirs, ours = io.BytesIO(), io.BytesIO()
        getattr(np, name)(theirs, A)
        getattr(np, name)(ours, x)
        found = np.load(io.BytesIO(ours.getvalue()))
        agree(vt.asarray(found if name == "save" else found["arr_0"]), A, name)
        if name == "save":
            assert ours.getvalue() == theirs.getvalue()
    np.savez(tmp_path / "a.npz", x, second=vt.asarray(V))
    with vt.load(tmp_path / "a.npz") as found:
        agree(found["second"], V, "savez")
    np.savetxt(tmp_path / "a.txt", x)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "a.txt"), A)
    assert np.array2string(x, precision=1) == np.array2string(A, precision=1)


def test_what_cannot_be_done_is_refused_by_name():
    x, v, k = vt.asarray(A), vt.asarray(V), vt.asarray(K)
    for call, error, text in (
        (lambda: np.packbits(k), TypeError, "numpy.packbits: there is no such function"),
        (lambda: np.convolve(v, x), ValueError, "convolve: expected filled vectors, got shapes"),
        (lambda: np.convolve(v, v[:0]), ValueError, "convolve: expected filled vectors"),
        (lambda: np.convolve(v, v, "some"), ValueError, "convolve: expected mode 'full', 'same'"),
        (lambda: np.linalg.svd(x), TypeError, "numpy.linalg.svd: there is no such function"),
        (lambda: np.fft.fft(v), TypeError, "numpy.fft.fft: there is no such function"),
        (lambda: np.linalg.norm(x, 2), TypeError, "norm: expected ord 'fro', 1, -1, inf or -inf"),
        (lambda: np.linalg.norm(vt.ones((2, 2, 2)), 1), ValueError, "one or two axes, got 3"),
        (lambda: np.linalg.matrix_power(vt.ones((2, 2)), -1), TypeError, "there is no inverse"),
        (lambda: np.quantile(v, 1.5), ValueError, "quantile: expected quantiles from 0 to 1"),
        (lambda: vt.quantile(v, 0.5, method="best"), ValueError, "there is no method 'best'"),
        (lambda: np.bincount(k - 3), ValueError, "bincount: expected no negative numbers"),
        (lambda: np.bincount(v), TypeError, "bincount: expected integers in one dimension"),
        (lambda: np.bincount(k, weights=v), ValueError, "bincount: expected weights of shape"),
        (lambda: vt.histogram(v, weights=k), ValueError, "histogram: expected weights of shape"),
        (lambda: np.histogram(v, "auto"), TypeError, "expected a number of bins or their edges"),
        (lambda: np.histogram(v / 0), ValueError, "histogram: expected a finite range"),
        (lambda: np.digitize(v, [1.0, 0.0, 2.0]), ValueError, "expected bins that rise or fall"),
        (lambda: np.choose(k, [v[:6], v[:6]]), ValueError, "choose: expected indices from 0 to 1"),
        (lambda: np.unravel_index(k, 3), ValueError, "unravel_index: expected indices"),
        (lambda: np.ravel_multi_index((k, k), (9, 3)), ValueError, "expected indices from 0 to 2"),
        (lambda: np.gradient(v[:1]), ValueError, "gradient: expected at least 2 elements"),
        (lambda: np.gradient(v, edge_order=2), TypeError, "gradient: expected edge_order 1"),
        (lambda: np.interp(v, k, v), ValueError, "interp: expected points in one dimension"),
        (lambda: np.cross(v[:2], v[:2]), ValueError, "cross: expected vectors of 3 elements"),
        (lambda: np.select([v > 0], []), ValueError, "select: expected as many choices"),
        (lambda: np.sort(v, order="a"), ValueError, "sort: expected no order"),
        (lambda: np.linspace(v, 9, -1), ValueError, "linspace: expected a num of at least 0"),
        (lambda: np.delete(v, 9), IndexError, "9"),
        (lambda: np.rollaxis(x, 2), ValueError, "rollaxis: axis 2 is out of bounds"),
        (lambda: np.rollaxis(x, 0, 3), ValueError, "rollaxis: expected start from -2 to 2, got 3"),
    ):
        with pytest.raises(error, match=text):
            call()


@pytest.mark.parametrize("method", typing.get_args(samples.Method))
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int32", "uint8"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_method_of_quantiles_agrees_with_numpys(method, dtype):
    rng = np.random.default_rng(9)
    asked = [0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1.0]
    for n in (1, 2, 3, 4, 7, 10, 100, 101):
        a = (rng.standard_normal((3, n)) * 50 + 100).astype(dtype)
        holes = a.copy()
        if dtype.startswith("float"):
            holes[0, : n // 2], holes[2, n // 3 :] = np.nan, np.nan
        for name, x in (("quantile", a), ("quantile", holes), ("nanquantile", holes)):
            wide = x if dtype in ("int32", "uint8") else x.astype(np.float64)
            expected = getattr(np, name)(wide, asked, axis=1, method=method)
            got = getattr(vt, name)(vt.asarray(x), asked, axis=1, method=method)
            kept = dtype in ("int32", "uint8") and method not in samples._CHOOSING
            assert got.dtype == (np.float32 if kept else x.dtype), (name, n)
            tolerance = {"float16": 1e-3, "float64": 1e-12}.get(dtype, 1e-6)
            np.testing.assert_allclose(np.asarray(got), expected, tolerance, err_msg=f"{name} {n}")


def test_quantiles_percentiles_and_medians_are_the_same_numbers():
    x = vt.asarray(np.random.default_rng(3).standard_normal((4, 5, 6)).astype(np.float32))
    for axis in (None, 1, (0, 2)):
        for keep in (False, True):
            found = vt.quantile(x, [0.5, 0.2], axis=axis, keepdims=keep)
            agree(vt.percentile(x, [50, 20], axis=axis, keepdims=keep), np.asarray(found), "p")
            agree(vt.nanpercentile(x, [50, 20], axis=axis, keepdims=keep), np.asarray(found), "np")
            agree(vt.median(x, axis=axis, keepdims=keep), np.asarray(found[0]), "median")
            agree(vt.nanmedian(x, axis=axis, keepdims=keep), np.asarray(found[0]), "nanmedian")


@pytest.mark.parametrize("n", [1, 1000, 70_001])
def test_weights_of_many_elements_add_up(n):
    rng = np.random.default_rng(n)
    k, w = rng.integers(0, 40, n), rng.standard_normal(n).astype(np.float32)
    exact, size = np.bincount(k, w.astype(np.float64)), np.bincount(k, np.abs(w))
    got = [np.asarray(vt.bincount(vt.asarray(k), vt.asarray(w))) for _ in range(2)]
    assert got[0].tobytes() == got[1].tobytes()
    assert np.all(np.abs(got[0] - exact) <= 2 * np.log2(n + 1) * 2.0**-24 * size)
    counts, edges = vt.histogram(vt.asarray(k), 40, (0, 40), weights=vt.asarray(w))
    whole = np.histogram(k, np.asarray(edges), weights=w.astype(np.float64))[0]
    limit = 4 * np.log2(n + 1) * 2.0**-24 * np.sum(np.abs(w)) + 1e-6
    assert np.max(np.abs(np.asarray(counts) - whole)) <= limit
