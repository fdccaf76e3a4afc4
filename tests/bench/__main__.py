"""`python -m tests.bench [--only GROUP ...]`: prints the rows as they come, then the whole table. Exit code 1 on a miss."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench import page
from tests.bench.machine import load, machine
from tests.bench.peers import compare
from tests.bench.rows import Row, Size

GROUPS = (
    *("orders", "year", "demo", "cases", "many", "large", "sleeping", "feeds", "commands"),
    *("quotes", "assets", "clock", "service", "health", "playbooks", "imports", "doors"),
)

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    if asked.list:
        for name in GROUPS:
            console.print(f"{name:10} {escape((import_module(f'tests.bench.{name}').__doc__ or '').splitlines()[0])}")
        return 0
    size = Size(asked.quick, dict(one.split("=", 1) for one in asked.counts))
    if asked.files:
        said = page.together([json.loads(file.read_text(encoding="utf-8")) for file in asked.files])
    else:
        groups = asked.only or (() if asked.peers else GROUPS)
        said = asyncio.run(measured(groups, size, peers=asked.peers))
    if said["rows"]:
        console.print(table(said))
    if said["peers"]:
        console.print(compare.table(said["peers"]))
    if asked.write:
        asked.write.write_text(page.written(asked.write.read_text(encoding="utf-8"), said), encoding="utf-8")
    if asked.json:
        asked.json.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return int(bool(said["failed"]) or any(row["kept"] is False for row in said["rows"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="What the product costs, beside its floors."
    )
    parser.add_argument("--only", nargs="+", metavar="GROUP", choices=GROUPS, help="these groups alone")
    parser.add_argument("--list", action="store_true", help="the groups")
    parser.add_argument("--quick", action="store_true", help="smaller counts: to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the rows there too")
    parser.add_argument("--peers", action="store_true", help="the same customers on other engines")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="writes the tables into a page, between its marks")
    parser.add_argument("--from", dest="files", type=Path, nargs="+", metavar="FILE", help="what --json wrote before")
    parser.add_argument(
        *("--with", "-w"), dest="counts", nargs="+", default=[], metavar="NAME=VALUE", help="another count or file"
    )
    return parser


async def measured(groups: Sequence[str], size: Size, *, peers: bool = False) -> dict[str, Any]:
    """All rows of these groups, with the machine and its load before and after."""
    rows: list[dict[str, Any]] = []
    said: dict[str, Any] = {"machine": machine(), "load": {"begin": load()}, "rows": rows, "peers": [], "failed": []}
    for group in groups:
        console.rule(group, align="left")
        try:
            async for row in import_module(f"tests.bench.{group}").rows(size):
                _tell(row)
                rows.append({"group": group} | row.plain() | {"measured": row.measured, "to_reach": row.to_reach})
        except Exception:  # the other groups are measured all the same
            traceback.print_exc()
            said["failed"].append(group)
    if peers:
        console.rule("peers", align="left")
        async for peer in compare.peers(size):
            console.print(f"{peer.name}: {peer.each} a year", highlight=False)
            said["peers"].append(peer.plain())
    said["load"]["end"] = load()
    return said


def _tell(row: Row) -> None:
    missed = "" if row.kept is not False else " [red]missed[/red]"
    floor = f"; floor {row.floor}" if row.floor else ""
    reach = f"; to reach: {row.to_reach}" if row.to_reach else ""
    console.print(f"{escape(f'{row.figure}: {row.measured}{floor}{reach}')}{missed}", highlight=False)


def table(said: dict[str, Any]) -> Table:
    """Everything that was measured."""
    about = ", ".join(f"{name} {value}" for name, value in said["machine"].items() if value)
    failed = f"; failed: {', '.join(said['failed'])}" if said["failed"] else ""
    caption = f"{about}; load average {said['load']['begin']} before, {said['load']['end']} after{failed}"
    made = Table("figure", "floor", "measured", "to reach", "how measured", caption=caption, caption_justify="left")
    for row in said["rows"]:
        to_reach = row["to_reach"] + (" [red]missed[/red]" if row["kept"] is False else "")
        made.add_row(*map(escape, (row["figure"], row["floor"], row["measured"])), to_reach, escape(row["how"]))
    return made


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers end with it
    sys.exit(main())
