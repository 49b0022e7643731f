"""The kernels GPUs get, with shared memory and barriers, compute the same on a CPU driver; and the
kernels CPU drivers get the same on a GPU; and those for drivers that keep nothing of IEEE 754."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

import vktensor as vt

TESTS = pathlib.Path(__file__).parent
CHOICES = [["test_reduce.py"], ["test_matmul.py"], ["test_views.py"], ["test_creation.py"]]
CHOICES += [["test_accumulation.py"], ["test_sort.py"]]
CHOICES += [["test_elementwise.py", "-k", "layout and (add or where)"]]
CHOICES += [["test_tuning.py", "-k", "candidate"]]
# What compares, divides, takes roots, rounds and converts.
WARY = "equal or less or greater or sqrt or divide or reciprocal or floor or ceil or casts"
# What has other constants where fma() is fused.
FUSED = "(exp or sin or cos or tan) and float32 and not layout"


def passes(choice: list[str], **variables: str) -> None:
    """Runs tests in a process of their own, with more environment variables."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            TESTS / choice[0],
            *choice[1:],
        ],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.unwatched
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice[0])
def test_the_other_kind_of_kernels_passes_the_same_tests(choice):
    passes(choice, VKTENSOR_KERNELS="gpu" if vt.default_device().kind == "cpu" else "cpu")


@pytest.mark.unwatched
def test_kernels_that_trust_no_driver_pass_the_same_tests():
    passes(["test_elementwise.py", "-k", WARY], VKTENSOR_ARITHMETIC="cautious")


@pytest.mark.unwatched
def test_kernels_for_fused_multiply_add_pass_the_same_tests():
    passes(["test_elementwise.py", "-k", FUSED], VKTENSOR_ARITHMETIC="fused")


@pytest.mark.unwatched
def test_a_driver_is_asked_about_its_arithmetic_once(tmp_path):
    code = (
        "import vktensor as vt; device = vt.default_device(); facts = device.arithmetic;"
        "print(sum(facts.values()) > 0, vt.metrics()['pipelines'], facts)"
    )
    run = [sys.executable, "-c", code]
    variables = {**os.environ, "VKTENSOR_CACHE_DIR": str(tmp_path)}
    told = [subprocess.run(run, env=variables, capture_output=True, text=True) for _ in range(2)]
    first, second = (process.stdout.split(maxsplit=2) for process in told)
    assert first[:2] == ["True", "1"], told[0].stderr
    assert second[:2] == ["True", "0"] and second[2] == first[2]
