"""Many years of a customer across many runs: every step once, messages at the boundaries included, and nothing grows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from domain.kernel.ids import journey_id
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, check_messages, onboard, place, report_usage, settled, steps_of

STATE_LIMIT = 24 * 1024
EVENT_LIMIT = 500
YEARS = 10


async def runs_of(servers: Servers, account: str) -> list[int]:
    """The events of each run of a journey, in any order."""
    query = f"WorkflowId = '{journey_id(account)}'"
    found = [(run.run_id, run.status) async for run in servers.temporal.list_workflows(query)]
    lengths = []
    for run_id, _ in found:
        handle = servers.temporal.get_workflow_handle(journey_id(account), run_id=run_id)
        lengths.append(int((await handle.describe()).history_length))
    return lengths


async def inputs_of(servers: Servers, account: str) -> list[int]:
    """The bytes that each run after the first was given by the one before it, without messages that were just on their way out:
    how many of those there are depends on the machine alone."""
    sizes = []
    query = f"WorkflowId = '{journey_id(account)}'"
    async for run in servers.temporal.list_workflows(query):
        handle = servers.temporal.get_workflow_handle(journey_id(account), run_id=run.run_id)
        async for event in handle.fetch_history_events(page_size=1):
            started = event.workflow_execution_started_event_attributes
            if started.continued_execution_run_id:
                [given] = await servers.temporal.data_converter.decode(started.input.payloads)
                given["state"].pop("in_flight", None)
                sizes.append(len(json.dumps(given, separators=(",", ":"))))
            break
    return sizes


def two_contracts() -> dict[str, Any]:
    """One contract that renews by itself and one that waits for an answer."""
    document = order()
    first = document["contracts"][0]
    second = {
        **first,
        "contract_id": f"{first['contract_id']}-B",
        "lines": [{"line_id": "4", "product": "CARE", "quantity": 2, "unit_price": "9000", "per": "year"}],
    }
    document["contracts"] = [{**first, "auto_renew": True}, second]
    return document


async def disturb(servers: Servers, account: str, name: str, count: int) -> list[str]:
    """Signals that come in while time runs, so that some fall onto a boundary of runs."""
    handle = servers.handle(account)
    sent = [f"{name}-{n}" for n in range(count)]
    for signal_id in sent:
        await handle.signal("usage_changed", {"id": signal_id, "at": "2027-01-01T00:00:00Z", "level": "usual"})
        await asyncio.sleep(0.01)
    return sent


@pytest.mark.slow("years")
@pytest.mark.parametrize("years", [5, YEARS])
async def test_years_with_messages_at_every_boundary_do_every_step_once(servers: Servers, years: int) -> None:
    document = two_contracts()
    account = account_of(document)
    by_itself, answered = (contract["contract_id"] for contract in document["contracts"])
    client = servers.client
    await place(servers.temporal, document, start={"roll_over_after_events": 120})
    began = await client.now(account)
    sent: list[str] = []
    events: list[int] = []
    for year in range(years):
        for part, days in enumerate((45, 180, 330, 366)):
            if (year, part) == (0, 1):
                await onboard(client, account)
            if part == 2:
                await report_usage(client, account, users=28 if year % 2 else 25)
            target = began + timedelta(days=365 * year + days)
            _, signals = await asyncio.gather(
                client.fast_forward_to(account, target), disturb(servers, account, f"y{year}-{part}", 8)
            )
            sent += signals
            if part == 2:
                request = {"contract_id": answered, "decision": "accept", "request_id": f"renew-{year}"}
                twice = await asyncio.gather(*(client.ask(account, "answer_renewal", request) for _ in range(2)))
                assert twice[0] == twice[1]
        events.append(sum(await runs_of(servers, account)))
    await client.fast_forward(account, timedelta(days=45))  # leap days, and the end of the last term
    await settled(servers.pool, account)

    runs = await runs_of(servers, account)
    assert len(runs) > 2 * years
    assert max(runs) <= EVENT_LIMIT
    lengths = [later - earlier for earlier, later in pairwise(events)]
    assert max(lengths[3:]) <= 1.1 * max(lengths[:3]), f"the years grow: {lengths}"
    assert max(await inputs_of(servers, account)) < STATE_LIMIT

    done = await steps_of(servers.pool, account)
    # One look answers all reports that wait for it; none is looked at twice, and no burst goes by unseen.
    looks = Counter(key.removeprefix("adoption/usage-") for key in done if key.startswith("adoption/usage-y"))
    assert set(looks.values()) == {1}
    assert set(looks) <= set(sent)
    assert {look.rsplit("-", 1)[0] for look in looks} == {signal_id.rsplit("-", 1)[0] for signal_id in sent}
    first_year = began.astimezone().year
    assert [key for key in done if "anniversary" in key] == [
        f"relationship/anniversary-{first_year + n}" for n in range(1, years + 1)
    ]
    check_in_rhythm(await days_of(servers, account, "adoption/check-in-%"), 30, years)
    for contract in (by_itself, answered):
        await check_terms(servers, contract, years)
    notices = Counter(key.split("/")[0] for key in done if key.startswith(f"renewal:{by_itself}:") and "notice" in key)
    assert set(notices.values()) == {3}
    assert len(notices) == years
    ends = [key for key in done if key.endswith("/term-end")]
    assert len(ends) == len(set(ends)) == 2 * years
    assert sum("answer_renewal:renew-" in key for key in done) == years
    times = await check_messages(servers.pool, account, servers.stack.mailbox)
    assert set(times.values()) == {1}
    assert sum("check-in" in delivery_id for delivery_id in times) >= 4 * years  # written once a quarter at least


async def days_of(servers: Servers, account: str, like: str) -> list[datetime]:
    rows = await servers.pool.fetch(
        "select at from journal where account_id = $1 and key like $2 order by at", account, f"journey:{account}/{like}"
    )
    return [row["at"] for row in rows]


def check_in_rhythm(instants: Sequence[datetime], days: int, years: int) -> None:
    """One after the other in their rhythm, moved by a holiday at most: none is missing, none came twice."""
    gaps = [(later.date() - earlier.date()).days for earlier, later in pairwise(instants)]
    assert len(instants) >= 12 * years - 2
    # The first comes before go-live moves the rhythm; New Year closes Japan for several days.
    assert all(days <= gap <= days + 8 for gap in gaps[1:]), gaps


async def check_terms(servers: Servers, contract: str, years: int) -> None:
    """A renewal a year, one after the other without gap or overlap, and the asset's periods with them."""
    terms = await servers.pool.fetch("select * from contract_term where contract_id = $1 order by number", contract)
    assert [term["number"] for term in terms] == list(range(1, years + 2))
    assert all(earlier["until"] == later["start_on"] for earlier, later in pairwise(terms))
    periods = await servers.pool.fetch(
        "select p.* from asset_state_period p join asset a using (asset_id) where a.contract_id = $1"
        " order by asset_id, starts_at",
        contract,
    )
    for asset_id in {period["asset_id"] for period in periods}:
        own = [period for period in periods if period["asset_id"] == asset_id]
        assert own[0]["starts_at"] == terms[0]["starts_at"]
        assert own[-1]["ends_at"] == terms[-1]["ends_at"]
        assert all(earlier["ends_at"] == later["starts_at"] for earlier, later in pairwise(own))


