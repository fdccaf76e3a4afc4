"""What the agendas of many customers follow from, read set by set: three statements for some hundreds of them, and no ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from activities.frame import customers
from activities.holds import hold_rows
from activities.journey import agenda_facts
from activities.kernel.pool import Connection
from domain.frame.customer import Customer
from domain.frame.keys import effect_key
from domain.frame.partly import read_customer, with_known_zones
from domain.frame.situation import Situation
from domain.frame.unreadable import UnreadableError
from domain.journey.agenda_facts import Facts, OnRecord
from domain.kernel.calendar import local_day
from domain.kernel.zones import is_zone


@dataclass(frozen=True)
class Held:
    """An account to be read: its zone, and the version of the playbook that it has."""

    account_id: str
    time_zone: str
    version: int


async def accounts_of(connection: Connection, segment: str, after: str, limit: int) -> list[Held]:
    """Accounts of a segment that are not closed, in the order of their ids, a page at a time."""
    rows = await connection.fetch(
        "select account_id, time_zone, playbook_version as version from account where segment = $1 and account_id > $2"
        " and closed_at is null order by account_id limit $3",
        *(segment, after, limit),
    )
    return [Held(**dict(row)) for row in rows]


_PLACE = re.compile(r"\$(\d)")


def _of_each(statement: str, *places: str) -> str:
    """A statement on one account, asked of each account of `w` in one round trip: `places` stand for its parameters."""
    return _PLACE.sub(lambda found: places[int(found[1]) - 1], statement)


_RECORDS = f"""
select w.id, ({_of_each(agenda_facts.RECORD, "w.id", "w.prefix", "$3")}) as said
from unnest($1::text[], $2::text[]) w (id, prefix)"""
_ANCHORS = f"select w.id, ({_of_each(agenda_facts.ANCHORS, 'w.id')}) as said from unnest($1::text[]) w (id)"
_CUSTOMERS = f"""
select w.id, ({_of_each(customers.CUSTOMER, "w.id", "w.at", "w.day")}) as said
from unnest($1::text[], $2::timestamptz[], $3::date[]) w (id, at, day)"""


async def load_many(
    connection: Connection, accounts: Sequence[Held], as_of: datetime, *, plays: bool, service: bool
) -> list[Facts]:
    """The facts of these accounts at `as_of`, or at the latest instant of theirs that is on record; none of those that cannot be read.

    plays: with what plays count from. service: with what service knows of them, read one by one.
    """
    ids = [one.account_id for one in accounts if is_zone(one.time_zone)]
    zones = {one.account_id: one.time_zone for one in accounts}
    rows = await connection.fetch(_RECORDS, ids, [effect_key(id, "") for id in ids], list(agenda_facts.LATER))
    records = {row["id"]: OnRecord.model_validate_json(row["said"]) for row in rows}
    if plays:
        for row in await connection.fetch(_ANCHORS, ids):
            records[row["id"]] = records[row["id"]].having(anchors=agenda_facts.read_anchors(row["said"]))
    times = {id: max(as_of, one.last_known) if one.reopened_at is None else as_of for id, one in records.items()}
    days = [local_day(times[id], zones[id]) for id in ids]
    rows = await connection.fetch(_CUSTOMERS, ids, [times[id] for id in ids], days)
    found = []
    for row in rows:
        id = row["id"]
        if (customer := _customer(row["said"])) is None:
            continue
        account = customer.account
        playbook = await customers.load_playbook(connection, account.segment, account.playbook_version)
        at = times[id]
        situation = Situation(customer, playbook, at)
        if service:
            situation = Situation(customer, playbook, at, service=await hold_rows.load_service(connection, id, at))
        found.append(Facts(situation, records[id], at))
    return found


def _customer(said: str) -> Customer | None:
    try:
        return with_known_zones(Customer.model_validate_json(said))
    except ValidationError:
        pass
    try:
        return with_known_zones(read_customer(json.loads(said)))
    except UnreadableError:
        return None
