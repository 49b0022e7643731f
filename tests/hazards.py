"""Finds missing barriers by replaying what was given to Vulkan.

It sees each command with the byte ranges it reads and writes, and each barrier, submit, wait and
host access, in the order they were recorded; it knows nothing of the code that places barriers. Two
commands conflict when their ranges overlap and one of them writes; a conflict is a hazard unless a
barrier was recorded between them or the host waited for the first. Validation is blind here: it
does not see memory reached by address, and a CPU driver runs everything in order.
"""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]
Range = tuple[int, int, bool]


class _Ranges:
    """Byte ranges with who touched them, searched by overlap."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, bool, int, str]] = []

    def add(self, ranges: list[Range], submit: int, name: str) -> None:
        for address, nbytes, write in ranges:
            if nbytes:
                self.entries.append((address, address + nbytes, write, submit, name))

    def conflict(self, ranges: list[Range], reached: int) -> str | None:
        """The name of an entry in conflict whose submit is not known to be finished."""
        for address, nbytes, write in ranges:
            for low, high, wrote, submit, name in self.entries:
                overlap = address < high and low < address + nbytes
                if overlap and (write or wrote) and submit > reached:
                    return name
        return None

    def drop_finished(self, reached: int) -> None:
        self.entries = [entry for entry in self.entries if entry[3] > reached]


def hazards(events: list[Event]) -> list[str]:
    """One line for each conflict that nothing orders."""
    found: list[str] = []
    since_barrier = _Ranges()  # commands no barrier has followed yet
    in_flight = _Ranges()  # commands the host has not waited for
    unseen = _Ranges()  # writes no barrier has made visible to the host
    reached = 0
    for event in events:
        kind, name, ranges = event["kind"], event["name"], event["ranges"]
        if kind in ("dispatch", "copy"):
            other = since_barrier.conflict(ranges, reached)
            if other is not None:
                found.append(f"{name} conflicts with {other}: no barrier between them")
            since_barrier.add(ranges, event["submit"], name)
            in_flight.add(ranges, event["submit"], name)
            unseen.add([r for r in ranges if r[2]], event["submit"], name)
        elif kind == "barrier":
            since_barrier.entries.clear()
            unseen.entries.clear()
        elif kind == "wait":
            reached = max(reached, event["submit"])
            since_barrier.drop_finished(reached)
            in_flight.drop_finished(reached)
        elif kind in ("host_read", "host_write"):
            # The value known to be reached: an idle block is touched without a wait of its own.
            reached = max(reached, event["submit"])
            ranges = [(a, n, kind == "host_write") for a, n, _ in ranges]
            if unseen.conflict(ranges, -1) is not None:
                found.append(f"{kind}: no barrier made the device's writes visible to the host")
            other = in_flight.conflict(ranges, reached)
            if other is not None:
                found.append(f"{kind} conflicts with {other}: the host did not wait for it")
    return found


def without(events: list[Event], index: int) -> list[Event]:
    """The trace with one event left out: how a mistake is planted."""
    return events[:index] + events[index + 1 :]
