"""The kernels GPUs get, with shared memory and barriers, compute the same on a CPU driver; and the
kernels CPU drivers get the same on a GPU."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

import vktensor as vt

TESTS = pathlib.Path(__file__).parent
CHOICES = [["test_reduce.py"], ["test_matmul.py"], ["test_views.py"], ["test_creation.py"]]
CHOICES += [["test_accumulation.py"]]
CHOICES += [["test_elementwise.py", "-k", "layout and (add or where)"]]
CHOICES += [["test_tuning.py", "-k", "candidate"]]


@pytest.mark.unwatched
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice[0])
def test_the_other_kind_of_kernels_passes_the_same_tests(choice):
    other = "gpu" if vt.default_device().kind == "cpu" else "cpu"
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
        env={**os.environ, "VKTENSOR_KERNELS": other},
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]
