"""How errors are measured: the references, the inputs, the sweep on the device, the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vktensor as vt
from vktensor.__main__ import main
from vktensor.accuracy import command, complexes, inputs, measure, page, reference, sweep

DOCS = Path(__file__).resolve().parents[1] / "docs"
MEASURED = command.rows_of(None)
ROWS = {row["name"]: row for row in MEASURED}
INEXACT = [row for row in MEASURED if row["ulp"] > 0]
RESULTS = sorted((DOCS / "accuracy").glob("*.json"))


# ---- Errors and references -----------------------------------------------------------------------


@pytest.mark.unwatched
@pytest.mark.parametrize("dtype", reference.FLOATS)
def test_an_ulp_is_the_distance_of_neighbours(dtype):
    kind, words = reference.numpy_dtype(dtype), f"u{reference.numpy_dtype(dtype).itemsize}"
    wide = reference.wide_dtype(dtype)
    largest = int(np.array(reference.float_info(dtype).max, kind).view(words))
    bits = np.arange(1, largest - 1, largest // 1000).astype(words)
    x, after = (b.view(kind).astype(wide) for b in (bits, bits + np.dtype(words).type(1)))
    np.testing.assert_array_equal(reference.ulp_of(x, dtype), after - x)
    just_below = after - (after - x) / 512
    np.testing.assert_array_equal(reference.ulp_of(just_below, dtype), after - x)
    errors = reference.ulp_errors(after.astype(kind), x + (after - x) / 4, dtype)
    np.testing.assert_array_equal(errors, 0.75)


@pytest.mark.unwatched
def test_results_of_another_kind_have_infinite_errors():
    limit, inf, nan = 2.0**128, np.inf, np.nan
    got = np.array([nan, 1, 0.0, -0.0, 0.0, inf, inf, inf, -inf, nan, inf], np.float32)
    exact = [1.0, nan, -0.0, 1e-60, -1e-60, limit, limit - 2.0**104, 1.0, inf, nan, inf]
    errors = reference.ulp_errors(got, np.array(exact), "float32")
    assert np.isinf(errors[[0, 1, 2, 3, 4, 8]]).all()
    np.testing.assert_array_equal(errors[[5, 6, 9, 10]], [0, 1, 0, 0])
    assert errors[7] > 1e6
    assert reference.ulp_errors(np.zeros(1, np.float32), np.array([-1e-9]), "float32", 1.0) < 1


@pytest.mark.unwatched
@pytest.mark.parametrize("row", INEXACT, ids=lambda row: row["name"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_references_equal_mpmath_within_a_hundredth_of_an_ulp(row, dtype):
    rng = np.random.default_rng(1)
    if row["kind"] == "unary":
        special = rng.permutation(inputs.chosen(row["name"], dtype))[:64]
        arrays = [np.concatenate([inputs.unary(rng, row, dtype, 64), special])]
    else:
        arrays = inputs.binary(rng, row, dtype, 128)
    exact = reference.evaluate(row["name"], arrays, dtype)
    assert np.max(reference.exact_errors(row["name"], arrays, exact, dtype)) < 0.01


@pytest.mark.unwatched
def test_the_hardest_argument_of_sine_is_among_the_inputs():
    hardest = np.ldexp(6381956970095103.0, 797)  # Kahan: 2^-60 from a multiple of pi/2
    assert hardest in inputs.near_pi_multiples("float64")
    assert len(inputs.validation_set("arcsin", "float32")) > 100
    assert len(inputs.validation_set("asin", "float32")) > 100
    assert np.isnan(inputs.breakpoints("float16")).any()


# ---- On the device -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", reference.FLOATS)
def test_every_half_number_and_a_sample_of_others_are_within_the_bound(name, dtype):
    found = measure.measure(ROWS[name], dtype, vt.default_device(), True)
    assert found["inputs"] >= 1 << 16
    assert not page.is_over(found), found


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_worst_inputs_found_on_any_device_are_within_the_bound_on_this(path):
    for row in json.loads(path.read_text())["rows"]:
        if "max" in row:
            kind = reference.numpy_dtype(row["dtype"])
            arrays = [np.array([float.fromhex(x)]).astype(kind) for x in row["at"]]
            got = np.asarray(getattr(vt, row["function"])(*map(vt.asarray, arrays)))
            found = measure.compare(ROWS[row["function"]], row["dtype"], arrays, got)
            limit = reference.bound(row["function"], row["dtype"])
            assert found.worst <= limit and not found.wrong, (row, found)


@pytest.mark.parametrize("first, last", [(0.3, 0.75), (-2.9, -2.6), (-3.3, -3.0), (2.0, 3.0)])
def test_lgamma_is_within_one_ulp_where_its_terms_are_as_large_as_it_is(first, last):
    x = np.linspace(first, last, 1 << 19)
    for dtype in ("float32", "float64"):
        arrays = [x.astype(dtype)]
        found = measure.compare(
            ROWS["lgamma"], dtype, arrays, np.asarray(vt.lgamma(vt.asarray(arrays[0])))
        )
        assert found.worst <= 1 and not found.wrong, (dtype, found)


@pytest.mark.parametrize("name", complexes.BOUNDS)
@pytest.mark.parametrize("dtype", complexes.COMPLEX)
def test_functions_of_complex_numbers_are_within_their_bounds(name, dtype):
    row = next(r for r in complexes.rows() if r["name"] == name)
    found = complexes.measure(row, dtype, vt.default_device(), True)
    assert found["inputs"] >= 1 << 14 and found["checked"] >= 64
    assert not complexes.is_over(found), found
    assert found["reference_error"] < 0.01


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_worst_complex_inputs_found_on_any_device_are_within_the_bound_on_this(path):
    for row in json.loads(path.read_text()).get("complex", []):
        name, dtype = row["function"], row["dtype"]
        for key in ("at", "parts_at"):
            parts = [float.fromhex(x) for x in row.get(key, row["at"])]
            arrays = [
                np.array([complex(*parts[i : i + 2])], dtype) for i in range(0, len(parts), 2)
            ]
            got = np.asarray(getattr(vt, name)(*map(vt.asarray, arrays)))
            exact = complexes.evaluate(name, arrays, dtype)
            error, part = complexes.errors_of(name, arrays, got, exact, dtype)
            norm, each = complexes.BOUNDS[name]
            assert error[0] <= norm and part[0] <= (each or np.inf), (row, error, part)


@pytest.mark.unwatched
def test_errors_of_complex_numbers_are_distances_and_those_of_their_parts():
    exact = np.array([3 + 4j, 1 + 0j, 2.0**-30 + 1j, 1 + 1j, np.inf + 1j])
    got = exact.astype(np.complex64)
    got[0] += np.complex64(complex(3 * 2.0**-21, 4 * 2.0**-21))
    got[1] = complex(1, -0.0)
    got[2] = complex(2.0**-30 + 2.0**-23, 1)
    got[3] = complex(np.nan, 1)
    errors, parts = complexes.errors_of("exp", [got], got, exact, "complex64")
    np.testing.assert_array_equal(errors, [5, np.inf, 1, np.inf, 0])
    assert parts[0] == 6 and parts[2] == 2.0**30


def test_a_result_that_is_not_exact_is_counted():
    x = [np.arange(8, dtype=np.float32)]
    right = measure.compare(ROWS["negative"], "float32", x, -x[0])
    assert (right.inputs, right.wrong) == (8, 0)
    wrong = measure.compare(ROWS["negative"], "float32", x, 0 - x[0])
    assert (wrong.wrong, wrong.wrong_at) == (1, (0.0,))
    assert page.is_over({"function": "negative", "dtype": "float32", "wrong": 1})


@pytest.mark.parametrize("name", ["exp", "log", "tan", "acosh", "lgamma", "reciprocal", "rsqrt"])
def test_the_device_counts_the_errors_that_the_host_counts(name):
    x = inputs.unary(np.random.default_rng(2), ROWS[name], "float32", 1 << 14)
    x = np.concatenate([x, inputs.breakpoints("float32")])
    least = reference.NEAR_ZERO.get(name, 0.0)

    def coarse(t):
        """Errors enough to compare: the function of an argument off by 2^-22."""
        return getattr(vt, name)(t if t.dtype == np.float64 else t * (1 + 2.0**-22))

    errors, wrong = sweep.errors_of(vt.asarray(x), coarse, least)
    with np.errstate(all="ignore"):
        off = x * np.float32(1 + 2.0**-22)
        wide = x.astype(np.float64)
    got = np.asarray(getattr(vt, name)(vt.asarray(off)))
    exact = np.asarray(getattr(vt, name)(vt.asarray(wide)))
    expected = reference.ulp_errors(got, exact, "float32", least)
    np.testing.assert_array_equal(np.asarray(wrong), np.isinf(expected))
    right = np.isfinite(expected)
    np.testing.assert_array_equal(np.asarray(errors)[right], expected[right])
    assert np.max(expected[right]) > 2


def test_a_sweep_tries_every_number_once_and_finds_the_worst(monkeypatch):
    """On 2^17 numbers, around 1: what a sweep does on all."""
    x = np.arange(0x3F7F0000, 0x3F810000, dtype=np.uint32).view(np.float32)
    half = 1 << 16
    parts = [(0x3F7F0000, vt.asarray(x[:half])), (0x3F800000, vt.asarray(x[half:]))]
    monkeypatch.setattr(sweep, "chunks", lambda device, size: iter(parts))

    def planted(t):
        if t.dtype == np.float64:
            return t
        return vt.where(t == x[70000], vt.nan, vt.where(t == x[40000], t * (1 + 2.0**-20), t))

    monkeypatch.setattr(vt, "planted", planted, raising=False)
    found = sweep.sweep("planted", vt.default_device(), 0.0)
    assert found.inputs == 1 << 17
    assert found.worst_bits == 0x3F7F0000 + 40000 and 8 <= found.worst <= 32
    assert found.wrong == 1 and found.wrong_bits == 0x3F7F0000 + 70000
    assert found.total == found.worst


def test_the_chunks_of_a_sweep_follow_each_other():
    device = vt.default_device()
    assert sweep.chunk_size(device) * sweep.BYTES_EACH <= device.limits["device_nbytes"] // 4
    for i, (first, x) in zip(range(3), sweep.chunks(device, 1 << 20), strict=False):
        assert first == i << 20
        expected = np.arange(first, first + (1 << 20), dtype=np.uint32)
        np.testing.assert_array_equal(np.asarray(x).view(np.uint32), expected)


# ---- The command and its page --------------------------------------------------------------------


def test_the_command_measures_keeps_and_checks(tmp_path, capsys, monkeypatch):
    line = ["accuracy", "--quick", "--check", "--dtype", "float16", "--function", "tanh"]
    assert main([*line, "--output", str(tmp_path), "--json", str(tmp_path / "one.json")]) == 0
    results = json.loads((tmp_path / "one.json").read_text())
    assert [r["function"] for r in results["rows"]] == ["tanh"]
    assert results["rows"][0]["inputs"] == 1 << 16 and 0.4 < results["rows"][0]["max"] <= 1
    main([*line[:-1], "exp", "--output", str(tmp_path)])
    (kept,) = (tmp_path / "accuracy").glob("*.json")
    assert [r["function"] for r in json.loads(kept.read_text())["rows"]] == ["tanh", "exp"]
    text = (tmp_path / "accuracy.md").read_text()
    assert "| tanh | 1 | 0.5" in text and "2^16" in text
    monkeypatch.setattr(page, "bound", lambda name, dtype: 0.25)
    assert main(line) == 1
    assert "other than NumPy's: tanh float16" in capsys.readouterr().out


@pytest.mark.unwatched
def test_the_page_is_made_of_the_results_beside_it():
    assert RESULTS
    expected = page.make(page.load(DOCS / "accuracy"))
    remedy = "run python -m vktensor accuracy --output docs --page"
    assert (DOCS / "accuracy.md").read_text() == expected, remedy


@pytest.mark.unwatched
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_everything_was_measured_and_is_within_its_bound_or_marked(path):
    results = json.loads(path.read_text())
    found = {(row["function"], row["dtype"]) for row in results["rows"]}
    inexact = {(row["name"], dtype) for row in INEXACT for dtype in reference.FLOATS}
    assert max(row.get("reference_error", 0) for row in results["rows"]) < 0.01
    assert len(results["accumulation"]) >= 10
    if results["device"]["kind"] != "cpu":
        # Measured now and then: what is newer is blank on the page until then, what is fixed since
        # is marked.
        assert len(found & inexact) > 0.8 * len(inexact)
        marks = (DOCS / "accuracy.md").read_text().count("**!")
        assert marks >= len(page.failures(results))
        return
    assert found == {(row["name"], dtype) for row in MEASURED for dtype in reference.FLOATS}
    of_complex = {(row["function"], row["dtype"]) for row in results["complex"]}
    assert of_complex == {(name, d) for name in complexes.BOUNDS for d in complexes.COMPLEX}
    ops = [row["name"] for row in reference.rows()]
    assert sorted(row["op"] for row in results["special"]) == sorted([*ops, "casts"])
    assert page.failures(results) == []
