"""What was measured: text, Markdown, JSON, plots, and comparison with an earlier run."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from method import Row, Spread

FORMAT = 1
#: What a run must tell of its machine.
MACHINE = ("device", "driver", "vulkan", "cpu", "cpus", "began")
COPY = "elementwise: copy"


@dataclass
class Run:
    """One run of a suite, on one machine."""

    suite: str
    machine: dict[str, Any]
    versions: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    def find(self, key: str) -> Row | None:
        """The row of that name."""
        return next((row for row in self.rows if row.key == key), None)

    def share_of_copy(self, row: Row) -> float | None:
        """The bandwidth of a row over that of our copy kernel in this run."""
        copy = self.find(COPY)
        if row.unit != "GB/s" or row.group in ("transfers", "files") or copy is None:
            return None
        if "vktensor" not in row.libraries or "vktensor" not in copy.libraries:
            return None
        rates = [r.shown(r.libraries["vktensor"].median) for r in (row, copy)]
        return rates[0] / rates[1]


# ---- The machine ---------------------------------------------------------------------------------


def run_quietly(*command: str) -> str:
    """What a program prints, '' where it cannot."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def clocks() -> dict[str, Any]:
    """What the processors run at just now, and how busy the machine is."""
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        speeds = re.findall(r"cpu MHz\s*: ([\d.]+)", cpuinfo.read_text())
        if speeds:
            found["cpu_mhz"] = round(max(map(float, speeds)))
    gpu = run_quietly("nvidia-smi", "--query-gpu=clocks.sm,clocks.mem", "--format=csv,noheader")
    if gpu:
        found["gpu"] = gpu.splitlines()[0]
    return found


def describe_machine(device: Any) -> dict[str, Any]:
    """Device, driver, host."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        match = re.search(r"model name\s*: (.*)", cpuinfo.read_text())
        model = match[1] if match else ""
    return {
        "device": device.name,
        "driver": f"{device.driver} {device.driver_version}",
        "vulkan": device.api_version,
        "cpu": model or platform.processor(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "clock_resolution_ns": round(time.get_clock_info("perf_counter").resolution * 1e9),
        "began": time.strftime("%Y-%m-%d %H:%M:%S"),
        "clocks_before": clocks(),
    }


# ---- JSON ----------------------------------------------------------------------------------------


def save(run: Run, path: Path) -> None:
    """Writes the run; `load` reads it."""
    data = {
        "format": FORMAT,
        "suite": run.suite,
        "machine": run.machine,
        "versions": run.versions,
        "rows": [asdict(row) for row in run.rows],
    }
    path.write_text(json.dumps(data, indent=1) + "\n")


def load(path: Path) -> Run:
    """A run that `save` wrote. ValueError for anything else."""
    try:
        data = json.loads(path.read_text())
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, expected {FORMAT}")
        lacking = [name for name in MACHINE if name not in data["machine"]]
        if lacking:
            raise ValueError(f"{path} does not tell the machine's {', '.join(lacking)}")
        rows = []
        for row in data["rows"]:
            spreads = {name: Spread(**values) for name, values in row.pop("libraries").items()}
            rows.append(Row(**row, libraries=spreads))
        return Run(data["suite"], data["machine"], data["versions"], rows)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a run of this benchmark: {error!r}") from error


# ---- Text ----------------------------------------------------------------------------------------


def say(value: float) -> str:
    """Three significant digits, never in exponent form."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{min(digits, 4)}f}"


def print_header(run: Run) -> None:
    """What the numbers were measured on."""
    machine = run.machine
    print(f"device: {machine['device']}; driver: {machine['driver']}")
    print(f"host: {machine['cpu']}, {machine['cpus']} CPUs, Python {machine['python']}")
    print("  ".join(f"{name} {version}" for name, version in run.versions.items()), flush=True)


def print_row(run: Run, row: Row) -> None:
    """One line: each library's median, half its quartile distance in %, our share of the copy."""
    cells = []
    for name, spread in row.libraries.items():
        half = 50 * (spread.q3 - spread.q1) / spread.median
        cells.append(f"{name} {say(row.shown(spread.median)):>7} ±{half:.0f}%")
    share = run.share_of_copy(row)
    note = f"  {share:.1%} of copy" if share is not None and row.key != COPY else ""
    print(f"{row.key:<50} {'  '.join(cells)}  {row.unit}{note}", flush=True)


