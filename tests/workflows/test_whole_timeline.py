"""The timeline of a whole life, line by line: what every kind of fact means to whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.service import RPCError

from tests import on_file
from tests.conftest import Servers
from tests.e2e.outages import Outside
from tests.living_in_memory import InMemory
from tests.replay.record import first_half_year, sold_held_and_handed_over
from tests.replay.record_cases import broken_promises, kept_promises, merged

KEPT = Path(__file__).with_name("timelines.json")
BEGINS = datetime(2027, 3, 1, 9, tzinfo=UTC)
STORIES: dict[str, Callable[..., Awaitable[str]]] = {
    "half_a_year": first_half_year,
    "held": sold_held_and_handed_over,
    "kept": kept_promises,
    "broken": broken_promises,
    "merged": merged,
}


async def lived(servers: Servers, memory: InMemory, story: str) -> list[Any]:
    """The lines of everything that a story writes, oldest first."""
    last = await servers.pool.fetchval("select coalesce(max(journal_id), 0) from journal")
    # The last thing that a story does may be to wait for what is over here at once.
    with memory.it_is(BEGINS), suppress(RPCError):
        if story in ("half_a_year", "held"):
            world = cast(Outside, SimpleNamespace(servers=servers, client=servers.client))
            await STORIES[story](world)
        else:
            await STORIES[story](servers)
    await memory.forget_all()
    accounts = "select account_id from journal group by account_id having min(journal_id) > $1"
    return await servers.pool.fetch(
        f"select * from timeline_item where account_id in ({accounts}) order by at, kind, visibility, title, key", last
    )


@pytest.mark.parametrize("story", STORIES)
async def test_a_whole_life_is_told_as_it_was(
    in_memory: tuple[Servers, InMemory], pytestconfig: pytest.Config, story: str
) -> None:
    rows = await lived(*in_memory, story)
    names: dict[str, str] = {}
    told = []
    for row in rows:
        names.setdefault(row["account_id"], f"<account {len(names) + 1}>")
        link = row["link"] or ""
        if link:
            names.setdefault(link.partition("/")[2], f"<{link.partition('/')[0]} {len(names) + 1}>")
        title = re.sub(r"^Crm-\w{6}", "<quote>", row["title"])  # by chance
        told.append([f"{row['at']:%d %b %Y %H:%M}", row["kind"], title, row["actor"], link, row["visibility"]])
    for line in told:
        for name, called in sorted(names.items(), key=lambda one: -len(one[0])):
            line[2], line[4] = line[2].replace(name, called), line[4].replace(name, called)
    on_file.holds(pytestconfig, KEPT, story, told)
