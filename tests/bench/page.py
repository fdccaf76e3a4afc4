"""The tables of a run as a page for people has them, between two marks each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.bench.peers.compare import cells

FIGURES = ("figure", "floor", "measured", "to reach", "how measured")
PEERS = ("engine", "CPU a customer-year", "by part, ms", "wall", "rows", "actions", "lines of code", "what it gives up")


def together(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several runs as one; of a group that was measured again the last one counts."""
    first, last = runs[0], runs[-1]
    rows: dict[str, list[Any]] = {}
    for run in runs:
        for group in dict.fromkeys(row["group"] for row in run["rows"]):
            rows[group] = [row for row in run["rows"] if row["group"] == group]
    peers = {peer["name"]: peer for run in runs for peer in run["peers"]}
    loads = {"begin": first["load"]["begin"], "end": last["load"]["end"]}
    failed = [group for run in runs for group in run["failed"] if group not in rows]
    said = {"machine": last["machine"], "load": loads, "failed": failed, "peers": list(peers.values())}
    return said | {"rows": [row for of_it in rows.values() for row in of_it]}


def written(page: str, said: dict[str, Any]) -> str:
    """The page with what was measured in place of what stood there. Raises ValueError if its marks are missing."""
    about = _about(said)
    if said["rows"]:
        rows = [_line(_cells(row)) for row in said["rows"]]
        page = _between(page, "figures", [about, "", *_head(FIGURES), *rows])
    if said["peers"]:
        page = _between(page, "peers", [about, "", *_head(PEERS), *(_line(cells(peer)) for peer in said["peers"])])
    return page


def _cells(row: dict[str, Any]) -> list[str]:
    missed = " (missed)" if row["kept"] is False else ""
    return [row["figure"], row["floor"], row["measured"] + missed, row["to_reach"], row["how"]]


def _about(said: dict[str, Any]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in said["machine"].items() if value)
    return f"{machine}; load average {said['load']['begin']} before, {said['load']['end']} after."


def _head(names: Sequence[str]) -> list[str]:
    return [_line(names), "|" + "---|" * len(names)]


def _line(found: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in found) + " |"


def _between(page: str, mark: str, lines: Sequence[str]) -> str:
    pattern = re.compile(f"(?<=<!-- {mark}: begin -->\n).*?(?=<!-- {mark}: end -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no marks <!-- {mark}: begin --> and <!-- {mark}: end -->")
    return pattern.sub(lambda _: "".join(f"{line}\n" for line in lines), page, count=1)
