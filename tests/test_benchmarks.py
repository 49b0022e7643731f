"""The benchmark runs, its files can be read, and a slower run is told from a noisy one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from method import Row, Spread, measure, repeat  # noqa: E402
from report import Run, find_regressions, load, print_markdown, save, say  # noqa: E402

pytestmark = pytest.mark.unwatched


def bench(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """benchmarks/run.py in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run of the quick suite."""
    path = tmp_path_factory.mktemp("bench") / "quick.json"
    done = bench("--json", path, "--markdown")
    assert done.returncode == 0, done.stderr
    assert "| work | vktensor | numpy |" in done.stdout and "| a + b | " in done.stdout
    return path


def test_the_quick_suite_measures_every_group(quick: Path):
    data = json.loads(quick.read_text())
    groups = {row["group"] for row in data["rows"]}
    assert groups == {
        "elementwise",
        "fused",
        "reductions",
        "scans",
        "movement",
        "matmul",
        "sorting",
        "random",
        "overhead",
        "transfers",
        "files",
        "pool",
        "compiling",
    }
    for row in data["rows"]:
        assert row["libraries"], row["name"]
        for spread in row["libraries"].values():
            assert 0 < spread["least"] <= spread["q1"] <= spread["median"] <= spread["q3"]
    assert data["machine"]["device"] and data["versions"].keys() >= {"vktensor", "numpy"}


def test_a_run_compared_with_itself_is_no_regression(quick: Path):
    done = bench("--load", quick, "--compare", quick)
    assert done.returncode == 0 and "compared" in done.stdout and "slower" not in done.stdout


def test_a_run_compared_with_a_faster_one_fails_and_names_the_rows(quick: Path, tmp_path: Path):
    data = json.loads(quick.read_text())
    for row in data["rows"]:
        if row["group"] == "matmul":
            ours = row["libraries"]["vktensor"]
            row["libraries"]["vktensor"] = {
                name: value if name == "n" else value / 100 for name, value in ours.items()
            }
    faster = tmp_path / "faster.json"
    faster.write_text(json.dumps(data))
    done = bench("--load", quick, "--compare", faster)
    assert done.returncode == 1
    slower = [line for line in done.stdout.splitlines() if line.startswith("slower: ")]
    assert len(slower) == 3 and all("matmul" in line for line in slower)
    assert bench("--load", faster, "--compare", quick).returncode == 0


def test_runs_of_other_machines_and_other_files_are_not_compared(quick: Path, tmp_path: Path):
    data = json.loads(quick.read_text())
    data["machine"]["driver"] = "another"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(data))
    done = bench("--load", quick, "--compare", other)
    assert done.returncode == 2 and "driver" in done.stderr
    other.write_text("[]")
    assert bench("--load", quick, "--compare", other).returncode == 2
    assert bench("--load", quick, "--compare", tmp_path / "none.json").returncode == 2


def altered(quick: Path, path: Path, change: Any) -> Path:
    """A copy of the run, changed."""
    data = json.loads(quick.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return path


def test_rows_that_went_missing_fail_and_new_ones_do_not(quick: Path, tmp_path: Path):
    gone = altered(quick, tmp_path / "gone.json", lambda data: data["rows"].pop(3))
    name = "{group}: {name}".format(**json.loads(quick.read_text())["rows"][3])
    done = bench("--load", gone, "--compare", quick)
    assert done.returncode == 1 and f"missing: {name}\n" in done.stdout
    assert bench("--load", quick, "--compare", gone).returncode == 0
    # Where only some rows were asked for, or of another suite, the others are not missed.
    assert bench("--load", gone, "--compare", quick, "matmul").returncode == 0
    full = altered(quick, tmp_path / "full.json", lambda data: data.update(suite="full"))
    assert bench("--load", gone, "--compare", full).returncode == 0
    none = altered(quick, tmp_path / "none.json", lambda data: data["rows"].clear())
    done = bench("--load", quick, "--compare", none)
    assert done.returncode == 2 and "no row in common" in done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.update(machine={}), "does not tell the machine's device"),
        (lambda data: data["rows"][0].update(unit="furlong"), "the unit furlong of"),
        (lambda data: data.update(rows=[3]), "is not a run of this benchmark"),
    ],
)
def test_a_file_with_gaps_is_no_run(quick: Path, tmp_path: Path, change, words):
    done = bench("--load", altered(quick, tmp_path / "run.json", change), "--markdown")
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "/no/such/run.json"], "there is no directory /no/such"),
        (["--plot", "/no/such/bars.png"], "there is no directory /no/such"),
        (["--libraries", "abacus"], "not installed, or without a device: abacus"),
        (["--libraries", "--seconds", "0.01", "--", "no such row"], "'no such row' in it"),
        (["--seconds", "-1"], "invalid positive value: '-1'"),
    ],
)
def test_arguments_that_ask_for_nothing_are_refused(arguments, words):
    done = bench(*arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_a_plot_is_drawn_or_the_missing_package_named(quick: Path, tmp_path: Path):
    picture = tmp_path / "bars.svg"
    done = bench("--load", quick, "--plot", picture)
    if importlib.util.find_spec("matplotlib"):
        assert done.returncode == 0 and "<svg" in picture.read_text()
    else:
        assert done.returncode == 2 and "pip install matplotlib" in done.stderr


def test_the_vulkan_peers_suite_stands_alone(tmp_path: Path):
    path = tmp_path / "peers.json"
    done = bench("--suite", "peers", "--seconds", 0.2, "--json", path, "small", "sum")
    assert done.returncode == 0, done.stderr
    rows = {row.name: row for row in load(path).rows}
    assert len(rows) == 2
    assert all({"vktensor", "numpy"} <= row.libraries.keys() for row in rows.values())


def test_spreads_are_quartiles():
    spread = Spread.of([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (spread.least, spread.q1, spread.median, spread.q3) == (1, 2, 3, 4)
    assert Spread.of([7.0]) == Spread(7, 7, 7, 7, 1)
    assert Spread.of([1.0, 2.0]).median == 1.5


def test_contenders_take_turns():
    turns = []
    spreads = measure(
        {name: repeat(lambda name=name: turns.append(name)) for name in "ab"}, 0.01, rounds=3
    )
    assert set(spreads) == {"a", "b"} and all(spread.n == 3 for spread in spreads.values())
    last_a = len(turns) - 1 - turns[::-1].index("a")
    assert last_a > turns.index("b")


def run_of(median: float, spread: float) -> Run:
    """A run of one row."""
    times = Spread(median, median * (1 - spread), median * (1 + spread), median * (1 - spread), 9)
    machine = dict.fromkeys(("device", "driver", "cpu", "vulkan", "cpus", "began"), "x")
    row = Row("elementwise", "a + b", "GB/s", 1e9, {"vktensor": times})
    return Run("quick", machine, {"vktensor": "1"}, [row])


@pytest.mark.parametrize(
    ("median", "spread", "slower"),
    [(1.05, 0.01, False), (1.3, 0.01, True), (1.3, 0.2, False), (0.5, 0.01, False)],
)
def test_only_what_lies_beyond_the_spread_is_slower(median, spread, slower):
    found = find_regressions(run_of(1.0, spread), run_of(median, spread), 0.1)
    assert bool(found) == slower
    assert not slower or found[0][1] == pytest.approx(median)


def test_more_work_in_the_same_row_is_not_slower():
    new = run_of(2.0, 0.01)
    new.rows[0].amount = 2e9
    assert not find_regressions(run_of(1.0, 0.01), new, 0.1)


def test_runs_survive_their_file_and_show_as_a_table(tmp_path: Path, capsys):
    run = run_of(0.25, 0.01)
    save(run, tmp_path / "run.json")
    assert load(tmp_path / "run.json") == run
    print_markdown(run, [])
    assert "| a + b | 4.00 | GB/s |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (123.4, "123"), (3021, "3021")],
)
def test_numbers_have_three_digits(value, text):
    assert say(value) == text
