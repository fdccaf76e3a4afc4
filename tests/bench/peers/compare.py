"""The same customers on each engine in turn: what a year of one costs, and what each engine gives up."""

from __future__ import annotations

import ast
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.bench.floor import floor
from tests.bench.history import settled_actions
from tests.bench.lives import Life, recorded, two_years
from tests.bench.many import side_by_side
from tests.bench.meter import Spent
from tests.bench.recording import Recorded, keep
from tests.bench.rows import Size
from tests.bench.stand import Stand, stand

ROOT = Path(__file__).parents[3]
YEARS, AT_ONCE = 2, 4
GIVES_UP = {
    "Perennial": "nothing of these: it is what is measured",
    "bare temporalio": "what stands in our tables and pages: why each step came, foresight, holds, one agenda; the rest is the same server",
    "DBOS": "a history that shows what came in and when; timers of years are rows that a process sleeps on; new code for old runs by"
    " versions of the whole app; messages and events instead of updates and queries; no fairness among customers; its pages are a service",
    "procrastinate": "durable functions: only jobs, so the state of a customer, its order of steps and its answers are the program's own;"
    " no history but finished jobs, no signals, queries or versions; no pages of its own",
    "a table": "all of it: history, timers, retries, versioning, signals, queries, fairness and pages are whatever one writes",
}


@dataclass(frozen=True)
class Peer:
    """What an engine took for a customer-year."""

    name: str
    each: Spent
    rows: float
    actions: float | None
    lines: int

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        said = {"name": self.name, "cpu": self.each.cpu, "parts": dict(self.each.parts), "wall": self.each.wall}
        return said | {"rows": self.rows, "actions": self.actions, "lines": self.lines, "gives_up": GIVES_UP[self.name]}


async def peers(size: Size) -> AsyncIterator[Peer]:
    """Each engine on a stack of its own, one after the other; a first customer of each warms up."""
    customers = size.count("customers", 16, 4)
    life = await recorded(two_years)
    async with stand() as place, place.worker():
        yield await _temporal(place, "Perennial", customers, _of_ours(place, customers), "workflows")
    async with stand() as place, floor(place, life, customers + 1) as bare:
        lives = [[one.play, one.play] for one in bare.lives]
        yield await _temporal(place, "bare temporalio", customers, lives, "tests/bench/peers/bare.py")
    for name, module, needs in (
        ("DBOS", "dbos", "dbos"),
        ("procrastinate", "procrastinate", "procrastinate"),
        ("a table", "table", "asyncpg"),
    ):
        if find_spec(needs) is None:
            print(f"{name} is not installed: uv sync --group peers", file=sys.stderr)
            continue
        async with stand() as place:
            yield await _beside(place, name, module, life, customers)


def _of_ours(place: Stand, customers: int) -> list[list[Any]]:
    async def first(life: Life) -> None:
        await life.order()
        await life.first_year()

    ours = [Life(place.client, place.pool, f"ours-{number:05}") for number in range(customers + 1)]
    return [[lambda one=one: first(one), one.later_year] for one in ours]


async def _temporal(place: Stand, name: str, customers: int, lives: list[list[Any]], code: str) -> Peer:
    async def whole(parts: list[Any]) -> None:
        for play in parts:
            await play()

    await whole(lives[0])
    await place.pool.execute("analyze")
    actions, written = await settled_actions(place.stack.metrics_url), await _written(place)

    async def work() -> None:
        await side_by_side([lambda parts=parts: whole(parts) for parts in lives[1:]], AT_ONCE)  # type: ignore[misc]

    spent = await place.meter.spent(work)
    actions = await settled_actions(place.stack.metrics_url) - actions
    rows = await _written(place) - written
    years = customers * YEARS
    return Peer(name, spent.each(years), rows / years, actions / years, code_lines(ROOT / code))


async def _beside(place: Stand, name: str, module: str, life: Recorded, customers: int) -> Peer:
    """An engine with its driver in one process."""
    async with place.worker():  # what all customers share comes with the first of ours
        await Life(place.client, place.pool, "bench-before").order()
        await place.quiet("bench-before")
    file = place.folder / "lives"
    keep([life.of(f"peer-{number:05}") for number in range(customers + 1)], file)
    command = (sys.executable, "-m", f"tests.bench.peers.{module}", str(file))
    pipe = asyncio.subprocess.PIPE
    with (place.folder / "stderr-peer").open("w") as told:
        process = await asyncio.create_subprocess_exec(
            *command, env=place.environment, stdin=pipe, stdout=pipe, stderr=told
        )
    assert process.stdin is not None
    assert process.stdout is not None
    said: dict[str, float] = {}

    async def work() -> None:
        process.stdin.write(b"\n")  # type: ignore[union-attr]
        said.update(json.loads(await process.stdout.readline()))  # type: ignore[union-attr]

    try:
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError((place.folder / "stderr-peer").read_text()[-3000:])
        written = await _written(place)
        spent = await place.meter.spent(work)
        rows = await _written(place) - written
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    parts = {"PostgreSQL": spent.parts["PostgreSQL"], "worker": said["cpu"], "mail": spent.parts["client"]}
    years = customers * YEARS
    code = ROOT / "tests/bench/peers" / f"{module}.py"
    return Peer(name, Spent(said["wall"], parts).each(years), rows / years, None, code_lines(code))


async def _written(place: Stand) -> float:
    """Rows that PostgreSQL has written so far, ours and the engine's; it counts them with a delay."""
    await asyncio.sleep(2)
    counted = "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables"
    return float(await place.pool.fetchval(counted))


def code_lines(where: Path) -> int:
    """Lines of code, without comments, docstrings and empty ones."""
    files = sorted(where.rglob("*.py")) if where.is_dir() else [where]
    bare = [ast.unparse(_bare(ast.parse(file.read_text(encoding="utf-8")))) for file in files]
    return sum(bool(line.strip()) for text in bare for line in text.splitlines())


def _bare(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def table(found: list[dict[str, Any]]) -> Table:
    """All engines, beside each other."""
    made = Table("engine", "CPU a year", "by part, ms", "wall", "rows", "actions", "code lines", "what it gives up")
    for one in found:
        made.add_row(*map(escape, cells(one)))
    return made


def cells(one: dict[str, Any]) -> list[str]:
    """An engine's figures as people read them."""
    parts = ", ".join(f"{part} {seconds * 1000:.0f}" for part, seconds in one["parts"].items())
    actions = "" if one["actions"] is None else f"{one['actions']:.0f}"
    figures = [f"{one['cpu'] * 1000:.0f} ms", parts, f"{one['wall']:.2f} s", f"{one['rows']:.0f}", actions]
    return [one["name"], *figures, f"{one['lines']:,}", one["gives_up"]]
