"""Times vktensor beside NumPy, and beside PyTorch, CuPy and JAX where installed, in one run.

    python benchmarks/run.py [--suite quick|full|gpu|peers] [--json FILE] [CASE ...]

Throughput is wall clock around pipelined calls ended by one synchronisation, as programs see it.
Each library is warmed up until its times agree; then all take turns on the same arrays, so that
what disturbs the machine disturbs all of them. Shown are medians and half the distance of the
quartiles; memory-bound rows in bytes that must move, and in % of our own copy kernel in the same
run. CASE is part of a row's name ("reductions", "a + b"). The suite `peers` stands beside packages
that compute through Vulkan (see peers.py).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import vktensor as vt
from cases import find_cases, time_case
from costs import compiling, configurations, files, overhead, pool, transfers
from libraries import Library, find_libraries
from method import Row
from peers import time_peers
from report import (
    COPY,
    Run,
    clocks,
    compare,
    describe_machine,
    load,
    plot,
    print_header,
    print_markdown,
    print_row,
    save,
)

#: Seconds for a case and library.
SECONDS = {"quick": 0.15, "full": 1.0, "gpu": 0.25, "peers": 0.0}


def wants(options: argparse.Namespace, text: str) -> bool:
    """True when no case was named, or one that `text` begins to tell of."""
    return not options.cases or any(part in text or text in part for part in options.cases)


def find_rows(options: argparse.Namespace, libraries: list[Library]) -> Iterator[Row]:
    """Measures group by group."""
    suite, seconds = options.suite, options.seconds or SECONDS[options.suite]
    others = [library for library in libraries if library.name != "numpy"]
    for case in find_cases(suite):
        key = f"{case.group}: {case.name}"
        if wants(options, key) or key == COPY:
            yield time_case(case, others if suite == "gpu" else libraries, seconds)
    if wants(options, "overhead"):
        yield from overhead(libraries, seconds)
    if wants(options, "transfers"):
        yield from transfers(suite, libraries, seconds / 2)
    if wants(options, "files"):
        yield from files(suite, libraries, seconds / 2)
    if wants(options, "pool"):
        yield from pool(seconds / 2)
    if wants(options, "compiling"):
        yield from compiling({"quick": 2, "full": 5}.get(suite, 2))
    if wants(options, "configurations") and suite != "quick":
        yield from configurations(suite, seconds / 4)


def measure_run(options: argparse.Namespace) -> Run:
    """Runs the suite, printing each row as it comes."""
    if options.suite == "peers":
        return time_peers(options)
    libraries = find_libraries(options.libraries)
    run = Run(
        options.suite,
        describe_machine(vt.default_device()),
        {library.name: library.version for library in libraries},
    )
    print_header(run)
    for row in find_rows(options, libraries):
        run.rows.append(row)
        print_row(run, row)
        if options.json:  # what is there so far, should the rest be killed
            save(run, options.json)
    run.machine["clocks_after"] = clocks()
    return run


def check_measured(run: Run, cases: list[str]) -> Run:
    """The run; ValueError when no row is one of those that were asked for."""
    asked = [row for row in run.rows if row.key != COPY or any(part in COPY for part in cases)]
    if cases and not asked:
        raise ValueError(f"no row's name has {' or '.join(map(repr, cases))} in it")
    return run


def positive(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", choices=tuple(SECONDS), default="quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the run there")
    parser.add_argument(
        "--load", type=Path, metavar="FILE", help="take this run instead of measuring one"
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD",
        help="exit 1 when a row is slower than in this run, or no more there",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.1,
        help="by how much quartiles must lie apart to be a regression (0.1: 10 %%)",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="bars as .png or .svg")
    parser.add_argument("--markdown", action="store_true", help="print the rows as a table")
    parser.add_argument("--seconds", type=positive, help="per case and library")
    parser.add_argument("--libraries", nargs="*", metavar="NAME", help="only these beside vktensor")
    parser.add_argument(
        "--peers-python",
        default=sys.executable,
        metavar="PYTHON",
        help="suite peers: the interpreter that has the packages installed",
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="parts of rows' names")
    return parser.parse_args()


def main() -> int:
    """0; 1 when the comparison found a regression; 2 for wrong arguments and files."""
    options = parse()
    try:
        for path in (options.json, options.plot):
            if path and not path.parent.is_dir():
                raise ValueError(f"there is no directory {path.parent}")
        old = load(options.compare) if options.compare else None
        measured = load(options.load) if options.load else measure_run(options)
        run = check_measured(measured, [] if options.load else options.cases)
        if options.json:
            save(run, options.json)
        if options.markdown:
            print_markdown(run, options.cases)
        if options.plot:
            plot(run, options.plot)
    except (OSError, ValueError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    return compare(old, run, options.tolerance, not options.cases) if old else 0


if __name__ == "__main__":
    sys.exit(main())
