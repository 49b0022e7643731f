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
import array_api_extra as xpx
import dask
import dask.array as da
import dask.sizeof
import einops
import einops.array_api
import numpy as np
import pytest
import xarray as xr
from dask.array.backends import array_creation_dispatch
from scipy import cluster, constants, differentiate, integrate, optimize, signal, special, stats
from scipy.optimize import elementwise
from sklearn import config_context, datasets, metrics, model_selection, naive_bayes, preprocessing
from sklearn.metrics import pairwise

import vktensor as vt
from vktensor.clients import dask_array

importlib.import_module("vktensor.clients.einops")
ROOT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(11)
A = RNG.standard_normal((4, 6)).astype(np.float32)
B = RNG.standard_normal((4, 6)).astype(np.float32)
P = np.abs(A) + np.float32(0.1)
DIGITS, DIGIT = datasets.load_digits(return_X_y=True)
DIGITS = DIGITS.astype(np.float32)
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
    assert array_api_compat.is_writeable_array(x)
    assert not array_api_compat.is_lazy_array(x) and not array_api_compat.is_numpy_array(x)
    assert array_api_compat.array_namespace(x, 1.0, None) is vt
    with pytest.raises(TypeError, match="Multiple namespaces"):
        array_api_compat.array_namespace(x, A)


V, W = np.array([3, 1, 2, 3, 7, 1]), np.array([1, 9, 3])
HOLES = np.where(A > 1, np.nan, A)
EXTRA: dict[str, Callable[[Any], Any]] = {
    "angle": lambda a: xpx.angle(a((A + 1j * B).astype(np.complex64))),
    "apply_where": lambda a: xpx.apply_where(a(A) > 0, (a(A),), lambda v: v * 2, lambda v: -v),
    "apply_where fill": lambda a: xpx.apply_where(
        a(A) > 0, (a(A), a(B)), lambda v, w: v / w, fill_value=-1.0
    ),
    "at set": lambda a: xpx.at(a(A.copy()))[1:3].set(7.0),
    "at add": lambda a: xpx.at(a(A.copy()))[:, 2].add(1.0),
    "at mask": lambda a: xpx.at(a(A.copy()), a(A) > 0).multiply(2.0),
    "atleast_nd": lambda a: xpx.atleast_nd(a(V), ndim=3),
    "cov": lambda a: xpx.cov(a(A)),
    "create_diagonal": lambda a: xpx.create_diagonal(a(V)),
    "deg2rad": lambda a: xpx.deg2rad(a(A)),
    "isclose": lambda a: xpx.isclose(a(A), a(A + np.float32(1e-9))),
    "isin": lambda a: xpx.isin(a(V), a(W)),
    "kron": lambda a: xpx.kron(a(A[:2]), a(A[:, :2])),
    "lazy_apply": lambda a: xpx.lazy_apply(np.sort, a(A), as_numpy=True),
    "nan_to_num": lambda a: xpx.nan_to_num(a(HOLES)),
    "nanmax": lambda a: xpx.nanmax(a(HOLES), axis=1),
    "nansum": lambda a: xpx.nansum(a(HOLES), axis=1),
    "nunique": lambda a: xpx.nunique(a(V)),
    "one_hot": lambda a: xpx.one_hot(a(V), 8),
    "pad": lambda a: xpx.pad(a(A), 2, constant_values=1.0),
    "partition": lambda a: xpx.partition(a(V), 2)[2:3],
    "searchsorted": lambda a: xpx.searchsorted(a(np.sort(V)), a(W)),
    "setdiff1d": lambda a: xpx.setdiff1d(a(V), a(W)),
    "sinc": lambda a: xpx.sinc(a(A)),
    "union1d": lambda a: xpx.union1d(a(V), a(W)),
}


@pytest.mark.parametrize("name", EXTRA)
def test_array_api_extras_functions_give_tensors(name):
    agree(EXTRA[name](vt.asarray), EXTRA[name](np.asarray))


