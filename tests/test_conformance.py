"""The conformance suite of the array API standard, beside us and by its own rules, passes.

ARRAY_API_TESTS names a checkout of it, EXAMPLES how many inputs are drawn for each of its tests;
see tests/array_api.sh.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).parent / "array_api.sh"
NO_SUITE = 77
#: At the suite's commit; some are named by the extensions, which are disabled.
LEAST_TESTS = 1200
MOST_XFAILS = 8


def results(report: Path) -> dict[str, str]:
    """What became of each test: passed, failed, error, skipped, or xfailed."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((child for child in case if child.tag != "system-out"), None)
        how = "passed" if outcome is None else outcome.tag
        if outcome is not None and outcome.get("type") == "pytest.xfail":
            how = "xfailed"
        found[f"{case.get('classname')}::{case.get('name')}"] = how
    return found


@pytest.mark.unwatched
@pytest.mark.parametrize("without", ["", "float64"])
def test_the_public_conformance_suite_passes(without, tmp_path):
    report = tmp_path / "report.xml"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment |= {"PYTHON": sys.executable, "VKTENSOR_WITHOUT": without}
    environment["ARRAY_API_TESTS_SKIP_DTYPES"] = "float64,complex128" if without else ""
    run = subprocess.run(
        ["bash", SCRIPT, f"--junit-xml={report}", "--tb=short", "--disable-warnings"],
        env=environment,
        capture_output=True,
        text=True,
    )
    if run.returncode == NO_SUITE:
        pytest.skip(run.stderr.strip().splitlines()[-1])
    assert report.exists(), run.stdout + run.stderr
    found = results(report)
    bad = [name for name, how in found.items() if how in ("failure", "error")]
    assert not bad and run.returncode == 0, f"{bad}\n{run.stdout[-20_000:]}\n{run.stderr}"
    counts = Counter(found.values())
    assert counts["passed"] >= LEAST_TESTS and counts["xfailed"] <= MOST_XFAILS, counts
