"""Health sees what we know: nobody who leaves is healthy, a fall is somebody's task, and so is what is not known for long."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.success.health_runs import run_health
from domain.kernel.calendar import is_business_day
from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, settled
from tests.workflows.service_side import onboarded, open_case, report_full_use, resolve_case
from tests.workflows.success.test_unhappy import notices

DAY = timedelta(days=1)
TOKYO = ZoneInfo("Asia/Tokyo")


async def used(servers: Servers, account: str, users: int, days: int = 56) -> None:
    """The meter has told of so many users for weeks."""
    today = (await servers.client.now(account)).date()
    rows = [UsageRow(account_id=account, product="SEATS", day=today - n * DAY, active_users=users) for n in range(days)]
    await servers.client.record_usage(rows)


async def looked_at(servers: Servers, account: str, pass_by: timedelta = timedelta(minutes=1)) -> Any:
    """The score after the daily look, once the journey has heard of it."""
    await servers.client.score_health(account)
    await servers.client.fast_forward(account, pass_by)
    await settled(servers.pool, account)
    return await score_of(servers, account)


async def score_of(servers: Servers, account: str) -> Any:
    """The latest score on record."""
    return await servers.pool.fetchrow(
        "select * from health_score where account_id = $1 order by at desc limit 1", account
    )


async def plays(servers: Servers, account: str, *, closed: bool = False) -> list[Any]:
    """The tasks that health has raised."""
    rows: list[Any] = await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and starts_with(key, 'health/') and (closed_at is not null) = $2"
        " order by opened_at, key",
        account,
        closed,
    )
    return rows


async def healthy(servers: Servers, **changes: Any) -> str:
    """A customer who uses what they bought, and is scored so."""
    _, account = await onboarded(servers, **changes)
    await used(servers, account, 33)
    score = await looked_at(servers, account)
    assert (score["band"], score["score"] >= 90) == ("healthy", True)
    return account


def names(score: Any) -> set[str]:
    """The rules that bore on a score."""
    return {rule["name"] for rule in score["rules"]}


async def test_whose_refund_is_late_is_not_ninety_nine(servers: Servers) -> None:
    account = await healthy(servers)
    case = await open_case(servers, account, category="refund_dispute", priority="high")
    at = await servers.client.now(account)
    at_once = await score_of(servers, account)
    assert ((at_once["band"], at_once["cause"]), at_once["at"] <= at) == (("watch", "blocked"), True)  # not next night
    await servers.pool.execute(
        "insert into case_milestone (case_id, milestone, number, kind, started_at, due_at, violated_at, state)"
        " values ($1, 'resolution', 1, 'resolution', $2, $2, $2, 'missed')",
        case,
        at,
    )
    score = await looked_at(servers, account)
    assert (score["band"], score["score"] <= 69) == ("watch", True)
    assert "blocked" in names(score)
    parts = {part["name"]: part for part in score["parts"]}
    assert parts["open_cases"]["says"] == f"1 case open, the worst refund dispute: {case}"
    assert parts["broken_promises"]["says"] == "1 of 1 case resolved later than promised"
    (play,) = await plays(servers, account)
    assert play["key"] == "health/blocked"
    await resolve_case(servers, account, case)
    for _ in range(14):
        score = await looked_at(servers, account, DAY)
    assert score["band"] == "healthy"
    assert await plays(servers, account) == []
    assert await apart(servers, account) == []


async def test_who_declined_is_never_healthy_and_neither_is_who_is_in_grace(servers: Servers) -> None:
    account = await healthy(servers)
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", account)
    request = {"contract_id": contract, "decision": "decline", "reason": "too expensive"}
    await servers.client.ask(account, "answer_renewal", request)
    at_once = await score_of(servers, account)
    assert (at_once["band"], at_once["news"]) == ("watch", None)
    assert {"silence": "heard from them today"}.items() <= {
        one["name"]: one["says"] for one in at_once["parts"]
    }.items()
    score = await looked_at(servers, account)
    assert (score["score"], score["band"], score["cause"]) == (69, "watch", "declined")
    assert score["why"].startswith(f"the renewal of {contract} is declined: never healthy")
    (play,) = await plays(servers, account)
    assert (play["key"], play["staff_id"], play["reason"]) == ("health/declined", "S-2", score["why"])


async def test_in_grace_nobody_is_a_hundred(servers: Servers) -> None:
    account = await healthy(servers)
    until = await servers.pool.fetchval(
        "select max(ends_at) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
    await servers.client.fast_forward_to(account, until - DAY)
    await used(servers, account, 38)
    score = await looked_at(servers, account)
    assert next(part for part in score["parts"] if part["name"] == "renewal")["value"] == "20.0"  # no answer so far
    await servers.client.fast_forward_to(account, until + DAY)
    await used(servers, account, 38)
    score = await looked_at(servers, account)
    assert "grace" in names(score)
    assert score["band"] in ("watch", "critical")
    assert "health/grace" in [play["key"] for play in await plays(servers, account)]
    assert await apart(servers, account) == []


async def test_what_is_unknown_for_long_is_somebodys_task_until_it_is_known(servers: Servers) -> None:
    _, account = await onboarded(servers)
    since: datetime | None = None
    for _ in range(110):
        score = await looked_at(servers, account, DAY)
        if score["band"] == "unknown" and since is None:
            since = score["at"]
        if await plays(servers, account):
            break
    assert since is not None
    (task,) = await plays(servers, account)
    assert (task["key"], task["staff_id"], task["title"]) == ("health/unknown", "S-2", "Health is unknown for 45 days")
    assert timedelta(days=44) < task["opened_at"] - since < timedelta(days=47)
    assert task["opened_at"] + timedelta(days=4) < task["due_at"] < task["opened_at"] + timedelta(days=15)
    told = [title for to, title, _, _ in await notices(servers, account) if to == "S-2"]
    assert told.count("Health is unknown for 45 days") == 1
    await looked_at(servers, account, 5 * DAY)
    assert len(await plays(servers, account)) == 1
    await used(servers, account, 33)
    score = await looked_at(servers, account)
    assert score["band"] == "healthy"
    assert await plays(servers, account) == []
    assert await apart(servers, account) == []


async def test_a_fall_is_one_play_by_the_next_business_day_and_a_rise_settles_it(servers: Servers) -> None:
    account = await healthy(servers)
    await used(servers, account, 3, days=28)
    at = await servers.client.now(account)
    score = await looked_at(servers, account)
    assert score["band"] == "critical"
    (play,) = await plays(servers, account)
    assert (play["key"], play["title"], play["staff_id"]) == ("health/seats", "Health fell to critical", "S-1")
    assert play["reason"] == score["why"]
    days = [(at + n * DAY).astimezone(TOKYO).date() for n in range(1, 20)]
    first = next(day for day in days if is_business_day(day, "JP"))
    assert play["due_at"].astimezone(TOKYO).date() == first
    assert "health_critical" in await attention_of(servers.temporal, account)
    for _ in range(3):
        await looked_at(servers, account, DAY)
    assert len(await plays(servers, account)) == 1
    told = [one for one in await notices(servers, account) if one[1] == "Health fell to critical"]
    assert [one[0] for one in told] == ["S-1"]
    assert "8 % of 40 seats in use on average" in told[0][3]
    await used(servers, account, 36)
    score = await looked_at(servers, account)
    assert score["band"] == "healthy"
    assert await plays(servers, account) == []
    (settled_one,) = await plays(servers, account, closed=True)
    assert settled_one["closed_at"] > play["opened_at"]
    assert "health_critical" not in await attention_of(servers.temporal, account)
    assert await apart(servers, account) == []


async def test_a_journey_hears_of_another_band_alone(servers: Servers) -> None:
    account = await healthy(servers)
    heard = "select count(*) from journal where account_id = $1 and kind in ('health_changed', 'relationship_health')"
    before = await servers.pool.fetchval(heard, account)
    for users in (34, 35, 36):
        await used(servers, account, users)
        await looked_at(servers, account)
    assert await servers.pool.fetchval(heard, account) == before
    await servers.pool.execute(
        "update contact set role = 'sponsor', rejected_at = now() where account_id = $1", account
    )
    await servers.pool.execute(
        "update contact set rejected_at = $2 where account_id = $1", account, await servers.client.now(account) - DAY
    )
    score = await looked_at(servers, account)
    assert (score["score"], names(score)) == (60, {"sponsor_left"})
    assert await servers.pool.fetchval(heard, account) == before + 1


async def test_what_a_journey_did_not_hear_it_hears_the_next_time(servers: Servers) -> None:
    account = await healthy(servers)
    at = await servers.client.now(account)
    await servers.pool.execute("update usage_day set active_users = 3 where account_id = $1", account)
    run = await run_health(servers.pool, None, at, [account])
    assert (run.scored, run.written, run.told, run.untold) == (1, 1, 0, 1)
    again = await run_health(servers.pool, None, at, [account])
    assert (again.written, again.untold) == (1, 1)  # the same instant comes to the same
    assert await plays(servers, account) == []
    await looked_at(servers, account, DAY)
    assert [play["key"] for play in await plays(servers, account)] == ["health/seats"]
    assert (await servers.client.score_health(account)).told == 0


async def test_a_person_knows_better_for_a_while(servers: Servers) -> None:
    account = await healthy(servers)
    says = {"band": "critical", "reason": "their budget is cut", "days": 10, "by": "S-2"}
    answer = await servers.client.ask(account, "override_health", says)
    assert answer["band"] == "critical"
    score = await score_of(servers, account)
    assert (score["band"], names(score), score["score"] > 80) == ("critical", {"override"}, True)
    assert "Sam Success says critical until" in score["why"]
    assert [play["key"] for play in await plays(servers, account)] == ["health/override"]
    assert (await looked_at(servers, account, 5 * DAY))["band"] == "critical"
    await servers.client.fast_forward(account, 6 * DAY)
    score = await looked_at(servers, account)
    assert (score["band"], names(score)) == ("healthy", set())
    assert await plays(servers, account) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"days": 31}, "30"),
        ({"days": None}, "days or until"),
        ({"days": None, "until": "2020-01-01T00:00:00Z"}, "within 30 days"),
        ({"reason": ""}, "reason"),
        ({"band": "unknown"}, "band"),
    ],
)
async def test_an_override_without_an_end_or_a_reason_is_refused(
    servers: Servers, change: dict[str, Any], says: str
) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    request = {"band": "healthy", "reason": "I know them", "days": 10, "by": "S-2", **change}
    with pytest.raises(Refusal, match=says):
        await servers.client.ask(
            account, "override_health", {key: value for key, value in request.items() if value is not None}
        )
    assert not await servers.pool.fetchval("select count(*) from health_override where account_id = $1", account)


async def test_an_overdue_invoice_is_one_band_less_until_it_is_paid(servers: Servers) -> None:
    account = await healthy(servers)
    with pytest.raises(Refusal, match="never issued"):
        await servers.client.ask(account, "note_payment", {"number": 999, "status": "overdue", "by": "ledger"})
    number = await servers.pool.fetchval("select max(number) from invoice where account_id = $1", account)
    await servers.client.ask(account, "note_payment", {"number": number, "status": "overdue", "by": "ledger"})
    score = await looked_at(servers, account, DAY)
    assert (score["score"], score["band"], names(score)) == (69, "watch", {"overdue"})
    await servers.client.ask(account, "note_payment", {"number": number, "status": "paid", "by": "ledger"})
    score = await looked_at(servers, account)
    assert score["band"] == "healthy"
    assert next(part for part in score["parts"] if part["name"] == "invoices")["says"] == "invoices are paid"


async def test_an_offer_waits_for_the_hold_and_not_for_the_health_that_it_lowers(servers: Servers) -> None:
    account = await healthy(servers)
    case = await open_case(servers, account)
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, DAY)
    await resolve_case(servers, account, case)
    await servers.client.fast_forward(account, timedelta(days=12))
    assert await servers.pool.fetchval("select count(*) from offer where account_id = $1", account) == 1


async def test_a_fall_that_a_journey_saw_by_itself_is_not_told_again(servers: Servers) -> None:
    account = await healthy(servers)
    await used(servers, account, 3, days=28)
    await looked_at(servers, account)
    await servers.pool.execute(
        "insert into health_score select (jsonb_populate_record(h, jsonb_build_object("
        "'at', h.at + interval '1 second', 'told_at', null))).* from health_score h where account_id = $1 and news = 'fell'",
        account,
    )
    assert (await servers.client.score_health(account)).told == 0
    await looked_at(servers, account)
    assert [title for _, title, _, _ in await notices(servers, account)].count("Health fell to critical") == 1


async def test_a_task_is_late_once_its_day_is_over(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    due = "select min(due_at) from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system'"
    at: datetime = await servers.pool.fetchval(due, account)
    await servers.client.fast_forward_to(account, at + timedelta(hours=3))
    assert ", 1 late" not in await said_of_onboarding(servers, account)
    await servers.client.fast_forward_to(account, at + DAY)
    assert ", 1 late" in await said_of_onboarding(servers, account)


async def said_of_onboarding(servers: Servers, account: str) -> str:
    """What the score of now says of the tasks of their onboarding."""
    await servers.client.score_health(account)
    parts = await servers.pool.fetchval(
        "select parts from health_score where account_id = $1 order by at desc limit 1", account
    )
    return next(str(part["says"]) for part in parts if part["name"] == "onboarding")


async def test_a_fall_is_told_with_what_has_lowered_it_and_not_with_what_was_so_before(servers: Servers) -> None:
    account = await healthy(servers)
    await servers.pool.execute("update account set success_manager_id = owner_id where account_id = $1", account)
    await servers.client.fast_forward(account, timedelta(days=40))
    await used(servers, account, 4, days=28)
    await servers.client.score_health(account)
    await servers.client.fast_forward(account, timedelta(days=4))
    (told,) = [one for one in await notices(servers, account) if one[1].startswith("Health fell")]
    assert " % of 41 seats in use on average" in told[3] or " % of 40 seats in use on average" in told[3]
    assert re.search(r"use -\d+ % in 28 days", told[3])
    assert "heard from" not in told[3]
    assert "onboarding" not in told[3]
    # The low use is told with it, in one mail.
    rows = await servers.pool.fetch(
        "select staff_id, body->>'title' as title, left_with from outbox"
        " where account_id = $1 and channel = 'deliver_notice' and created_at = $2 order by delivery_id",
        *(account, told[2]),
    )
    (low,) = [row for row in rows if row["title"].startswith("Low adoption")]
    (fell,) = [row for row in rows if row["title"].startswith("Health fell")]
    assert low["staff_id"] == fell["staff_id"] == "S-1"
    assert [low["left_with"], fell["left_with"]].count(None) == 1
    both = [mail for mail in servers.mails_to("olga@seller.example") if "Health fell" in mail.subject]
    assert low["title"] in both[-1].subject
