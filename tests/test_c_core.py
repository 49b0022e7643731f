"""Runs the C tests of base/ and tensor/ under ASan and UBSan, with each compiler at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPILERS = ["cc", *(name for name in ("clang",) if shutil.which(name))]
FLAGS = [
    *("-std=c11", "-O1", "-g", "-pthread", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    *("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"),
]
PLANTED = """
#include <stdlib.h>
int main(int n_args, char **args)
{
    int *volatile cells = calloc(2, sizeof(int));
    volatile int large = 0x7FFFFFFF;
    (void)args;
    free(cells);
    return n_args == 1 ? cells[0] : large + n_args;
}
"""

pytestmark = pytest.mark.unwatched  # no device takes part


def compile_c(compiler: str, sources: list[Path], program: Path) -> None:
    """Builds `program` with the sanitizers; a warning is an error."""
    includes = [f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'tests' / 'c'}"]
    command = [compiler, *FLAGS, *includes, *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def run_c(program: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Runs `program` without what a caller's environment preloads or tells the sanitizers."""
    unwanted = ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")
    env = {k: v for k, v in os.environ.items() if k not in unwanted}
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return subprocess.run([program, *args], capture_output=True, text=True, env=env, timeout=300)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_c_core_passes_its_tests_under_sanitizers(compiler: str, tmp_path: Path) -> None:
    folders = ("csrc/base", "csrc/tensor", "tests/c")
    sources = [path for folder in folders for path in sorted((ROOT / folder).glob("*.c"))]
    compile_c(compiler, sources, tmp_path / "core")
    done = run_c(tmp_path / "core")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout == "all checks passed\n"


@pytest.mark.parametrize("compiler", COMPILERS)
def test_sanitizers_hear_planted_mistakes(compiler: str, tmp_path: Path) -> None:
    source = tmp_path / "planted.c"
    source.write_text(PLANTED)
    compile_c(compiler, [source], tmp_path / "planted")
    done = run_c(tmp_path / "planted")
    assert done.returncode != 0
    assert "heap-use-after-free" in done.stderr
    done = run_c(tmp_path / "planted", "overflow")
    assert done.returncode != 0
    assert "signed integer overflow" in done.stderr
