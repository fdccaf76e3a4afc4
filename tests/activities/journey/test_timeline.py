"""The one timeline of a customer: complete, in order, hidden from whom it does not concern, and fast however long it is."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from activities.contracts.holdings import BEGIN_TERMS, DROP_TERMS
from activities.frame.handlers import Place
from activities.journey.timeline import page_query, timeline_page
from activities.kernel.pool import Connection
from activities.service.case_events import add_events
from activities.service.case_writes import save_milestones
from domain.contracts.writes import BeginTerm, DropTerm
from domain.journey.customer_timeline import Audience, TimelineKind, Visibility, read_cursor
from domain.journey.telling import event_told, health_told
from domain.kernel.refusals import Refusal
from domain.service.case import Happened, MilestoneFacts, Recorded
from tests import builders
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.timelines import START, explained, fill

_numbers = itertools.count(1)


async def filled(connection: Connection, items: int) -> str:
    """An account of its own with so many items."""
    account = await fill(connection, items, f"timeline-{next(_numbers)}-{items}")
    await connection.execute("analyze timeline_item")
    return account


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("kinds", [(), (TimelineKind.CASE,), (TimelineKind.CASE, TimelineKind.MESSAGE)])
@pytest.mark.parametrize("behind", [False, True])
async def test_a_page_reads_what_it_shows(
    servers: Servers, audience: Audience, kinds: tuple[TimelineKind, ...], behind: bool
) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 20_000)
        cursor = (START + timedelta(minutes=15_000), f"{account}/15000") if behind else ()
        query = page_query(kinds, audience.sees, 51, behind=behind)
        plan = await explained(connection, query, account, *cursor)
    assert plan.returned == 51
    assert plan.read <= 2 * plan.returned
    assert (plan.sorts, plan.sequential) == (0, ())


async def test_pages_tell_everything_once_also_while_more_happens(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 1_000)
        # Several things in one instant, on both sides of a page's end.
        await connection.execute(
            "update timeline_item set at = $2 where account_id = $1 and key > $3", account, START, f"{account}/5"
        )
        expected = await connection.fetch(
            "select key from timeline_item where account_id = $1 order by at desc, key desc", account
        )
        seen: list[str] = []
        cursor = None
        while True:
            page = await timeline_page(connection, account, before=cursor, limit=70)
            seen += [item.key for item in page.items]
            if page.next is None:
                break
            cursor = read_cursor(page.next)
            await connection.execute(
                "insert into timeline_item values ($1, $2, $3, 'case', 'new', 'system', null, 'staff')",
                f"{account}/new-{len(seen)}",
                account,
                START + timedelta(days=400),
            )
    assert seen == [row["key"] for row in expected]


async def test_who_may_not_see_an_item_gets_full_pages_without_it(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 300)
        found = {
            audience: (await timeline_page(connection, account, audience=audience, limit=60)).items
            for audience in Audience
        }
    assert {audience: len(items) for audience, items in found.items()} == dict.fromkeys(Audience, 60)
    assert {item.visibility for item in found[Audience.CUSTOMER]} == {Visibility.CUSTOMER}
    assert {item.visibility for item in found[Audience.SALES]} == {Visibility.CUSTOMER, Visibility.STAFF}
    assert {item.visibility for item in found[Audience.SERVICE]} == set(Visibility)


@pytest.mark.parametrize("text", ["", "nonsense!", "YWJj", "MTIz", "/", "é"])
def test_a_cursor_that_never_was_one_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="is no cursor"):
        read_cursor(text)


async def titles(servers: Servers, account: str, audience: Audience = Audience.SERVICE) -> list[tuple[str, str]]:
    async with servers.pool.acquire() as connection:
        page = await timeline_page(connection, account, audience=audience, limit=500)
    return [(item.kind.value, item.title) for item in reversed(page.items)]


async def placed(servers: Servers) -> str:
    document = builders.order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def test_an_order_its_contract_and_its_mail_are_on_the_timeline(servers: Servers) -> None:
    account = await placed(servers)
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", account)

    async def is_written() -> bool:
        return ("message", "Sent: welcome mail") in await titles(servers, account)

    await until(is_written, "the customer is welcomed")
    found = await titles(servers, account)
    kinds = [kind for kind, _ in found]
    assert "purchase" in kinds
    assert ("message", "Sent: welcome mail") in found
    assert ("contract", f"Contract {contract}: term 1 begins") in found
    assert kinds.count("invoice") == 1
    assert "relationship" not in kinds
    assert found[-1] == ("contract", f"Contract {contract}: term 1 ends")


def event(number: int, kind: Happened, by: str, detail: dict[str, Any], visibility: str = "shared") -> Recorded:
    at = START + timedelta(hours=number - 1)
    return Recorded(sequence=number, at=at, recorded_at=at, kind=kind, by=by, detail=detail, visibility=visibility)


async def opened(servers: Servers, account: str | None) -> str:
    """A case without a workflow."""
    case = f"T-{next(_numbers)}"
    await servers.pool.execute(
        "insert into service_case (case_id, account_id, subject, channel, impact, urgency, priority, status, status_at,"
        " opened_at, last_activity_at, planned_at, recorded_at)"
        " values ($1, $2, 'Till is down', 'web', 'high', 'high', 'urgent', 'open', $3, $3, $3, $3, $3)",
        case,
        account,
        START,
    )
    return case


def promise(**how: Any) -> MilestoneFacts:
    return MilestoneFacts(milestone="first_response", number=1, kind="first_response", started_at=START, **how)


async def test_a_case_is_told_with_its_messages_notes_and_promises(servers: Servers) -> None:
    account = await placed(servers)
    case = await opened(servers, account)
    events = [
        event(1, Happened.CREATED, "customer", {}),
        event(2, Happened.NOTE, "A-1", {"body": "sounds familiar"}, "internal"),
        event(3, Happened.AGENT_MESSAGE, "A-1", {}),
        event(4, Happened.WAITING, "A-1", {"status": "waiting_customer", "reason": "log file"}),
        event(5, Happened.VIOLATED, "system", {}),
    ]
    due, missed = START + timedelta(hours=5), START + timedelta(hours=5, minutes=30)
    async with servers.pool.acquire() as connection:
        await add_events(connection, case, events, subject="Till is down")
        late = promise(violated_at=due, completed_at=missed, state="missed")
        await save_milestones(connection, case, account, [late])
        own = [one for one in await titles(servers, account) if case in one[1]]
        assert own == [
            ("case", f"Case {case}: opened: Till is down"),
            ("case", f"Case {case}: note: sounds familiar"),
            ("message", f"Case {case}: we answered"),
            ("case", f"Case {case}: waiting for the customer: log file"),
            ("milestone", f"Case {case}: first response was due"),
            ("milestone", f"Case {case}: first response kept late"),
        ]
        seen_by_sales = [one for one in await titles(servers, account, Audience.SALES) if case in one[1]]
        assert len(seen_by_sales) == 5
        assert not [title for _, title in seen_by_sales if "familiar" in title]
        # Late evidence: it was in time after all.
        early, taken_back = START + timedelta(hours=2), START + timedelta(hours=6)
        kept = promise(violated_at=due, completed_at=early, reversed_at=taken_back, state="met")
        await save_milestones(connection, case, account, [kept])
    told = [title for kind, title in await titles(servers, account) if kind == "milestone"]
    assert told == [
        f"Case {case}: first response kept",
        f"Case {case}: first response was due",
        f"Case {case}: first response was not late after all",
    ]


def test_all_that_happens_in_a_case_is_called_by_words() -> None:
    untold = {Happened.VIOLATED, Happened.REVERSED, Happened.FIRED}
    details: dict[Happened, dict[str, Any]] = {
        Happened.ASSIGNED: {"owner": "S-1"},
        Happened.CUSTOM: {"name": "hold_overridden"},
    }
    told = [
        line["title"] or ""
        for n, kind in enumerate(Happened, 1)
        for line in event_told("A-1", "C-1", "Till", event(n, kind, "A-1", details.get(kind, {})), {"S-1": "Ann Lee"})
    ]
    assert len(told) == len(Happened) - len(untold)
    assert not [title for title in told if "_" in title or title.endswith((": custom", "message"))]
    assert "Case C-1: has an owner: Ann Lee" in told
    assert "Case C-1: sales may reach the customer for some hours" in told


async def test_a_term_that_is_taken_back_is_told_no_more(servers: Servers) -> None:
    account = await placed(servers)
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", account)
    begins = ("contract", f"Contract {contract}: term 2 begins")
    first, end = START, START + timedelta(days=30)
    term = BeginTerm(contract, 2, first.date(), end.date(), first, end, "renewed", START)
    async with servers.pool.acquire() as connection:
        place = Place(connection, account, START)
        await BEGIN_TERMS(place, [term])
        assert begins in await titles(servers, account)
        await DROP_TERMS(place, [DropTerm(contract, 2)])
        assert begins not in await titles(servers, account)


async def test_only_another_health_is_told() -> None:
    told = [*health_told("A-1", START, 72, "healthy", None), *health_told("A-1", START, 72, "healthy", (72, "healthy"))]
    told += health_told("A-1", START, 55, "watch", (72, "healthy"))
    assert [line["title"] for line in told] == ["Health 72, healthy", "Health 55, watch (was 72, healthy)"]
