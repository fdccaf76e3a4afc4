"""Customers of a real feed live a year of their own time."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Servers
from tests.workers.feeds.builders import feed, line, sample_of_its_own, sample_rows
from workers.cli.common import UserError
from workers.cli.rehearse import rehearse_feed, weeks_to_today
from workers.cli.stack import Up
from workers.wiring import build_attending

MOVED = "12422"
"""Ordered from Sydney first, from Zurich later: the same anniversary is still to come by the second clock."""
JAPANESE = next(row[6] for row in sample_rows() if row[7] == "Japan")
REGULAR = ("12823", "16998")


@pytest.fixture
def up(servers: Servers) -> Up:
    """The servers of the tests as `perennial up` has them."""
    return Up(
        servers.stack,
        servers.stack.running,
        servers.client,
        servers.pool,
        build_attending(servers.pool, servers.settings),
    )


@pytest.mark.parametrize(
    ("first", "today", "weeks"),
    [
        (date(2010, 12, 1), date(2010, 12, 1), 0),
        (date(2010, 12, 1), date(2010, 12, 2), 1),
        (date(2010, 12, 1), date(2010, 12, 8), 1),
        (date(2010, 12, 1), date(2026, 11, 22), 834),
        (date(2030, 1, 10), date(2030, 1, 1), -1),
    ],
)
def test_feed_is_moved_to_begin_today_or_less_than_a_week_later(first: date, today: date, weeks: int) -> None:
    assert weeks_to_today(first, today) == weeks
    assert timedelta(0) <= first + timedelta(weeks=weeks) - today < timedelta(weeks=1)


async def test_customers_live_a_year_from_their_first_order(servers: Servers, up: Up, tmp_path: Path) -> None:
    customers = (MOVED, JAPANESE, *REGULAR)
    file, suffix = sample_of_its_own(tmp_path, customers)
    accounts = [f"{customer}{suffix}" for customer in customers]

    told = await rehearse_feed(up, file, customers=50, seed=1)

    journal = {account: await servers.journal(account) for account in accounts}
    _check_orders(journal, told, suffix)
    _check_mails(servers, journal, told, accounts)
    kinds = Counter(row["kind"] for rows in journal.values() for row in rows)
    assert dict(kinds) == told["steps_by_kind"]
    assert (told["customers"], told["steps"]) == (4, kinds.total())
    assert (told["done_twice"], told["messages_waiting"]) == (0, 0)
    for account in accounts:
        first = min(row["at"] for row in journal[account] if row["key"].endswith("welcome"))
        assert await servers.client.now(account) > first + timedelta(days=364)
    latest = [
        [r["kind"] for r in rows if r["kind"] in ("order_accepted", "reorder_lapse")][-1] for rows in journal.values()
    ]
    assert told["lapsed"] == latest.count("reorder_lapse") == 3, "the sample ends months before these years do"


def _check_orders(journal: dict[str, list[Any]], told: dict[str, Any], suffix: str) -> None:
    """Each order was placed when its moved instant came by the customer's clock, at the same hour by the feed's."""
    placed = {
        row["key"].rpartition("order:")[2]: row["at"]
        for rows in journal.values()
        for row in rows
        if row["kind"] == "order_accepted"
    }
    assert told["orders"] == len(placed) >= 11
    begun = {min(orders) for orders in _orders_of(journal).values()}
    for row in sample_rows():
        order_id = f"{row[0]}{suffix}"
        if order_id in placed and order_id not in begun:
            moved = datetime.fromisoformat(row[4]) + timedelta(weeks=told["shift_weeks"])
            due = moved.replace(tzinfo=ZoneInfo("Europe/London"))
            assert timedelta(0) <= placed[order_id] - due < timedelta(minutes=10)


def _orders_of(journal: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {
        account: [row["key"].rpartition("order:")[2] for row in rows if row["kind"] == "order_accepted"]
        for account, rows in journal.items()
    }


def _check_mails(servers: Servers, journal: dict[str, list[Any]], told: dict[str, Any], accounts: list[str]) -> None:
    """The mailbox has what the summary says: nothing twice, everybody in their language."""
    arrived = [mail for account in accounts for mail in servers.mails_to(f"{account}@customers.example")]
    assert Counter(mail.language for mail in arrived) == told["mails"]
    assert {mail.language for mail in servers.mails_to(f"{accounts[1]}@customers.example")} == {"ja"}
    assert len({mail.message_id for mail in arrived}) == len(arrived)
    for account in accounts:
        welcomes = [row for row in journal[account] if row["key"].endswith("/welcome")]
        assert len(welcomes) == 1
        at = welcomes[0]["at"].replace(microsecond=0)
        assert len([mail for mail in servers.mails_to(f"{account}@customers.example") if mail.at == at]) == 1


async def test_same_seed_draws_the_same_customers(servers: Servers, up: Up, tmp_path: Path) -> None:
    drawn: list[set[str]] = []
    for seed in (3, 3, 4):
        orders = [line(order=f"draw{len(drawn)}.{n}", customer=f"d{len(drawn)}-{n}") for n in range(30)]
        told = await rehearse_feed(up, feed(tmp_path, *orders), customers=2, seed=seed, months=1)
        assert (told["customers"], told["orders"], told["months"]) == (2, 2, 1)
        rows = await servers.pool.fetch("select account_id from account where account_id like $1", f"d{len(drawn)}-%")
        drawn.append({row["account_id"].partition("-")[2] for row in rows})

    assert drawn[0] == drawn[1] != drawn[2]


async def test_feed_without_orders_is_said_to_be_so(up: Up, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no order that could be placed"):
        await rehearse_feed(up, feed(tmp_path, line(customer="")), customers=2, seed=1)