PATTERNS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, int]]] = [
    (einops.rearrange, ("a (b c) -> c a b",), {"b": 2}),
    (einops.reduce, ("a (b c) -> a c", "mean"), {"c": 3}),
    (einops.reduce, ("a b -> b", "max"), {}),
    (einops.reduce, ("(h a) (w b) -> h w", "sum"), {"a": 2, "b": 3}),
    (einops.reduce, ("a b -> 1 1", "min"), {}),
    (einops.repeat, ("a b -> a (b n)",), {"n": 3}),
    (einops.repeat, ("a b -> (n a) m b",), {"n": 2, "m": 3}),
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
    for module in (einops, einops.array_api):
        joined, shapes = module.pack([x, x[0]], "* b")
        agree(joined, np.concatenate([A, A[:1]]))
        for part, want in zip(module.unpack(joined, shapes, "* b"), (A, A[0]), strict=True):
            agree(part, want)


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
    "nan_euclidean_distances",
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
    *("multilabel_confusion_matrix", "precision_recall_fscore_support"),
]
# Of the probability of a class; curves give three arrays.
RANKING = [
    *("average_precision_score", "brier_score_loss", "d2_brier_score", "d2_log_loss_score"),
    *("det_curve", "log_loss", "precision_recall_curve", "roc_auc_score", "roc_curve"),
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


def flat(result: Any) -> list[float]:
    """The numbers of a score, an array or a tuple of such, without what is None."""
    parts = result if isinstance(result, tuple) else (result,)
    return [float(x) for p in parts if p is not None for x in np.ravel(np.asarray(p))]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_scikit_learns_classification_metrics_give_numpys_numbers(name):
    function, guess = getattr(metrics, name), (CANCER[:, 0] < 15).astype(np.int64)
    expected = function(BENIGN, guess)
    with config_context(array_api_dispatch=True):
        got = function(vt.asarray(BENIGN), vt.asarray(guess))
    every = zip(np.atleast_1d(flat(got)), np.atleast_1d(flat(expected)), strict=True)
    assert all(float(a) == pytest.approx(float(b), rel=1e-6) for a, b in every)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", ["f1_score", "jaccard_score", "precision_score", "recall_score"])
def test_scikit_learns_scores_of_ten_classes_give_numpys_numbers(name, average):
    guess = np.where(np.arange(DIGIT.size) % 7 == 0, (DIGIT + 1) % 10, DIGIT)
    expected = getattr(metrics, name)(DIGIT, guess, average=average)
    with config_context(array_api_dispatch=True):
        got = getattr(metrics, name)(vt.asarray(DIGIT), vt.asarray(guess), average=average)
    assert float(got) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("name", RANKING)
def test_scikit_learns_ranking_metrics_give_numpys_numbers(name):
    score = (1 / (1 + np.exp(CANCER[:, 0] - 15))).astype(np.float32)
    expected = getattr(metrics, name)(BENIGN, score)
    with config_context(array_api_dispatch=True):
        got = getattr(metrics, name)(vt.asarray(BENIGN), vt.asarray(score))
    if isinstance(got, tuple):
        for have, want in zip(got, expected, strict=True):
            assert isinstance(have, vt.Tensor) and have.shape == want.shape
            np.testing.assert_allclose(np.asarray(have), want, rtol=1e-5)
    else:
        assert float(got) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("name", ["dcg_score", "ndcg_score", "label_ranking_loss"])
def test_scikit_learns_rankings_of_several_labels_give_numpys_numbers(name):
    rng = np.random.default_rng(8)
    relevant, score = rng.integers(0, 2, (40, 5)), rng.random((40, 5))
    expected = getattr(metrics, name)(relevant, score)
    with config_context(array_api_dispatch=True):
        got = getattr(metrics, name)(vt.asarray(relevant), vt.asarray(score))
    assert float(got) == pytest.approx(float(expected), rel=1e-5)


def test_scikit_learn_splits_scales_and_classifies_tensors():
    def predict(a: Callable[..., Any]) -> tuple[Any, Any]:
        x, other, y, _ = model_selection.train_test_split(a(CANCER), a(BENIGN), random_state=3)
        scaler = preprocessing.StandardScaler().partial_fit(x[:200]).partial_fit(x[200:])
        bayes = naive_bayes.GaussianNB().fit(scaler.transform(x), y)
        scaled = scaler.transform(other)
        return bayes.predict(scaled), scaler.inverse_transform(scaled)

    expected = predict(np.asarray)
    with config_context(array_api_dispatch=True):
        got = predict(vt.asarray)
    agree(got[0], expected[0])
    agree(got[1], expected[1])


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

X, Y, Z = (RNG.standard_normal((3, 50)).astype(np.float32) for _ in range(3))
U = RNG.uniform(0.05, 0.95, (3, 50)).astype(np.float32)
XP = np.abs(X) + np.float32(0.1)
RANGE = [np.array([0.0, 1.0]), np.array([1.0, 2.0])]
# Functions along an axis; of two samples; of positive numbers; of any numbers, by modules.
ALONG = {
    "describe jarque_bera kstat kstatvar kurtosis kurtosistest median_abs_deviation mode": X,
    "normaltest rankdata sem skew skewtest tmax tmean tmin tsem tstd tvar variation zscore iqr": X,
    "lmoment differential_entropy": X,
    "circmean circstd circvar chisquare entropy gmean gstd gzscore hmean power_divergence": XP,
    "combine_pvalues false_discovery_control": U,
}
OF_TWO = [
    *("alexandergovern", "ansari", "bartlett", "brunnermunzel", "chatterjeexi", "f_oneway"),
    *("fligner", "kruskal", "levene", "mannwhitneyu", "mood", "pearsonr", "spearmanrho"),
    *("ttest_ind", "ttest_rel", "wilcoxon", "zmap"),
]
ELEMENTWISE = {
    "cbrt cosm1 erf erfc exp2 exp10 expit exprel ndtr log_ndtr log_softmax logsumexp softmax": X,
    "digamma entr erfcx exp1 expi gamma gammaln i0 i0e i1 i1e j0 j1 k0 k1 rgamma y0 y1": XP,
    "ellipk erfinv logit ndtri": U,
}
OF_MORE: dict[str, tuple[Any, ...]] = {
    "betainc": (XP, XP, U),
    "betaln": (XP, XP),
    "boxcox": (XP, U),
    "chdtrc": (XP, XP),
    "gammainc": (XP, XP),
    "gammaincc": (XP, XP),
    "huber": (XP, X),
    "kl_div": (XP, U),
    "rel_entr": (XP, U),
    "stdtr": (XP, X),
    "xlog1py": (XP, XP),
    "xlogy": (XP, XP),
    "zeta": (XP + np.float32(1.5), XP),
}


def along(name: str, x: Any) -> Callable[..., Any]:
    return lambda a: getattr(stats, name)(a(x), axis=1)


def of_two(name: str) -> Callable[..., Any]:
    return lambda a: getattr(stats, name)(a(X), a(Y), axis=1)


def elementwise_of(name: str, *xs: Any) -> Callable[..., Any]:
    return lambda a: getattr(special, name)(*map(a, xs))


SCIPY: dict[str, Callable[[Callable[..., Any]], Any]] = {
    **{f"stats.{n}": along(n, x) for names, x in ALONG.items() for n in names.split()},
    **{f"stats.{n}": of_two(n) for n in OF_TWO},
    **{f"special.{n}": elementwise_of(n, x) for ns, x in ELEMENTWISE.items() for n in ns.split()},
    **{f"special.{n}": elementwise_of(n, *xs) for n, xs in OF_MORE.items()},
    "stats.moment": lambda a: stats.moment(a(X), 3, axis=1),
    "stats.pmean": lambda a: stats.pmean(a(XP), 2, axis=1),
    "stats.trim_mean": lambda a: stats.trim_mean(a(X), 0.1, axis=1),
    "stats.quantile": lambda a: stats.quantile(a(X), a(np.full((3, 1), 0.3, "f4")), axis=1),
    "stats.ttest_1samp": lambda a: stats.ttest_1samp(a(X), 0.1, axis=1),
    "stats.welch": lambda a: stats.ttest_ind(a(X), a(Y), axis=1, equal_var=False),
    "stats.ttest_interval": lambda a: stats.ttest_1samp(a(X), 0.1, axis=1).confidence_interval(),
    "stats.friedmanchisquare": lambda a: stats.friedmanchisquare(a(X[0]), a(Y[0]), a(Z[0])),
    "stats.directional_stats": lambda a: stats.directional_stats(a(A)).mean_direction,
    "stats.yeojohnson_llf": lambda a: stats.yeojohnson_llf(0.5, a(X), axis=1),
    "stats.boxcox_llf": lambda a: stats.boxcox_llf(0.5, a(XP), axis=1),
    "special.logsumexp weighted": lambda a: special.logsumexp(a(X), axis=1, b=a(XP)),
    "special.logsumexp complex": lambda a: special.logsumexp(a((X + 1j * Y).astype("c8"))),
    "special.multigammaln": lambda a: special.multigammaln(a(XP + np.float32(2)), 2),
    "integrate.trapezoid": lambda a: integrate.trapezoid(a(A), axis=1),
    "integrate.cumulative_trapezoid": lambda a: integrate.cumulative_trapezoid(a(A), axis=1),
    "integrate.cumulative_simpson": lambda a: integrate.cumulative_simpson(a(A), axis=1),
    "integrate.tanhsinh": lambda a: integrate.tanhsinh(lambda x: x * x, *map(a, RANGE)).integral,
    "signal.detrend": lambda a: signal.detrend(a(A), axis=1, type="constant"),
    "signal.convolve": lambda a: signal.convolve(a(X[0]), a(Y[0, :9]), method="direct"),
    "constants.convert_temperature": lambda a: constants.convert_temperature(a(A), "C", "K"),
    "cluster.whiten": lambda a: cluster.vq.whiten(a(A)),
    "differentiate.derivative": lambda a: differentiate.derivative(lambda x: x**3, a(RANGE[1])).df,
    "optimize.rosen": lambda a: optimize.rosen(a(A)),
    "optimize.rosen_hess": lambda a: optimize.rosen_hess(a(X[0, :6])),
    "elementwise.find_root": lambda a: (
        elementwise.find_root(lambda x: x * x - 0.5, (a(np.zeros(2)), a(RANGE[1]))).x
    ),
}


def arrays_of(result: Any) -> list[Any]:
    """The arrays of a result: a test's statistic and p-value, or the members of a tuple."""
    if hasattr(result, "statistic") and not isinstance(result, tuple):
        return [result.statistic, result.pvalue]
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", SCIPY)
def test_scipys_functions_give_tensors_of_numpys_numbers(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        got, expected = (arrays_of(SCIPY[name](a)) for a in (vt.asarray, np.asarray))
    for have, want in zip(got, expected, strict=True):
        if isinstance(have, tuple):  # describe's least and greatest
            have, want = vt.stack(list(have)), np.stack(want)
        if not isinstance(have, int):
            agree(have, want, 1e-3)
