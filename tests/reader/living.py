"""Customers live, many beside each other on one stack, and everything that left for them is kept with the facts of the tables."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from activities.kernel.pool import Pool
from gateway.client import PerennialClient
from tests.reader.facts import Facts, read_facts
from tests.reader.letters import Letter, read_letters
from tests.reader.parts import taken_apart
from workers.embedded.mailbox import Mailbox
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.life import Life
from workers.rehearsal.story import Story, read_story, shifted, weeks_to_shift

_NAMED = ("order_id", "contract_id", "account_id", "code", "staff_id", "case", "quote_id")
_SAID = (
    "name",
    "subject",
    "body",
    "text",
    "reason",
    "email",
    "contact_id",
    "line_id",
    "kind",
    "team",
    "language",
    "segment",
)
PATIENCE = 120.0


@dataclass(frozen=True)
class Lived:
    """What one customer was told, and what is on record of them."""

    name: str
    facts: Facts
    letters: list[Letter]


def apart(document: Any, mark: str) -> Any:
    """A story whose ids nobody else has, so that stories which name the same product or person differently live on one stack."""
    known = _ids(document)
    pattern = re.compile("|".join(sorted(map(re.escape, known), key=len, reverse=True)) or r"(?!)")

    def renamed(text: str) -> str:
        found = pattern.match(text)
        whole = found is not None and (found.end() == len(text) or text[found.end()] == ".")
        return f"{found[0]}-{mark}{text[found.end() :]}" if found and whole else text

    def walk(value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {renamed(name): walk(inner, name) for name, inner in value.items()}
            case list():
                return [walk(inner, key) for inner in value]
            case str() if key not in _SAID:
                return renamed(value)
            case _:
                return value

    return walk(document)


def _ids(value: Any) -> set[str]:
    match value:
        case dict():
            named = _NAMED if "kind" in value else [key for key in _NAMED if key != "code"]
            own = {value[key] for key in named if isinstance(value.get(key), str)}
            return own.union(*(_ids(inner) for inner in value.values()))
        case list():
            return set().union(*(_ids(inner) for inner in value))
        case _:
            return set()


def told_apart(path: Path, mark: str) -> Story:
    """The story of a file, with ids of its own."""
    story = read_story(path)
    return Story.model_validate(apart(story.model_dump(mode="json", exclude_unset=True), mark))


async def live(
    client: PerennialClient,
    pool: Pool,
    mailbox: Mailbox,
    name: str,
    story: Story,
    now: datetime,
    post: PostOffice | None = None,
) -> Lived:
    """Lives a story to its end, and keeps what is to be read of it. `post`: for stories in which the customer writes."""
    orders = story.read_orders()
    if weeks := weeks_to_shift(orders, now):
        story = story.having(orders=[shifted(document, weeks) for document in story.orders])
        orders = story.read_orders()
    documents = sorted(story.orders, key=lambda document: datetime.fromisoformat(document["activated_at"]))
    life = Life(client, pool, story, orders, documents, lambda moment: None, post)
    await life.live()
    await settled(pool, life.account_id)
    return await kept(pool, mailbox, name, life.account_id, documents)


async def settled(pool: Pool, account_id: str) -> None:
    """Waits until nothing of the customer is on its way out."""
    deadline = time.monotonic() + PATIENCE
    while await pool.fetchval("select count(*) from outbox where account_id = $1 and status = 'waiting'", account_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"messages of {account_id} are still on their way")
        await asyncio.sleep(0.05)


async def kept(
    pool: Pool, mailbox: Mailbox, name: str, account_id: str, orders: list[dict[str, Any]] | None = None
) -> Lived:
    """What is to be read of one customer."""
    async with pool.acquire() as connection:
        facts = await read_facts(connection, account_id, orders)
    return Lived(name, facts, taken_apart(facts, read_letters(facts, mailbox)))
