"""The examples run as a user would run them: programs, and the notebook from top to bottom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.unwatched  # they run in processes of their own

# A program, and then what the validation layers have said of it.
CHECKED = """
import runpy, sys
from vktensor import _core
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
count, text = _core.validation_messages()
assert count == 0, text
"""


def run(*args: object, **env: str) -> str:
    """What a Python with these arguments prints."""
    done = subprocess.run(
        [sys.executable, *map(str, args)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_digits_learns_as_numpy_does():
    text = run("-c", CHECKED, EXAMPLES / "digits.py", "--epochs", 8, "--hidden", 32)
    reached = dict(re.findall(r"(\w+) +test accuracy ([\d.]+)%", text))
    assert set(reached) == {"NumPy", "vktensor"}


def test_sharpen_writes_pictures(tmp_path):
    from PIL import Image

    text = run("-c", CHECKED, EXAMPLES / "sharpen.py", tmp_path)
    assert "filtered" in text
    for name, mode in (("china-sharp.png", "RGB"), ("china-edges.png", "L")):
        with Image.open(tmp_path / name) as picture:
            assert picture.mode == mode and min(picture.size) > 400


def test_the_notebook_runs_from_top_to_bottom(tmp_path):
    flags = ("--nbmake", "--nbmake-timeout=200", "-p", "no:cacheprovider")
    home = {name: str(tmp_path) for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR")}
    text = run("-m", "pytest", *flags, EXAMPLES / "tour.ipynb", **home)
    assert "1 passed" in text


def test_the_notebook_is_kept_without_outputs():
    cells = json.loads((EXAMPLES / "tour.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
