"""Usage of many accounts recorded together, each account all of it or nothing: what a file says, in chunks that never stand in memory as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from activities.frame.customers import load_playbook
from activities.kernel.pool import Connection, Pool
from activities.success.usage import lock_usage
from activities.success.usage_batches import Writer, any_on_record, reporters, seats_in_use
from domain.kernel.calendar import local_day, start_of_day
from domain.kernel.refusals import ACCOUNT_MERGED, Problem, Refusal
from domain.success.usage import Level, calls_for_a_look, reported_level

Pair = tuple[str, str]
"""An account and a product."""
Figure = tuple[str, str, int]
"""The users of a product on a day."""
NOT_SAID = "\\N"
"""What stands in a line of COPY for what was not reported."""


class UsageBatch(Protocol):
    """Figures of some accounts, of days that have come. `fields`: what its lines have, by the names of `UsageRow`."""

    fields: Sequence[str]

    @property
    def spans(self) -> Mapping[Pair, tuple[date, date]]:
        """The first and the last day that is reported of each account and product."""

    def chunks(self) -> Iterator[tuple[bytes, set[str]]]:
        """The figures in order, as lines of COPY, and whose they are."""


@dataclass(frozen=True)
class Crossed:
    """The use of an account crossed a threshold, which its journey has to hear of."""

    account_id: str
    level: Level
    as_of: datetime


@dataclass(frozen=True)
class Recorded:
    """What became of a batch: whom to tell what, and which accounts and products were refused."""

    crossed: Sequence[Crossed]
    refused: Mapping[Pair, Refusal]


async def record_batch(pool: Pool, batch: UsageBatch) -> Recorded:
    """Writes a batch into the facts, in one transaction."""
    accounts = sorted({account_id for account_id, _ in batch.spans})
    async with pool.acquire() as connection, connection.transaction():
        await lock_usage(connection, accounts)
        known = {row["account_id"]: row for row in await reporters(connection, accounts)}
        refused = {pair: refusal for pair in batch.spans if (refusal := _refusal(pair, known[pair[0]]))}
        taken = {pair: span for pair, span in batch.spans.items() if pair not in refused}
        looked_at = _latest(taken, known)
        before = await _levels(connection, known, {a: known[a]["told"] or latest for a, latest in looked_at.items()})
        firsts, lasts = zip(*taken.values(), strict=True) if taken else ((), ())
        overlaps = await any_on_record(connection, [a for a, _ in taken], [p for _, p in taken], firsts, lasts)
        writer, news = Writer(connection, batch.fields, refused, overlaps), set[str]()
        for chunk, whose in batch.chunks():
            news |= await writer.write(chunk, whose)
        until = {a: max(latest, known[a]["told"] or latest) for a, latest in looked_at.items()}
        after = await _levels(connection, known, until)
    crossed = [
        Crossed(account_id, level, known_after(until[account_id]))
        for account_id in looked_at
        if (level := after[account_id]) is not None
        # Figures that change nothing were sent before, perhaps by a process that died before it could tell: tell again.
        and (level != before[account_id] or account_id not in news)
        and calls_for_a_look(before[account_id], level)
    ]
    return Recorded(crossed, refused)


def _refusal(pair: Pair, reporter: Mapping[str, Any]) -> Refusal | None:
    account_id, product = pair
    if reporter["merged_into"] is not None:
        return merged(account_id, reporter["merged_into"])
    return never_sold(account_id, {product}, reporter["products"])


def merged(account_id: str, other: str) -> Refusal:
    said = f"account {account_id!r} is part of {other!r} now; report its use with that one's, day by day"
    return Refusal(ACCOUNT_MERGED, said)


def never_sold(account_id: str, reported: set[str], products: Sequence[str]) -> Refusal | None:
    """Why a customer does not use what is reported; null if they do, and while nothing was sold to them."""
    unknown = sorted(reported - set(products))
    if not unknown or not products:
        return None
    says = f"{unknown[0]!r} was never sold to {account_id!r}; sold: {', '.join(products)}"
    return Refusal("InvalidUsage", "the usage cannot be recorded", [Problem(field="product", problem=says)])


def _latest(taken: Mapping[Pair, tuple[date, date]], known: Mapping[str, Mapping[str, Any]]) -> dict[str, date]:
    """The last day that is reported of each account to which something was sold."""
    latest: dict[str, date] = {}
    for (account_id, _), (_, last) in taken.items():
        if known[account_id]["products"]:
            latest[account_id] = max(last, latest.get(account_id, last))
    return latest


async def _levels(
    connection: Connection, known: Mapping[str, Mapping[str, Any]], days: Mapping[str, date]
) -> dict[str, Level | None]:
    """Where the use of each account stands once all figures of its day are known."""
    instants = {account_id: known_after(day) for account_id, day in days.items()}
    today = {a: local_day(at, known[a]["time_zone"]) for a, at in instants.items()}
    used = await seats_in_use(connection, list(days), list(instants.values()), list(today.values()))
    levels: dict[str, Level | None] = dict.fromkeys(days)
    for account_id, uses in used.items():
        facts = known[account_id]
        playbook = await load_playbook(connection, facts["segment"], facts["playbook_version"])
        levels[account_id] = reported_level(uses, playbook, today[account_id])
    return levels


def figures_of(batch: UsageBatch, accounts: Collection[str]) -> dict[str, list[Figure]]:
    """What a batch says of the products of some accounts."""
    found: dict[str, list[Figure]] = {account_id: [] for account_id in accounts}
    feature = batch.fields.index("feature") if "feature" in batch.fields else None
    for chunk, whose in batch.chunks() if found else ():
        for line in chunk.decode().removesuffix("\n").split("\n") if not whose.isdisjoint(found) else ():
            account_id, product, day, active, *others = line.split("\t")
            if account_id in found and (feature is None or others[feature - 4] == NOT_SAID):
                found[account_id].append((product, day, int(active)))
    return found


def known_after(day: date) -> datetime:
    """The instant from which all of a local day's figures are known."""
    return start_of_day(day + timedelta(days=1), "UTC")
