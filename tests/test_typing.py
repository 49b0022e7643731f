"""A client that uses the package widely passes mypy --strict, and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import typing_client

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "tests" / "typing_client.py"


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(path)]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "python")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.unwatched
def test_a_client_passes_mypy_strict():
    done = check(CLIENT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.unwatched
def test_mypy_finds_a_wrong_call(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import vktensor as vt\n\nx: int = vt.sin(vt.ones(3, dtypo=vt.int8))\n")
    done = check(wrong)
    assert done.returncode == 1
    assert "[call-arg]" in done.stdout and "[assignment]" in done.stdout


def test_the_client_runs():
    typing_client.main()


@pytest.mark.unwatched
def test_the_package_says_that_it_is_typed():
    import vktensor

    assert Path(vktensor.__file__).with_name("py.typed").exists()