def contract_of(account: str, n: int, start: date, months: int) -> dict[str, Any]:
    return {
        "contract_id": f"K-{n:02}-{account[-6:]}",
        "term": {"start": start.isoformat(), "months": months},
        "auto_renew": True,
        "lines": [{"line_id": f"c{n}", "product": "SEATS", "quantity": 10 + n, "unit_price": "900"}],
    }


@pytest.mark.slow("years")
async def test_the_state_of_ten_years_and_fifty_contracts_stays_small(servers: Servers) -> None:
    lengths = [12] * 2 + [60] * 8 + [120] * 20
    document = order(lines=[])
    document["account"]["segment"] = "tech_touch"
    account = account_of(document)
    start = date.fromisoformat(document["contracts"][0]["term"]["start"])
    document["contracts"] = [
        contract_of(account, n, start + timedelta(days=n), months) for n, months in enumerate(lengths)
    ]
    client = servers.client
    await client.place_order(document)
    began = await client.now(account)
    for year in range(1, YEARS + 1):
        now = await client.fast_forward_to(account, began + timedelta(days=365 * year))
        if year <= 5:  # four more contracts a year
            more = {**document, "order_id": f"{document['order_id']}-{year}", "activated_at": now.isoformat()}
            more["contracts"] = [
                contract_of(account, n, now.date() + timedelta(days=10), 96)
                for n in range(26 + 4 * year, 30 + 4 * year)
            ]
            await client.place_order(more)
            for task in ("first_value", "go_live"):
                await client.ask(account, "complete_task", {"task": task, "order_id": more["order_id"]})
    active = await servers.pool.fetchval(
        "select count(*) from contract where account_id = $1 and status = 'active'", account
    )
    assert active == 50
    terms = await servers.pool.fetchval(
        "select count(*) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
    assert terms >= 75
    # A rollover now at the latest: what the next run is given is the whole state.
    before = len(await runs_of(servers, account))
    for _ in range(50):
        await client.ask(account, "pause", {"reason": "the end of the test"})
        await client.ask(account, "resume", {})
        if len(await runs_of(servers, account)) > before:
            break
    sizes = await inputs_of(servers, account)
    print(f"\nstate of ten years and fifty contracts: {max(sizes)} bytes at most, {len(sizes)} rollovers")
    assert len(sizes) >= YEARS
    assert max(sizes) < STATE_LIMIT
    assert max(await runs_of(servers, account)) <= EVENT_LIMIT