def print_markdown(run: Run, parts: list[str]) -> None:
    """The rows as one Markdown table, with what they were measured on."""
    machine = run.machine
    versions = ", ".join(f"{k} {v}" for k, v in run.versions.items() if k != "vktensor")
    print(
        f"{machine['device']}, {machine['driver']} (Vulkan {machine['vulkan']}), beside {versions};"
    )
    print(f"{machine['cpus']} CPUs ({machine['cpu']}); suite `{run.suite}`, medians.\n")
    names = list(run.versions)
    print(f"| work | {' | '.join(names)} | | of our copy |")
    print("|---" * (len(names) + 3) + "|")
    for row in run.rows:
        if parts and not any(part in row.key for part in parts):
            continue
        cells = [
            say(row.shown(row.libraries[name].median)) if name in row.libraries else ""
            for name in names
        ]
        share = run.share_of_copy(row)
        shown = f"{share:.0%}" if share is not None else ""
        print(f"| {row.name} | {' | '.join(cells)} | {row.unit} | {shown} |")


# ---- Comparison ----------------------------------------------------------------------------------


def find_regressions(old: Run, new: Run, tolerance: float) -> list[tuple[Row, float]]:
    """Our rows that became slower, with by how much: those whose better quartile lies beyond the
    old run's worse one by more than `tolerance`, so that overlapping spreads are never news."""
    found = []
    for row in new.rows:
        before = old.find(row.key)
        if before is None or "vktensor" not in before.libraries or "vktensor" not in row.libraries:
            continue
        was, now = before.libraries["vktensor"], row.libraries["vktensor"]
        # A row may have been told in other units of work since.
        scale = before.amount / row.amount if row.amount and before.amount else 1.0
        if now.q1 * scale > was.q3 * (1 + tolerance):
            found.append((row, now.median * scale / was.median))
    return found


def find_missing(old: Run, new: Run) -> list[Row]:
    """Our rows of the old run that the new one has not measured."""
    ours = [row for row in old.rows if "vktensor" in row.libraries]
    now = {row.key for row in new.rows if "vktensor" in row.libraries}
    return [row for row in ours if row.key not in now]


def compare(old: Run, new: Run, tolerance: float, whole: bool) -> int:
    """Prints what changed; 1 when anything became slower, or was not measured in a `whole` run of
    the same suite; 2 when the runs cannot be compared."""
    for what in ("device", "driver", "cpu"):
        if old.machine[what] != new.machine[what]:
            print(
                f"not compared: {what} is {new.machine[what]}, was {old.machine[what]}",
                file=sys.stderr,
            )
            return 2
    missing = find_missing(old, new) if whole and old.suite == new.suite else []
    common = [row for row in new.rows if old.find(row.key)]
    if not common:
        print("not compared: the runs have no row in common", file=sys.stderr)
        return 2
    slower = find_regressions(old, new, tolerance)
    print(f"compared {len(common)} rows with the run of {old.machine['began']}")
    for word, found in (("slower", slower), ("faster", find_regressions(new, old, tolerance))):
        for key, ratio in ((row.key, ratio) for row, ratio in found):
            was, row = old.find(key), new.find(key)
            assert was is not None and row is not None
            before, now = (r.shown(r.libraries["vktensor"].median) for r in (was, row))
            times = ratio if word == "slower" else 1 / ratio
            print(f"{word}: {key}: {say(before)} -> {say(now)} {row.unit}, {times:.2f} x the time")
    for row in missing:
        print(f"missing: {row.key}")
    return 1 if slower or missing else 0


# ---- Plots ---------------------------------------------------------------------------------------


def plot(run: Run, path: Path) -> None:
    """Bars of the rows that several libraries have, each over the fastest. ValueError without
    matplotlib, such rows, or for a kind of picture there is not."""
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ValueError("--plot needs matplotlib: pip install matplotlib") from error
    rows = [row for row in run.rows if len(row.libraries) > 1]
    if not rows:
        raise ValueError("--plot: no row has more than one library")
    names = [name for name in run.versions if any(name in row.libraries for row in rows)]
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.16 * len(rows) * max(2, len(names))))
    height = 0.8 / len(names)
    for i, name in enumerate(names):
        places, lengths = [], []
        for y, row in enumerate(rows):
            if name in row.libraries:
                best = min(spread.median for spread in row.libraries.values())
                places.append(y + i * height)
                lengths.append(best / row.libraries[name].median)
        axes.barh(places, lengths, height, label=name)
    axes.set_yticks([y + 0.4 - height / 2 for y in range(len(rows))], [row.key for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("speed over the fastest library's")
    axes.set_title(f"{run.machine['device']}\n{run.machine['driver']}", fontsize="medium")
    axes.margins(y=0.01)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
