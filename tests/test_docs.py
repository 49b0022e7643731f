"""The site builds without a warning; what docstrings and pages show is what the library does."""

from __future__ import annotations

import doctest
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vktensor as vt

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
#: Pages with code that is run.
PAGES = ["index", "install"]

MODULES = ["creation", "elementwise", "linear_algebra", "manipulation", "profiling"]
MODULES += ["runtime", "statistics", "searching", "data_types", "_dtypes"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    module = importlib.import_module(f"vktensor.{name}")
    results = doctest.testmod(module, extraglobs={"vt": vt, "np": np})
    assert results.failed == 0
    if name != "runtime":
        assert results.attempted > 0


def test_the_package_example_gives_what_it_shows():
    assert doctest.testmod(vt).failed == 0


@pytest.mark.unwatched
def test_every_public_name_has_a_docstring():
    constants = {"__version__", "e", "inf", "nan", "newaxis", "pi"}
    missing = [n for n in vt.__all__ if n not in constants and not getattr(vt, n).__doc__]
    assert not missing


@pytest.mark.unwatched  # the notebook runs in a process of its own
def test_the_site_builds_without_a_warning():
    shutil.rmtree(DOCS / "reference" / "generated", ignore_errors=True)
    build = ROOT / "build" / "docs"
    flags = ("-E", "-W", "--keep-going", "-q", "-j", "2", "-d", build / "doctrees")
    command = [sys.executable, "-m", "sphinx", *flags, DOCS, build / "html"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    tour = (build / "html" / "tour.html").read_text()
    assert tour.count('class="cell_output') > 10


@pytest.mark.unwatched
def test_every_public_name_stands_in_the_reference():
    text = "\n".join(path.read_text() for path in (DOCS / "reference").glob("*.rst"))
    named = set(re.findall(r"^   ([\w.]+)$|^\.\. \w+:\w+:: ([\w.]+)", text, re.MULTILINE))
    found = {name for names in named for name in names} | {"Tensor"}
    modules = {"random", "tuning"}
    expected = set(vt.__all__) - modules | {f"Tensor.{name}" for name in dir(vt.Tensor)}
    expected |= {f"{m}.{name}" for m in modules for name in getattr(vt, m).__all__}
    hidden = {name for name in expected if re.fullmatch(r"Tensor\._\w*", name)}
    assert expected - hidden <= found, sorted(expected - hidden - found)


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_pages_give_what_they_show(page):
    text = re.sub(r"^```.*$", "", (DOCS / f"{page}.md").read_text(), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {"vt": vt, "np": np}, page, page, 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert results.failed == 0 and results.attempted > 0
