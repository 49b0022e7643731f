"""Libraries that know nothing of us compute on tensors and leave them where they are."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import array_api_compat
import dask
import dask.array as da
import dask.sizeof
import einops
import einops.array_api
import numpy as np
import pytest
import xarray as xr
from dask.array.backends import array_creation_dispatch
from scipy import constants, integrate, optimize, signal, special, stats
from sklearn import config_context, datasets, metrics, preprocessing
from sklearn.metrics import pairwise

import vktensor as vt
from vktensor.clients import dask_array

importlib.import_module("vktensor.clients.einops")
ROOT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(11)
A = RNG.standard_normal((4, 6)).astype(np.float32)
B = RNG.standard_normal((4, 6)).astype(np.float32)
P = np.abs(A) + np.float32(0.1)
DIGITS = datasets.load_digits().data.astype(np.float32)
CANCER, BENIGN = datasets.load_breast_cancer(return_X_y=True)
CANCER = CANCER.astype(np.float32)


def agree(got: Any, expected: Any, tolerance: float = 1e-5) -> None:
    assert isinstance(got, vt.Tensor), f"expected a Tensor, got {type(got)}"
    want = np.asarray(expected)
    assert got.shape == want.shape
    scale = tolerance * (float(np.max(np.abs(want))) if want.size else 1.0)
    np.testing.assert_allclose(np.asarray(got), want, rtol=tolerance, atol=scale)


# ---- array-api-compat, einops -----------------------------------------------------------------


@pytest.mark.unwatched
def test_array_api_compat_needs_no_wrapper():
    x = vt.asarray(A)
    assert array_api_compat.array_namespace(x, vt.ones(2)) is vt
    assert array_api_compat.is_array_api_obj(x)
    assert array_api_compat.device(x) == x.device
    assert array_api_compat.size(x) == 24
    assert array_api_compat.to_device(x, x.device) is x


PATTERNS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, int]]] = [
    (einops.rearrange, ("a (b c) -> c a b",), {"b": 2}),
    (einops.reduce, ("a (b c) -> a c", "mean"), {"c": 3}),
    (einops.reduce, ("a b -> b", "max"), {}),
    (einops.repeat, ("a b -> a (b n)",), {"n": 3}),
]


@pytest.mark.parametrize(("function", "args", "lengths"), PATTERNS)
def test_einops_by_its_backend_and_by_the_standard(function, args, lengths):
    expected = function(A, *args, **lengths)
    agree(function(vt.asarray(A), *args, **lengths), expected)
    agree(getattr(einops.array_api, function.__name__)(vt.asarray(A), *args, **lengths), expected)


def test_einops_joins_and_multiplies():
    x = vt.asarray(A)
    agree(einops.einsum(x, x, "a b, c b -> a c"), A @ A.T)
    packed, shapes = einops.pack([x, x], "* b")
    agree(packed, np.concatenate([A, A]))
    agree(einops.rearrange([x, x], "n a b -> a (n b)"), np.concatenate([A, A], 1))
    assert shapes == [(4,), (4,)]


@pytest.mark.unwatched
@pytest.mark.parametrize(
    "imports", ["import einops, vktensor", "import vktensor, einops, vktensor.clients.einops"]
)
def test_einops_learns_of_tensors_in_either_order(imports):
    code = f"{imports}; print(einops.rearrange(vktensor.ones((2, 3)), 'a b -> b a').shape)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "(3, 2)\n", run.stderr


# ---- Dask -------------------------------------------------------------------------------------

DASK: dict[str, Callable[[Any], Any]] = {
    "add": lambda d: d + 1,
    "mixed": lambda d: d * da.ones((4, 6), chunks=(2, 3), dtype="f4"),
    "exp": da.exp,
    "where": lambda d: da.where(d > 0, d, 0),
    "slice": lambda d: d[1:3, ::2],
    "transpose": lambda d: d.T,
    "rechunk": lambda d: d.rechunk((4, 2)),
    "reshape": lambda d: d.reshape(24),
    "concatenate": lambda d: da.concatenate([d, d], axis=1),
    "stack": lambda d: da.stack([d, d]),
    "astype": lambda d: d.astype("f8"),
    "clip": lambda d: da.clip(d, 0, 1),
    "map_blocks": lambda d: d.map_blocks(lambda block: block * 2),
    "sum": lambda d: d.sum(),
    "sum0": lambda d: d.sum(axis=0),
    "mean": lambda d: d.mean(axis=1),
    "std": lambda d: d.std(axis=1),
    "var": lambda d: d.var(),
    "max": lambda d: d.max(axis=0, keepdims=True),
    "prod": lambda d: d.prod(axis=0),
    "any": lambda d: (d > 1).any(axis=0),
    "nansum": da.nansum,
    "nanmean": lambda d: da.nanmean(d, axis=0),
    "cumsum": lambda d: d.cumsum(axis=0),
    "matmul": lambda d: d @ d.T,
    "dot": lambda d: da.dot(d, d.T),
    "tensordot": lambda d: da.tensordot(d, d, axes=((0, 1), (0, 1))),
    "einsum": lambda d: da.einsum("ij,kj->ik", d, d),
    "norm": lambda d: da.linalg.norm(d),
    "isin": lambda d: da.isin(d, [1.0]),
    "round": lambda d: d.round(),
    "overlap": lambda d: d.map_overlap(lambda block: block, depth=1, boundary="none"),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", DASK)
def test_dask_keeps_the_tensor_inside(name):
    plain = da.from_array(A, chunks=(2, 3))
    ours = da.from_array(vt.asarray(A), chunks=(2, 3), asarray=False)
    result = DASK[name](ours)
    assert isinstance(result._meta, vt.Tensor)
    agree(result.compute(scheduler="synchronous"), DASK[name](plain).compute())


@pytest.mark.unwatched
def test_dask_tokens_and_sizes_follow_the_contents():
    x = vt.asarray(A)
    assert dask.base.tokenize(x) == dask.base.tokenize(vt.asarray(A))
    assert dask.base.tokenize(x) != dask.base.tokenize(x + 1)
    module = importlib.import_module("vktensor.clients.dask")
    module.register_sizes(dask.sizeof.sizeof)
    assert dask.sizeof.sizeof(x) == x.nbytes


@pytest.mark.unwatched
def test_the_entry_points_name_what_there_is():
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for group in ("dask.sizeof", "dask.array.backends"):
        module, _, attribute = found[group]["vktensor"].partition(":")
        assert getattr(importlib.import_module(module), attribute)


def test_dask_creates_tensors_by_its_backend():
    array_creation_dispatch.register_backend("vktensor", dask_array.Backend())
    with dask.config.set({"array.backend": "vktensor"}):
        for name, args in (("ones", (3,)), ("zeros", ((2, 2),)), ("full", (3, 7.0))):
            made = getattr(da, name)(*args)
            agree(made.compute(scheduler="synchronous"), getattr(np, name)(*args))
        agree(da.arange(5).compute(scheduler="synchronous"), np.arange(5))
        assert isinstance(da.empty(3).compute(scheduler="synchronous"), vt.Tensor)
        moved = da.from_array(A, chunks=2).to_backend("vktensor")
        agree((moved + 1).compute(scheduler="synchronous"), A + 1)
        back = moved.to_backend("numpy").compute(scheduler="synchronous")
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, A)


# ---- xarray -----------------------------------------------------------------------------------

XARRAY: dict[str, Callable[[Any], Any]] = {
    "add": lambda a: a + a.isel(y=0),
    "exp": np.exp,
    "sum": lambda a: a.sum("x"),
    "mean": lambda a: a.mean(),
    "skipna": lambda a: a.mean("y", skipna=True),
    "max": lambda a: a.max("x"),
    "std": lambda a: a.std("x"),
    "var": lambda a: a.var("y", ddof=1),
    "prod": lambda a: a.prod("x"),
    "any": lambda a: (a > 1).any("x"),
    "count": lambda a: a.count("x"),
    "cumsum": lambda a: a.cumsum("x"),
    "sel": lambda a: a.sel(x=3),
    "isel": lambda a: a.isel(x=slice(1, 3)),
    "where": lambda a: a.where(a > 0, 0),
    "mask": lambda a: a.where(a > 0).fillna(-1),
    "concat": lambda a: xr.concat([a, a], "y"),
    "transpose": lambda a: a.T,
    "stack": lambda a: a.stack(z=("x", "y")),
    "clip": lambda a: a.clip(0, 1),
    "isnull": lambda a: a.isnull(),
    "diff": lambda a: a.diff("x"),
    "shift": lambda a: a.shift(x=1, fill_value=0),
    "roll": lambda a: a.roll(x=1),
    "pad": lambda a: a.pad(x=1, constant_values=0),
    "argmax": lambda a: a.argmax("x"),
    "astype": lambda a: a.astype("f8"),
    "coarsen": lambda a: a.coarsen(x=2).mean(),
    "dot": lambda a: xr.dot(a, a.isel(y=0)),
    "matmul": lambda a: a @ a.isel(y=1),
    "tensordot": lambda a: xr.apply_ufunc(
        np.tensordot,
        a,
        a.isel(y=0, drop=True),
        input_core_dims=[["y", "x"], ["x"]],
        output_core_dims=[["y"]],
        kwargs={"axes": 1},
    ),
}


@pytest.mark.parametrize("name", XARRAY)
def test_xarray_keeps_the_tensor_inside(name):
    def wrap(data: Any) -> xr.DataArray:
        return xr.DataArray(data, dims=("y", "x"), coords={"x": np.arange(6)})

    agree(XARRAY[name](wrap(vt.asarray(A))).data, XARRAY[name](wrap(A)).data)


def test_xarray_shows_compares_and_copies_tensors():
    a = xr.DataArray(vt.asarray(A), dims=("y", "x"))
    assert "Tensor" in repr(a) and a._repr_html_()
    assert a.equals(a.copy(deep=True))
    copied = a.copy(deep=True)
    copied.data[0, 0] = 99
    agree(a.data, A)
    agree(xr.Dataset({"a": a}).mean()["a"].data, A.mean())


# ---- scikit-learn -----------------------------------------------------------------------------

PAIRWISE = [
    *("additive_chi2_kernel", "chi2_kernel", "cosine_distances", "cosine_similarity"),
    *("euclidean_distances", "laplacian_kernel", "linear_kernel", "manhattan_distances"),
    *("paired_cosine_distances", "paired_euclidean_distances"),
    *("paired_manhattan_distances", "polynomial_kernel", "rbf_kernel", "sigmoid_kernel"),
]
REGRESSION = [
    *("d2_absolute_error_score", "d2_pinball_score", "explained_variance_score", "r2_score"),
    *("d2_tweedie_score", "max_error", "mean_absolute_error", "mean_absolute_percentage_error"),
    *("mean_gamma_deviance", "mean_pinball_loss", "mean_poisson_deviance", "mean_squared_error"),
    *("mean_squared_log_error", "mean_tweedie_deviance", "median_absolute_error"),
    *("root_mean_squared_error", "root_mean_squared_log_error"),
]
CLASSIFICATION = [
    *("accuracy_score", "brier_score_loss", "f1_score", "hamming_loss", "jaccard_score"),
    *("matthews_corrcoef", "precision_score", "recall_score", "zero_one_loss"),
]
TRANSFORMERS = [
    *("Binarizer", "KernelCenterer", "MaxAbsScaler", "MinMaxScaler", "Normalizer"),
    *("PolynomialFeatures", "StandardScaler"),
]


@pytest.mark.parametrize("name", PAIRWISE)
def test_scikit_learns_pairwise_metrics_give_tensors(name):
    function, x, y = getattr(pairwise, name), DIGITS[:60], DIGITS[60:120]
    expected = function(x, y)
    with config_context(array_api_dispatch=True):
        agree(function(vt.asarray(x), vt.asarray(y)), expected, 1e-4)


@pytest.mark.parametrize("name", REGRESSION)
def test_scikit_learns_regression_metrics_give_numpys_numbers(name):
    function, x, y = getattr(metrics, name), CANCER[:, 0], CANCER[:, 1]
    expected = function(x, y)
    with config_context(array_api_dispatch=True):
        got = function(vt.asarray(x), vt.asarray(y))
    assert isinstance(got, float)
    assert got == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_scikit_learns_classification_metrics_give_numpys_numbers(name):
    function, guess = getattr(metrics, name), (CANCER[:, 0] < 15).astype(np.int64)
    expected = function(BENIGN, guess)
    with config_context(array_api_dispatch=True):
        got = function(vt.asarray(BENIGN), vt.asarray(guess))
    assert float(got) == pytest.approx(float(expected), rel=1e-6)


def test_scikit_learns_confusion_matrix_and_label_encoder_give_tensors():
    guess = (CANCER[:, 0] < 15).astype(np.int64)
    expected = metrics.confusion_matrix(BENIGN, guess)
    labels = np.array([5, 2, 9, 2])
    with config_context(array_api_dispatch=True):
        agree(metrics.confusion_matrix(vt.asarray(BENIGN), vt.asarray(guess)), expected)
        agree(preprocessing.LabelEncoder().fit_transform(vt.asarray(labels)), [1, 0, 2, 0])


@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("x", [CANCER[:200], DIGITS[:200, :40]], ids=["cancer", "digits"])
def test_scikit_learns_transformers_give_tensors(name, x):
    x = x[:, :8] if name == "PolynomialFeatures" else x
    x = x @ x.T if name == "KernelCenterer" else x
    expected = getattr(preprocessing, name)().fit_transform(x)
    with config_context(array_api_dispatch=True):
        agree(getattr(preprocessing, name)().fit_transform(vt.asarray(x)), expected, 1e-4)


# ---- SciPy ------------------------------------------------------------------------------------

SCIPY: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "special.erf": lambda a: special.erf(a(A)),
    "special.gammaln": lambda a: special.gammaln(a(P)),
    "special.softmax": lambda a: special.softmax(a(A), axis=1),
    "special.expit": lambda a: special.expit(a(A)),
    "special.entr": lambda a: special.entr(a(P)),
    "special.xlogy": lambda a: special.xlogy(a(P), a(P)),
    "special.ndtr": lambda a: special.ndtr(a(A)),
    "stats.gmean": lambda a: stats.gmean(a(P), axis=1),
    "stats.hmean": lambda a: stats.hmean(a(P), axis=1),
    "stats.pmean": lambda a: stats.pmean(a(P), 2, axis=1),
    "stats.variation": lambda a: stats.variation(a(P), axis=1),
    "stats.skew": lambda a: stats.skew(a(A), axis=1),
    "stats.kurtosis": lambda a: stats.kurtosis(a(A), axis=1),
    "stats.moment": lambda a: stats.moment(a(A), 3, axis=1),
    "stats.sem": lambda a: stats.sem(a(A), axis=1),
    "stats.tvar": lambda a: stats.tvar(a(A), axis=1),
    "stats.kstat": lambda a: stats.kstat(a(A), axis=1),
    "stats.circmean": lambda a: stats.circmean(a(P), axis=1),
    "stats.zmap": lambda a: stats.zmap(a(A), a(B), axis=1),
    "stats.entropy": lambda a: stats.entropy(a(P), axis=1),
    "stats.power_divergence": lambda a: stats.power_divergence(a(P)).statistic,
    "stats.directional_stats": lambda a: stats.directional_stats(a(A)).mean_direction,
    "integrate.trapezoid": lambda a: integrate.trapezoid(a(A), axis=1),
    "integrate.cumulative_trapezoid": lambda a: integrate.cumulative_trapezoid(a(A), axis=1),
    "signal.detrend": lambda a: signal.detrend(a(A), axis=1, type="constant"),
    "constants.convert_temperature": lambda a: constants.convert_temperature(a(A), "C", "K"),
    "optimize.rosen": lambda a: optimize.rosen(a(A)),
}


@pytest.mark.parametrize("name", SCIPY)
def test_scipys_functions_give_tensors(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        agree(SCIPY[name](vt.asarray), SCIPY[name](np.asarray), 1e-4)
